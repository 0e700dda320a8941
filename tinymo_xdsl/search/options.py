"""What a user asks `optimize` for."""

from dataclasses import dataclass

from tinymo_xdsl.analysis.aliases import KernelLibrary


@dataclass(frozen=True)
class OptimizeOptions:
    """What is wanted, and what is allowed."""

    ram: int | None = None
    """
    Bytes that should be enough, with the least work; without it, as few as pay are looked for.

    With a plan, the arena of TFLite Micro on a 32-bit microcontroller, structures included; without, the live peak.
    """
    max_overhead: float = 0.10
    """Extra multiply-accumulates that are allowed, as a share of the model's."""
    plan: bool = True
    """Whether the file holds an arena plan for TFLite Micro."""
    kernels: KernelLibrary = KernelLibrary.REFERENCE
    """Whose kernels will run the plan."""
    overlap: bool = False
    """Whether convolutions, pools and PADs may write over what they have read. For TFLite Micro's reference kernels."""
    spill: str | None = None
    """The name of a memory that tensors may wait in while nothing needs them; `None`: all stay in the arena."""
    loops: bool = True
    """Whether layers may run as loops, which add WHILE and other operators, and which only a plan makes small."""

    def __post_init__(self) -> None:
        """Raises `ValueError` for options that do not go together."""
        if self.overlap and not (self.plan and self.kernels is KernelLibrary.REFERENCE):
            raise ValueError("overlap is for a plan that reference kernels run")
