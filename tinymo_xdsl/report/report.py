"""What a run found out about a model. Text and JSON show the same object."""

from dataclasses import dataclass

from tinymo_xdsl.analysis.peak import Peak
from tinymo_xdsl.report.operators import OperatorUse
from tinymo_xdsl.search import PassOutcome
from tinymo_xdsl.tflm.arena import ArenaNeed
from tinymo_xdsl.verify import ArenaUse, Verification


@dataclass(frozen=True)
class TensorSummary:
    """An input or an output of a model."""

    name: str
    dtype: str
    """The schema's name."""
    shape: tuple[int, ...]


@dataclass(frozen=True)
class ModelSummary:
    """A `.tflite` file. Operators are those of the main subgraph."""

    file: str
    sha256: str
    size: int
    """Bytes of the file."""
    ops: int
    macs: int
    """Multiply-accumulates of one inference."""
    inputs: tuple[TensorSummary, ...]
    outputs: tuple[TensorSummary, ...]


@dataclass(frozen=True)
class MeasuredArena:
    """What TFLite Micro needed on this machine."""

    use: ArenaUse
    smallest: int
    """Bytes of the smallest arena that it runs in."""


@dataclass(frozen=True)
class ModelledArena:
    """What TFLite Micro needs, computed from the file and not run."""

    best: int
    """Bytes of activations and scratch with the best plan that was found, whether the file holds it or not."""
    lower_bound: int
    """No plan takes less, with the operators in this order and tensors sharing bytes as in the best one."""
    optimal: bool
    """Whether it is proven that no plan takes less than the best one."""
    microcontroller: ArenaNeed
    """With the plan that the file holds, or else TFLite Micro's own, where pointers have 32 bits."""
    computer: ArenaNeed
    """The same where pointers have 64 bits, as on the machine that measures."""


@dataclass(frozen=True)
class Absent:
    """A part of a report that there is not."""

    why: str


@dataclass(frozen=True)
class Optimization:
    """A model after an optimization, and what it took."""

    model: ModelSummary
    after: Peak
    arena: MeasuredArena | Absent
    modelled: ModelledArena | Absent
    added: tuple[OperatorUse, ...]
    """Operators that the file has more of than the original."""
    passes: tuple[PassOutcome, ...]
    verification: Verification | Absent
    is_original: bool
    """Whether the original file is kept byte for byte, because nothing lowers its peak."""


@dataclass(frozen=True)
class Report:
    """A model as it came and, if it was optimized, what became of it."""

    model: ModelSummary
    before: Peak
    arena: MeasuredArena | Absent
    """Of the model as it came."""
    modelled: ModelledArena | Absent
    """Of the model as it came."""
    optimization: Optimization | None = None
