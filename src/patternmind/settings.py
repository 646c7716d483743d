"""The environment, read once. Modelling choices are no settings: they are stored with the run."""

import base64
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from patternmind.domain.calls import Budget, CallLimits, Price
from patternmind.errors import SettingsInvalid

PREFIX = "PATTERNMIND_"

SETTING_NAMES = frozenset(
    {
        *("HOME", "NETWORK", "URL", "MODEL", "API_BASE", "API_KEY", "PROMPTS", "ENCODER", "RAW_KEY", "RAW_KEY_BEFORE"),
        *("TASK_MODELS", "FALLBACK_MODEL", "PRICES"),
        *("MODEL_TIMEOUT_SECONDS", "MODEL_MAX_TOKENS", "MODEL_PARALLEL"),
        *("BUDGET_RUN_USD", "BUDGET_MONTH_USD", "BUDGET_NETWORK_USD"),
    }
)

DEFAULT_BUDGET = Budget(run_usd=1.0, month_usd=10.0)
"""Nobody spends without having said so: enough for some thousand cases with a small model, too little to hurt."""

MAX_PARALLEL = 12
"""The store gives a process 15 connections."""

T = TypeVar("T")

KEY_BYTES = 32

DEFAULT_NETWORK = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``model`` is any litellm model name; without one no language model is called.

    A model's name may carry the address where it is served: ``openai/qwen2.5@http://localhost:8000/v1``.

    ``network`` is the one that commands work on, where there are several. ``url`` is the address under which people
    reach the pages through a proxy, such as https://patterns.example.org; without it they are on this machine alone.

    From PATTERNMIND_HOME, _NETWORK, _URL, _MODEL, _API_BASE, _API_KEY, _MODEL_TIMEOUT_SECONDS, _MODEL_MAX_TOKENS,
    _MODEL_PARALLEL,
    _TASK_MODELS ("task=model, ..."), _FALLBACK_MODEL, _PRICES ("model=IN/OUT, ...", USD a million tokens),
    _BUDGET_RUN_USD, _BUDGET_MONTH_USD, _BUDGET_NETWORK_USD ("none" for no limit), _PROMPTS, _ENCODER (folders),
    _RAW_KEY and _RAW_KEY_BEFORE (see ``make_key``; 32 bytes here).
    """

    home: Path
    network: str = DEFAULT_NETWORK
    url: str | None = None
    model: str | None = None
    api_base: str | None = None
    api_key: str | None = field(default=None, repr=False)
    task_models: Mapping[str, str] = field(default_factory=dict[str, str])
    fallback_model: str | None = None
    prices: Mapping[str, Price] = field(default_factory=dict[str, Price])
    limits: CallLimits = CallLimits()  # noqa: RUF009 - frozen
    budget: Budget = DEFAULT_BUDGET
    prompts: Path | None = None
    encoder: Path | None = None
    raw_key: bytes | None = field(default=None, repr=False)
    raw_key_before: bytes | None = field(default=None, repr=False)


def read_settings(environ: Mapping[str, str], *, home: Path | None = None, network: str | None = None) -> Settings:
    """The settings of this process; ``home`` and ``network`` given on the command line win.

    Raises:
        SettingsInvalid: naming everything that is wrong at once.
    """
    known = {name[len(PREFIX) :]: value for name, value in environ.items() if name.startswith(PREFIX) and value}
    reader = _SettingsReader(known)
    reader.wrong += [f"{PREFIX}{name} is no setting" for name in sorted(set(known) - SETTING_NAMES)]
    for name in ("API_BASE", "TASK_MODELS", "FALLBACK_MODEL"):
        if name in known and "MODEL" not in known:
            reader.wrong.append(f"{PREFIX}{name} needs {PREFIX}MODEL")
    usual = CallLimits()
    settings = Settings(
        home=home or Path(known.get("HOME", _default_home(environ))).expanduser(),
        network=network or known.get("NETWORK", DEFAULT_NETWORK),
        url=reader.read("URL", None, _parse_url, "an address without a path, such as https://patterns.example.org"),
        model=known.get("MODEL"),
        api_base=known.get("API_BASE"),
        api_key=known.get("API_KEY"),
        task_models=reader.read_pairs(
            "TASK_MODELS", _parse_text, "task=model pairs, such as case-facets=openai/gpt-4o-mini"
        ),
        fallback_model=known.get("FALLBACK_MODEL"),
        prices=reader.read_pairs(
            "PRICES", _parse_price, "model=IN/OUT pairs in USD a million tokens, such as openai/qwen=0/0"
        ),
        limits=CallLimits(
            timeout_seconds=reader.read(
                "MODEL_TIMEOUT_SECONDS", usual.timeout_seconds, _parse_positive, "a number of seconds above 0"
            ),
            max_tokens=reader.read("MODEL_MAX_TOKENS", usual.max_tokens, _parse_positive_int, "a whole number above 0"),
            max_parallel=reader.read(
                "MODEL_PARALLEL", usual.max_parallel, _parse_parallel, f"a whole number from 1 to {MAX_PARALLEL}"
            ),
        ),
        budget=Budget(
            run_usd=reader.read("BUDGET_RUN_USD", DEFAULT_BUDGET.run_usd, _parse_usd, USD_EXPECTED),
            month_usd=reader.read("BUDGET_MONTH_USD", DEFAULT_BUDGET.month_usd, _parse_usd, USD_EXPECTED),
            network_usd=reader.read("BUDGET_NETWORK_USD", DEFAULT_BUDGET.network_usd, _parse_usd, USD_EXPECTED),
        ),
        prompts=reader.read("PROMPTS", None, _parse_folder, "a folder that exists"),
        encoder=reader.read("ENCODER", None, _parse_folder, "a folder that exists"),
        raw_key=reader.read("RAW_KEY", None, _parse_key, KEY_EXPECTED),
        raw_key_before=reader.read("RAW_KEY_BEFORE", None, _parse_key, KEY_EXPECTED),
    )
    if reader.wrong:
        raise SettingsInvalid(f"The settings are not usable: {'; '.join(reader.wrong)}.")
    return settings


USD_EXPECTED = "a number of USD, 0 or more, or none for no limit"
KEY_EXPECTED = "a key made by `patternmind key new`"


@dataclass
class _SettingsReader:
    """Reads one setting after the other and remembers what was wrong."""

    known: Mapping[str, str]
    wrong: list[str] = field(default_factory=list[str])

    def read(self, name: str, default: T, convert: Callable[[str], T], must_be: str) -> T:
        """The setting, or its default; ``convert`` raises ValueError where it is none."""
        if name not in self.known:
            return default
        try:
            return convert(self.known[name])
        except ValueError:
            self.wrong.append(f"{PREFIX}{name} must be {must_be}")
            return default

    def read_pairs(self, name: str, convert: Callable[[str], T], expected: str) -> dict[str, T]:
        """A list of ``key=value`` with commas between."""

        def read_all(text: str) -> dict[str, T]:
            parts = [part.strip() for part in text.split(",") if part.strip()]
            split = [(key.strip(), value.strip()) for key, _, value in (part.partition("=") for part in parts)]
            if not all(key and value for key, value in split):
                raise ValueError
            return {key: convert(value) for key, value in split}

        return self.read(name, {}, read_all, expected)


def generate_key() -> str:
    """A fresh key for PATTERNMIND_RAW_KEY: 32 random bytes in URL-safe base64."""
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode("ascii")


def _parse_key(text: str) -> bytes:
    """The bytes of a key; a passphrase is none, for it could be guessed. Raises ValueError."""
    key = base64.b64decode(text.strip(), altchars=b"-_", validate=True)
    if len(key) != KEY_BYTES:
        raise ValueError
    return key


def _default_home(environ: Mapping[str, str]) -> str:
    data = environ.get("XDG_DATA_HOME") or str(Path(environ.get("HOME", "~")).expanduser() / ".local" / "share")
    return str(Path(data) / "patternmind")


def _parse_url(text: str) -> str:
    parts = urlsplit(text.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError
    return f"{parts.scheme}://{parts.netloc}".casefold()


def _parse_text(text: str) -> str:
    return text


def _parse_number(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise ValueError
    return number


def _parse_positive(text: str) -> float:
    number = _parse_number(text)
    if number == 0:
        raise ValueError
    return number


def _parse_positive_int(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _parse_parallel(text: str) -> int:
    number = _parse_positive_int(text)
    if number > MAX_PARALLEL:
        raise ValueError
    return number


def _parse_usd(text: str) -> float | None:
    return None if text.strip().casefold() == "none" else _parse_number(text)


def _parse_price(text: str) -> Price:
    read, written = text.split("/")
    return Price(_parse_number(read), _parse_number(written))


def _parse_folder(text: str) -> Path | None:
    path = Path(text)
    if not path.is_dir():
        raise ValueError
    return path
