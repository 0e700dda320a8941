"""Which ops form one call at run time, with facts, without, and at level 2."""

from collections.abc import Sequence

import pytest
from chain_models import SAME, ChainBuilder, DataType
from flatbuffer_models import small_model
from modules_in_text import STATE, in_main, parse
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from tinymo_xdsl.analysis.describe import describe_kernel
from tinymo_xdsl.analysis.kernels import Kernel, functions, kernels_of, states_facts
from tinymo_xdsl.analysis.peak import main_function
from tinymo_xdsl.facts import name_of
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.passes.form_kernels import FormKernelsPass

CONVOLUTION = """
  %w = "tosa.const"() <{{values = dense<1> : tensor<4x1x1x2xi8>}}> : () -> tensor<4x1x1x2xi8>
  %b = "tosa.const"() <{{values = dense<0> : tensor<4xi32>}}> : () -> tensor<4xi32>
  %z = "tosa.const"() <{{values = dense<0> : tensor<1xi8>}}> : () -> tensor<1xi8>
  %z32 = "tosa.const"() <{{values = dense<0> : tensor<1xi32>}}> : () -> tensor<1xi32>
  %multiplier = "tosa.const"() <{{values = dense<1073741824> : tensor<1xi32>}}> : () -> tensor<1xi32>
  %shift = "tosa.const"() <{{values = dense<30> : tensor<1xi8>}}> : () -> tensor<1xi8>
  %sum = tosa.conv2d %x, %w, %b, %z, %z {{acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>,
      stride = array<i64: 1, 1>}}
    : (tensor<1x4x4x2xi8>, tensor<4x1x1x2xi8>, tensor<4xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x4x4x4xi32>
  %scaled = tosa.rescale %sum, %multiplier, %shift, %z32, %z {{input_unsigned = false, output_unsigned = false,
      per_channel = false, rounding_mode = DOUBLE_ROUND, scale32 = true}}
    : (tensor<1x4x4x4xi32>, tensor<1xi32>, tensor<1xi8>, tensor<1xi32>, tensor<1xi8>) -> tensor<1x4x4x4xi8>
  %clamped = tosa.clamp %scaled {{max_val = 100 : i8, min_val = 0 : i8{facts}}}
    : (tensor<1x4x4x4xi8>) -> tensor<1x4x4x4xi8>
"""
"""A convolution of `%x`, its rescale and its clamp."""


def ops_of(kernels: Sequence[Kernel]) -> list[list[str]]:
    return [[op.name.removeprefix("tosa.") for op in kernel.ops] for kernel in kernels]


def kernels(module: ModuleOp) -> list[Kernel]:
    return kernels_of(main_function(module))


def names(kernel: Kernel) -> tuple[list[str], list[str], list[str]]:
    """What it reads from memory, reads from flash, and writes."""
    return [*map(name_of, kernel.inputs)], [*map(name_of, kernel.constants)], [*map(name_of, kernel.outputs)]


def test_a_value_without_facts_belongs_to_its_user():
    module = in_main(
        '%x : tensor<1x4x4x2xi8> {tinymo.tensor = {name = "image"}}',
        "tensor<1x4x4x4xi8>",
        CONVOLUTION.format(facts=', tinymo.tensor = {name = "y"}') + "return %clamped : tensor<1x4x4x4xi8>",
    )
    (kernel,) = kernels(module)
    assert ops_of([kernel]) == [["conv2d", "rescale", "clamp"]]
    assert names(kernel) == (["image"], ["%w", "%b", "%z", "%multiplier", "%shift", "%z32"], ["y"])
    assert kernel.root is kernel.ops[-1]


def test_a_value_with_facts_is_in_memory_even_if_its_one_reader_is_a_clamp():
    text = CONVOLUTION.format(facts=', tinymo.tensor = {name = "y"}')
    text = text.replace("scale32 = true", 'scale32 = true, tinymo.tensor = {name = "linear"}')
    kernels_ = kernels(
        in_main("%x : tensor<1x4x4x2xi8>", "tensor<1x4x4x4xi8>", text + "return %clamped : tensor<1x4x4x4xi8>")
    )
    assert ops_of(kernels_) == [["conv2d", "rescale"], ["clamp"]]


def test_without_any_facts_accumulators_and_what_is_clamped_are_internal():
    module = in_main(
        "%x : tensor<1x4x4x2xi8>",
        "tensor<1x4x4x4xi8>",
        CONVOLUTION.format(facts="") + "return %clamped : tensor<1x4x4x4xi8>",
    )
    assert not states_facts(main_function(module))
    assert ops_of(kernels(module)) == [["conv2d", "rescale", "clamp"]]


def test_without_any_facts_other_values_are_in_memory():
    module = in_main(
        "%x : tensor<4xf32>",
        "tensor<4xf32>",
        """
        %a = tosa.exp %x : (tensor<4xf32>) -> tensor<4xf32>
        %b = tosa.clamp %a {max_val = 1.0 : f32, min_val = 0.0 : f32} : (tensor<4xf32>) -> tensor<4xf32>
        %c = tosa.tanh %b : (tensor<4xf32>) -> tensor<4xf32>
        return %c : tensor<4xf32>
        """,
    )
    assert ops_of(kernels(module)) == [["exp", "clamp"], ["tanh"]]


