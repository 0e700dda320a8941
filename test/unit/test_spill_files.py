"""Spilled tensors in files: the format of the options, the places in the memory, what comes back, and who runs it."""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from itertools import accumulate
from math import prod
from pathlib import Path

import pytest
from flatbuffer_models import MODELS, NO_MODELS
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

import tinymo_xdsl.verification
from tinymo_xdsl.analysis.peak import main_function, peak_of
from tinymo_xdsl.analysis.skips import spilled_bytes
from tinymo_xdsl.backend.tflite import export_model
from tinymo_xdsl.dialects import tinymo, tosa
from tinymo_xdsl.errors import BadModelError, MissingToolError
from tinymo_xdsl.flatbuffer.model import Model, Operator
from tinymo_xdsl.flatbuffer.offline_plan import UNPLANNED, with_plan
from tinymo_xdsl.flatbuffer.reader import read_file, read_model
from tinymo_xdsl.flatbuffer.spills import SpillPlace, copied_bytes, spill_places, storage_bytes
from tinymo_xdsl.flatbuffer.writer import write_model
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.passes.spill_long_skips import SpillLongSkipsPass
from tinymo_xdsl.planner.arena.problem import round_up
from tinymo_xdsl.verification import compare_models, smallest_arena
from tinymo_xdsl.verification.spill_library import spill_library
from tinymo_xdsl.zoo.builder import ModelBuilder

HEARTKIT = MODELS / "heartkit_ecg_seg_unet512_int8.tflite"
SKIP = 8 * 8 * 8
"""Bytes of each skip of `two_hourglasses`."""


def two_hourglasses() -> Model:
    """Two skips, one after the other: the first is added before the second is made."""
    build = ModelBuilder(seed=0)
    layer = build.image("image", (8, 8, 3))
    for half in ("left", "right"):
        skip = build.conv2d(f"{half}/skip", layer, 8, 3)
        layer = skip
        for index in range(5):
            layer = build.conv2d(f"{half}/{index}", layer, 16, 3)
        layer = build.add(f"{half}/add", build.conv2d(f"{half}/narrow", layer, 8), skip)
    return build.model([layer], "two hourglasses")


def nested_hourglasses() -> Model:
    """Two skips, one inside the other: both wait at the same time."""
    build = ModelBuilder(seed=0)
    outer = build.conv2d("outer", build.image("image", (8, 8, 3)), 8, 3)
    inner = build.conv2d("inner", outer, 8, 3)
    layer = inner
    for index in range(5):
        layer = build.conv2d(f"wide/{index}", layer, 16, 3)
    layer = build.add("inner/add", build.conv2d("narrow", layer, 8), inner)
    layer = build.add("outer/add", build.conv2d("last", layer, 8, 3), outer)
    return build.model([layer], "nested hourglasses")


def spilled(model: Model, memory: str = "psram") -> Model:
    module = import_model(model)
    SpillLongSkipsPass(memory=memory).apply(Context(), module)
    return export_model(module)


def places(model: Model) -> Mapping[Operator, SpillPlace]:
    return spill_places(model.subgraphs[0])


def spills_of(module: ModuleOp) -> list[tinymo.SpillOp]:
    return [op for op in module.walk() if isinstance(op, tinymo.SpillOp)]


# The format.


def test_options_are_as_documented() -> None:
    place = SpillPlace("psram", offset=0x30, size=0x01020304, storage=0x02000000)
    assert place.to_options() == (
        b"\x01\x05\x00\x00" + b"\x30\x00\x00\x00" + b"\x04\x03\x02\x01" + b"\x00\x00\x00\x02" + b"psram"
    )
    assert SpillPlace.from_options(place.to_options()) == place


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\0\0\0\0", id="short"),
        pytest.param(b"\x02" + SpillPlace("a", 0, 4, 16).to_options()[1:], id="another version"),
        pytest.param(SpillPlace("a", 0, 4, 16).to_options() + b"b", id="longer than its name"),
        pytest.param(SpillPlace("", 0, 4, 16).to_options(), id="without a name"),
        pytest.param(SpillPlace("a", 16, 4, 16).to_options(), id="outside of the storage"),
        pytest.param(SpillPlace("a", 0, 4, 16).to_options()[:-1] + b"\xff", id="a name that is no text"),
    ],
)
def test_other_options_are_not_understood(options: bytes) -> None:
    assert SpillPlace.from_options(options) is None


