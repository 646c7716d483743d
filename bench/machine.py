"""What the figures were measured on and with, so that two tables can be told apart."""

import hashlib
import os
import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OWN_CODE_PATHS = ("src/patternmind/cluster", "bench/ours.py")


def describe_machine() -> str:
    """Processor, cores, memory and Python in one line."""
    return (
        f"{_processor()}, {os.cpu_count()} cores, {_memory_gb():.0f} GB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}"
    )


def package_versions(packages: tuple[str, ...]) -> dict[str, str]:
    """The installed version of each package; "absent" where there is none."""
    return {name: _package_version(name) for name in packages}


def digest_own_code() -> str:
    """Changes with every change of the clustering code, so that its cells are measured again and no others."""
    digest = hashlib.sha256()
    for place in OWN_CODE_PATHS:
        path = ROOT / place
        for file in sorted(path.glob("*.py")) if path.is_dir() else [path]:
            digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def peak_memory_gb() -> float:
    """The most memory this process has held. Linux's own mark, because ``ru_maxrss`` remembers the parent's size."""
    status = Path("/proc/self/status")
    if status.is_file() and (found := re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="utf-8"))):
        return int(found[1]) * 1024 / 1e9
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def _package_version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    if facts.is_file() and (found := re.search(r"model name\s*:\s*(.+)", facts.read_text(encoding="utf-8"))):
        return found[1].strip()
    return platform.processor() or platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
