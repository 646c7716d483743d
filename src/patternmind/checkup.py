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
        "raw text": _raw_text,
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
    n_people = sum(bool(one.name) for one in house.store.roster())
    return f"{DATABASE}: {len(cases)} cases, {ran}, {n_people} people on the roster"


def _raw_text(house: House) -> str:
    """Whether what was handed in is encrypted as the settings say, and nothing of it lies about."""
    counts = house.store.raw_counts()
    if not counts.opens:
        house.store.submissions()
    key = house.settings.raw_key
    if key is not None and counts.n_sealed < counts.n:
        raise PatternmindError(
            f"{counts.n - counts.n_sealed} raw texts are not encrypted. Run `patternmind key apply`."
        )
    copies = ", ".join(path.name for path in house.copies())
    if key is not None and copies:
        raise PatternmindError(f"Raw text lies open in {copies}. Delete what you do not need any more.")
    return f"{counts.n} texts, {f'encrypted with key {counts.key_name}' if key else 'not encrypted'}"


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
    """One token from every model that is set: its price, address and key in words, and how it answered."""
    from patternmind.adapters.gateway import price_of, say_address, say_key, say_price

    if house.settings.model is None:
        return "no model set; everything works from the texts themselves"
    gateway = house.gateway()
    told: list[str] = []
    for endpoint in gateway.choice.endpoints:
        where = f"{say_address(endpoint)}, {say_key(endpoint)}, {say_price(price_of(endpoint))}"
        try:
            call = gateway.ping(endpoint)
        except GatewayFailed as failed:
            raise GatewayFailed(failed.task, f"{endpoint.model} {where}: {failed.reason}") from failed
        told.append(f"{endpoint.model} answers in {call.seconds:.1f} s, {where}")
    return f"{'; '.join(told)}. {_spent(house)}"


def _spent(house: House) -> str:
    from patternmind.verbs.calls import spent_usd

    spent, budget = spent_usd(house.store, house.clock.now()), house.settings.budget
    limits = (("this month", spent.month_usd, budget.month_usd), ("in all", spent.network_usd, budget.network_usd))
    told = [f"{usd or 0:.4g} USD {when}{'' if limit is None else f' of {limit:.4g}'}" for when, usd, limit in limits]
    a_run = "no limit for a run" if budget.run_usd is None else f"at most {budget.run_usd:.4g} USD a run"
    return f"Spent: {', '.join(told)}; {a_run}"