# Places.


def test_tensors_that_wait_at_different_times_share_a_place() -> None:
    model = spilled(two_hourglasses())
    assert {place.offset for place in places(model).values()} == {0}
    assert len(places(model)) == 4
    assert storage_bytes(model) == {"psram": SKIP}
    assert copied_bytes(model) == 4 * SKIP


def test_tensors_that_wait_at_once_have_places_of_their_own() -> None:
    model = spilled(nested_hourglasses())
    offsets = sorted({place.offset for place in places(model).values()})
    assert offsets == [0, SKIP]
    assert storage_bytes(model) == {"psram": 2 * SKIP}


def test_each_memory_has_storage_of_its_own() -> None:
    module = import_model(nested_hourglasses())
    SpillLongSkipsPass().apply(Context(), module)
    first, second = spills_of(module)
    first.memory, second.memory = tinymo.SpillOp(first.source, "a").memory, tinymo.SpillOp(second.source, "b").memory
    model = export_model(module)
    assert storage_bytes(model) == {"a": SKIP, "b": SKIP}
    assert {(place.memory, place.offset) for place in places(model).values()} == {("a", 0), ("b", 0)}


def test_the_name_of_a_memory_fits_the_file() -> None:
    with pytest.raises(BadModelError, match="must have 1 to 255 bytes"):
        spilled(two_hourglasses(), "m" * 256)
    assert storage_bytes(spilled(two_hourglasses(), "µ" * 127)) == {"µ" * 127: SKIP}


# Back to the IR.


def test_spills_come_back_and_are_written_as_before() -> None:
    data = write_model(spilled(nested_hourglasses(), "hyperram"))
    module = import_model(read_model(data))
    assert [op.memory.data for op in spills_of(module)] == ["hyperram"] * 2
    assert not any(isinstance(op, tosa.CustomOp) for op in module.walk())
    assert write_model(export_model(module)) == data


def with_operators(model: Model, change: Mapping[str, Mapping[str, object]]) -> Model:
    (graph,) = model.subgraphs
    operators = tuple(replace(operator, **change.get(operator.name, {})) for operator in graph.operators)
    return replace(model, subgraphs=(replace(graph, operators=operators),))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"TINYMO_SPILL": {"custom_options": b""}}, id="a spill without a place"),
        pytest.param({"TINYMO_RELOAD": {"custom_options": b""}}, id="a reload from elsewhere"),
        pytest.param({"TINYMO_SPILL": {"version": 2}}, id="another version"),
        pytest.param({"TINYMO_RELOAD": {"debug_metadata_index": 3}}, id="a fact that no module could keep"),
    ],
)
def test_what_is_not_understood_stays_a_custom_operator(change: Mapping[str, Mapping[str, object]]) -> None:
    model = with_operators(spilled(two_hourglasses()), change)
    module = import_model(model)
    assert not spills_of(module)
    assert sum(isinstance(op, tosa.CustomOp) for op in module.walk()) == 4
    assert write_model(export_model(module)) == write_model(model)


def test_reports_call_them_what_the_file_calls_them() -> None:
    module = import_model(spilled(two_hourglasses()))
    kernels = peak_of(main_function(module)).kernels
    names = [(kernel.operator, kernel.name) for kernel in kernels if kernel.operator.startswith("TINYMO")]
    assert names[:2] == [("TINYMO_SPILL", "left/skip/spilled"), ("TINYMO_RELOAD", "left/skip/reloaded")]


def test_a_token_that_is_an_output_is_kept() -> None:
    model = spilled(two_hourglasses())
    (graph,) = model.subgraphs
    token = next(operator for operator in graph.operators if operator.name == "TINYMO_SPILL").outputs[0]
    model = replace(model, subgraphs=(replace(graph, outputs=(*graph.outputs, token)),))
    assert len(spills_of(import_model(model))) == 1
    assert len(export_model(import_model(model)).subgraphs[0].outputs) == 2


# Engines.


