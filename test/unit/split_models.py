"""Models whose layers can run in stripes of rows, for the tests of `split-sepconv`."""

from chain_models import SAME, VALID, ChainBuilder, Layer


def separable(build: ChainBuilder, x: Layer, wide: int, narrow: int, prefix: str = "") -> Layer:
    expanded = build.conv(f"{prefix}expanded", x, wide)
    return build.conv(f"{prefix}projected", build.depthwise(f"{prefix}filtered", expanded), narrow)


def expand_filter_project(build: ChainBuilder) -> Layer:
    return separable(build, build.image("x", (16, 8, 2)), 12, 2)


def stride_2(build: ChainBuilder) -> Layer:
    filtered = build.depthwise("filtered", build.conv("expanded", build.image("x", (16, 8, 2)), 12), stride=2)
    return build.conv("projected", filtered, 3)


def stride_2_of_odd_sizes(build: ChainBuilder) -> Layer:
    filtered = build.depthwise("filtered", build.conv("expanded", build.image("x", (17, 7, 2)), 12), stride=2)
    return build.conv("projected", filtered, 3)


def dilation(build: ChainBuilder) -> Layer:
    filtered = build.depthwise("filtered", build.conv("expanded", build.image("x", (16, 8, 2)), 12), dilation=2)
    return build.conv("projected", filtered, 3)


def kernel_5(build: ChainBuilder) -> Layer:
    filtered = build.depthwise("filtered", build.conv("expanded", build.image("x", (16, 8, 2)), 12), 5)
    return build.conv("projected", filtered, 3)


def even_kernel(build: ChainBuilder) -> Layer:
    filtered = build.depthwise("filtered", build.conv("expanded", build.image("x", (16, 8, 2)), 12), (4, 2))
    return build.conv("projected", filtered, 3)


def valid_padding(build: ChainBuilder) -> Layer:
    expanded = build.conv("expanded", build.image("x", (16, 8, 2)), 12)
    return build.conv("projected", build.depthwise("filtered", expanded, padding=VALID), 3)


def rows_and_columns_that_no_window_reads(build: ChainBuilder) -> Layer:
    expanded = build.conv("expanded", build.image("x", (16, 8, 2)), 12)
    return build.conv("projected", build.depthwise("filtered", expanded, stride=2, padding=VALID), 3)


def residual_add(build: ChainBuilder) -> Layer:
    x = build.conv("stem", build.image("image", (32, 16, 1)), 2, 3, stride=2)
    return build.add("sum", separable(build, x, 12, 2), x)


def without_expansion(build: ChainBuilder) -> Layer:
    filtered = build.depthwise("filtered", build.image("x", (16, 8, 6)), multiplier=2)
    return build.conv("projected", filtered, 2)


def two_regions(build: ChainBuilder) -> Layer:
    """The reshapes cannot be split, so that there is a region on either side of them."""
    first = separable(build, build.image("x", (16, 8, 2)), 16, 2, "first/")
    again = build.reshape("image", build.reshape("row", first, (1, 256)), (1, 16, 8, 2))
    return separable(build, again, 16, 2, "second/")


SEPARABLE = (
    expand_filter_project,
    stride_2,
    stride_2_of_odd_sizes,
    dilation,
    kernel_5,
    even_kernel,
    valid_padding,
    rows_and_columns_that_no_window_reads,
    residual_add,
    without_expansion,
    two_regions,
)


def two_blocks_from_the_image_on(build: ChainBuilder) -> Layer:
    stem = build.conv("stem", build.image("x", (32, 16, 1)), 8, 3, stride=2)
    first = separable(build, stem, 16, 4, "first/")
    return separable(build, first, 16, 2, "second/")


def pools(build: ChainBuilder) -> Layer:
    layer = build.pool("largest", build.conv("wide", build.image("x", (17, 9, 2)), 12, 3), 3, 2)
    layer = build.pool("means", build.conv("wider", layer, 16, 3), 3, 1, SAME, average=True)
    return build.conv("narrow", layer, 2)


def enlarged(build: ChainBuilder) -> Layer:
    return build.conv("narrow", build.conv("wide", build.enlarge("large", build.image("x", (8, 4, 2)), 2), 12, 3), 2)


def transposed(build: ChainBuilder) -> Layer:
    return build.conv("narrow", build.transpose_conv("large", build.image("x", (8, 4, 2)), 12, 2, 2, VALID), 2, 3)


def concatenated(build: ChainBuilder) -> Layer:
    left = build.conv("left", build.image("x", (16, 8, 2)), 8)
    right = build.pool("right", left, 3, 1, SAME)
    return build.conv("narrow", build.concatenate("both", [left, right]), 2, 3)


def excited(build: ChainBuilder) -> Layer:
    """The channel weights are read whole by every stripe, and made before any of them."""
    layer = build.conv("narrow", build.image("x", (16, 8, 2)), 4)
    weights = build.conv("weights", build.conv("squeezed", layer, 4, (16, 8), padding=VALID), 4)
    return separable(build, build.multiply("excited", layer, weights), 24, 4)


def folded_pad(build: ChainBuilder) -> Layer:
    """The pads of the first convolution are neither SAME nor VALID."""
    padded = build.pad("padded", build.image("x", (16, 8, 2)), (2, 1, 0, 1))
    return build.conv("narrow", build.conv("wide", padded, 12, 3, padding=VALID), 2)


ROW_LOCAL = (two_blocks_from_the_image_on, pools, enlarged, transposed, concatenated, excited, folded_pad)
