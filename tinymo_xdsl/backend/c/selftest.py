"""The self-test of a generated library: inputs that follow from numbers, outputs that the interpreter has computed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from tinymo_xdsl.backend.c import vectors
from tinymo_xdsl.backend.c.library import Library
from tinymo_xdsl.backend.c.text import C_TYPES, array, fill, lines

_HEADER: Final = """
$banner

#ifndef ${PREFIX}_SELFTEST_H
#define ${PREFIX}_SELFTEST_H

#include "$prefix.h"

#define ${PREFIX}_SELFTEST_VECTORS $vectors

typedef struct {
    uint32_t vector;
    uint32_t output;
    uint32_t byte; /* of the output */
    uint8_t expected;
    uint8_t computed;
} ${prefix}_mismatch;

/* Runs the vectors in order, after ${prefix}_init or ${prefix}_init_with. Returns 1 if all outputs are as expected,
 * else 0 and the first byte that differs. */
int32_t ${prefix}_self_test(${prefix}_mismatch *mismatch);

#endif /* ${PREFIX}_SELFTEST_H */
"""

_SOURCE: Final = """
$banner

#include "${prefix}_selftest.h"

$expected

typedef struct {
    uint32_t state;
    uint32_t base;
    uint32_t spread;
    uint32_t hold;
    uint32_t held;
    uint32_t value;
} generator_state;

static uint32_t random_byte(generator_state *generator)
{
    generator->state = generator->state * 1664525u + 1013904223u;
    return generator->state >> 24;
}

static generator_state new_generator(uint32_t vector)
{
    static const uint16_t kinds[$kinds][2] = {$pairs};
    generator_state generator = {vector, 0, kinds[vector % ${kinds}u][0], kinds[vector % ${kinds}u][1], 0, 0};
    generator.base = random_byte(&generator) * (256u - generator.spread) >> 8;
    return generator;
}

/* A number from 0 to 255, the same one for a few elements. */
static uint32_t generate(generator_state *generator)
{
    if (generator->held == 0) {
        generator->held = generator->hold;
        generator->value = generator->base + (random_byte(generator) * generator->spread >> 8);
    }
    --generator->held;
    return generator->value;
}

static void write_inputs(uint32_t vector)
{
    generator_state generator = new_generator(vector);
    $writes
}

$is_zero

static int32_t is_expected(uint32_t output, const uint8_t *expected, uint32_t bytes, ${prefix}_mismatch *mismatch)
{
    const uint8_t *computed = ${prefix}_output(output);
    for (uint32_t byte = 0; byte < bytes; ++byte) {
        $skip
        if (computed[byte] != expected[byte]) {
            mismatch->output = output;
            mismatch->byte = byte;
            mismatch->expected = expected[byte];
            mismatch->computed = computed[byte];
            return 0;
        }
    }
    return 1;
}

int32_t ${prefix}_self_test(${prefix}_mismatch *mismatch)
{
    for (uint32_t vector = 0; vector < ${PREFIX}_SELFTEST_VECTORS; ++vector) {
        mismatch->vector = vector;
        write_inputs(vector);
        if (${prefix}_invoke() != ${PREFIX}_OK) {
            mismatch->output = ${PREFIX}_OUTPUTS;
            return 0;
        }
        $checks
    }
    return 1;
}
"""

_IS_ZERO: Final = """
/* Whether a float is zero, of either sign: which one comes out of a clamp at zero, nobody states. */
static int32_t is_zero(const uint8_t *bytes)
{
    return (bytes[0] | bytes[1] | bytes[2] | (bytes[3] & 0x7F)) == 0;
}
"""

_SKIP: Final = """
const uint32_t start = byte & ~3u;
if (($floats) && is_zero(computed + start) && is_zero(expected + start)) {
    continue;
}
"""

_WRITE: Final = """
$ctype *input_$index = ${prefix}_input($index);
generator.held = 0;
for (uint32_t i = 0; i < ${PREFIX}_INPUT_${index}_ELEMENTS; ++i) {
    input_$index[i] = $value;
}
"""

_CHECK: Final = """
if (!is_expected($index, expected_$index + vector * $bytes, $bytes, mismatch)) {
    return 0;
}
"""

_MAIN: Final = """
$banner