def compiler_missing() -> str:
    try:
        with spill_library():
            return ""
    except MissingToolError as error:
        return str(error)


needs_compiler = pytest.mark.skipif(bool(compiler_missing()), reason=compiler_missing())
needs_heartkit = pytest.mark.skipif(not HEARTKIT.is_file(), reason=NO_MODELS)


def with_places_at(model: Model, offset: int) -> Model:
    """All spilled tensors at one place."""
    (graph,) = model.subgraphs
    moved = {operator: replace(place, offset=offset) for operator, place in spill_places(graph).items()}
    operators = tuple(
        replace(operator, custom_options=moved[operator].to_options()) if operator in moved else operator
        for operator in graph.operators
    )
    return replace(model, subgraphs=(replace(graph, operators=operators),))


@needs_compiler
@pytest.mark.parametrize("engine", ["tflite-micro", "litert"])
def test_engines_run_spilled_models_and_notice_places_that_overlap(engine: str) -> None:
    pytest.importorskip(engine.replace("litert", "ai_edge_litert").replace("-", "_"))
    original = nested_hourglasses()
    model = spilled(original)
    assert compare_models(original, model, runs=2, engine=engine).identical
    assert not compare_models(original, with_places_at(model, 0), runs=2, engine=engine).identical


def with_token_in_the_way(model: Model) -> Model:
    """Every tensor has a place of its own, but for a token on which a convolution writes while it is needed."""
    (graph,) = model.subgraphs
    sizes = [round_up(4 * prod(tensor.shape), 16) if tensor.data is None else 0 for tensor in graph.tensors]
    offsets = [at if size else UNPLANNED for at, size in zip(accumulate(sizes, initial=0), sizes, strict=False)]
    names = [operator.name for operator in graph.operators]
    spill = names.index("TINYMO_SPILL")
    victim = graph.operators[names.index("CONV_2D", spill)].outputs[0]
    offsets[graph.operators[spill].outputs[0]] = offsets[victim]
    return with_plan(model, offsets)


@needs_compiler
def test_a_token_that_is_overwritten_ends_the_run() -> None:
    pytest.importorskip("tflite_micro")
    model = with_token_in_the_way(spilled(two_hourglasses()))
    with pytest.raises(BadModelError, match="TINYMO_RELOAD: the token was overwritten"):
        compare_models(two_hourglasses(), model, runs=1, engine="tflite-micro")


@needs_compiler
@needs_heartkit
def test_a_spilled_model_takes_less_of_the_arena() -> None:
    pytest.importorskip("tflite_micro")
    original = read_file(HEARTKIT)
    model = spilled(original)
    assert spilled_bytes(main_function(import_model(model))) == copied_bytes(model) == 12_288
    before, after = smallest_arena(write_model(original)), smallest_arena(write_model(model))
    assert after <= before - 5_900


@needs_compiler
def test_the_library_is_built_where_nothing_can_be_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    blocked = tmp_path / "a file"
    blocked.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    with spill_library() as library:
        assert library.is_file()
    assert not library.exists()


@needs_compiler
def test_the_library_is_built_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with spill_library() as library:
        built = library.stat().st_mtime_ns
    with spill_library() as again:
        assert (again, again.stat().st_mtime_ns) == (library, built)
    assert list((tmp_path / "tinymo-xdsl").iterdir()) == [library]


def test_without_a_compiler_one_line_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    model = spilled(two_hourglasses())
    with pytest.raises(MissingToolError, match=r"^no C compiler"):
        compare_models(two_hourglasses(), model, runs=1)


def test_a_compiler_that_fails_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("CC", "false")
    with pytest.raises(MissingToolError, match=r"^spilled tensors cannot be run on this machine"), spill_library():
        pass
    assert not list((tmp_path / "tinymo-xdsl").iterdir())


@needs_compiler
def test_the_library_is_clean_c() -> None:
    """Every compiler that is here, with all warnings as errors."""
    source = Path(tinymo_xdsl.verification.__file__).with_name("spill_kernels.c")
    options = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"]
    for compiler in filter(shutil.which, ("gcc", "clang")):
        process = subprocess.run([compiler, *options, str(source)], capture_output=True, text=True, check=False)
        assert process.returncode == 0, process.stderr
