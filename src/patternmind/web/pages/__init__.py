"""The pages, one module an area: each holds a ``router`` without prefix, listed in ``web.app``."""
