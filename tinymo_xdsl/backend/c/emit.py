"""`<prefix>.c`: constants, row functions, the layers, and the functions of the header."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tinymo_xdsl.backend.c import text
from tinymo_xdsl.backend.c.layer import Border, Helper, Layer, Operand, RowFunction, Structure, Table, Value, flattened
from tinymo_xdsl.backend.c.library import Call, Library
from tinymo_xdsl.backend.c.names import Names
from tinymo_xdsl.backend.c.text import C_TYPES, comment, fill, lines
from tinymo_xdsl.backend.c.variables import Variable

_FILE: Final = """
$banner

#include "$prefix.h"

#include <string.h>

$sections

/* ---- layers ---- */

$layers

/* ---- the functions of $prefix.h ---- */

$interface
"""

_LAYER: Final = """
static void layer_$number(uint8_t *arena)
{
    $body
}
"""

_INTERFACE: Final = """
static uint8_t *arena_start;

#ifndef ${PREFIX}_NO_STATIC_ARENA
static uint8_t static_arena[${PREFIX}_ARENA_BYTES] ${PREFIX}_ALIGNED(${PREFIX}_ARENA_ALIGN) ${PREFIX}_ARENA_ATTR;

${prefix}_status ${prefix}_init(void)
{
    return ${prefix}_init_with(static_arena, ${PREFIX}_ARENA_BYTES);
}
#endif

${prefix}_status ${prefix}_init_with(void *arena, uint32_t bytes)
{
    if (arena == 0) {
        return ${PREFIX}_NO_ARENA;
    }
    if (bytes < ${PREFIX}_ARENA_BYTES) {
        return ${PREFIX}_ARENA_TOO_SMALL;
    }
    if ((uintptr_t)arena % ${PREFIX}_ARENA_ALIGN != 0) {
        return ${PREFIX}_ARENA_MISALIGNED;
    }
    arena_start = arena;
    $variables
    return ${PREFIX}_OK;
}

${prefix}_status ${prefix}_invoke(void)
{
    if (arena_start == 0) {
        return ${PREFIX}_NOT_INITIALIZED;
    }
    $calls
    return ${PREFIX}_OK;
}

$input

$output

