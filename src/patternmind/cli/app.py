"""The complete command line app: importing a command module registers its commands."""

from patternmind.cli import (  # noqa: I001 - `patternmind --help` lists the commands in this order
    network,
    ingest,
    cases,
    run,
    runs,
    themes,
    place,
    recaps,
    review,
    prereadings,
    playbook,
    search,
    export,
    map as map_module,
    serve,
    members,
    tokens,
    redaction,
    raw,
    erase,
    key,
    index,
    doctor,
    demo,
    eval as eval_module,
)
from patternmind.cli.root import app

__all__ = ["COMMAND_MODULES", "app"]

COMMAND_MODULES = (
    *(network, ingest, cases, run, runs, themes, place, recaps, review, prereadings, playbook, search, export),
    *(map_module, serve, members, tokens, redaction, raw, erase, key, index, doctor, demo, eval_module),
)
