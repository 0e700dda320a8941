"""`<prefix>.h`: what an application sees."""

from typing import Final

from tinymo_xdsl.backend.c.library import Library, Tensor
from tinymo_xdsl.backend.c.text import C_TYPES, fill, real, string

ABI_VERSION: Final = 1
"""Changes with the meaning of the functions of the header."""

_HEADER: Final = """
$banner

#ifndef ${PREFIX}_H
#define ${PREFIX}_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ${PREFIX}_ABI_VERSION $abi
/* SHA-256 of the model's file. */
#define ${PREFIX}_MODEL_HASH "$hash"

/* Bytes of the arena, inputs and outputs included, and what its address must be a multiple of. */
#define ${PREFIX}_ARENA_BYTES $arena
#define ${PREFIX}_ARENA_ALIGN $alignment

/* Where the compiler puts things: define any of these before this header is read. */
#ifndef ${PREFIX}_ARENA_ATTR
#define ${PREFIX}_ARENA_ATTR /* the static arena, as in __attribute__((section(".ccm"))) */
#endif
#ifndef ${PREFIX}_CONST_ATTR
#define ${PREFIX}_CONST_ATTR /* weights and tables */
#endif
#ifndef ${PREFIX}_ALIGNED
#define ${PREFIX}_ALIGNED(bytes) __attribute__((aligned(bytes)))
#endif

$tensors

typedef enum {
    ${PREFIX}_OK = 0,
    ${PREFIX}_NO_ARENA = 1,          /* the pointer to the arena is null */
    ${PREFIX}_ARENA_TOO_SMALL = 2,   /* fewer than ${PREFIX}_ARENA_BYTES bytes */
    ${PREFIX}_ARENA_MISALIGNED = 3,  /* not on a multiple of ${PREFIX}_ARENA_ALIGN */
    ${PREFIX}_NOT_INITIALIZED = 4    /* no call of ${prefix}_init has succeeded */
} ${prefix}_status;

typedef struct {
    const char *name;
    const int32_t *shape;
    int32_t rank;
    uint32_t bytes;
    float scale; /* real number = scale * (stored number - zero_point); 0 where tensors are not quantised */
    int32_t zero_point;
} ${prefix}_tensor;

extern const ${prefix}_tensor ${prefix}_inputs[];
extern const ${prefix}_tensor ${prefix}_outputs[];

/* Uses the arena of the library. Define ${PREFIX}_NO_STATIC_ARENA where the library is compiled to do without it. */
#ifndef ${PREFIX}_NO_STATIC_ARENA
${prefix}_status ${prefix}_init(void);
#endif

/* Uses an arena of the application, which may share its bytes with other things between runs: outputs are read, and
 * inputs written, while nothing else uses it. */
${prefix}_status ${prefix}_init_with(void *arena, uint32_t bytes);

/* Where to write an input before each run, which may overwrite it, and where to read an output after it. Null where
 * there is no such tensor, and before ${prefix}_init. */
void *${prefix}_input(uint32_t index);
void *${prefix}_output(uint32_t index);

/* Computes the outputs. Not to be called from two threads at once. */
${prefix}_status ${prefix}_invoke(void);

#ifdef __cplusplus
}
#endif

#endif /* ${PREFIX}_H */
"""

_TENSOR: Final = """
#define ${name}_NAME $text
#define ${name}_TYPE $ctype
#define ${name}_RANK $rank
#define ${name}_SHAPE $shape
#define ${name}_ELEMENTS $elements
#define ${name}_BYTES $bytes
#define ${name}_SCALE $scale
#define ${name}_ZERO_POINT $zero_point
"""


def header_file(library: Library, prefix: str, model_hash: str, banner: str) -> str:
    """The text of `<prefix>.h`."""
    upper = prefix.upper()
    tensors = [
        f"#define {upper}_INPUTS {len(library.inputs)}",
        *(_tensor(f"{upper}_INPUT_{index}", tensor) for index, tensor in enumerate(library.inputs)),
        f"#define {upper}_OUTPUTS {len(library.outputs)}",
        *(_tensor(f"{upper}_OUTPUT_{index}", tensor) for index, tensor in enumerate(library.outputs)),
    ]
    return fill(
        _HEADER,
        banner=banner,
        prefix=prefix,
        PREFIX=upper,
        abi=ABI_VERSION,
        hash=model_hash,
        arena=library.arena_bytes,
        alignment=library.alignment,
        tensors="\n\n".join(tensors),
    )


def _tensor(name: str, tensor: Tensor) -> str:
    elements = 1
    for size in tensor.shape:
        elements *= size
    return fill(
        _TENSOR,
        name=name,
        text=string(tensor.name),
        ctype=C_TYPES[tensor.dtype],
        rank=len(tensor.shape),
        shape=f"{{{', '.join(map(str, tensor.shape)) or '1'}}}",
        elements=elements,
        bytes=tensor.bytes,
        scale=real(tensor.scale or 0.0),
        zero_point=tensor.zero_point,
    )
