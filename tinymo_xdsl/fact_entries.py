"""
The entries of a facts dictionary: plain values to builtin attributes and back.

What is missing, mistyped or unknown is an error that names the entry.
"""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import TypeAlias, cast

import numpy as np
from xdsl.dialects.builtin import (
    AnyFloat,
    ArrayAttr,
    BoolAttr,
    BytesAttr,
    DenseArrayBase,
    DictionaryAttr,
    FloatAttr,
    IntegerAttr,
    IntegerType,
    StringAttr,
    UnitAttr,
    f32,
    i1,
    i64,
)
from xdsl.ir import Attribute

from tinymo_xdsl.errors import BadModelError

OptionFact: TypeAlias = int | float | bool | str | tuple[int, ...] | tuple[float, ...]
"""The value of one option of an operator."""


def dictionary_of(**entries: Attribute | None) -> DictionaryAttr:
    """The dictionary of the entries that are there."""
    return DictionaryAttr({name: entry for name, entry in entries.items() if entry is not None})


def text_attribute(value: str | None) -> StringAttr | None:
    """A string entry, if there is a text."""
    return None if value is None else StringAttr(value)


def integer_attribute(value: int | None, default: int | None = None) -> IntegerAttr | None:
    """An integer entry, if there is a number and it is not the default."""
    return None if value is None or value == default else IntegerAttr(value, i64)


def flag_attribute(value: bool) -> UnitAttr | None:
    """A unit entry for what is true."""
    return UnitAttr() if value else None


def stated_integers(values: Sequence[int]) -> DenseArrayBase | None:
    """An `array<i64: ...>` entry, if there are numbers."""
    return integers(values) if values else None


def stated_floats(values: Sequence[float]) -> DenseArrayBase | None:
    """An `array<f32: ...>` entry, if there are numbers."""
    return floats(values) if values else None


class FactReader:
    """Reads the entries of one facts dictionary, and says by name what is missing, mistyped or unknown."""

    def __init__(self, where: str, attribute: DictionaryAttr):
        """Reads `attribute`, which messages call `where`."""
        self.where = where
        self.entries = dict(attribute.data)

    def _fail(self, name: str, expected: str) -> BadModelError:
        return BadModelError(f"'{name}' in {self.where} must be {expected}")

    def text_or_none(self, name: str) -> str | None:
        """A string entry, or `None` without one."""
        entry = self.entries.pop(name, None)
        if entry is None:
            return None
        if (text := text_value(entry)) is None:
            raise self._fail(name, "a string")
        return text

    def text(self, name: str) -> str:
        """A string entry that must be there."""
        if (text := self.text_or_none(name)) is None:
            raise self._fail(name, "given, a string")
        return text

    def integer_or_none(self, name: str) -> int | None:
        """An integer entry, or `None` without one."""
        entry = self.entries.pop(name, None)
        if entry is None:
            return None
        if not isinstance(entry, IntegerAttr):
            raise self._fail(name, "an integer")
        return entry.value.data

    def integer(self, name: str, default: int) -> int:
        """An integer entry, or `default` without one."""
        value = self.integer_or_none(name)
        return default if value is None else value

    def flag(self, name: str) -> bool:
        """Whether a unit entry is there."""
        entry = self.entries.pop(name, None)
        if entry is not None and not isinstance(entry, UnitAttr):
            raise self._fail(name, "a unit attribute")
        return entry is not None

    def integer_list_or_none(self, name: str) -> tuple[int, ...] | None:
        """An `array<i64: ...>` entry, or `None` without one."""
        entry = self.entries.pop(name, None)
        if entry is None:
            return None
        if not isinstance(entry, DenseArrayBase) or isinstance(value := array_value(entry), float):
            raise self._fail(name, "an array of integers")
        if any(isinstance(item, float) for item in value):
            raise self._fail(name, "an array of integers")
        return tuple(int(item) for item in value)

    def integer_pair_or_none(self, name: str) -> tuple[int, int] | None:
        """An `array<i64: ...>` entry of two numbers, or `None` without one."""
        numbers = self.integer_list_or_none(name)
        if numbers is None:
            return None
        if len(numbers) != 2:
            raise self._fail(name, "an array of two integers")
        return (numbers[0], numbers[1])

    def integer_list(self, name: str) -> tuple[int, ...]:
        """An `array<i64: ...>` entry, empty without one."""
        return self.integer_list_or_none(name) or ()

    def float_list(self, name: str) -> tuple[float, ...]:
        """An `array<f32: ...>` entry, empty without one."""
        entry = self.entries.pop(name, None)
        if entry is None:
            return ()
        if not isinstance(entry, DenseArrayBase) or entry.elt_type != f32:
            raise self._fail(name, "an array<f32: ...>")
        values = tuple(float(item) for item in array_value(entry))
        if not all(map(isfinite, values)):
            raise self._fail(name, "an array of finite numbers")
        return values

    def dictionary(self, name: str) -> Mapping[str, Attribute]:
        """A dictionary entry, empty without one."""
        entry = self.entries.pop(name, None)
        if entry is not None and not isinstance(entry, DictionaryAttr):
            raise self._fail(name, "a dictionary")
        return {} if entry is None else entry.data

    def array(self, name: str) -> Sequence[Attribute]:
        """An array entry, empty without one."""
        entry = self.entries.pop(name, None)
        if entry is not None and not isinstance(entry, ArrayAttr):
            raise self._fail(name, "an array")
        return () if entry is None else entry.data

    def attribute(self, name: str) -> Attribute | None:
        """An entry of any kind, or `None` without one."""
        return self.entries.pop(name, None)

    def finish(self) -> None:
        """Refuses entries that nothing has read."""
        if self.entries:
            raise BadModelError(f"{self.where} has no entry called '{next(iter(self.entries))}'")


