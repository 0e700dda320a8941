"""Says in words which attributes and types an op's definition allows."""

from xdsl.dialects.builtin import (
    AnyFloatConstr,
    ArrayOfConstraint,
    DenseArrayBase,
    IntegerAttr,
    SymbolNameConstraint,
    TensorType,
)
from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import Attribute, TypeAttribute
from xdsl.irdl import (
    AllOf,
    AnyAttr,
    AnyOf,
    AttrConstraint,
    BaseAttr,
    EqAttrConstraint,
    ParamAttrConstraint,
    RangeConstraint,
    RangeLengthConstraint,
    RangeOf,
    VarConstraint,
)

_NAMES = {
    "bytes": "bytes",
    "dense": "constant",
    "f16": "`f16`",
    "f32": "`f32`",
    "integer": "integer",
    "integer_type": "integer type",
    "string": "string",
    "tensor": "tensor",
    "tosa.shape": "`!tosa.shape`",
}
"""Kinds of attributes by their name in xDSL."""


def constraint_text(constraint: AttrConstraint | RangeConstraint) -> str:
    """
    What `constraint` allows, for people.

    Raises `NotImplementedError` for kinds of constraints that no op has had so far.
    """
    match constraint:
        case RangeLengthConstraint(constraint=inner) | RangeOf(constr=inner):
            return constraint_text(inner)
        case VarConstraint(name=name, constraint=inner):
            return f"{constraint_text(inner)} `{name}`"
        case EqAttrConstraint(attr=attribute):
            return f"`{attribute}`"
        case AnyAttr() | SymbolNameConstraint():
            return "anything" if isinstance(constraint, AnyAttr) else "symbol"
        case BaseAttr(attr=kind):
            return _kind_text(kind)
        case AnyOf(attr_constrs=choices):
            return "floats" if constraint == AnyFloatConstr else " or ".join(map(constraint_text, choices))
        case AllOf(attr_constrs=parts):
            return constraint_text(parts[-1])
        case ArrayOfConstraint(elem_range_constraint=inner):
            return f"list of ({constraint_text(inner)})"
        case ParamAttrConstraint(base_attr=kind, param_constrs=parameters):
            return _parameters_text(kind, [constraint_text(parameter) for parameter in parameters])
        case _:
            raise NotImplementedError(f"no words for {constraint}")


def _kind_text(kind: type[Attribute]) -> str:
    if issubclass(kind, EnumAttribute):
        return " or ".join(f"`{member.value}`" for member in kind.enum_type)
    if kind is TypeAttribute:
        return "type"
    if kind is DenseArrayBase:
        return "list of integers"
    return _NAMES.get(kind.name, f"`{kind.name}`")


def _parameters_text(kind: type[Attribute], parameters: list[str]) -> str:
    if kind is TensorType:
        return f"tensor of {parameters[1].replace('integer type', 'integers')}"
    if kind is IntegerAttr:
        return "`true` or `false`" if parameters[1] == "`i1`" else f"integer of {parameters[1]}"
    if kind is DenseArrayBase:
        return f"list of {parameters[0]}"
    return f"`{kind.name}` of {', '.join(parameters)}"
