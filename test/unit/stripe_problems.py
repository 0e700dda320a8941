"""Small models for the tests of the stripe planner."""

from dataclasses import dataclass

from tinymo_xdsl.planner.rows import RowAccess, Window
from tinymo_xdsl.planner.stripes import Layer, Operand, Problem, Value


@dataclass(frozen=True)
class LayerSpec:
    """One layer of a chain: it reads the values `inputs`, all in the same way, and yields rows of `row_bytes`."""

    access: RowAccess | None
    rows: int
    row_bytes: int
    macs_per_row: int = 0
    inputs: tuple[int, ...] = ()


def chain(rows: int, row_bytes: int, *specs: LayerSpec) -> Problem:
    """A model with one input, of these rows, and one output. Without `inputs`, a layer reads the value before."""
    last = len(specs)
    values = [Value("value 0", rows, row_bytes, is_input=True)]
    layers: list[Layer] = []
    for index, spec in enumerate(specs):
        values.append(Value(f"value {index + 1}", spec.rows, spec.row_bytes, is_output=index + 1 == last))
        operands = tuple(Operand(value, spec.access) for value in spec.inputs or (index,))
        layers.append(Layer(f"layer {index}", operands, (index + 1,), spec.macs_per_row * spec.rows))
    return Problem(tuple(values), tuple(layers))


def same_window(rows: int, row_bytes: int, kernel: int, stride: int = 1) -> Window:
    """A window over an operand of this size, padded as SAME pads it in both directions."""
    top, bottom = Window(kernel, stride).same_padding(rows)
    return Window(kernel, stride, top, bottom, True, kernel == 1, padded_row_bytes=row_bytes + 2)


def inverted_residual(rows: int) -> Problem:
    """A 1x1 convolution that expands 10 bytes a row to 60, a depthwise 3x3, a 1x1 back to 10, and a residual add."""
    return chain(
        rows,
        10,
        LayerSpec(Window(), rows, 60, macs_per_row=600),
        LayerSpec(same_window(rows, 60, 3), rows, 60, macs_per_row=540),
        LayerSpec(Window(), rows, 10, macs_per_row=600),
        LayerSpec(Window(), rows, 10, inputs=(0, 3)),
    )


def mobile_net(rows: int) -> Problem:
    """Blocks with strides, residuals, a pool and a dense layer, like a small MobileNetV2."""
    half, quarter = rows // 2, rows // 4
    return chain(
        rows,
        96,
        LayerSpec(same_window(rows, 96, 3, 2), half, 256, macs_per_row=9000),
        LayerSpec(same_window(half, 256, 3), half, 256, macs_per_row=2300),
        LayerSpec(Window(), half, 128, macs_per_row=4000),
        LayerSpec(Window(), half, 768, macs_per_row=6000),
        LayerSpec(same_window(half, 768, 3, 2), quarter, 384, macs_per_row=3500),
        LayerSpec(Window(), quarter, 96, macs_per_row=2300),
        LayerSpec(Window(), quarter, 576, macs_per_row=2300),
        LayerSpec(same_window(quarter, 576, 5), quarter, 576, macs_per_row=9600),
        LayerSpec(Window(), quarter, 96, macs_per_row=2300),
        LayerSpec(Window(), quarter, 96, inputs=(6, 9)),
        LayerSpec(None, 1, 10, macs_per_row=9600),
    )


def branches(rows: int) -> Problem:
    """Two branches of different reach that meet: 1x1 and 3x3 on the same value, and 5x5 before the sum of all."""
    return chain(
        rows,
        30,
        LayerSpec(Window(), rows, 40, macs_per_row=1200),
        LayerSpec(Window(), rows, 40, macs_per_row=1600),
        LayerSpec(same_window(rows, 40, 3), rows, 40, macs_per_row=360, inputs=(1,)),
        LayerSpec(Window(), rows, 40, inputs=(3, 2, 1)),
        LayerSpec(same_window(rows, 40, 5), rows, 40, macs_per_row=1000),
        LayerSpec(Window(), rows, 40, inputs=(5, 1)),
        LayerSpec(Window(), rows, 40, inputs=(1, 6, 4)),
    )