#include "${prefix}_selftest.h"

#include <stdio.h>

/* As large as the library says and no larger: tools that check accesses see every byte beyond it. */
static uint8_t arena[${PREFIX}_ARENA_BYTES] ${PREFIX}_ALIGNED(${PREFIX}_ARENA_ALIGN);

int main(void)
{
    ${prefix}_mismatch mismatch = {0, 0, 0, 0, 0};
    /* What the library does not write itself must not matter. */
    for (uint32_t i = 0; i < sizeof arena; ++i) {
        arena[i] = 0x55;
    }
    if (${prefix}_init_with(arena, sizeof arena) != ${PREFIX}_OK) {
        puts("self-test failed: the arena is refused");
        return 1;
    }
    if (!${prefix}_self_test(&mismatch)) {
        printf("self-test failed: vector %u, output %u, byte %u is %u and should be %u\\n", (unsigned)mismatch.vector,
               (unsigned)mismatch.output, (unsigned)mismatch.byte, (unsigned)mismatch.computed,
               (unsigned)mismatch.expected);
        return 1;
    }
    printf("self-test passed: %u vectors\\n", (unsigned)${PREFIX}_SELFTEST_VECTORS);
    return 0;
}
"""


@dataclass(frozen=True, eq=False)
class Vector:
    """The inputs of one run and what comes out."""

    inputs: tuple[npt.NDArray[np.generic], ...]
    outputs: tuple[npt.NDArray[np.generic], ...]


def inputs_of(library: Library, vector: int) -> tuple[npt.NDArray[np.generic], ...]:
    """The inputs of the run of this number."""
    generator = vectors.Generator(vector)
    return tuple(generator.elements(tensor) for tensor in library.inputs)


def selftest_files(library: Library, prefix: str, runs: Sequence[Vector], banner: str) -> dict[str, str]:
    """The header and the source of the self-test, and a `main` that runs it."""
    names = {"prefix": prefix, "PREFIX": prefix.upper(), "banner": banner}
    expected = [
        array(
            "uint8_t", f"expected_{index}", _bytes([run.outputs[index] for run in runs]), f"{prefix.upper()}_CONST_ATTR"
        )
        for index in range(len(library.outputs))
    ]
    writes = [
        fill(_WRITE, index=index, ctype=C_TYPES[tensor.dtype], value=vectors.c_expression(tensor.dtype), **names)
        for index, tensor in enumerate(library.inputs)
    ]
    checks = [
        fill(_CHECK, index=index, bytes=f"{prefix.upper()}_OUTPUT_{index}_BYTES")
        for index in range(len(library.outputs))
    ]
    floats = " || ".join(f"output == {i}u" for i, tensor in enumerate(library.outputs) if tensor.dtype == "float32")
    pairs = ", ".join(f"{{{spread}, {hold}}}" for spread, hold in vectors.KINDS)
    source = fill(
        _SOURCE,
        expected="\n".join(expected),
        kinds=len(vectors.KINDS),
        pairs=pairs,
        writes=lines(writes),
        checks=lines(checks),
        is_zero=_IS_ZERO if floats else "",
        skip=fill(_SKIP, floats=floats) if floats else "",
        **names,
    )
    return {
        f"{prefix}_selftest.h": fill(_HEADER, vectors=len(runs), **names) + "\n",
        f"{prefix}_selftest.c": source + "\n",
        "main.c": fill(_MAIN, **names) + "\n",
    }


def _bytes(outputs: Sequence[npt.NDArray[np.generic]]) -> npt.NDArray[np.uint8]:
    return np.frombuffer(b"".join(output.tobytes() for output in outputs), np.uint8)