def text_value(attribute: Attribute | None) -> str | None:
    """What a string attribute says. xDSL's parser takes strings that are not ASCII for bytes."""
    if isinstance(attribute, StringAttr):
        return attribute.data
    try:
        return attribute.data.decode() if isinstance(attribute, BytesAttr) else None
    except UnicodeDecodeError:
        return None


def integers(values: Sequence[int]) -> DenseArrayBase:
    """The attribute `array<i64: ...>`."""
    return DenseArrayBase(i64, BytesAttr(np.array(values, "<i8").tobytes()))


def floats(values: Sequence[float]) -> DenseArrayBase:
    """The attribute `array<f32: ...>`."""
    return DenseArrayBase(f32, BytesAttr(np.array(values, "<f4").tobytes()))


def array_value(array: DenseArrayBase) -> tuple[int, ...] | tuple[float, ...]:
    """The numbers of a dense array."""
    if isinstance(array.elt_type, IntegerType):
        return cast("DenseArrayBase[IntegerType]", array).get_values()
    return cast("DenseArrayBase[AnyFloat]", array).get_values()


def option_attribute(value: OptionFact) -> Attribute:
    """The entry of one option."""
    match value:
        case bool():
            return BoolAttr.from_bool(value)
        case int():
            return IntegerAttr(value, i64)
        case float():
            return FloatAttr(value, f32)
        case str():
            return StringAttr(value)
        case tuple():
            return (
                floats(value)
                if any(isinstance(item, float) for item in value)
                else integers(cast("tuple[int, ...]", value))
            )


def option_value(attribute: Attribute) -> OptionFact:
    """The plain value of one entry of the options of `tinymo.operator`."""
    match attribute:
        case IntegerAttr():
            number = attribute.value.data
            return bool(number) if attribute.type == i1 else number
        case FloatAttr():
            return float(np.float32(attribute.value.data))
        case StringAttr() | BytesAttr() if (text := text_value(attribute)) is not None:
            return text
        case DenseArrayBase():
            return array_value(attribute)
        case _:
            raise BadModelError(f"the options of 'tinymo.operator' hold numbers, strings and arrays, not {attribute}")
