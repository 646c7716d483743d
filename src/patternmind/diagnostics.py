"""What `patternmind doctor` looks at."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass

from patternmind.bootstrap import DATABASE_FILE, AppContext
from patternmind.errors import GatewayFailed, PatternmindError

MIN_FREE_BYTES = 200 << 20


@dataclass(frozen=True, slots=True)
class CheckResult:
    what: str
    ok: bool
    says: str


def run_checks(house: AppContext) -> list[CheckResult]:
    """One finding a part; none of them changes anything but an absent data folder, which is made."""
    parts: dict[str, Callable[[AppContext], str]] = {
        "data folder": _check_folder,
        "store": _check_store,
        "raw text": _check_raw_text,
        "encoder": _check_encoder,
        "index": _check_index,
        "prompts": _check_prompts,
        "model gateway": _check_gateway,
    }
    return [_run_check(what, look, house) for what, look in parts.items()]


def _run_check(name: str, check: Callable[[AppContext], str], house: AppContext) -> CheckResult:
    try:
        return CheckResult(name, True, check(house))
    except GatewayFailed as failed:
        return CheckResult(name, False, f"{failed.reason}. Check PATTERNMIND_MODEL, _API_BASE and _API_KEY.")
    except PatternmindError as error:
        return CheckResult(name, False, str(error))


def _check_folder(house: AppContext) -> str:
    home = house.settings.home
    _ = house.store
    if not os.access(home, os.W_OK):
        raise PatternmindError(f"{home} cannot be written. Give yourself write rights on it.")
    free = shutil.disk_usage(home).free
    if free < MIN_FREE_BYTES:
        raise PatternmindError(f"{home} has {free >> 20} MB left. Free some space.")
    return f"{home}, {free >> 20} MB free"


def _check_store(house: AppContext) -> str:
    cases, last = house.store.cases(), house.store.last_run()
    ran = f"last run {last.id}" if last else "no run yet"
    n_people = sum(bool(one.name) for one in house.store.roster())
    return f"{DATABASE_FILE}: {len(cases)} cases, {ran}, {n_people} people on the roster"


def _check_raw_text(house: AppContext) -> str:
    """Whether what was handed in is encrypted as the settings say, and nothing of it lies about."""
    counts = house.store.raw_text_counts()
    if not counts.is_readable:
        house.store.submissions()
    key = house.settings.raw_key
    if key is not None and counts.n_encrypted < counts.n:
        raise PatternmindError(
            f"{counts.n - counts.n_encrypted} raw texts are not encrypted. Run `patternmind key apply`."
        )
    copies = ", ".join(path.name for path in house.leftover_copies())
    if key is not None and copies:
        raise PatternmindError(f"Raw text lies open in {copies}. Delete what you do not need any more.")
    return f"{counts.n} texts, {f'encrypted with key {counts.key_id}' if key else 'not encrypted'}"


def _check_encoder(house: AppContext) -> str:
    vector = house.encoder.encode(["a check"])[0]
    return f"{house.encoder.id}, {len(vector)} dimensions, weights verified"


def _check_index(house: AppContext) -> str:
    if not (house.index_folder / "manifest.json").exists():
        return "none built; search works without it (`patternmind index rebuild` makes one)"
    with house.open_index() as index:
        kind = type(index).__name__
    return "fresh" if kind == "ChromaIndex" else "stale or owned by another process; search goes by the rows"


def _check_prompts(house: AppContext) -> str:
    own = house.settings.prompts
    names = sorted(path.stem for path in own.glob("*.md")) if own else []
    _ = house.prompts
    return f"ours, but {', '.join(names)} from {own}" if names else "ours"


def _check_gateway(house: AppContext) -> str:
    """One token from every model that is set: its price, address and key in words, and how it answered."""
    from patternmind.llm.gateway import (
        describe_address,
        describe_key_source,
        describe_price,
        price_of,
    )

    if house.settings.model is None:
        return "no model set; everything works from the texts themselves"
    gateway = house.gateway()
    told: list[str] = []
    for endpoint in gateway.choice.endpoints:
        where = f"{describe_address(endpoint)}, {describe_key_source(endpoint)}, {describe_price(price_of(endpoint))}"
        try:
            call = gateway.ping(endpoint)
        except GatewayFailed as failed:
            raise GatewayFailed(failed.task, f"{endpoint.model} {where}: {failed.reason}") from failed
        told.append(f"{endpoint.model} answers in {call.seconds:.1f} s, {where}")
    return f"{'; '.join(told)}. {_spending_summary(house)}"


def _spending_summary(house: AppContext) -> str:
    from patternmind.services.llm_costs import get_spending

    spent, budget = get_spending(house.store, house.clock.now()), house.settings.budget
    limits = (("this month", spent.month_usd, budget.month_usd), ("in all", spent.network_usd, budget.network_usd))
    told = [f"{usd or 0:.4g} USD {when}{'' if limit is None else f' of {limit:.4g}'}" for when, usd, limit in limits]
    a_run = "no limit for a run" if budget.run_usd is None else f"at most {budget.run_usd:.4g} USD a run"
    return f"Spent: {', '.join(told)}; {a_run}"
