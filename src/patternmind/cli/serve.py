"""`patternmind serve`: run the web server."""

from typing import Annotated

import typer

from patternmind.cli.context import open_context
from patternmind.cli.options import HomeOption
from patternmind.web.server import serve as start_server

app = typer.Typer()


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8765,
    home: HomeOption = None,
) -> None:
    """Serve the pages and the API. Prints a sign-in link until someone has signed in."""
    start_server(open_context(home), host=host, port=port)
