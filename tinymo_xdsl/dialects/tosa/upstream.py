"""
What the TOSA ops of xDSL 0.74 lack, attached to them from outside.

Other packages match on xDSL's own classes, so these are not replaced:

- Most have no effects trait, so that `dce` and `cse` leave even dead constants alone; none has patterns.
- The text of `tosa.rescale` drops attributes of other dialects, and refuses to read them.
- Few check shapes: see `upstream_verifiers`.
- `tosa.clamp` refuses unsigned integers, and `tosa.matmul` wants its products as narrow as its operands.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from xdsl.dialects import tosa
from xdsl.dialects.builtin import AnyFloatConstr, FloatAttr, IntegerAttr, IntegerType, TensorType
from xdsl.irdl import BaseAttr, IRDLOperation, RangeOf
from xdsl.printer import Printer
from xdsl.traits import ConstantLike, Pure

from tinymo_xdsl.dialects.tosa import upstream_verifiers as verifiers
from tinymo_xdsl.dialects.tosa.base import TosaCanonicalization, parse_tosa_op, print_tosa_op

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


_CHECKS: Mapping[type[IRDLOperation], Callable[[Any], None]] = {
    tosa.AvgPool2DOp: verifiers.verify_average_pool,
    tosa.ClampOp: verifiers.verify_clamp,
    tosa.ConcatOp: verifiers.verify_concat,
    tosa.ConstOp: verifiers.verify_const,
    tosa.MaxPool2DOp: verifiers.verify_pool,
    tosa.RescaleOp: verifiers.verify_rescale,
}


def complete_upstream_ops() -> None:
    """Attach the missing traits, text, types and checks. Doing it twice changes nothing."""
    for op_class in _PURE:
        op_class.traits.add_trait(Pure())
    tosa.ConstOp.traits.add_trait(ConstantLike())
    for op_class, check in _CHECKS.items():
        _extend_verifier(op_class, check)
    tosa.ClampOp.traits.add_trait(TosaCanonicalization())
    tosa.RescaleOp.print = _print_rescale
    tosa.RescaleOp.parse = partial(parse_tosa_op, tosa.RescaleOp)
    _widen_clamp()
    _widen_matmul()


def _extend_verifier(op_class: type[IRDLOperation], check: Callable[[Any], None]) -> None:
    verify = op_class.verify_

    def verify_(self: IRDLOperation) -> None:
        verify(self)
        check(self)

    op_class.verify_ = verify_


def _print_rescale(self: tosa.RescaleOp, printer: Printer) -> None:
    print_tosa_op(self, printer)


def _widen_clamp() -> None:
    """Let `tosa.clamp` take integers of any signedness, with bounds of their type."""
    element = tosa.ClampOp.T
    bound = IntegerAttr.constr(BaseAttr(IntegerType) & element) | FloatAttr.constr(AnyFloatConstr & element)
    properties = tosa.ClampOp.get_irdl_definition().properties
    for name in ("min_val", "max_val"):
        properties[name].constr = bound


def _widen_matmul() -> None:
    """Let `tosa.matmul` leave its accumulators in the result, as TOSA wants: i8 by i8 gives i32."""
    for _, result in tosa.MatMulOp.get_irdl_definition().results:
        result.constr = RangeOf(BaseAttr(TensorType))
