"""What this package adds to every tool of the xDSL family."""

from pathlib import Path

import lit_in_process
import pytest
from xdsl.dialects import tosa as upstream
from xdsl.universe import Universe

import tinymo_xdsl.passes
from tinymo_xdsl.tools.pass_options import pass_options, pass_summary
from tinymo_xdsl.universe import TINYMO_UNIVERSE

PASSES = sorted(TINYMO_UNIVERSE.all_passes)


def test_every_file_of_a_pass_is_a_pass_of_its_name():
    (folder,) = tinymo_xdsl.passes.__path__
    files = {path.stem.replace("_", "-") for path in Path(folder).glob("*.py") if not path.stem.startswith("_")}
    assert files == set(PASSES)


@pytest.mark.parametrize("name", PASSES)
def test_passes_and_their_options_are_documented(name: str):
    pass_type = TINYMO_UNIVERSE.all_passes[name]()
    assert pass_type.name == name
    assert pass_summary(pass_type)
    assert all(option.doc for option in pass_options(pass_type))


def test_the_merged_tosa_dialect_keeps_the_classes_of_xdsl():
    merged = Universe.get_multiverse().all_dialects["tosa"]()
    assert set(upstream.TOSA.operations) <= set(merged.operations)
    assert "tosa.conv2d" in {op.name for op in merged.operations}


def test_xdsl_opt_knows_dialects_and_passes():
    text = b"""func.func @f(%x: tensor<1x4xf32> {tinymo.tensor = {name = "x"}}) -> tensor<1x4xf32> {
  %y = tosa.maximum %x, %x {tinymo.tensor = {name = "y"}} : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
  return %y : tensor<1x4xf32>
}"""
    outcome = lit_in_process.run_command(["xdsl-opt", "-p", "form-kernels"], text)
    assert outcome.status == 0, outcome.stderr.decode()
    assert b"tinymo.kernel" in outcome.stdout
