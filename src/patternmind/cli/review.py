"""`patternmind review`: list, show and decide drafts."""

from typing import Annotated

import typer

from patternmind.cli.context import open_context, write_audit
from patternmind.cli.draft_output import write_draft, write_drafts
from patternmind.cli.options import HomeOption, JsonOption
from patternmind.domain.drafts import DraftAction, RejectionReason
from patternmind.domain.permissions import Action
from patternmind.errors import UsageError
from patternmind.services.reviews import decide_draft, get_draft, list_all_drafts
from patternmind.services.validation import parse_enum

app = typer.Typer(name="review", no_args_is_help=True)

DraftArgument = Annotated[str, typer.Argument(help="Draft id.")]


@app.command("list")
def review_list(home: HomeOption = None, json: JsonOption = False) -> None:
    """List all drafts: those waiting for review and those already decided."""
    write_drafts(list_all_drafts(open_context(home).store), as_json=json)


@app.command("show")
def review_show(draft: DraftArgument, home: HomeOption = None, json: JsonOption = False) -> None:
    """Show a draft with its flags and decisions."""
    write_draft(get_draft(open_context(home).store, draft), as_json=json)


@app.command("decide")
def review_decide(
    draft: DraftArgument,
    action: Annotated[str, typer.Argument(help="accept, edit, reject, not_sure, retire or undo.")],
    by: Annotated[str, typer.Option(help="Name of the reviewer.")],
    reason: Annotated[str | None, typer.Option(help="Reason; required to reject.")] = None,
    note: Annotated[str, typer.Option(help="Note that is kept with the decision.")] = "",
    field: Annotated[list[str] | None, typer.Option(help="FIELD=TEXT, to edit; repeat for more fields.")] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Accept, edit, reject or retire a draft, or undo a decision."""
    ctx = open_context(home)
    edits = dict(pair.split("=", 1) for pair in field or [] if "=" in pair)
    if len(edits) != len(field or []):
        raise UsageError("Write --field as FIELD=TEXT, each field once.")
    reviewed = decide_draft(
        ctx.store,
        ctx.clock,
        draft,
        parse_enum(DraftAction, action, "action"),
        actor=by,
        reason=parse_enum(RejectionReason, reason, "reason") if reason else None,
        note=note,
        edits=dict(edits),
    )
    write_audit(ctx, Action.REVIEW_DRAFTS, "decide", "draft", draft, actor=by)
    write_draft(reviewed, as_json=json)
