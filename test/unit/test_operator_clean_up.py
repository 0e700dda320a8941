"""What clean-up passes make of one operator: the same numbers, and still an operator of a file."""

import pytest
import test_operators
import test_operators_elementwise
import test_operators_kept_whole
import test_operators_rearrangement
import test_operators_reduction
from operator_cases import WHOLE, Case
from xdsl.passes import ModulePass
from xdsl.transforms.canonicalize import CanonicalizePass
from xdsl.transforms.common_subexpression_elimination import CommonSubexpressionElimination

from tinymo_xdsl.backend.tflite import export_model
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.interpreter.semantics import check_same
from tinymo_xdsl.passes.fold_constants import FoldConstantsPass
from tinymo_xdsl.passes.fold_pad import FoldPadPass
from tinymo_xdsl.passes.form_kernels import FormKernelsPass
from tinymo_xdsl.passes.legalize_for_tflite import LegalizeForTflitePass
from tinymo_xdsl.universe import make_context

PASSES: tuple[ModulePass, ...] = (
    CanonicalizePass(),
    FoldConstantsPass(casts=True),
    FoldPadPass(),
    CommonSubexpressionElimination(),
    FormKernelsPass(),
    LegalizeForTflitePass(),
)
CASES = (
    *test_operators.CASES,
    *test_operators_elementwise.CASES,
    *test_operators_kept_whole.CASES,
    *test_operators_rearrangement.CASES,
    *test_operators_reduction.CASES,
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_operator_outlives_all_clean_up_passes(case: Case) -> None:
    module, context = import_model(case.model), make_context()
    for clean_up in PASSES:
        clean_up.apply(context, module)
        module.verify()
    assert export_model(module).subgraphs[0].outputs
    if case.op != WHOLE:
        check_same(import_model(case.model), module)
