"""Groups real work problems into lasting themes, drafts grounded patterns, and leaves the judgement to people."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from patternmind.finder import FoundTheme, ThemeFinder, Themes, find_themes

__version__ = "0.1.0"

__all__ = ["FoundTheme", "ThemeFinder", "Themes", "__version__", "find_themes"]


def __getattr__(name: str) -> Any:
    """What a notebook asks for, loaded when it does: scikit-learn takes a second that `--help` has not."""
    if name in __all__:
        return getattr(import_module("patternmind.finder"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
