"""
What `tinymo optimize` does to a module.

Candidates are tried from the gentlest to the boldest: the model as it is, without explicit PADs, in row stripes. Each
is brought to the form that the backend writes, and measured there: over exactly the tensors that the file will hold.
Where another order of its operators has a lower peak, that is the next candidate.
With a budget the gentlest that fits is taken. Without one it is the candidate whose arena is the smallest, structures
of the runtime included, when each holds the best plan; or, without plans, the one with the lowest peak. The model as it
is remains a candidate, so that the result is never worse than the input.
"""

from dataclasses import dataclass, replace
from functools import cached_property

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from tinymo_xdsl.analysis.aliases import KernelLibrary
from tinymo_xdsl.analysis.kernels import kernels_of
from tinymo_xdsl.analysis.macs import total_macs
from tinymo_xdsl.analysis.peak import Peak, main_function, peak_of
from tinymo_xdsl.backend.tflite.export import export_model
from tinymo_xdsl.backend.tflite.plan import ModelPlanner, PlannedModel
from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.flatbuffer.model import Model
from tinymo_xdsl.passes.fold_pad import FoldPadPass
from tinymo_xdsl.passes.form_kernels import FormKernelsPass
from tinymo_xdsl.passes.legalize_for_tflite import LegalizeForTflitePass
from tinymo_xdsl.passes.schedule import SchedulePass, schedule_function
from tinymo_xdsl.passes.split_sepconv import SplitPlan, SplitSepconvPass, split_function
from tinymo_xdsl.planner.stripe_search import SearchOptions
from tinymo_xdsl.tflm.arena import BITS_64, arena_need

_PLAN = "plan-memory"


@dataclass(frozen=True)
class OptimizeOptions:
    """What a user asks for."""

    ram: int | None = None
    """Bytes that the live peak should keep to, with the least work; without it, the lowest peak is looked for."""
    max_overhead: float = 0.10
    """Extra multiply-accumulates that are allowed, as a share of the model's."""
    plan: bool = True
    """Whether the file holds an arena plan for TFLite Micro."""
    kernels: KernelLibrary = KernelLibrary.REFERENCE
    """Whose kernels will run the plan."""
    overlap: bool = False
    """Whether convolutions, pools and PADs may write over what they have read. For TFLite Micro's reference kernels."""


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
    plan_before: PlannedModel | None
    """The model as it came, but with the best plan; `None` where no plan is asked for."""
    plan_after: PlannedModel | None
    """The file that `module` is written as."""
    macs_before: int
    macs_after: int
    passes: tuple[PassOutcome, ...]
    is_smaller: bool
    """Whether the arena has come down, or, without plans, the peak."""

    @property
    def model(self) -> Model:
        """The file that `module` is written as."""
        return export_model(self.module) if self.plan_after is None else self.plan_after.model


@dataclass(frozen=True, eq=False)
class _Candidate:
    """One way to run the model, as the file would hold it."""

    module: ModuleOp
    applied: tuple[str, ...]
    peak: Peak
    order: str
    """What the search for a better order has found."""
    options: OptimizeOptions

    @property
    def peak_bytes(self) -> int:
        """What is compared with a budget."""
        return self.peak.live_peak_copies

    @cached_property
    def planner(self) -> ModelPlanner:
        """What plans the file."""
        return ModelPlanner(self.module, self.options.kernels, self.options.overlap)

    @cached_property
    def planned(self) -> PlannedModel | None:
        """The file with its plan; `None` where no plan is asked for."""
        return self.planner.plan() if self.options.plan else None

    @cached_property
    def size(self) -> int:
        """What is made small."""
        # An operator takes more of a computer's arena than of a microcontroller's, so what pays here pays there too.
        return self.peak_bytes if self.planned is None else arena_need(self.planned.model, BITS_64).total

    @cached_property
    def least_size(self) -> int:
        """What `size` may be at best, known without planning."""
        if not self.options.plan:
            return self.size
        return replace(arena_need(self.planner.bare, BITS_64), head=self.planner.lower_bound).total


