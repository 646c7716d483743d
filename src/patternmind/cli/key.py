"""`patternmind key`: the key that encrypts raw text."""

import typer

from patternmind.cli import output
from patternmind.cli.context import open_context, write_audit
from patternmind.cli.options import HomeOption, JsonOption
from patternmind.domain.permissions import Action
from patternmind.settings import generate_key

app = typer.Typer(name="key", no_args_is_help=True)


@app.command("new")
def key_new(json: JsonOption = False) -> None:
    """Print a new key. Store it away from the database: without it, encrypted raw text stays unreadable."""
    key = generate_key()
    output.write_result({"key": key}, key, as_json=json)


@app.command("apply")
def key_apply(home: HomeOption = None, json: JsonOption = False) -> None:
    """Encrypt all raw text with PATTERNMIND_RAW_KEY.

    To change the key, set PATTERNMIND_RAW_KEY_BEFORE to the former key.
    Without PATTERNMIND_RAW_KEY, all raw text is decrypted.
    """
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
