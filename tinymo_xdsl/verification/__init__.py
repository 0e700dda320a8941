"""
Two `.tflite` files, run by an independent engine and compared bit for bit.

The engines are TFLite Micro's reference kernels, which are the golden numerics of this project, and LiteRT for what
TFLite Micro cannot run. They are native code that may crash on a wrong file, so each run has a process of its own.
"""

from tinymo_xdsl.verification.arena import ArenaUse, arena_use, smallest_arena
from tinymo_xdsl.verification.compare import compare_models, load_error
from tinymo_xdsl.verification.engines import EngineName
from tinymo_xdsl.verification.isolation import EngineError
from tinymo_xdsl.verification.side_by_side import Difference, Verification

__all__ = [
    "ArenaUse",
    "Difference",
    "EngineError",
    "EngineName",
    "Verification",
    "arena_use",
    "compare_models",
    "load_error",
    "smallest_arena",
]
