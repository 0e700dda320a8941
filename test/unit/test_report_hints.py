"""Hints: what may help a model, found without a search."""

import pytest
from chain_models import SAME, VALID, ChainBuilder

from tinymo_xdsl import zoo
from tinymo_xdsl.analysis.aliases import KernelLibrary
from tinymo_xdsl.backend.tflite.plan import ModelPlanner
from tinymo_xdsl.flatbuffer.model import Model
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.report.arena_layout import arena_layout
from tinymo_xdsl.report.hints import Hint, hints_for
from tinymo_xdsl.search import as_written


def hints(model: Model) -> dict[str, Hint]:
    module = import_model(model)
    planned = ModelPlanner(as_written(module), KernelLibrary.REFERENCE).plan()
    found = hints_for(module, arena_layout(model).head, planned)
    return {hint.name: hint for hint in found}


def padded(after: int) -> Model:
    """A PAD of 16x16x4 for a convolution of 3x3, then a convolution with `after` channels."""
    builder = ChainBuilder("INT8")
    image = builder.image("image", (16, 16, 4))
    wide = builder.pad("wide", image, (1, 1, 1, 1))
    small = builder.conv("small", wide, 4, 3, padding=VALID)
    return builder.model(builder.conv("large", small, after, 1))


def test_a_pad_at_the_peak_can_be_folded():
    hint = hints(padded(1))["fold-pad"]
    before, after = 16 * 16 * 4 + 18 * 18 * 4, 2 * 16 * 16 * 4
    assert hint.helps
    assert hint.why.startswith("1 of 1 PADs can be padding of convolutions")
    assert hint.why.endswith(f"falls from {before:,} to {after:,} bytes")


def test_a_pad_elsewhere_does_not_help():
    assert hints(padded(16))["fold-pad"] == Hint(
        "fold-pad", False, "1 of 1 PADs can be padding of convolutions; the peak is elsewhere"
    )


def test_without_a_pad_there_is_nothing_to_fold():
    assert "fold-pad" not in hints(zoo.build("lenet5"))


def test_layers_around_the_peak_may_run_in_stripes():
    hint = hints(padded(16))["split-sepconv"]
    assert hint == Hint(
        "split-sepconv", True, "the peak is the tensors around CONV_2D, which stripes of rows need not hold whole"
    )


def test_a_layer_that_mixes_rows_cannot_run_in_stripes():
    builder = ChainBuilder("INT8")
    image = builder.image("image", (16, 16, 4))
    hint = hints(builder.model(builder.reshape("flat", image, (1, 1024))))["split-sepconv"]
    assert hint == Hint("split-sepconv", False, "RESHAPE, the peak, cannot run in stripes of rows")


def test_a_layer_alone_has_nothing_to_run_in_stripes_with():
    builder = ChainBuilder("INT8")
    model = builder.model(builder.conv("only", builder.image("image", (16, 16, 4)), 4, 3, padding=SAME))
    hint = hints(model)["split-sepconv"]
    # The input is there whole, and so is the output: nothing lies between layers.
    assert (hint.helps, hint.why) == (False, "nothing beside CONV_2D, the peak, can run in stripes with it")


def test_a_long_skip_across_the_peak_can_wait_elsewhere():
    builder = ChainBuilder("INT8")
    skip = builder.conv("skip", builder.image("image", (16, 16, 1)), 4, 1)
    layer = skip
    for index, channels in enumerate((2, 4, 16, 4, 2, 4)):
        layer = builder.conv(f"layer_{index}", layer, channels, 1)
    hint = hints(builder.model(builder.add("sum", skip, layer)))["spill-long-skips"]
    assert hint.helps
    # Operators are numbered as in the file: `layer_0` is 1, the sum is 7. The token of the spill takes 4 bytes.
    assert hint.why.startswith("'skip' rests across the peak, operators 1 to 7")
    assert "falls from 6,144 to 5,124 bytes, 2,048 bytes copied" in hint.why


def test_another_order_may_help():
    builder = ChainBuilder("INT8")
    image = builder.image("image", (8, 8, 1))
    large = [builder.conv(f"large_{index}", image, 16, 1) for index in range(2)]
    small = [builder.conv(f"small_{index}", layer, 1, 1) for index, layer in enumerate(large)]
    hint = hints(builder.model(builder.add("sum", *small)))["schedule"]
    assert hint.helps
    assert hint.why.startswith("in another order of operators the peak falls from 2,112 to")
    assert "schedule" not in hints(zoo.build("lenet5"))


def test_what_lowers_no_more_than_the_live_peak_is_no_help():
    builder = ChainBuilder("INT8")
    image = builder.image("image", (8, 8, 1))
    large = [builder.conv(f"large_{index}", image, 16, 1) for index in range(2)]
    small = [builder.conv(f"small_{index}", layer, 1, 1) for index, layer in enumerate(large)]
    module = import_model(builder.model(builder.add("sum", *small)))
    planned = ModelPlanner(as_written(module), KernelLibrary.REFERENCE).plan()
    # The live peak is 2,112 bytes, and 1,152 in the best order: a plan in which tensors share bytes may take less.
    assert "schedule" in {hint.name for hint in hints_for(module, 1153, planned)}
    assert "schedule" not in {hint.name for hint in hints_for(module, 1152, planned)}


@pytest.mark.parametrize("name", ["lenet5", "ds-cnn"])
def test_a_plan_that_is_no_better_is_no_help(name: str):
    head = arena_layout(zoo.build(name)).head
    hint = hints(zoo.build(name))["plan-memory"]
    assert hint == Hint("plan-memory", False, f"the head is {head:,} bytes as it is: no plan makes it smaller")


def test_a_better_plan_helps():
    builder = ChainBuilder("INT8")
    layer = builder.image("image", (8, 8, 3))
    # TFLite Micro puts the input and the largest tensor at the start; then there is no room for what lies between.
    for index, channels in enumerate((2, 2, 4)):
        layer = builder.conv(f"layer_{index}", layer, channels)
    hint = hints(builder.model(layer))["plan-memory"]
    why = "a plan makes the head 384 bytes instead of 512, proven to be the least"
    assert hint == Hint("plan-memory", True, why)


def test_a_model_without_operators_needs_no_help():
    builder = ChainBuilder("INT8")
    assert hints(builder.model(builder.image("image", (4, 4, 1)))) == {}
