"""The options of an operator: what its facts state of them, and the file's fields again."""

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Final

from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.fact_entries import OptionFact
from tinymo_xdsl.flatbuffer import schema
from tinymo_xdsl.flatbuffer.model import Operator, OptionValue

_ENUMERATIONS: Final = MappingProxyType[str, type[IntEnum]](
    {"padding": schema.Padding, "fused_activation_function": schema.ActivationFunctionType}
)
"""Fields that the facts state by name: the file has numbers."""


def stated_options(operator: Operator, derived: frozenset[str] = frozenset()) -> dict[str, OptionFact]:
    """The options of `operator` that are not at the schema's default; those that the ops tell, `derived`, left out."""
    if operator.options_type is None:
        return {}
    values = {field: operator.options.get(field.name) for field in schema.OPTIONS[operator.options_type].fields}
    return {
        field.name: _fact(field.name, value)
        for field, value in values.items()
        if value is not None and value != field.default and field.name not in derived
    }


def _fact(name: str, value: float | str | bytes | tuple[int, ...] | tuple[float, ...]) -> OptionFact:
    if isinstance(value, bytes):
        return tuple(value)
    enumeration = _ENUMERATIONS.get(name)
    if enumeration is None or not isinstance(value, int) or value not in enumeration.__members__.values():
        return value
    return enumeration(value).name


def file_options(options_type: str | None, stated: Mapping[str, OptionFact], operator: str) -> dict[str, OptionValue]:
    """
    Every field of the table `options_type`, from what is `stated` or at its default.

    `operator` is what messages call the operator. Raises `BadModelError` for a table or field that does not exist.
    """
    if options_type is None:
        if stated:
            raise BadModelError(f"'{operator}' states the option '{next(iter(stated))}', but it has no options")
        return {}
    if options_type not in schema.OPTIONS:
        raise BadModelError(f"'{operator}': the schema has no options table '{options_type}'")
    fields = {field.name: field for field in schema.OPTIONS[options_type].fields}
    if (unknown := next((name for name in stated if name not in fields), None)) is not None:
        raise BadModelError(f"'{operator}': {options_type} has no field '{unknown}'")
    return {
        name: _value(field, stated[name], operator) if name in stated else _default(field)
        for name, field in fields.items()
    }


def _default(field: schema.Field) -> OptionValue:
    return None if field.vector or field.type == "string" else field.default


def _value(field: schema.Field, fact: OptionFact, operator: str) -> OptionValue:
    if field.vector and isinstance(fact, tuple):
        return _vector(field, fact)
    enumeration = _ENUMERATIONS.get(field.name)
    if enumeration is None or not isinstance(fact, str):
        return fact
    if fact not in enumeration.__members__:
        known = ", ".join(enumeration.__members__)
        raise BadModelError(f"'{operator}': '{field.name}' is one of {known}, not '{fact}'")
    return enumeration[fact].value


def _vector(field: schema.Field, numbers: tuple[int, ...] | tuple[float, ...]) -> OptionValue:
    if field.type == "ubyte":
        return bytes(int(number) & 0xFF for number in numbers)
    return tuple(bool(number) for number in numbers) if field.type == "bool" else numbers
