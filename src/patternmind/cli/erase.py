"""`patternmind erase`, `raw` and `key`: what was handed in, as the steward alone may treat it."""

import sys
from typing import Annotated

import typer

from patternmind.cli import output
from patternmind.cli.app import (
    HomeOption,
    JsonOption,
    app,
    open_context,
)
from patternmind.cli.audit import write_audit
from patternmind.errors import UsageError

key_app = typer.Typer(no_args_is_help=True, help="The key that encrypts raw text, in PATTERNMIND_RAW_KEY.")
app.add_typer(key_app, name="key")

EXTERNAL_COPIES_NOTICE = (
    "Files that were written elsewhere (exports, playbooks, pre-readings, maps) and backups cannot be recalled: delete "
    "them, or write them again. A server that is running keeps some answers in memory: start it anew."
)


@app.command()
def erase(
    case: Annotated[str, typer.Argument(help="Case id or external id, of a recap too.")],
    by: Annotated[str, typer.Option(help="Who erases it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Erase a case for good: texts, vectors, index, places; its quotes are withdrawn. It has no undo."""
    from dataclasses import asdict

    from patternmind.domain.permissions import Action

    house = open_context(home)
    if not yes:
        if json or not sys.stdin.isatty():
            raise UsageError("Erasing has no undo. Say --yes to erase without being asked.")
        if not typer.confirm(f"Erase {case} for good? This has no undo."):
            raise typer.Exit(1)
    told = house.erase(case, actor=by)
    write_audit(house, Action.ERASE_CASE, "erase", "case", told.case_id, actor=by)
    if json:
        output.write_json({**asdict(told), "elsewhere": EXTERNAL_COPIES_NOTICE})
        return
    lines = [
        f"{told.case_id} was erased before; the files were cleaned once more."
        if told.again
        else f"{told.case_id} is erased. {told.n_quotes} quotes of it in {told.n_drafts} drafts are withdrawn."
    ]
    if told.same:
        lines.append(f"The same text is here as {', '.join(told.same)}: erase that too, if it should go.")
    if told.linked:
        lines.append(f"{', '.join(told.linked)} name it: cases and recaps of their own, which stay until erased.")
    output.write_text("\n".join([*lines, EXTERNAL_COPIES_NOTICE]) + "\n")


@app.command()
def raw(
    case: Annotated[str, typer.Argument(help="Case id or external id.")],
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """A case as it was handed in, names included: for the steward alone. It needs the key where there is one."""
    from dataclasses import asdict

    from patternmind.domain.permissions import Action

    house = open_context(home)
    case_id = house.store.case(case).id
    submission = house.store.submission(case_id)
    write_audit(house, Action.SEE_RAW_TEXT, "read_raw", "case", case_id)
    if json:
        output.write_json(asdict(submission))
        return
    told = {**submission.text, **submission.facts, **submission.extra}
    output.write_text("".join(f"{name}: {value}\n" for name, value in told.items()))


@key_app.command("new")
def key_new(json: JsonOption = False) -> None:
    """Print a fresh key. Keep it where the database is not: without it, raw text stays closed for good."""
    from patternmind.settings import generate_key

    key = generate_key()
    output.write_result({"key": key}, key, as_json=json)


@key_app.command("apply")
def key_apply(home: HomeOption = None, json: JsonOption = False) -> None:
    """Encrypt all raw text with PATTERNMIND_RAW_KEY; PATTERNMIND_RAW_KEY_BEFORE opens what a former key encrypted.

    Without PATTERNMIND_RAW_KEY it is decrypted.
    """
    from patternmind.domain.permissions import Action

    house = open_context(home)
    with house.run_locked() as store:
        n = store.reencrypt_submissions()
        store.purge_deleted()
    write_audit(house, Action.SETTINGS, "key.apply")
    name, copies = store.raw_text_counts().key_id, [str(path) for path in house.leftover_copies()]
    told = f"{n} raw texts are {f'encrypted with key {name}' if name else 'not encrypted'}."
    if name and copies:
        told += f" Raw text lies open in {', '.join(copies)}: delete what you do not need any more."
    output.write_result({"n": n, "key": name, "copies": copies}, told, as_json=json)
