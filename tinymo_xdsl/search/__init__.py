"""Chooses passes and their parameters for a budget."""

from tinymo_xdsl.search.candidate import PassOutcome, as_written
from tinymo_xdsl.search.optimize import Optimized, optimize
from tinymo_xdsl.search.options import OptimizeOptions

__all__ = ["OptimizeOptions", "Optimized", "PassOutcome", "as_written", "optimize"]
