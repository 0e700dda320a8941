"""Chooses passes and their parameters for a budget."""

from tinymo_xdsl.search.optimize import Optimized, OptimizeOptions, PassOutcome, optimize

__all__ = ["OptimizeOptions", "Optimized", "PassOutcome", "optimize"]
