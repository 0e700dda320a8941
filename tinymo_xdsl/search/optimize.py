"""
What `tinymo optimize` does to a module.

Forms are tried from the gentlest to the boldest: the model as it is, without explicit PADs, in row stripes, with loops
over rows, and, where that is allowed, each of them with tensors in a secondary memory. Each is brought to what the
backend writes, in the file's order and in the best one that is found (`candidate`).
With a budget the gentlest candidate that keeps it is taken. Without one it is the candidate whose arena is the
smallest, structures of the runtime included, when each holds the best plan; or, without plans, the one with the lowest
peak. The model as it is remains a candidate, so that the result is never worse than the input.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from xdsl.dialects.builtin import ModuleOp

from tinymo_xdsl.analysis.kernels import kernels_of
from tinymo_xdsl.analysis.macs import total_macs
from tinymo_xdsl.analysis.peak import Peak, main_function, peak_of
from tinymo_xdsl.backend.tflite.export import export_model
from tinymo_xdsl.backend.tflite.plan import PlannedModel
from tinymo_xdsl.flatbuffer.model import Model
from tinymo_xdsl.passes.fold_pad import FoldPadPass
from tinymo_xdsl.passes.loop_stripes import LoopStripesPass
from tinymo_xdsl.passes.schedule import SchedulePass
from tinymo_xdsl.passes.spill_long_skips import SpillLongSkipsPass
from tinymo_xdsl.passes.split_sepconv import SplitSepconvPass
from tinymo_xdsl.planner.stripe_cost import Accounting
from tinymo_xdsl.search.candidate import Candidate, Form, PassOutcome, candidates_of
from tinymo_xdsl.search.forms import folded, looped, pad_count, striped
from tinymo_xdsl.search.options import OptimizeOptions
from tinymo_xdsl.search.spilling import spilled
from tinymo_xdsl.tflm.arena import BITS_32, arena_need

_PASSES = (
    FoldPadPass.name,
    SplitSepconvPass.name,
    LoopStripesPass.name,
    SpillLongSkipsPass.name,
    SchedulePass.name,
)
_PLAN = "plan-memory"
_FINALISTS = 8
"""How many candidates are planned in earnest, at most."""
_NEAR = 1.03
"""How near to the least that it may be an arena has to come, as a factor, to look for no other stripes."""
_ROUNDS = 4
"""How often stripes and spills are looked for that leave room for the operators that they add."""
_STEP = 16
"""The least by which the limit falls from one round to the next, as a part of it."""


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
    needed: int
    """Bytes that are compared with a budget: see `OptimizeOptions.ram`."""

    @property
    def model(self) -> Model:
        """The file that `module` is written as."""
        return export_model(self.module) if self.plan_after is None else self.plan_after.model


def optimize(module: ModuleOp, options: OptimizeOptions | None = None) -> Optimized:
    """
    The smallest form of `module`, a level-1 module, within the options; `module` itself stays as it is.

    A budget that cannot be kept gives the least that was found: `Optimized.needed` tells.
    """
    search = _Search(options or OptimizeOptions())
    search.run(Form(module))
    best, original = search.best(), search.candidates[0]
    return Optimized(
        best.module,
        peak_of(main_function(module)),
        best.peak,
        original.planned,
        best.planned,
        total_macs(kernels_of(main_function(module))),
        best.macs,
        tuple(search.outcomes(best)),
        best.size < original.size_without_plan,
        best.needed,
    )


class _Search:
    """The candidates of one model."""

    def __init__(self, options: OptimizeOptions) -> None:
        self.options = options
        self.candidates: list[Candidate] = []
        self.forms: list[Form] = []
        """Those that the candidates are written from."""
        self.tried: dict[str, PassOutcome] = {}
        """What came of each pass where it was tried last."""

    @property
    def is_done(self) -> bool:
        """Whether the budget is kept."""
        return any(candidate.fits for candidate in self.candidates)

    def run(self, form: Form) -> None:
        """Try what there is, from the gentlest on, until the budget is kept."""
        self.consider([form])
        if not self.is_done:
            plain = folded(form)
            self.consider([plain])
            self.divide(plain)
        if (memory := self.options.spill) is not None:
            for kept in tuple(self.forms):
                if not self.is_done:
                    self.consider(self.attempts(partial(spilled, kept, self.options, memory)))

    def divide(self, form: Form) -> None:
        """Try stripes and loops."""
        # Stripes are written in the order that a plan needs; other branches of the model may still trade places.
        reorder = not self.options.plan or any(candidate.is_reordered for candidate in self.candidates)
        stripes = partial(striped, form, self.options)
        if self.options.plan:
            self.consider(self.attempts(partial(stripes, accounting=Accounting.PLANNED)), reorder)
            if self.options.loops and not self.is_done:
                self.consider(self.attempts(partial(looped, form, self.options)), reorder)
        if not self.is_done and (not self.options.plan or self.is_hard_to_place):
            self.consider(self.attempts(partial(stripes, accounting=Accounting.COPIES)), reorder)

    @property
    def is_hard_to_place(self) -> bool:
        """Whether arenas are larger than what shares bytes may take: stripes that share none are easier to place."""
        promising = sorted(self.candidates, key=lambda candidate: candidate.least_size)
        enough = _NEAR * promising[0].least_size
        return not any(candidate.size_at_first_look <= enough for candidate in promising)

    def consider(self, forms: Iterable[Form], reorder: bool = True) -> None:
        """Add the candidates of `forms`, but of those alone that have changed; stop where the budget is kept."""
        for form in forms:
            for outcome in form.outcomes:
                self.tried[outcome.name] = outcome
            if not form.outcomes or form.outcomes[-1].applied:
                self.forms.append(form)
                self.candidates += candidates_of(form, self.options, reorder)
            if self.is_done:
                return

    def attempts(self, make: Callable[[int | None], Iterable[Form]]) -> Iterator[Form]:
        """What `make` gives for limits of the peak. A budget has to leave room for structures, which it may add to."""
        ram = self.options.ram
        if ram is None:
            yield from make(None)
            return
        room = arena_need(self.candidates[-1].planner.bare, BITS_32).tail if self.options.plan else 0
        for _ in range(_ROUNDS if self.options.plan else 1):
            known = len(self.candidates)
            yield from make(max(ram - room, 0))
            needed = [candidate.needed for candidate in self.candidates[known:] if candidate.may_fit]
            if not needed:
                break
            room += max(min(needed) - ram, (ram - room) // _STEP)
        # A limit is for what the search can foresee; the least of all may fit where none of these did.
        yield from make(None)

    def best(self) -> Candidate:
        """The first that fits, or the smallest; of equals the gentlest."""
        fitting = [candidate for candidate in self.candidates if candidate.fits]
        return fitting[0] if fitting else _smallest(self.candidates)

    def outcomes(self, best: Candidate) -> Iterator[PassOutcome]:
        """What came of each pass, and why."""
        found = {outcome.name: outcome for outcome in best.outcomes}
        for name in _PASSES:
            outcome = found.get(name) or self.tried.get(name)
            if outcome is not None and outcome.applied and name in found:
                yield _with_pads(outcome, best)
            elif best.fits:
                yield PassOutcome(name, False, "the budget is kept without it")
            elif outcome is not None and outcome.applied:
                yield PassOutcome(name, False, f"it would not lower {'the arena' if self.options.plan else 'the peak'}")
            elif outcome is not None:
                yield outcome
        yield _plan_outcome(best)


def _smallest(candidates: list[Candidate]) -> Candidate:
    """The smallest, of equals the gentlest. What may win gets a quick plan, the most promising ones a better one."""
    order = {candidate: place for place, candidate in enumerate(candidates)}
    hopeful: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda candidate: (candidate.least_size, order[candidate])):
        if hopeful and candidate.least_size > min(other.size_at_first_look for other in hopeful):
            break
        hopeful.append(candidate)
    # Half way between what it may take at best and at worst.
    hopeful.sort(key=lambda candidate: (candidate.least_size + candidate.size_at_first_look, order[candidate]))
    best = hopeful[0]
    for candidate in hopeful[1:_FINALISTS]:
        if candidate.least_size <= best.size and (candidate.size, order[candidate]) < (best.size, order[best]):
            best = candidate
    return best


def _with_pads(outcome: PassOutcome, best: Candidate) -> PassOutcome:
    """What came of folding PADs, and how many there are all the same: edges of stripes may take PADs too."""
    pads = pad_count(best.module)
    if outcome.name != FoldPadPass.name or not pads:
        return outcome
    return replace(outcome, why=f"{outcome.why}; PADs in the file, for what is neither SAME nor VALID: {pads}")


def _plan_outcome(best: Candidate) -> PassOutcome:
    planned = best.planned
    if planned is None:
        return PassOutcome(_PLAN, False, "not asked for")
    return PassOutcome(_PLAN, planned.applied, planned.why)
