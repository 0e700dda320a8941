"""
What passes make of a model: each function here takes a form of it and gives others.

A form whose last outcome is not applied is the form that was given; the outcome then says why nothing has changed.
"""

from collections.abc import Iterator
from dataclasses import replace

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from tinymo_xdsl.analysis.aliases import KernelLibrary
from tinymo_xdsl.analysis.peak import main_function
from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.passes.fold_pad import FoldPadPass
from tinymo_xdsl.passes.loop_stripes import LoopStripesPass, apply_loops, best_loops, why_not
from tinymo_xdsl.passes.split_sepconv import SplitSepconvPass, apply_stripes, best_stripes
from tinymo_xdsl.planner.stripe_cost import Accounting
from tinymo_xdsl.planner.stripe_search import SearchOptions
from tinymo_xdsl.search.candidate import Form, PassOutcome
from tinymo_xdsl.search.options import OptimizeOptions

FINALISTS = 3
"""How many ways to run in stripes are planned in earnest."""


def folded(form: Form) -> Form:
    """The form without explicit PADs, as far as convolutions can pad."""
    module = form.module.clone()
    FoldPadPass().apply(Context(), module)
    pads = pad_count(form.module)
    if gone := pads - pad_count(module):
        return form.after(
            module, PassOutcome(FoldPadPass.name, True, f"{gone} of {pads} PADs became padding of convolutions")
        )
    why = f"none of {pads} PADs can become padding of a convolution" if pads else "there is no PAD"
    return form.after(form.module, PassOutcome(FoldPadPass.name, False, why))


def striped(form: Form, options: OptimizeOptions, limit: int | None, accounting: Accounting) -> Iterator[Form]:
    """
    The form in row stripes; `limit` is for its activations, and without one as few bytes as pay are looked for.

    Several forms where bytes are shared: only the plan tells how many these come to.
    """
    search = SearchOptions(peak_limit=limit, maximum_extra_macs=options.max_overhead, accounting=accounting)
    count = 1
    if accounting is Accounting.PLANNED:
        search, count = replace(search, bytes_per_operator=None), FINALISTS
    for plan in best_stripes(main_function(form.module), "any", search, count, options.kernels):
        module = form.module.clone()
        apply_stripes(module, main_function(module), plan.solution)
        yield form.after(module, PassOutcome(SplitSepconvPass.name, bool(plan.solution.regions), plan.describe()))


def looped(form: Form, options: OptimizeOptions, limit: int | None) -> Iterator[Form]:
    """The form with layers that run as loops, and others in row stripes beside them; `limit` is as for `striped`."""
    if options.kernels is KernelLibrary.UNKNOWN:
        why = "what a loop carries shares bytes, which unknown kernels may not allow"
        yield form.after(form.module, PassOutcome(LoopStripesPass.name, False, why))
        return
    search = SearchOptions(peak_limit=limit, maximum_extra_macs=options.max_overhead)
    found = False
    for plan in best_loops(main_function(form.module), search, FINALISTS, library=options.kernels):
        found = True
        module = form.module.clone()
        apply_loops(module, main_function(module), plan.solution)
        stripes, loops = plan.describe(loops=False), plan.describe()
        beside = PassOutcome(SplitSepconvPass.name, bool(stripes), stripes or "loops take less")
        yield form.after(form.module, beside).after(module, PassOutcome(LoopStripesPass.name, True, loops))
    if not found:
        why = why_not(main_function(form.module)) or "no loop lowers the arena by more than it costs"
        yield form.after(form.module, PassOutcome(LoopStripesPass.name, False, why))


def pad_count(module: ModuleOp) -> int:
    """How many explicit PADs there are."""
    return sum(isinstance(op, tosa.PadOp) for op in module.walk())
