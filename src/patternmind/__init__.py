"""Groups real work problems into lasting themes, drafts grounded patterns, and leaves the judgement to people."""

__version__ = "0.1.0"
