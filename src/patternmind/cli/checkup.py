"""What `patternmind doctor` looks at."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass

from patternmind.bootstrap import DATABASE, House
from patternmind.errors import GatewayFailed, PatternmindError

LEAST_FREE = 200 << 20


@dataclass(frozen=True, slots=True)
class Finding:
    what: str
    ok: bool
    says: str


def examine(house: House) -> list[Finding]:
    """One finding a part; none of them changes anything but an absent data folder, which is made."""
    parts: dict[str, Callable[[House], str]] = {
        "data folder": _folder,
        "store": _store,
        "encoder": _encoder,
        "index": _index,
        "prompts": _prompts,
        "model gateway": _gateway,
    }
    return [_try(what, look, house) for what, look in parts.items()]


def _try(what: str, look: Callable[[House], str], house: House) -> Finding:
    try:
        return Finding(what, True, look(house))
    except GatewayFailed as failed:
        return Finding(what, False, f"{failed.reason}. Check PATTERNMIND_MODEL, _API_BASE and _API_KEY.")
    except PatternmindError as error:
        return Finding(what, False, str(error))


def _folder(house: House) -> str:
    home = house.settings.home
    _ = house.store
    if not os.access(home, os.W_OK):
        raise PatternmindError(f"{home} cannot be written. Give yourself write rights on it.")
    free = shutil.disk_usage(home).free
    if free < LEAST_FREE:
        raise PatternmindError(f"{home} has {free >> 20} MB left. Free some space.")
    return f"{home}, {free >> 20} MB free"


def _store(house: House) -> str:
    cases, last = house.store.cases(), house.store.last_run()
    ran = f"last run {last.id}" if last else "no run yet"
    return f"{DATABASE}: {len(cases)} cases, {ran}, {len(house.store.roster())} people on the roster"


def _encoder(house: House) -> str:
    vector = house.encoder.encode(["a check"])[0]
    return f"{house.encoder.id}, {len(vector)} dimensions, weights verified"


def _index(house: House) -> str:
    if not (house.index_folder / "manifest.json").exists():
        return "none built; search works without it (`patternmind index rebuild` makes one)"
    with house.index() as index:
        kind = type(index).__name__
    return "fresh" if kind == "ChromaIndex" else "stale or owned by another process; search goes by the rows"


def _prompts(house: House) -> str:
    own = house.settings.prompts
    names = sorted(path.stem for path in own.glob("*.md")) if own else []
    _ = house.prompts
    return f"ours, but {', '.join(names)} from {own}" if names else "ours"


def _gateway(house: House) -> str:
    if house.settings.model is None:
        return "no model set; everything works from the texts themselves"
    house.gateway().ping()
    return f"{house.settings.model} answers"
