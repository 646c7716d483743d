"""Settings from the environment. Modelling choices are stored with each run instead."""

import base64
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from patternmind.domain.calls import Budget, CallLimits, Price
from patternmind.errors import ErrorCode, SettingsInvalid

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
"""Default spending limits: enough for some thousand cases with a small model, and never expensive."""

MAX_PARALLEL = 12
"""Maximum number of parallel model calls; the store gives a process 15 connections."""

T = TypeVar("T")

KEY_BYTES = 32

DEFAULT_NETWORK = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of a process.

    They come from PATTERNMIND_HOME, _NETWORK, _URL, _MODEL, _API_BASE, _API_KEY, _MODEL_TIMEOUT_SECONDS,
    _MODEL_MAX_TOKENS, _MODEL_PARALLEL, _TASK_MODELS ("task=model, ..."), _FALLBACK_MODEL, _PRICES ("model=IN/OUT, ...",
    USD per million tokens), _BUDGET_RUN_USD, _BUDGET_MONTH_USD, _BUDGET_NETWORK_USD ("none" for no limit), _PROMPTS,
    _ENCODER (folders), _RAW_KEY and _RAW_KEY_BEFORE.

    Attributes:
        network: the network that commands work on, if there are several.
        url: public address of the pages behind a proxy, such as https://patterns.example.org; without it they are
            reachable only on this machine.
        model: any litellm model name; without it no language model is called. A name may include the address of its
            server: ``openai/qwen2.5@http://localhost:8000/v1``.
        raw_key: 32 bytes, see ``generate_key``.
        raw_key_before: the former key while keys are changed.
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
    """Read the settings; the arguments ``home`` and ``network`` take precedence over the environment.

    Raises:
        SettingsInvalid: At least one setting is invalid; the error lists all of them.
    """
    values = {name[len(PREFIX) :]: value for name, value in environ.items() if name.startswith(PREFIX) and value}
    reader = _SettingsReader(values)
    reader.problems += [f"{PREFIX}{name} is not a known setting" for name in sorted(set(values) - SETTING_NAMES)]
    for name in ("API_BASE", "TASK_MODELS", "FALLBACK_MODEL"):
        if name in values and "MODEL" not in values:
            reader.problems.append(f"{PREFIX}{name} needs {PREFIX}MODEL")
    default_limits = CallLimits()
    settings = Settings(
        home=home or Path(values.get("HOME", _default_home(environ))).expanduser(),
        network=network or values.get("NETWORK", DEFAULT_NETWORK),
        url=reader.read("URL", None, _parse_url, "an address without a path, such as https://patterns.example.org"),
        model=values.get("MODEL"),
        api_base=values.get("API_BASE"),
        api_key=values.get("API_KEY"),
        task_models=reader.read_pairs(
            "TASK_MODELS", _parse_text, "task=model pairs, such as case-facets=openai/gpt-4o-mini"
        ),
        fallback_model=values.get("FALLBACK_MODEL"),
        prices=reader.read_pairs(
            "PRICES", _parse_price, "model=IN/OUT pairs in USD per million tokens, such as openai/qwen=0/0"
        ),
        limits=CallLimits(
            timeout_seconds=reader.read(
                "MODEL_TIMEOUT_SECONDS", default_limits.timeout_seconds, _parse_positive, "a number of seconds above 0"
            ),
            max_tokens=reader.read(
                "MODEL_MAX_TOKENS", default_limits.max_tokens, _parse_positive_int, "a whole number above 0"
            ),
            max_parallel=reader.read(
                "MODEL_PARALLEL",
                default_limits.max_parallel,
                _parse_parallel,
                f"a whole number from 1 to {MAX_PARALLEL}",
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
    if reader.problems:
        code = ErrorCode.INVALID_KEY if reader.invalid_names & {"RAW_KEY", "RAW_KEY_BEFORE"} else None
        raise SettingsInvalid(f"The settings are invalid: {'; '.join(reader.problems)}.", code=code)
    return settings


USD_EXPECTED = "a number of USD, 0 or more, or none for no limit"
KEY_EXPECTED = "a generated key of 32 random bytes"


@dataclass
class _SettingsReader:
    """Reader of single settings that collects all problems."""

    values: Mapping[str, str]
    problems: list[str] = field(default_factory=list[str])
    invalid_names: set[str] = field(default_factory=set[str])

    def read(self, name: str, default: T, convert: Callable[[str], T], expected: str) -> T:
        """Return the setting or its default; ``convert`` raises ValueError for an invalid value."""
        if name not in self.values:
            return default
        try:
            return convert(self.values[name])
        except ValueError:
            self.problems.append(f"{PREFIX}{name} must be {expected}")
            self.invalid_names.add(name)
            return default

    def read_pairs(self, name: str, convert: Callable[[str], T], expected: str) -> dict[str, T]:
        """Return comma-separated ``key=value`` pairs."""

        def read_all(text: str) -> dict[str, T]:
            parts = [part.strip() for part in text.split(",") if part.strip()]
            pairs = [(key.strip(), value.strip()) for key, _, value in (part.partition("=") for part in parts)]
            if not all(key and value for key, value in pairs):
                raise ValueError
            return {key: convert(value) for key, value in pairs}

        return self.read(name, {}, read_all, expected)


def generate_key() -> str:
    """Return a new key for PATTERNMIND_RAW_KEY: 32 random bytes in URL-safe base64."""
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode("ascii")


def _parse_key(text: str) -> bytes:
    """Return the bytes of a key.

    Raises:
        ValueError: The text is not a key. A passphrase is not accepted, because it could be guessed.
    """
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
    input_price, output_price = text.split("/")
    return Price(_parse_number(input_price), _parse_number(output_price))


def _parse_folder(text: str) -> Path | None:
    path = Path(text)
    if not path.is_dir():
        raise ValueError
    return path
