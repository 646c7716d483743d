"""patternmind: themes from real work problems, with grounded pattern drafts that people judge."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from patternmind.finder import FoundTheme, ThemeFinder, Themes, find_themes

__version__ = "0.1.0"

__all__ = ["FoundTheme", "ThemeFinder", "Themes", "__version__", "find_themes"]


def __getattr__(name: str) -> Any:
    """Load the Python API on first use: importing scikit-learn takes a second, too long for ``--help``."""
    if name in __all__:
        return getattr(import_module("patternmind.finder"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
