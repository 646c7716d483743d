"""The environment, read once. Modelling choices are no settings: they are stored with the run."""

import base64
import binascii
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from patternmind.errors import SettingsInvalid

PREFIX = "PATTERNMIND_"

KNOWN = frozenset(
    "HOME MODEL API_BASE API_KEY MODEL_TIMEOUT_SECONDS PROMPTS ENCODER RAW_KEY RAW_KEY_BEFORE".split(),
)

KEY_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``model`` is any litellm model name; without one no language model is called.

    From PATTERNMIND_HOME, _MODEL, _API_BASE, _API_KEY, _MODEL_TIMEOUT_SECONDS, _PROMPTS, _ENCODER (a folder),
    _RAW_KEY and _RAW_KEY_BEFORE (see ``make_key``; 32 bytes here).
    """

    home: Path
    model: str | None = None
    api_base: str | None = None
    api_key: str | None = field(default=None, repr=False)
    model_timeout_seconds: float = 60.0
    prompts: Path | None = None
    encoder: Path | None = None
    raw_key: bytes | None = field(default=None, repr=False)
    raw_key_before: bytes | None = field(default=None, repr=False)


def read_settings(environ: Mapping[str, str], *, home: Path | None = None) -> Settings:
    """The settings of this process; ``home`` given on the command line wins.

    Raises:
        SettingsInvalid: naming everything that is wrong at once.
    """
    known = {name[len(PREFIX) :]: value for name, value in environ.items() if name.startswith(PREFIX) and value}
    wrong: list[str] = []
    unknown = set(known) - KNOWN
    wrong += [f"{PREFIX}{name} is no setting" for name in sorted(unknown)]
    if "API_BASE" in known and "MODEL" not in known:
        wrong.append(f"{PREFIX}API_BASE needs {PREFIX}MODEL")
    timeout = _seconds(known.get("MODEL_TIMEOUT_SECONDS", "60"))
    if timeout is None:
        wrong.append(f"{PREFIX}MODEL_TIMEOUT_SECONDS must be a number of seconds above 0")
    for name in ("PROMPTS", "ENCODER"):
        if name in known and not Path(known[name]).is_dir():
            wrong.append(f"{PREFIX}{name} must be a folder that exists")
    keys = {name: _key(known[name]) for name in ("RAW_KEY", "RAW_KEY_BEFORE") if name in known}
    wrong += [f"{PREFIX}{name} must be a key made by `patternmind key new`" for name, key in keys.items() if not key]
    if wrong:
        raise SettingsInvalid(f"The settings are not usable: {'; '.join(wrong)}.")
    return Settings(
        home=home or Path(known.get("HOME", _default_home(environ))).expanduser(),
        model=known.get("MODEL"),
        api_base=known.get("API_BASE"),
        api_key=known.get("API_KEY"),
        model_timeout_seconds=timeout or 60.0,
        prompts=Path(known["PROMPTS"]) if "PROMPTS" in known else None,
        encoder=Path(known["ENCODER"]) if "ENCODER" in known else None,
        raw_key=keys.get("RAW_KEY"),
        raw_key_before=keys.get("RAW_KEY_BEFORE"),
    )


def make_key() -> str:
    """A fresh key for PATTERNMIND_RAW_KEY: 32 random bytes in URL-safe base64."""
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode("ascii")


def _key(text: str) -> bytes | None:
    """The bytes of a key; a passphrase is none, for it could be guessed."""
    try:
        key = base64.b64decode(text.strip(), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == KEY_BYTES else None


def _default_home(environ: Mapping[str, str]) -> str:
    data = environ.get("XDG_DATA_HOME") or str(Path(environ.get("HOME", "~")).expanduser() / ".local" / "share")
    return str(Path(data) / "patternmind")


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if 0 < seconds < float("inf") else None
