"""
One way to run a model, as its file would hold it, and what that takes.

A `Form` is a level-1 module that passes have made from the model. A `Candidate` is what the backend writes for it, in
one order of its operators, measured over exactly the tensors that the file will hold.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from tinymo_xdsl.analysis.kernels import kernels_of
from tinymo_xdsl.analysis.macs import total_macs
from tinymo_xdsl.analysis.peak import Peak, main_function, peak_of
from tinymo_xdsl.backend.tflite.plan import ModelPlanner, PlannedModel
from tinymo_xdsl.passes.form_kernels import FormKernelsPass
from tinymo_xdsl.passes.legalize_for_tflite import LegalizeForTflitePass
from tinymo_xdsl.passes.schedule import SchedulePass, schedule_function
from tinymo_xdsl.search.options import OptimizeOptions
from tinymo_xdsl.tflm.arena import BITS_32, BITS_64, ArenaNeed, Machine, arena_need


@dataclass(frozen=True)
class PassOutcome:
    """What came of one pass."""

    name: str
    applied: bool
    why: str


@dataclass(frozen=True, eq=False)
class Form:
    """A level-1 module that computes what the model computes."""

    module: ModuleOp
    outcomes: tuple[PassOutcome, ...] = ()
    """What came of the passes that made it, in their order."""

    def after(self, module: ModuleOp, outcome: PassOutcome) -> "Form":
        """What one more pass has made of this form."""
        return Form(module, (*self.outcomes, outcome))


@dataclass(frozen=True, eq=False)
class Candidate:
    """A form as the file would hold it."""

    module: ModuleOp
    """At level 2, each kernel one operator of the file."""
    outcomes: tuple[PassOutcome, ...]
    """The form's, and that of `schedule`."""
    peak: Peak
    options: OptimizeOptions

    @property
    def is_reordered(self) -> bool:
        """Whether the operators are in another order than the form's."""
        return self.outcomes[-1].applied

    @cached_property
    def macs(self) -> int:
        """Multiply-accumulates of one inference."""
        return total_macs(kernels_of(main_function(self.module)))

    @cached_property
    def planner(self) -> ModelPlanner:
        """What plans the file."""
        return ModelPlanner(self.module, self.options.kernels, self.options.overlap)

    @cached_property
    def planned(self) -> PlannedModel | None:
        """The file with its plan; `None` where no plan is asked for."""
        return self.planner.plan() if self.options.plan else None

    @property
    def needed(self) -> int:
        """Bytes that are compared with a budget."""
        return self._arena(BITS_32).total if self.options.plan else self.peak.live_peak_copies

    @property
    def size(self) -> int:
        """Bytes that are made few where there is no budget."""
        # An operator takes more of a computer's arena than of a microcontroller's, so what pays here pays there too.
        return self._arena(BITS_64).total if self.options.plan else self.peak.live_peak_copies

    @cached_property
    def size_at_first_look(self) -> int:
        """What `size` is at most, known after little planning."""
        return arena_need(self.planner.first_look.model, BITS_64).total if self.options.plan else self.size

    @cached_property
    def least_size(self) -> int:
        """What `size` may be at best, known without planning."""
        return self._least_arena(BITS_64) if self.options.plan else self.size

    @cached_property
    def size_without_plan(self) -> int:
        """What `size` is where TFLite Micro plans for itself."""
        return arena_need(self.planner.bare, BITS_64).total if self.options.plan else self.size

    @property
    def fits(self) -> bool:
        """Whether there is a budget, and it is kept."""
        return self.may_fit and self.options.ram is not None and self.needed <= self.options.ram

    @property
    def may_fit(self) -> bool:
        """Whether there is a budget that some plan could keep, as far as is known without planning."""
        return self.options.ram is not None and self.least_needed <= self.options.ram

    @cached_property
    def least_needed(self) -> int:
        """What `needed` may be at best, known without planning."""
        return self._least_arena(BITS_32) if self.options.plan else self.needed

    def _arena(self, machine: Machine) -> ArenaNeed:
        assert self.planned is not None
        return arena_need(self.planned.model, machine)

    def _least_arena(self, machine: Machine) -> int:
        return replace(arena_need(self.planner.bare, machine), head=self.planner.lower_bound).total


def candidates_of(form: Form, options: OptimizeOptions, reorder: bool) -> Iterator[Candidate]:
    """The form as the file would hold it, and, if asked to `reorder`, in a better order if there is one."""
    written = as_written(form.module)
    if not reorder:
        stays = PassOutcome(SchedulePass.name, False, "what runs in stripes is in the order that the plan needs")
        yield Candidate(written, (*form.outcomes, stays), peak_of(main_function(written)), options)
        return
    reordered = written.clone()
    schedule = schedule_function(main_function(reordered))
    moved = PassOutcome(SchedulePass.name, True, schedule.describe())
    why = "the arena does not fall with the peak" if schedule.is_lower else moved.why
    stays = PassOutcome(SchedulePass.name, False, why)
    yield Candidate(written, (*form.outcomes, stays), peak_of(main_function(written)), options)
    if schedule.is_lower:
        yield Candidate(reordered, (*form.outcomes, moved), peak_of(main_function(reordered)), options)


def as_written(module: ModuleOp) -> ModuleOp:
    """The level-2 form of a level-1 `module`, each kernel one operator of the file; `module` itself stays as it is."""
    written = module.clone()
    for step in (FormKernelsPass(), LegalizeForTflitePass()):
        step.apply(Context(), written)
    return written
