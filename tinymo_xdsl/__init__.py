"""
TinyMo: a graph-level memory optimizer for tiny machine learning, built on xDSL.

`analyze`, `optimize` and `verify` do what the commands of that name do: see `tinymo_xdsl.api`.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tinymo_xdsl.api import analyze, optimize, verify

__version__ = "0.1.0"

__all__ = ["__version__", "analyze", "optimize", "verify"]


def __getattr__(name: str) -> object:
    """The functions, when they are asked for: a plug-in that needs a dialect alone should not load the rest."""
    if name not in __all__:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    from tinymo_xdsl import api

    return getattr(api, name)
