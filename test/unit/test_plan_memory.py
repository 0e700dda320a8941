"""Planned arenas: what functions compute in them, that they are as small as those of files, and wrong ones are seen."""

from collections.abc import Iterator
from functools import cache
from itertools import product
from random import Random

import pytest
from flatbuffer_models import MODELS, NO_MODELS
from modules_in_text import SPLIT, STATE, parse
from xdsl.context import Context
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import IndexType, IntegerAttr, MemRefType, ModuleOp
from xdsl.dialects.memref import ViewOp
from xdsl.ir import SSAValue

from tinymo_xdsl.analysis.aliases import KernelLibrary, Sharing, aliases_of
from tinymo_xdsl.analysis.buffer_groups import SharingName
from tinymo_xdsl.analysis.buffers import constant_offset, is_buffer, lifetimes
from tinymo_xdsl.analysis.peak import main_function
from tinymo_xdsl.errors import BadModelError, OutputsDifferError
from tinymo_xdsl.facts import name_of
from tinymo_xdsl.flatbuffer.model import Model
from tinymo_xdsl.flatbuffer.reader import read_model
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.interpreter.executor import run_and_observe
from tinymo_xdsl.interpreter.semantics import check_same, random_inputs
from tinymo_xdsl.passes.bufferize import BufferizePass, bufferize_function
from tinymo_xdsl.passes.form_kernels import FormKernelsPass
from tinymo_xdsl.passes.legalize_for_tflite import LegalizeForTflitePass
from tinymo_xdsl.passes.plan_memory import PlanMemoryPass, plan_function
from tinymo_xdsl.passes.split_sepconv import SplitSepconvPass
from tinymo_xdsl.planner.arena import portfolio
from tinymo_xdsl.planner.arena.problem import Buffer, Piece, Problem
from tinymo_xdsl.text.module import module_text
from tinymo_xdsl.zoo import ARCHITECTURES, build
from tinymo_xdsl.zoo.random_model import random_recipe

NETWORKS = 8
SAMPLE = ("tflm_person_detect_int8", "microwakeword_vad_stream_int8", "tflm_mnist_lstm_int8", "rnnoise_int8")
SHIFTS = 25


def kernels(module: ModuleOp, *, split: bool = False) -> ModuleOp:
    """The module on level 2, as a file holds it; the given one stays as it is."""
    result = module.clone()
    if split:
        SplitSepconvPass(chains="any").apply(Context(), result)
    FormKernelsPass().apply(Context(), result)
    LegalizeForTflitePass().apply(Context(), result)
    return result


def planned(module: ModuleOp, bufferize: BufferizePass | None = None, plan: PlanMemoryPass | None = None) -> ModuleOp:
    """A level-2 module with its arena, verified; the given one stays as it is."""
    result = module.clone()
    (bufferize or BufferizePass()).apply(Context(), result)
    (plan or PlanMemoryPass()).apply(Context(), result)
    result.verify()
    return result


def arena_bytes(module: ModuleOp) -> int:
    (arena,) = main_function(module).args
    assert isinstance(arena.type, MemRefType)
    return arena.type.get_shape()[0]


@cache
def small(name: str) -> Model:
    """A model of the zoo, its image no larger than it takes to run in no time."""
    return build(name, resolution=32) if name in ("tiny-unet", "mobilenet-v2", "resnet8") else build(name)


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_arenas_change_no_value_of_the_zoo(name: str, split: bool) -> None:
    module = import_model(small(name))
    check_same(module, planned(kernels(module, split=split), plan=PlanMemoryPass(effort=100)), pass_name="plan-memory")


@pytest.mark.parametrize("seed", range(NETWORKS))
def test_arenas_change_no_value_of_random_networks(seed: int) -> None:
    module = import_model(random_recipe(seed).model())
    for pass_ in (BufferizePass(sharing="all", alignment=1), BufferizePass(alignment=4), BufferizePass(sharing="none")):
        check_same(module, planned(kernels(module), pass_, PlanMemoryPass(alignment=pass_.alignment)))


