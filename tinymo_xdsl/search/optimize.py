"""
What `tinymo optimize` does to a module.

Candidates are tried from the gentlest to the boldest: the model as it is, without explicit PADs, in row stripes. Each
is brought to the form that the backend writes, and measured there: over exactly the tensors that the file will hold.
Where another order of its operators has a lower peak, that is the next candidate.
With a budget the gentlest that fits is taken, without one the lowest peak. The model as it is remains a candidate, so
that the result is never worse than the input.
"""

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from tinymo_xdsl.analysis.kernels import kernels_of
from tinymo_xdsl.analysis.macs import total_macs
from tinymo_xdsl.analysis.peak import Peak, main_function, peak_of
from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.passes.fold_pad import FoldPadPass
from tinymo_xdsl.passes.form_kernels import FormKernelsPass
from tinymo_xdsl.passes.legalize_for_tflite import LegalizeForTflitePass
from tinymo_xdsl.passes.schedule import SchedulePass, schedule_function
from tinymo_xdsl.passes.split_sepconv import SplitPlan, SplitSepconvPass, split_function
from tinymo_xdsl.planner.stripe_search import SearchOptions


@dataclass(frozen=True)
class OptimizeOptions:
    """What a user asks for."""

    ram: int | None = None
    """Bytes that the live peak should keep to, with the least work; without it, the lowest peak is looked for."""
    max_overhead: float = 0.10
    """Extra multiply-accumulates that are allowed, as a share of the model's."""


@dataclass(frozen=True)
class PassOutcome:
    """What came of one pass."""

    name: str
    applied: bool
    why: str


@dataclass(frozen=True, eq=False)
class Optimized:
    """An optimized module, ready for the backend, and what that took."""

    module: ModuleOp
    """At level 2, each kernel one operator of the file."""
    before: Peak
    """The main function of the model as it came."""
    after: Peak
    macs_before: int
    macs_after: int
    passes: tuple[PassOutcome, ...]

    @property
    def is_smaller(self) -> bool:
        """Whether the peak has come down."""
        return self.after.live_peak_copies < self.before.live_peak_copies


@dataclass(frozen=True, eq=False)
class _Candidate:
    """One way to run the model, as the file would hold it."""

    module: ModuleOp
    applied: tuple[str, ...]
    peak: Peak
    order: str
    """What the search for a better order has found."""

    @property
    def peak_bytes(self) -> int:
        """What it is measured by."""
        return self.peak.live_peak_copies


def optimize(module: ModuleOp, options: OptimizeOptions | None = None) -> Optimized:
    """
    The smallest form of `module`, a level-1 module, within the options; `module` itself stays as it is.

    A budget that cannot be kept gives the lowest peak that was found: `Optimized.after` tells.
    """
    options = options or OptimizeOptions()
    candidates = _as_written(module, ())
    folded_module = module.clone()
    FoldPadPass().apply(Context(), folded_module)
    folded_pads = _pads(module) - _pads(folded_module)
    candidates += _as_written(folded_module, (FoldPadPass.name,))
    plan = None
    if options.ram is None or min(candidate.peak_bytes for candidate in candidates) > options.ram:
        plan = _split(folded_module, options)
        candidates += _as_written(folded_module, (FoldPadPass.name, SplitSepconvPass.name))
    best = _choose(candidates, options.ram)
    return Optimized(
        best.module,
        peak_of(main_function(module)),
        best.peak,
        total_macs(kernels_of(main_function(module))),
        total_macs(kernels_of(main_function(best.module))),
        (
            _fold_outcome(_pads(module), folded_pads, best, options),
            _split_outcome(plan, best),
            _schedule_outcome(best, options),
        ),
    )


def _split(module: ModuleOp, options: OptimizeOptions) -> SplitPlan:
    search = SearchOptions(peak_limit=options.ram, maximum_extra_macs=options.max_overhead)
    return split_function(module, main_function(module), "any", search)


def _as_written(module: ModuleOp, applied: tuple[str, ...]) -> list[_Candidate]:
    """The module as the file would hold it, and in a better order if there is one."""
    written = module.clone()
    for step in (FormKernelsPass(), LegalizeForTflitePass()):
        step.apply(Context(), written)
    reordered = written.clone()
    schedule = schedule_function(main_function(reordered))
    forms = [(written, applied)]
    if schedule.is_lower:
        forms.append((reordered, (*applied, SchedulePass.name)))
    return [_Candidate(form, names, peak_of(main_function(form)), schedule.describe()) for form, names in forms]


def _pads(module: ModuleOp) -> int:
    return sum(isinstance(op, tosa.PadOp) for op in module.walk())


def _choose(candidates: list[_Candidate], ram: int | None) -> _Candidate:
    """The first that fits, or the lowest; of equals the gentlest."""
    fitting = [candidate for candidate in candidates if ram is not None and candidate.peak_bytes <= ram]
    return fitting[0] if fitting else min(candidates, key=lambda candidate: candidate.peak_bytes)


def _fold_outcome(pads: int, folded: int, best: _Candidate, options: OptimizeOptions) -> PassOutcome:
    name = FoldPadPass.name
    if not folded:
        why = f"none of {pads} PADs can become padding of a convolution" if pads else "there is no PAD"
        return PassOutcome(name, False, why)
    if name not in best.applied:
        fits = options.ram is not None and best.peak_bytes <= options.ram
        return PassOutcome(name, False, "the budget is kept without it" if fits else "it would not lower the peak")
    why = f"{folded} of {pads} PADs became padding of convolutions"
    # Stripes have edges of their own, which may take PADs too.
    if written := _pads(best.module) - (pads - folded):
        why += f"; PADs in the file, for what is neither SAME nor VALID: {written}"
    return PassOutcome(name, True, why)


def _schedule_outcome(best: _Candidate, options: OptimizeOptions) -> PassOutcome:
    name = SchedulePass.name
    fits = options.ram is not None and best.peak_bytes <= options.ram
    if name not in best.applied and fits:
        return PassOutcome(name, False, "the budget is kept without it")
    return PassOutcome(name, name in best.applied, best.order)


def _split_outcome(plan: SplitPlan | None, best: _Candidate) -> PassOutcome:
    name = SplitSepconvPass.name
    if plan is None:
        return PassOutcome(name, False, "the budget is kept without it")
    if plan.solution.regions and name not in best.applied:
        return PassOutcome(name, False, "it would not lower the peak")
    return PassOutcome(name, bool(plan.solution.regions), plan.describe())
