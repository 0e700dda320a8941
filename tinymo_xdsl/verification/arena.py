"""What TFLite Micro needs to run a model, measured."""

import re
from dataclasses import dataclass

from tinymo_xdsl.verification import isolation
from tinymo_xdsl.verification.engines import TFLITE_MICRO, ModelFile, installed_engines
from tinymo_xdsl.verification.inputs import sample

_TIME_LIMIT = 300.0
_GRAIN = 16
"""TFLite Micro aligns to this many bytes, so a finer search would measure the luck of addresses."""


@dataclass(frozen=True)
class ArenaUse:
    """
    The bytes of TFLite Micro's arena after an inference, as its recording allocator counts them.

    The tail holds pointers, so it is larger on the host than on a microcontroller.
    """

    total: int
    head: int
    """Planned activations and kernel scratch."""
    tail: int
    """Persistent structures: operators, tensors, per-channel multipliers, variables."""


def arena_use(data: bytes, name: str = "the model") -> ArenaUse:
    """The use of a large enough arena. `MissingToolError` without TFLite Micro, `EngineError` if it cannot run it."""
    installed_engines(TFLITE_MICRO.name)
    _, log = isolation.call(_TIME_LIMIT, _run_once, data, name, None)
    found = re.findall(r"Arena allocation (total|head|tail) (\d+) bytes", log)
    recorded = {part: int(size) for part, size in found}
    return ArenaUse(recorded["total"], recorded["head"], recorded["tail"])


def smallest_arena(data: bytes, name: str = "the model") -> int:
    """
    The bytes of the smallest arena that the model loads and runs in, in steps of 16, by bisection.

    It may be more than `ArenaUse.total`: planning needs temporary space. Errors as `arena_use`.
    """
    # What fails is below, what works is above or equal.
    fails, works = 0, _round_up(arena_use(data, name).total)
    while not _runs_in(data, name, works):
        fails, works = works, 2 * works
    if fails == 0:
        # The recorded total is in use at once, so less cannot work.
        return works
    while works - fails > _GRAIN:
        middle = _round_up((fails + works) // 2)
        if _runs_in(data, name, middle):
            works = middle
        else:
            fails = middle
    return works


def _round_up(size: int) -> int:
    return -(-size // _GRAIN) * _GRAIN


def _runs_in(data: bytes, name: str, arena: int) -> bool:
    try:
        isolation.call(_TIME_LIMIT, _run_once, data, name, arena)
    except isolation.EngineError:
        return False
    return True


def _run_once(data: bytes, name: str, arena: int | None) -> None:
    file = ModelFile.read(name, data)
    session = TFLITE_MICRO.load(file, arena=arena)
    main = file.model.subgraphs[0]
    session.invoke([sample(main.tensors[index], 0, 0, 0, at) for at, index in enumerate(main.inputs)])
    session.print_allocations()