@pytest.mark.skipif(not MODELS.is_dir(), reason=NO_MODELS)
@pytest.mark.parametrize("name", SAMPLE)
def test_arenas_change_no_value_of_real_models(name: str) -> None:
    module = import_model(read_model((MODELS / f"{name}.tflite").read_bytes(), name))
    check_same(module, planned(kernels(module)))


def test_state_calls_and_spills_work_in_arenas() -> None:
    for text in (SPLIT, STATE):
        module = parse(text)
        formed = module.clone()
        FormKernelsPass().apply(Context(), formed)
        check_same(module, planned(formed), seeds=(0, 1))


def test_arenas_of_bytes_and_words_are_smaller_than_those_of_blocks() -> None:
    module = kernels(import_model(random_recipe(6).model()))
    sizes = [
        arena_bytes(planned(module, BufferizePass(alignment=alignment), PlanMemoryPass(alignment=alignment)))
        for alignment in (1, 4, 16)
    ]
    assert sizes == [1890, 1900, 1920]


def test_the_same_module_gives_the_same_text() -> None:
    module = kernels(import_model(build("tiny-pyramid")), split=True)
    assert module_text(planned(module)) == module_text(planned(module))


@pytest.mark.parametrize(
    ("sharing", "name_of_sharing"), [(Sharing.NONE, "none"), (Sharing.AT_PEAKS, "at-peaks"), (Sharing.ALL, "all")]
)
@pytest.mark.parametrize("name", ["lenet5", "resnet8", "mobilenet-v2"])
def test_the_arena_is_as_small_as_that_of_a_file(name: str, sharing: Sharing, name_of_sharing: SharingName) -> None:
    """
    Lifetimes come from the kernels of level 2 there and from what ops on buffers touch here, and give one problem.

    That of a file is known to the planner as groups; scratch of TFLite Micro's kernels is left out.
    """
    module = kernels(import_model(small(name)), split=True)
    function = main_function(module)
    groups = aliases_of(function, KernelLibrary.REFERENCE).groups(sharing)
    buffers = [
        Buffer(str(number), tuple(Piece(p.start, p.stop - p.start, p.first, p.last + 1) for p in group.pieces), 16)
        for number, group in enumerate(groups)
    ]
    expected = portfolio.plan(Problem(tuple(buffers)), 2_000)
    bufferize_function(function, KernelLibrary.REFERENCE, name_of_sharing)
    (arena,) = plan_function(function, effort=2_000)
    assert arena.lower_bound == expected.lower_bound
    assert arena.is_optimal == expected.optimal
    assert arena.size == expected.arena


def conflicts(module: ModuleOp, shifted: SSAValue, offset: int) -> bool:
    """Whether a buffer at another offset shares bytes with one that is needed at the same time."""
    pieces = lifetimes(main_function(module))
    for other in pieces:
        base = place(other)
        for mine, theirs in product(pieces[shifted], pieces[other]) if other is not shifted else ():
            same_bytes = offset + mine.offset < base + theirs.top and base + theirs.offset < offset + mine.top
            if same_bytes and mine.start < theirs.end and theirs.start < mine.end:
                return True
    return False


def place(buffer: SSAValue) -> int:
    assert isinstance(buffer.owner, ViewOp)
    return constant_offset(buffer.owner.byte_shift)


def wrong_plans(module: ModuleOp, random: Random) -> Iterator[tuple[str, ModuleOp]]:
    """The module with one buffer moved to where it is in the way of another, again and again."""
    arena = arena_bytes(module)
    while True:
        copy = module.clone()
        buffers = [r for op in main_function(copy).body.block.ops for r in op.results if is_buffer(r)]
        buffer = random.choice(buffers)
        assert isinstance(buffer.type, MemRefType)
        assert isinstance(buffer.owner, ViewOp)
        size = buffer.type.element_count()
        offset = random.randrange(0, arena - size + 1, 4) if arena > size else 0
        if conflicts(copy, buffer, offset):
            constant = buffer.owner.byte_shift.owner
            assert isinstance(constant, ConstantOp)
            constant.value = IntegerAttr(offset, IndexType())
            yield f"{name_of(buffer)} at {offset}", copy