def optimize(module: ModuleOp, options: OptimizeOptions | None = None) -> Optimized:
    """
    The smallest form of `module`, a level-1 module, within the options; `module` itself stays as it is.

    A budget that cannot be kept gives the lowest peak that was found: `Optimized.after` tells.
    """
    options = options or OptimizeOptions()
    candidates = _candidates(module, (), options)
    original = candidates[0]
    folded_module = module.clone()
    FoldPadPass().apply(Context(), folded_module)
    folded_pads = _pads(module) - _pads(folded_module)
    candidates += _candidates(folded_module, (FoldPadPass.name,), options)
    plan = None
    if options.ram is None or min(candidate.peak_bytes for candidate in candidates) > options.ram:
        plan = _split(folded_module, options)
        candidates += _candidates(folded_module, (FoldPadPass.name, SplitSepconvPass.name), options)
    best = _choose(candidates, options.ram)
    return Optimized(
        best.module,
        peak_of(main_function(module)),
        best.peak,
        original.planned,
        best.planned,
        total_macs(kernels_of(main_function(module))),
        total_macs(kernels_of(main_function(best.module))),
        (
            _fold_outcome(_pads(module), folded_pads, best, options),
            _split_outcome(plan, best),
            _schedule_outcome(best, options),
            _plan_outcome(best),
        ),
        best.size < _size_without_plan(original),
    )


def _split(module: ModuleOp, options: OptimizeOptions) -> SplitPlan:
    search = SearchOptions(peak_limit=options.ram, maximum_extra_macs=options.max_overhead)
    return split_function(module, main_function(module), "any", search)


def as_written(module: ModuleOp) -> ModuleOp:
    """The level-2 form of a level-1 `module`, each kernel one operator of the file; `module` itself stays as it is."""
    written = module.clone()
    for step in (FormKernelsPass(), LegalizeForTflitePass()):
        step.apply(Context(), written)
    return written


def _candidates(module: ModuleOp, applied: tuple[str, ...], options: OptimizeOptions) -> list[_Candidate]:
    """The module as the file would hold it, and in a better order if there is one."""
    written = as_written(module)
    reordered = written.clone()
    schedule = schedule_function(main_function(reordered))
    forms = [(written, applied)]
    if schedule.is_lower:
        forms.append((reordered, (*applied, SchedulePass.name)))
    order = schedule.describe()
    return [_Candidate(form, names, peak_of(main_function(form)), order, options) for form, names in forms]


def _size_without_plan(original: _Candidate) -> int:
    """What the model as it came takes, where TFLite Micro plans for itself."""
    return arena_need(original.planner.bare, BITS_64).total if original.options.plan else original.size


def _pads(module: ModuleOp) -> int:
    return sum(isinstance(op, tosa.PadOp) for op in module.walk())


def _choose(candidates: list[_Candidate], ram: int | None) -> _Candidate:
    """The first that fits, or the smallest; of equals the gentlest."""
    if ram is None:
        return _smallest(candidates)
    fitting = [candidate for candidate in candidates if candidate.peak_bytes <= ram]
    return fitting[0] if fitting else min(candidates, key=lambda candidate: candidate.peak_bytes)


def _smallest(candidates: list[_Candidate]) -> _Candidate:
    """The smallest, of equals the gentlest. The most promising ones are planned, until no other can win."""
    best: _Candidate | None = None
    order = {candidate: place for place, candidate in enumerate(candidates)}
    for candidate in sorted(candidates, key=lambda candidate: (candidate.least_size, order[candidate])):
        if best is None or (candidate.size, order[candidate]) < (best.size, order[best]):
            best = candidate
        elif candidate.least_size > best.size:
            break
    assert best is not None
    return best


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


def _plan_outcome(best: _Candidate) -> PassOutcome:
    planned = best.planned
    if planned is None:
        return PassOutcome(_PLAN, False, "not asked for")
    return PassOutcome(_PLAN, planned.applied, planned.why)


def _split_outcome(plan: SplitPlan | None, best: _Candidate) -> PassOutcome:
    name = SplitSepconvPass.name
    if plan is None:
        return PassOutcome(name, False, "the budget is kept without it")
    if plan.solution.regions and name not in best.applied:
        return PassOutcome(name, False, "it would not lower the peak")
    return PassOutcome(name, bool(plan.solution.regions), plan.describe())
