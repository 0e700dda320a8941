"""
The xDSL universe of this package: its dialects and passes, as every tool of the xDSL family finds them.

Factories import when they are called, so that discovery costs nothing.
"""

from collections.abc import Callable
from importlib import import_module

from xdsl.context import Context
from xdsl.ir import Dialect
from xdsl.passes import ModulePass
from xdsl.universe import XDSL_UNIVERSE, Universe


def _tosa() -> Dialect:
    from tinymo_xdsl.dialects.tosa import TOSA

    return TOSA


def _tinymo() -> Dialect:
    from tinymo_xdsl.dialects.tinymo import TINYMO

    return TINYMO


def _pass(module: str, name: str) -> Callable[[], type[ModulePass]]:
    """The pass class `name` of `tinymo_xdsl.passes.<module>`, imported when it is asked for."""

    def factory() -> type[ModulePass]:
        return getattr(import_module(f"tinymo_xdsl.passes.{module}"), name)

    return factory


# xDSL has a part of TOSA, and refuses two universes that define a dialect of the same name. The merged dialect keeps
# its classes and adds the ops that it lacks, so it takes the place of the original. Every entry point is loaded before
# universes are merged: the order of plug-ins does not matter, and plain `xdsl-opt` sees the whole dialect too.
XDSL_UNIVERSE.all_dialects["tosa"] = _tosa

TINYMO_UNIVERSE = Universe(
    all_dialects={"tinymo": _tinymo},
    all_passes={
        "fold-constants": _pass("fold_constants", "FoldConstantsPass"),
        "fold-pad": _pass("fold_pad", "FoldPadPass"),
        "spill-long-skips": _pass("spill_long_skips", "SpillLongSkipsPass"),
        "split-sepconv": _pass("split_sepconv", "SplitSepconvPass"),
        "loop-stripes": _pass("loop_stripes", "LoopStripesPass"),
        "form-kernels": _pass("form_kernels", "FormKernelsPass"),
        "legalize-for-tflite": _pass("legalize_for_tflite", "LegalizeForTflitePass"),
        "bufferize": _pass("bufferize", "BufferizePass"),
        "plan-memory": _pass("plan_memory", "PlanMemoryPass"),
        "schedule": _pass("schedule", "SchedulePass"),
        "report-memory": _pass("report_memory", "ReportMemoryPass"),
    },
)


def make_context() -> Context:
    """A context with the dialects of every installed universe, each loaded when it is first used."""
    context = Context()
    for name, factory in Universe.get_multiverse().all_dialects.items():
        context.register_dialect(name, factory)
    return context