$tensors
"""

_ACCESSOR: Final = """
void *${prefix}_$kind(uint32_t index)
{
    static const uint32_t offsets[] = {$offsets};
    if (arena_start == 0 || index >= ${PREFIX}_$count) {
        return 0;
    }
    return arena_start + offsets[index];
}
"""


@dataclass(frozen=True, eq=False)
class _Constants:
    """What layers have in flash, by name."""

    tables: Names[Table]
    borders: dict[tuple[str, int], int]
    """How many elements the longest row of one value has."""

    def add(self, value: Value, layer: int, field: str) -> None:
        """Makes room for a parameter, named after the first layer that has it."""
        match value:
            case Table():
                self.tables.name(value, f"layer_{layer}_{field}")
            case Border():
                key = (value.dtype, value.value)
                self.borders[key] = max(self.borders.get(key, 0), value.count)
            case _:
                pass

    def text(self, value: Value) -> str:
        """A parameter as an initialiser."""
        match value:
            case Table():
                return self.tables.name(value, "")
            case Border():
                return _border_name(value.dtype, value.value)
            case float():
                return text.real(value)
            case _:
                return text.integer(value)

    def definitions(self, attribute: str) -> str:
        """All of them."""
        arrays = [
            text.array(C_TYPES[dtype], _border_name(dtype, value), np.full(count, value, dtype), attribute)
            for (dtype, value), count in self.borders.items()
        ]
        arrays += [text.array(table.ctype, name, table.array, attribute) for table, name in self.tables.all.items()]
        return "\n".join(arrays)


def _border_name(dtype: str, value: int) -> str:
    return f"border_{dtype}_{value}".replace("-", "minus_")


def source_file(library: Library, prefix: str, banner: str) -> str:
    """The text of `<prefix>.c`."""
    layers = [call.layer for call in library.calls]
    constants = _constants(layers)
    for number, variable in enumerate(library.variables):
        if variable.initial is not None:
            constants.tables.name(variable.initial, f"variable_{number}")
    names = _CNames.of(layers)
    bodies = [_layer(call, number, constants, names) for number, call in enumerate(library.calls)]
    return fill(
        _FILE,
        banner=banner,
        prefix=prefix,
        sections=_sections(layers, constants, names, prefix),
        layers="\n\n".join(bodies),
        interface=_interface(library, prefix, constants),
    )


@dataclass(frozen=True, eq=False)
class _CNames:
    """What functions and the types of their parameters are called."""

    functions: Names[RowFunction]
    structures: Names[Structure]

    @staticmethod
    def of(layers: Sequence[Layer]) -> "_CNames":
        """Names for all that `layers` call; helpers have theirs already."""
        names = _CNames(Names(), Names())
        helpers = [helper.name for layer in layers for helper in flattened(layer.function.helpers)]
        names.structures.reserve(helpers)
        for layer in layers:
            names.structure(layer.function)
        names.functions.reserve([*helpers, *names.structures.all.values()])
        for layer in layers:
            names.function(layer.function)
        return names

    def function(self, function: RowFunction) -> str:
        """The name of a row function."""
        return self.functions.name(function, function.stem)

    def structure(self, function: RowFunction) -> str:
        """The name of the type of its parameters; empty if it takes none."""
        structure = function.structure
        return "" if structure is None else self.structures.name(structure, structure.stem)


def _constants(layers: Sequence[Layer]) -> _Constants:
    constants = _Constants(Names(), {})
    for number, layer in enumerate(layers):
        structure = layer.function.structure
        fields = () if structure is None else structure.fields
        for (declaration, _), value in zip(fields, layer.parameters, strict=True):
            constants.add(value, number, _field_name(declaration))
        for operand in layer.operands:
            for value in _in_flash(operand):
                constants.add(value, number, "operand")
    return constants


def _in_flash(operand: Operand) -> list[Value]:
    border = [operand.outside] if operand.outside is not None and operand.access.leaves_image else []
    return [*([operand.value] if isinstance(operand.value, Table) else []), *border]


def _sections(layers: Sequence[Layer], constants: _Constants, names: _CNames, prefix: str) -> str:
    functions = names.functions.all
    helpers: list[Helper] = flattened([helper for function in functions for helper in function.helpers])
    structures = [structure.definition(name) for structure, name in names.structures.all.items()]
    definitions = [function.definition(name, names.structure(function)) for function, name in functions.items()]
    parts = [
        ("the parameters of row functions", "\n\n".join(structures)),
        ("constants", constants.definitions(f"{prefix.upper()}_CONST_ATTR")),
        ("arithmetic", "\n\n".join(helper.text.strip("\n") for helper in helpers)),
        ("row functions", "\n".join(definitions)),
    ]
    return "\n\n".join(f"/* ---- {title} ---- */\n\n{body.strip()}" for title, body in parts if body)


def _layer(call: Call, number: int, constants: _Constants, names: _CNames) -> str:
    layer = call.layer
    parameters = ""
    if (structure := layer.function.structure) is not None:
        members = [
            f".{_field_name(declaration)} = {constants.text(value)},"
            for (declaration, _), value in zip(structure.fields, layer.parameters, strict=True)
        ]
        parameters = fill(
            """
            static const $type parameters = {
                $members
            };
            """,
            type=names.structure(layer.function),
            members=lines(members),
        )
    body = "\n".join(filter(None, [parameters, _pointers(call, constants), _loops(layer, constants, names)]))
    return f"{comment(f'{number}: {call.title}')}\n{fill(_LAYER, number=number, body=body)}"


def _field_name(declaration: str) -> str:
    return declaration.rpartition(" ")[2].lstrip("*")


def _pointers(call: Call, constants: _Constants) -> str:
    layer = call.layer
    function = layer.function
    found: list[str] = []
    for index, operand in enumerate(layer.operands):
        name = f"in{index}"
        at = call.place(operand)
        start = constants.text(operand.value) if isinstance(operand.value, Table) else f"arena + {at}"
        found.append(f"const {function.element_in} *{name} = {_as(f'const {function.element_in}', start, operand)};")
    for index, state in enumerate(layer.states):
        at = f"arena + {call.places[state.value]}"
        found.append(f"{state.ctype} *state{index} = ({state.ctype} *)(void *)({at});")
    out = f"arena + {call.places[layer.result]}"
    pointer = out if function.element_out == "uint8_t" else f"({function.element_out} *)(void *)({out})"
    found.append(f"{function.element_out} *out = {pointer};")
    return lines(found)


def _as(ctype: str, start: str, operand: Operand) -> str:
    moved = f" + {operand.offset}" if operand.offset else ""
    is_same = isinstance(operand.value, Table) and f"const {operand.value.ctype}" == ctype
    if is_same or (not isinstance(operand.value, Table) and ctype == "const uint8_t"):
        return start + moved
    return f"({ctype} *)(const void *)({start}){moved}"


def _loops(layer: Layer, constants: _Constants, names: _CNames) -> str:
    function = layer.function
    slots = sum(operand.access.slots for operand in layer.operands)
    row = [f"const {function.element_in} *rows[{slots}];"]
    first = 0
    for index, operand in enumerate(layer.operands):
        row.append(_fill_slots(f"in{index}", operand, first, constants))
        first += operand.access.slots
    arguments = ["out", "rows", *(f"state{index}" for index in range(len(layer.states)))]
    if function.structure is not None:
        arguments.append("&parameters")
    row.append(f"{names.function(function)}({', '.join(arguments)});")
    if layer.rows > 1 or layer.images > 1:
        row.append(f"out += {layer.pitch};")
    text_ = _loop("y", layer.rows, lines(row))
    steps = [
        f"in{index} += {operand.image_elements};"
        for index, operand in enumerate(layer.operands)
        if operand.image_elements
    ]
    if layer.image_gap:
        steps.append(f"out += {layer.image_gap};")
    return _loop("image", layer.images, lines([text_, *steps])) if layer.images > 1 else text_


def _loop(variable: str, count: int, body: str) -> str:
    return fill(
        """
        for (int32_t $variable = 0; $variable < $count; ++$variable) {
            $body
        }
        """,
        variable=variable,
        count=count,
        body=body,
    )


def _fill_slots(name: str, operand: Operand, first: int, constants: _Constants) -> str:
    access = operand.access
    if access.slots == 1:
        return _one_slot(name, operand, str(first), "0", constants)
    slot = "k" if first == 0 else f"{first} + k"
    return _loop("k", access.slots, _one_slot(name, operand, slot, "k", constants))


def _one_slot(name: str, operand: Operand, slot: str, tap: str, constants: _Constants) -> str:
    access, pitch = operand.access, operand.row_elements
    index = access.index(tap)
    if not access.leaves_image:
        factor = index if index.isidentifier() or index.isdecimal() else f"({index})"
        return f"rows[{slot}] = {name}" + ("" if index == "0" else f" + {factor} * {pitch}") + ";"
    outside = "0" if operand.outside is None else constants.text(operand.outside)
    return fill(
        """
        const int32_t row = $index;
        rows[$slot] = $inside ? $name + row * $pitch : $outside;
        """,
        index=index,
        slot=slot,
        inside=access.is_inside("row", tap),
        name=name,
        pitch=pitch,
        outside=outside,
    )


def _interface(library: Library, prefix: str, constants: _Constants) -> str:
    upper = prefix.upper()
    calls = [f"layer_{number}(arena_start);" for number in range(len(library.calls))]
    accessors = {
        kind: fill(
            _ACCESSOR,
            prefix=prefix,
            PREFIX=upper,
            kind=kind,
            count=f"{kind.upper()}S",
            offsets=", ".join(f"{tensor.offset}u" for tensor in tensors) or "0u",
        )
        for kind, tensors in (("input", library.inputs), ("output", library.outputs))
    }
    described = "\n\n".join(
        _descriptions(prefix, kind, len(tensors))
        for kind, tensors in (("input", library.inputs), ("output", library.outputs))
        if tensors
    )
    return fill(
        _INTERFACE,
        prefix=prefix,
        PREFIX=upper,
        calls=lines(calls),
        tensors=described,
        variables=lines([_initialized(variable, constants) for variable in library.variables]),
        **accessors,
    )


def _initialized(variable: Variable, constants: _Constants) -> str:
    start = f"arena_start + {variable.offset}"
    if variable.initial is not None:
        return f"memcpy({start}, {constants.text(variable.initial)}, {variable.bytes}u);"
    return f"memset({start}, {variable.fill}, {variable.bytes}u);"


def _descriptions(prefix: str, kind: str, count: int) -> str:
    upper = f"{prefix.upper()}_{kind.upper()}"
    shapes = [f"static const int32_t {kind}_{i}_shape[] = {upper}_{i}_SHAPE;" for i in range(count)]
    entries = [
        f"{{{upper}_{i}_NAME, {kind}_{i}_shape, {upper}_{i}_RANK, {upper}_{i}_BYTES, {upper}_{i}_SCALE,"
        f" {upper}_{i}_ZERO_POINT}},"
        for i in range(count)
    ]
    return fill(
        """
        $shapes
        const ${prefix}_tensor ${prefix}_${kind}s[$count] = {
            $entries
        };
        """,
        shapes=lines(shapes),
        prefix=prefix,
        kind=kind,
        count=count,
        entries=lines(entries),
    )
