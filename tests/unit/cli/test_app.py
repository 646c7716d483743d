"""The root command knows every command by name and help without importing it."""

import subprocess
import sys

import pytest

from patternmind.cli.app import HELP_BY_COMMAND, load_command

LISTS_COMMANDS_ONLY = """
import sys
from patternmind.cli import main
try:
    main()
except SystemExit as stop:
    assert stop.code == 0, stop.code
imported = {name.removeprefix("patternmind.cli.") for name in sys.modules if name.startswith("patternmind.cli.")}
assert imported == {"app", "options", "remedies"}, imported
assert not {"numpy", "sqlalchemy", "patternmind.bootstrap"} & set(sys.modules)
"""


@pytest.mark.parametrize("name", HELP_BY_COMMAND)
def test_list_of_commands_repeats_the_help_of_a_command(name: str) -> None:
    command = load_command(name)
    assert command.name == name
    assert command.help.splitlines()[0] == HELP_BY_COMMAND[name]


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_root_options_import_no_command(option: str) -> None:
    subprocess.run([sys.executable, "-c", LISTS_COMMANDS_ONLY, option], check=True, capture_output=True)