def test_what_two_kernels_read_or_the_function_returns_is_in_memory():
    """The accumulator is read by two rescales that are kernels of their own, and so it is one too."""
    shared = (
        CONVOLUTION.format(facts="")
        + """
        %again = tosa.rescale %sum, %multiplier, %shift, %z32, %z {input_unsigned = false, output_unsigned = false,
            per_channel = false, rounding_mode = DOUBLE_ROUND, scale32 = true}
          : (tensor<1x4x4x4xi32>, tensor<1xi32>, tensor<1xi8>, tensor<1xi32>, tensor<1xi8>) -> tensor<1x4x4x4xi8>
    """
    )
    both = "tensor<1x4x4x4xi8>, tensor<1x4x4x4xi8>"
    module = in_main("%x : tensor<1x4x4x2xi8>", both, f"{shared} return %clamped, %again : {both}")
    assert ops_of(kernels(module)) == [["conv2d"], ["rescale", "clamp"], ["rescale"]]
    types = "tensor<1x4x4x4xi8>, tensor<1x4x4x4xi32>"
    returned = f"{CONVOLUTION.format(facts='')} return %clamped, %sum : {types}"
    assert ops_of(kernels(in_main("%x : tensor<1x4x4x2xi8>", types, returned))) == [["conv2d"], ["rescale", "clamp"]]


PARTS = """
  %start = tosa.const_shape {values = dense<0> : tensor<2xindex>} : () -> !tosa.shape<2>
  %middle = tosa.const_shape {values = dense<[0, 2]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %size = tosa.const_shape {values = dense<[1, 2]> : tensor<2xindex>} : () -> !tosa.shape<2>
"""


def part(name: str, source: str, start: str, result: str) -> str:
    return f"""
        %{name} = tosa.slice %{source}, %{start}, %size {{tinymo.tensor = {{name = "{name}"}},
            tinymo.operator = {{name = "SPLIT", result = array<i64: {result}>}}}}
          : (tensor<1x4xi8>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<1x2xi8>
    """


def parts_module(*parts: str) -> ModuleOp:
    arguments = '%x : tensor<1x4xi8> {tinymo.tensor = {name = "x"}}, %y : tensor<1x4xi8>'
    return in_main(arguments, "", f"{PARTS} {''.join(parts)} return")


def test_numbered_results_of_one_operator_are_one_kernel():
    module = parts_module(part("a", "x", "start", "0, 2"), part("b", "x", "middle", "1, 2"))
    (kernel,) = kernels(module)
    assert names(kernel)[2] == ["a", "b"]
    assert kernel.root is kernel.ops[0]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("a", "x", "start", "0, 2"), ("b", "x", "start", "0, 2")),
        (("a", "x", "start", "0, 2"), ("b", "y", "middle", "1, 2")),
        (("a", "x", "start", "0, 3"), ("b", "x", "middle", "1, 2")),
        (("a", "x", "start", "0, 3"), ("b", "x", "middle", "1, 3")),
    ],
    ids=["two first results", "another source", "another number of results", "the last one is gone"],
)
def test_results_of_different_operators_stay_apart(first: Sequence[str], second: Sequence[str]):
    """As where a result of an operator was never used, and is gone: what is left is no such operator."""
    assert len(kernels(parts_module(part(*first), part(*second)))) == 2


def test_a_custom_operator_keeps_its_results_and_takes_nobody_in():
    module = in_main(
        '%x : tensor<4xi8> {tinymo.tensor = {name = "x"}}',
        "tensor<4xi8>",
        """
        %a = tosa.abs %x : (tensor<4xi8>) -> tensor<4xi8>
        %b, %c = tosa.custom %a {domain_name = "TFL", implementation_attrs = "", operator_name = "UNHEARD_OF",
            tinymo.tensor = [{name = "b"}, {name = "c"}]} : (tensor<4xi8>) -> (tensor<4xi8>, tensor<4xi8>)
        return %b : tensor<4xi8>
        """,
    )
    first, second = kernels(module)
    assert ops_of([first, second]) == [["abs"], ["custom"]]
    assert names(second) == (["%a"], [], ["b", "c"])
    assert describe_kernel(second) == ("b", "UNHEARD_OF")


def test_kernels_without_results_are_kernels():
    module = parse(STATE)
    assert ops_of(kernels(module))[0] == ["custom"]
    assert [len(kernel.outputs) for kernel in kernels(module)] == [0, 1, 1, 1, 0]


def test_only_functions_with_a_body_count():
    module = parse("func.func private @declared()\nfunc.func @main() {\n return\n}")
    assert [function.sym_name.data for function in functions(module)] == ["main"]
    assert kernels(module) == []


@pytest.mark.parametrize("dtype", ["FLOAT32", "INT8"])
def test_level_1_and_level_2_have_the_same_kernels(dtype: DataType):
    build = ChainBuilder(dtype)
    x = build.image("x", (8, 8, 2))
    wide = build.depthwise("wide", x, multiplier=4, stride=2)
    both = build.concatenate("both", [wide, build.pool("largest", wide, 3, 1, SAME)])
    narrow = build.conv("narrow", build.enlarge("large", both, 2), 2)
    assert_same_kernels(import_model(build.model(build.add("sum", narrow, x))))


def assert_same_kernels(module: ModuleOp) -> None:
    formed = module.clone()
    FormKernelsPass().apply(Context(), formed)
    before, after = kernels(module), kernels(formed)
    assert len(before) > 1
    assert ops_of(before) == ops_of(after)
    assert [names(kernel) for kernel in before] == [names(kernel) for kernel in after]
    assert [*map(describe_kernel, before)] == [*map(describe_kernel, after)]


def test_level_2_of_a_model_with_state_has_the_same_kernels():
    assert_same_kernels(import_model(small_model()))
