"""`patternmind key`: the key that encrypts raw text."""

import typer

from patternmind.cli import output
from patternmind.cli.audit import write_audit
from patternmind.cli.root import HomeOption, JsonOption, app, open_context

key_app = typer.Typer(no_args_is_help=True, help="Manage the key that encrypts raw text (PATTERNMIND_RAW_KEY).")
app.add_typer(key_app, name="key")


@key_app.command("new")
def key_new(json: JsonOption = False) -> None:
    """Print a new key. Store it away from the database: without it, encrypted raw text stays unreadable."""
    from patternmind.settings import generate_key

    key = generate_key()
    output.write_result({"key": key}, key, as_json=json)


@key_app.command("apply")
def key_apply(home: HomeOption = None, json: JsonOption = False) -> None:
    """Encrypt all raw text with PATTERNMIND_RAW_KEY.

    To change the key, set PATTERNMIND_RAW_KEY_BEFORE to the former key.
    Without PATTERNMIND_RAW_KEY, all raw text is decrypted.
    """
    from patternmind.domain.permissions import Action

    ctx = open_context(home)
    with ctx.run_locked() as store:
        n = store.submissions.reencrypt_all()
        store.purge_deleted()
    write_audit(ctx, Action.SETTINGS, "key.apply")
    key_id, copies = store.submissions.count_raw_texts().key_id, [str(path) for path in ctx.leftover_copies()]
    texts = "1 raw text is" if n == 1 else f"{n} raw texts are"
    message = f"{texts} {f'encrypted with key {key_id}' if key_id else 'not encrypted'}."
    if key_id and copies:
        message += f" Unencrypted raw text is still in {', '.join(copies)}: delete what you no longer need."
    output.write_result({"n": n, "key": key_id, "copies": copies}, message, as_json=json)
