"""What a run found out about a model. Text, JSON and HTML show the same object."""

from dataclasses import dataclass

from tinymo_xdsl.analysis.peak import Peak
from tinymo_xdsl.report.arena_layout import ArenaLayout
from tinymo_xdsl.report.hints import Hint
from tinymo_xdsl.report.operators import OperatorUse
from tinymo_xdsl.search import PassOutcome
from tinymo_xdsl.tflm.arena import ArenaNeed
from tinymo_xdsl.verification import ArenaUse, Verification


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
class BestPlan:
    """The best plan for the arena's head that was found, whether the file holds it or not."""

    head: int
    """Bytes of activations and scratch."""
    lower_bound: int
    """No plan takes less, with the operators in this order and tensors sharing bytes as in the best one."""
    optimal: bool
    """Whether it is proven that no plan takes less than the best one."""


@dataclass(frozen=True)
class Absent:
    """A part of a report that there is not."""

    why: str


@dataclass(frozen=True)
class FileReport:
    """A `.tflite` file and the memory that it takes."""

    model: ModelSummary
    peak: Peak
    """Tensors of the graph alone, without the runtime's rounding and scratch."""
    layout: ArenaLayout
    """The head of the arena, with the plan that the file holds, or else TFLite Micro's own."""
    microcontroller: ArenaNeed
    """What TFLite Micro needs with this layout where pointers have 32 bits, computed from the file and not run."""
    computer: ArenaNeed
    """The same where pointers have 64 bits, as on the machine that measures."""
    measured: MeasuredArena | Absent
    plan: BestPlan | Absent
    operators: tuple[OperatorUse, ...]
    storage: tuple[tuple[str, int], ...]
    """Names of secondary memories, and the bytes of each that spilled tensors wait in."""
    spilled: int
    """Bytes that a run copies to and from these."""


@dataclass(frozen=True)
class Optimization:
    """What became of a model, and what it took."""

    result: FileReport
    added: tuple[OperatorUse, ...]
    """Operators that the file has more of than the original."""
    unknown: tuple[OperatorUse, ...]
    """Those of them that the original has none of: an application that ran it must register them."""
    passes: tuple[PassOutcome, ...]
    verification: Verification | Absent
    is_original: bool
    """Whether the original file is kept byte for byte, because nothing makes it smaller."""


@dataclass(frozen=True)
class Report:
    """A model as it came and, if it was optimized, what became of it."""

    original: FileReport
    hints: tuple[Hint, ...] = ()
    """What passes may do for the model as it came."""
    optimization: Optimization | None = None

    @property
    def result(self) -> FileReport:
        """The file that the report ends with: the optimized one, or else the original."""
        return self.original if self.optimization is None else self.optimization.result
