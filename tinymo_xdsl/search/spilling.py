"""
Tensors that wait in a secondary memory, chosen for what a file with an arena plan takes.

What counts is not which tensors are alive but which bytes are in use: tensors that share bytes count once, and the
scratch of kernels counts too. So spills are chosen on level 2, where the operators of the file are known.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from xdsl.dialects.func import FuncOp

from tinymo_xdsl.analysis.aliases import Sharing, aliases_of
from tinymo_xdsl.analysis.kernels import Kernel, kernels_of
from tinymo_xdsl.analysis.liveness import function_live_bytes, is_variable
from tinymo_xdsl.analysis.loops import body_bytes, loop_of
from tinymo_xdsl.analysis.peak import main_function
from tinymo_xdsl.analysis.skips import plan_spills, spilled_bytes
from tinymo_xdsl.backend.tflite.export import export_model
from tinymo_xdsl.flatbuffer.model import Model
from tinymo_xdsl.flatbuffer.spills import storage_bytes
from tinymo_xdsl.passes.spill_long_skips import SpillLongSkipsPass, spill, why_not
from tinymo_xdsl.planner.arena.problem import Buffer, Piece
from tinymo_xdsl.search.candidate import Form, PassOutcome, as_written
from tinymo_xdsl.search.options import OptimizeOptions
from tinymo_xdsl.tflm.kernels import scratch

_SHORTEST_REST = 1
"""Kernels that a tensor has to rest for: whoever allows spills would rather copy than run out of memory."""


def spilled(form: Form, options: OptimizeOptions, memory: str, limit: int | None) -> Iterator[Form]:
    """The form with tensors spilled to `memory`: as many as it takes to get down to `limit` bytes, or as pay."""
    module = as_written(form.module)
    function = main_function(module)
    kernels = kernels_of(function)
    needed = needed_bytes(function, kernels, export_model(module), options)
    plan = plan_spills(function, kernels, _SHORTEST_REST, limit, needed)
    if not plan.ranges:
        why = f"the {plan.peak:,} bytes in use at once stay: {why_not(function, kernels, plan.limit)}"
        yield form.after(form.module, PassOutcome(SpillLongSkipsPass.name, False, why))
        return
    spill(module, function, plan, memory)
    model = export_model(module)
    peak = max(needed_bytes(function, kernels_of(function), model, options))
    why = (
        f"the bytes in use at once fall from {plan.peak:,} to {peak:,}; a run copies {spilled_bytes(function):,} bytes"
        f" to and from '{memory}', which needs {storage_bytes(model)[memory]:,} bytes of storage"
    )
    yield form.after(module, PassOutcome(SpillLongSkipsPass.name, True, why))


def needed_bytes(function: FuncOp, kernels: Sequence[Kernel], model: Model, options: OptimizeOptions) -> Sequence[int]:
    """The bytes that a plan of `model`, which `function` is written as, has in use while each kernel runs."""
    if not options.plan:
        return function_live_bytes(function)
    aliases = aliases_of(function, options.kernels, options.overlap)
    # Steps count the operators of the file from 1: variables are none.
    operators = [index for index, kernel in enumerate(kernels) if not any(map(is_variable, kernel.outputs))]
    needed = np.zeros(len(operators) + 2, np.int64)
    for group in aliases.groups(Sharing.ALL):
        pieces = (Piece(p.start, p.stop - p.start, p.first, p.last + 1) for p in group.pieces)
        for piece in Buffer("", tuple(pieces)).rectangles:
            needed[piece.start : piece.end] += piece.size
    for step, operator in enumerate(model.subgraphs[0].operators, 1):
        needed[step] += sum(scratch(operator, model.subgraphs[0]))
    spread = np.zeros(len(kernels), np.int64)
    spread[operators] = needed[1:-1]
    for index, kernel in enumerate(kernels):
        if (loop := loop_of(kernel)) is not None:
            spread[index] += body_bytes(loop)
    return spread.tolist()
