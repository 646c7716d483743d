"""Tests of the settings: values, errors and hidden keys."""

import base64
from pathlib import Path

import pytest

from patternmind.domain.calls import Budget, CallLimits, Price
from patternmind.errors import ErrorCode, SettingsInvalid
from patternmind.settings import Settings, generate_key, read_settings


def test_settings_default_home_is_the_users_share_folder() -> None:
    assert read_settings({"HOME": "/home/ada"}) == Settings(home=Path("/home/ada/.local/share/patternmind"))
    assert read_settings({"XDG_DATA_HOME": "/data"}).home == Path("/data/patternmind")


def test_settings_are_all_read(tmp_path: Path) -> None:
    environ = {
        "PATTERNMIND_HOME": "/data/pm",
        "PATTERNMIND_MODEL": "openai/gpt",
        "PATTERNMIND_API_BASE": "http://localhost:1",
        "PATTERNMIND_API_KEY": "sk-1",
        "PATTERNMIND_TASK_MODELS": "case-facets=openai/small, pattern = openai/c@http://localhost:2/v1",
        "PATTERNMIND_FALLBACK_MODEL": "anthropic/claude",
        "PATTERNMIND_PRICES": "openai/small=0/0,openai/gpt=2.5/10",
        "PATTERNMIND_MODEL_TIMEOUT_SECONDS": "2.5",
        "PATTERNMIND_MODEL_MAX_TOKENS": "900",
        "PATTERNMIND_MODEL_PARALLEL": "8",
        "PATTERNMIND_BUDGET_RUN_USD": "0.10",
        "PATTERNMIND_BUDGET_MONTH_USD": "None",
        "PATTERNMIND_BUDGET_NETWORK_USD": "100",
        "PATTERNMIND_PROMPTS": str(tmp_path),
        "PATTERNMIND_ENCODER": str(tmp_path),
        "PATTERNMIND_RAW_KEY": base64.urlsafe_b64encode(b"\xff" * 32).decode(),
        "PATTERNMIND_RAW_KEY_BEFORE": base64.urlsafe_b64encode(b"b" * 32).decode(),
    }
    assert read_settings(environ) == Settings(
        home=Path("/data/pm"),
        model="openai/gpt",
        api_base="http://localhost:1",
        api_key="sk-1",
        task_models={"case-facets": "openai/small", "pattern": "openai/c@http://localhost:2/v1"},
        fallback_model="anthropic/claude",
        prices={"openai/small": Price(0, 0), "openai/gpt": Price(2.5, 10)},
        limits=CallLimits(timeout_seconds=2.5, max_tokens=900, max_parallel=8),
        budget=Budget(run_usd=0.1, month_usd=None, network_usd=100),
        prompts=tmp_path,
        encoder=tmp_path,
        raw_key=b"\xff" * 32,
        raw_key_before=b"b" * 32,
    )


def test_settings_prefer_the_command_line_and_ignore_empty_values() -> None:
    environ = {"PATTERNMIND_HOME": "/data/pm", "PATTERNMIND_MODEL": ""}
    assert read_settings(environ, home=Path("/here")) == Settings(home=Path("/here"))


def test_settings_expand_a_tilde_in_home() -> None:
    assert read_settings({"PATTERNMIND_HOME": "~/pm"}).home == Path.home() / "pm"


def test_settings_error_lists_all_problems() -> None:
    environ = {
        "PATTERNMIND_API_BASE": "http://localhost:1",
        "PATTERNMIND_MODEL_TIMEOUT_SECONDS": "soon",
        "PATTERNMIND_PROMPTS": "/nowhere",
        "PATTERNMIND_COLOUR": "red",
        "COLOUR": "red",
    }
    with pytest.raises(SettingsInvalid) as refused:
        read_settings(environ)
    for name in (
        "COLOUR is not a known setting",
        "API_BASE needs",
        "MODEL_TIMEOUT_SECONDS must",
        "PROMPTS must be a folder",
    ):
        assert f"PATTERNMIND_{name}" in str(refused.value)
    assert refused.value.exit_code == 2


@pytest.mark.parametrize("seconds", ["0", "-1", "inf", "nan", ""])
def test_settings_reject_a_timeout_that_is_not_positive(seconds: str) -> None:
    environ = {"PATTERNMIND_MODEL_TIMEOUT_SECONDS": seconds}
    if seconds:
        with pytest.raises(SettingsInvalid):
            read_settings(environ)
    else:
        assert read_settings(environ).limits.timeout_seconds == 60


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("MODEL_MAX_TOKENS", "0", "a whole number above 0"),
        ("MODEL_MAX_TOKENS", "1.5", "a whole number above 0"),
        ("MODEL_PARALLEL", "13", "a whole number from 1 to 12"),
        ("BUDGET_RUN_USD", "-1", "a number of USD"),
        ("BUDGET_MONTH_USD", "much", "a number of USD"),
        ("BUDGET_NETWORK_USD", "nan", "a number of USD"),
        ("PRICES", "openai/gpt=1", "model=IN/OUT pairs"),
        ("PRICES", "openai/gpt", "model=IN/OUT pairs"),
        ("PRICES", "openai/gpt=-1/2", "model=IN/OUT pairs"),
        ("TASK_MODELS", "naming", "task=model pairs"),
        ("TASK_MODELS", "=openai/gpt", "task=model pairs"),
    ],
)
def test_settings_error_states_the_expected_value(name: str, value: str, expected: str) -> None:
    with pytest.raises(SettingsInvalid, match=f"PATTERNMIND_{name} must be {expected}"):
        read_settings({f"PATTERNMIND_{name}": value, "PATTERNMIND_MODEL": "openai/gpt"})


@pytest.mark.parametrize("name", ["TASK_MODELS", "FALLBACK_MODEL", "API_BASE"])
def test_settings_of_task_models_need_a_default_model(name: str) -> None:
    with pytest.raises(SettingsInvalid, match=f"PATTERNMIND_{name} needs PATTERNMIND_MODEL"):
        read_settings({f"PATTERNMIND_{name}": "a=b"})


def test_settings_have_a_default_budget() -> None:
    assert read_settings({}).budget == Budget(run_usd=1.0, month_usd=10.0, network_usd=None)


def test_settings_accept_only_generated_raw_keys() -> None:
    key = generate_key()
    assert len(read_settings({"PATTERNMIND_RAW_KEY": key}).raw_key or b"") == 32
    assert key != generate_key()
    assert key not in repr(read_settings({"PATTERNMIND_RAW_KEY": key}))
    for text in ("correct horse battery staple", key[:-4], "ö" * 44, key + "AAAA"):
        with pytest.raises(SettingsInvalid, match="PATTERNMIND_RAW_KEY must be a generated key") as raised:
            read_settings({"PATTERNMIND_RAW_KEY": text})
        assert raised.value.code is ErrorCode.INVALID_KEY


def test_settings_repr_hides_keys() -> None:
    assert "sk-secret" not in repr(read_settings({"PATTERNMIND_API_KEY": "sk-secret"}))