def differs(right: ModuleOp, wrong: ModuleOp) -> bool:
    """Whether running both shows that one is wrong."""
    try:
        check_same(right, wrong)
    except (BadModelError, OutputsDifferError):
        return True
    return False


@pytest.mark.parametrize("seed", range(4))
def test_every_plan_with_buffers_in_the_way_of_each_other_is_seen(seed: int) -> None:
    module = kernels(import_model(random_recipe(seed).model()))
    right = planned(module, BufferizePass(sharing="all", alignment=4), PlanMemoryPass(alignment=4))
    check_same(module, right)
    for (what, wrong), _ in zip(wrong_plans(right, Random(seed)), range(SHIFTS), strict=False):
        assert differs(right, wrong), f"nobody sees {what}"


CHAIN = """
func.func @main(%sram: memref<8xi8>) -> memref<4xi8> {{
  %0 = arith.constant {x} : index
  %x = memref.view %sram[%0][] {{tinymo.tensor = {{name = "x"}}}} : memref<8xi8> to memref<4xi8>
  tinymo.input %x {{index = 0 : i64}} : memref<4xi8>
  %1 = arith.constant {y} : index
  %y = memref.view %sram[%1][] {{tinymo.tensor = {{name = "y"}}}} : memref<8xi8> to memref<4xi8>
  tinymo.kernel ins(%x : memref<4xi8>) outs(%y : memref<4xi8>) {{
  ^bb0(%2: tensor<4xi8>):
    %3 = tosa.abs %2 {{tinymo.tensor = {{name = "y"}}}} : (tensor<4xi8>) -> tensor<4xi8>
    tinymo.yield %3 : tensor<4xi8>
  }}
  tinymo.kernel ins({read} : memref<4xi8>) {{
  ^bb0(%2: tensor<4xi8>):
    tinymo.yield
  }}
  return %y : memref<4xi8>
}}
"""


@pytest.mark.parametrize(
    ("places", "message"),
    [
        pytest.param({"x": 0, "y": 6, "read": "%x"}, "'y': bytes 6 to 10 are not in its memory of 8", id="outside"),
        pytest.param(
            {"x": 0, "y": 2, "read": "%y"}, "'x': the kernel of 'y' reads bytes that hold nothing", id="at once"
        ),
        pytest.param(
            {"x": 0, "y": 0, "read": "%y"}, "'x': the kernel of 'y' reads bytes that hold nothing", id="over it"
        ),
    ],
)
def test_what_is_wrong_with_a_plan_is_said(places: dict[str, object], message: str) -> None:
    """Two buffers at one place are two buffers: in-place results are one, of which both are views."""
    module = parse(CHAIN.format(**places))
    with pytest.raises(BadModelError, match=message):
        run_and_observe(module, random_inputs(main_function(module)))


def test_a_right_plan_by_hand_runs() -> None:
    module = parse(CHAIN.format(x=0, y=4, read="%x"))
    run_and_observe(module, random_inputs(main_function(module)))


def test_bytes_that_are_right_by_chance_are_wrong() -> None:
    """`z` is written over `x`, which is read once more: that it holds the same numbers does not make the plan right."""
    module = parse("""
    func.func @main(%sram: memref<8xi8>) -> (memref<4xi8>, memref<4xi8>) {
      %0 = arith.constant 0 : index
      %1 = arith.constant 4 : index
      %x = memref.view %sram[%0][] {tinymo.tensor = {name = "x"}} : memref<8xi8> to memref<4xi8>
      tinymo.input %x {index = 0 : i64} : memref<4xi8>
      %y = memref.view %sram[%1][] : memref<8xi8> to memref<4xi8>
      "memref.copy"(%x, %y) : (memref<4xi8>, memref<4xi8>) -> ()
      %z = memref.view %sram[%0][] : memref<8xi8> to memref<4xi8>
      "memref.copy"(%y, %z) : (memref<4xi8>, memref<4xi8>) -> ()
      return %x, %z : memref<4xi8>, memref<4xi8>
    }""")
    with pytest.raises(BadModelError, match="output 0 reads bytes that another buffer has written over: 4 of 4"):
        run_and_observe(module, random_inputs(main_function(module)))
