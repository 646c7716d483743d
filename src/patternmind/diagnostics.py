"""Checks of `patternmind doctor`: data folder, store, encryption, encoder, index, prompts and model."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass

from patternmind.bootstrap import DATABASE_FILE, AppContext
from patternmind.errors import ErrorCode, GatewayFailed, IndexUnavailable, PatternmindError
from patternmind.llm.gateway import describe_address, describe_key_source, describe_price, price_of
from patternmind.services.llm_costs import get_spending

MIN_FREE_BYTES = 200 << 20


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Result of one check; ``code`` tells an interface how to solve the problem."""

    what: str
    ok: bool
    says: str
    code: ErrorCode | None = None


def run_checks(ctx: AppContext) -> list[CheckResult]:
    """Run all checks. They change nothing, except that a missing data folder is created."""
    parts: dict[str, Callable[[AppContext], str]] = {
        "data folder": _check_folder,
        "store": _check_store,
        "raw text": _check_raw_text,
        "encoder": _check_encoder,
        "index": _check_index,
        "prompts": _check_prompts,
        "model gateway": _check_gateway,
    }
    return [_run_check(name, check, ctx) for name, check in parts.items()]


def _run_check(name: str, check: Callable[[AppContext], str], ctx: AppContext) -> CheckResult:
    try:
        return CheckResult(name, True, check(ctx))
    except GatewayFailed as failed:
        return CheckResult(name, False, f"{failed.reason}. Check PATTERNMIND_MODEL, _API_BASE and _API_KEY.")
    except PatternmindError as error:
        is_ok = error.code is ErrorCode.INDEX_MISSING  # search works without an index
        return CheckResult(name, is_ok, str(error), error.code)


def _check_folder(ctx: AppContext) -> str:
    home = ctx.settings.home
    _ = ctx.store
    if not os.access(home, os.W_OK):
        raise PatternmindError(f"{home} is not writable. Give yourself write permission.")
    free = shutil.disk_usage(home).free
    if free < MIN_FREE_BYTES:
        raise PatternmindError(f"{home} has {free >> 20} MB left. Free some space.")
    return f"{home}, {free >> 20} MB free"


def _check_store(ctx: AppContext) -> str:
    cases, last_run = ctx.store.cases.list_all(), ctx.store.runs.latest()
    run = f"last run {last_run.id}" if last_run else "no run yet"
    n_people = sum(bool(entry.name) for entry in ctx.store.network.roster())
    return f"{DATABASE_FILE}: {len(cases)} cases, {run}, {n_people} people on the roster"


def _check_raw_text(ctx: AppContext) -> str:
    """Check that raw text is encrypted as configured, and that no unencrypted copies are left."""
    counts = ctx.store.submissions.count_raw_texts()
    if not counts.is_readable:
        ctx.store.submissions.list_all()
    key = ctx.settings.raw_key
    if key is not None and counts.n_encrypted < counts.n_texts:
        raise PatternmindError(
            f"{counts.n_texts - counts.n_encrypted} raw texts are not encrypted. Apply the key to encrypt them.",
            code=ErrorCode.NOT_ENCRYPTED,
        )
    copies = ", ".join(path.name for path in ctx.leftover_copies())
    if key is not None and copies:
        raise PatternmindError(f"{copies} contain unencrypted raw text. Delete the files that you no longer need.")
    return f"{counts.n_texts} texts, {f'encrypted with key {counts.key_id}' if key else 'not encrypted'}"


def _check_encoder(ctx: AppContext) -> str:
    vector = ctx.encoder.encode(["a check"])[0]
    return f"{ctx.encoder.id}, {len(vector)} dimensions, weights verified"


def _check_index(ctx: AppContext) -> str:
    if not (ctx.index_folder / "manifest.json").exists():
        raise IndexUnavailable("Not built; search works without it.", code=ErrorCode.INDEX_MISSING)
    with ctx.open_index() as index:
        kind = type(index).__name__
    return "current" if kind == "ChromaIndex" else "outdated or in use by another process; search reads the store"


def _check_prompts(ctx: AppContext) -> str:
    folder = ctx.settings.prompts
    names = sorted(path.stem for path in folder.glob("*.md")) if folder else []
    _ = ctx.prompts
    return f"built-in, except {', '.join(names)} from {folder}" if names else "built-in"


def _check_gateway(ctx: AppContext) -> str:
    """Request one token from each configured model; report its address, key source, price and time."""
    if ctx.settings.model is None:
        return "no model configured; drafts use quotes only"
    gateway = ctx.gateway()
    answers: list[str] = []
    for endpoint in gateway.choice.endpoints:
        details = f"{describe_address(endpoint)}, {describe_key_source(endpoint)}, {describe_price(price_of(endpoint))}"
        try:
            call = gateway.ping(endpoint)
        except GatewayFailed as error:
            raise GatewayFailed(error.task, f"{endpoint.model} {details}: {error.reason}") from error
        answers.append(f"{endpoint.model} answers in {call.seconds:.1f} s, {details}")
    return f"{'; '.join(answers)}. {_spending_summary(ctx)}"


def _spending_summary(ctx: AppContext) -> str:
    spent, budget = get_spending(ctx.store, ctx.clock.now()), ctx.settings.budget
    limits = (("this month", spent.month_usd, budget.month_usd), ("in total", spent.network_usd, budget.network_usd))
    amounts = [
        f"{usd or 0:.4g} USD {period}{'' if limit is None else f' of {limit:.4g}'}" for period, usd, limit in limits
    ]
    run_limit = "no limit per run" if budget.run_usd is None else f"at most {budget.run_usd:.4g} USD per run"
    return f"Spent: {', '.join(amounts)}; {run_limit}"
