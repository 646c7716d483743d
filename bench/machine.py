"""Description of the machine and the versions behind the figures."""

import hashlib
import os
import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OWN_CODE_PATHS = ("src/patternmind/clustering", "bench/patternmind_clustering.py")


def describe_machine() -> str:
    """Return processor, cores, memory and Python version in one line."""
    return (
        f"{_processor()}, {os.cpu_count()} cores, {_memory_gb():.0f} GB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}"
    )


def package_versions(packages: tuple[str, ...]) -> dict[str, str]:
    """Return the installed version of each package, or "absent"."""
    return {name: _package_version(name) for name in packages}


def digest_own_code() -> str:
    """Hash the clustering code, so that a change of it repeats only our own cells."""
    digest = hashlib.sha256()
    for name in OWN_CODE_PATHS:
        path = ROOT / name
        for file in sorted(path.glob("*.py")) if path.is_dir() else [path]:
            digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def peak_memory_gb() -> float:
    """Return the peak memory of this process.

    On Linux it is read from ``/proc``, because ``ru_maxrss`` includes the size of the parent process.
    """
    status = Path("/proc/self/status")
    if status.is_file() and (match := re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="utf-8"))):
        return int(match[1]) * 1024 / 1e9
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def _package_version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def _processor() -> str:
    cpu_info = Path("/proc/cpuinfo")
    if cpu_info.is_file() and (match := re.search(r"model name\s*:\s*(.+)", cpu_info.read_text(encoding="utf-8"))):
        return match[1].strip()
    return platform.processor() or platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
