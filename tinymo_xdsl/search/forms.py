"""
What passes make of a model: each function here takes a form of it and gives others.

A form whose last outcome is not applied is the form that was given; the outcome then says why nothing has changed.
"""

from collections.abc import Iterator

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from tinymo_xdsl.analysis.peak import main_function
from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.passes.fold_pad import FoldPadPass
from tinymo_xdsl.passes.split_sepconv import SplitSepconvPass, split_function
from tinymo_xdsl.planner.stripe_search import SearchOptions
from tinymo_xdsl.search.candidate import Form, PassOutcome
from tinymo_xdsl.search.options import OptimizeOptions


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


def striped(form: Form, options: OptimizeOptions, limit: int | None) -> Iterator[Form]:
    """The form in row stripes; `limit` is for its live peak, and without one the lowest that pays is looked for."""
    module = form.module.clone()
    search = SearchOptions(peak_limit=limit, maximum_extra_macs=options.max_overhead)
    plan = split_function(module, main_function(module), "any", search)
    yield form.after(module, PassOutcome(SplitSepconvPass.name, bool(plan.solution.regions), plan.describe()))


def pad_count(module: ModuleOp) -> int:
    """How many explicit PADs there are."""
    return sum(isinstance(op, tosa.PadOp) for op in module.walk())
