"""
What the TOSA ops of xDSL 0.74 lack, attached to them from outside.

Other packages match on xDSL's own classes, so these are not replaced:

- Most have no effects trait, so that `dce` and `cse` leave even dead constants alone.
- The text of `tosa.rescale` drops attributes of other dialects, and refuses to read them.
"""

from functools import partial

from xdsl.dialects import tosa
from xdsl.irdl import IRDLOperation
from xdsl.printer import Printer
from xdsl.traits import ConstantLike, Pure

from tinymo_xdsl.dialects.tosa.base import parse_tosa_op, print_tosa_op

_PURE: tuple[type[IRDLOperation], ...] = (
    tosa.AvgPool2DOp,
    tosa.ClampOp,
    tosa.ConcatOp,
    tosa.ConstOp,
    tosa.MaxPool2DOp,
    tosa.ReduceAllOp,
    tosa.ReduceAnyOp,
    tosa.ReduceMaxOp,
    tosa.ReduceMinOp,
    tosa.ReduceProductOp,
    tosa.ReduceSumOp,
    tosa.RescaleOp,
)


def complete_upstream_ops() -> None:
    """Attach the missing traits and text. Doing it twice changes nothing."""
    for op_class in _PURE:
        op_class.traits.add_trait(Pure())
    tosa.ConstOp.traits.add_trait(ConstantLike())
    tosa.RescaleOp.print = _print_rescale
    tosa.RescaleOp.parse = partial(parse_tosa_op, tosa.RescaleOp)


def _print_rescale(self: tosa.RescaleOp, printer: Printer) -> None:
    print_tosa_op(self, printer)
