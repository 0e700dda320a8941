"""Whatever the file holds: a model, or one clear line."""

import re
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import raw_flatbuffer as raw
from flatbuffer_models import quantized, small_model

from tinymo_xdsl.errors import BadModelError, TinymoError
from tinymo_xdsl.flatbuffer import writer
from tinymo_xdsl.flatbuffer.bounds import Bounds
from tinymo_xdsl.flatbuffer.model import Model, Operator, Quantization, Signature, Subgraph, Tensor
from tinymo_xdsl.flatbuffer.reader import read_file, read_model
from tinymo_xdsl.flatbuffer.writer import write_file, write_model


def refusal(data: bytes) -> str:
    """The message with which `data` is refused."""
    with pytest.raises(BadModelError) as caught:
        read_model(data, "bad.tflite")
    message = str(caught.value)
    assert message.startswith("bad.tflite: ")
    assert len(message.splitlines()) == 1
    assert len(message) < 400
    return message


def chain(*operators: Operator, tensors: int = 4) -> Model:
    """Operators on int8 tensors `t0`, `t1`, ...; `t0` is the input and the last one the output."""
    parts = tuple(Tensor(f"t{index}", "INT8", (1, 4)) for index in range(tensors))
    return Model((Subgraph(parts, (0,), (tensors - 1,), operators),))


def unary(inputs: tuple[int, ...], outputs: tuple[int, ...], **changes: object) -> Operator:
    return replace(Operator("LOGISTIC", inputs, outputs), **changes)


SOUND = chain(unary((0,), (1,)), unary((1,), (2,)), unary((2,), (3,)))


def with_tensor(index: int, **changes: object) -> Model:
    """The sound chain with `changes` to one tensor."""
    graph = SOUND.subgraphs[0]
    tensors = list(graph.tensors)
    tensors[index] = replace(tensors[index], **changes)
    return Model((replace(graph, tensors=tuple(tensors)),))


def with_graph(**changes: object) -> Model:
    """The sound chain with `changes` to its subgraph."""
    return Model((replace(SOUND.subgraphs[0], **changes),))


def calling(*targets: int) -> Model:
    """Subgraph i calls subgraph `targets[i]`."""

    def caller(target: int) -> Subgraph:
        call = unary((0,), (1,), name="CALL_ONCE", options_type="CallOnceOptions")
        call = replace(call, options={"init_subgraph_index": target})
        return chain(call, tensors=2).subgraphs[0]

    return Model(tuple(map(caller, targets)))


def channels(count: int, dimension: int, zero_points: int | None = None) -> Quantization:
    zero_point = np.zeros(count if zero_points is None else zero_points, np.int64)
    return Quantization(np.full(count, 0.5, np.float32), zero_point, dimension)


SENSELESS_MODELS: dict[str, tuple[Model, str]] = {
    "no subgraph": (Model(()), "the model has no operators"),
    "no operator": (with_graph(operators=()), "the model has no operators"),
    "reads a later result": (
        chain(unary((2,), (1,)), unary((1,), (2,)), unary((2,), (3,))),
        r"operator 0 \('LOGISTIC'\) reads tensor 2 \('t2'\) before operator 1 \('LOGISTIC'\) writes it; the graph is",
    ),
    "reads a later result in the middle": (
        chain(unary((0,), (1,)), unary((3,), (2,)), unary((2,), (3,))),
        r"operator 1 \('LOGISTIC'\) reads tensor 3 \('t3'\) before operator 2",
    ),
    "reads its own result": (chain(unary((1,), (1,)), unary((0,), (3,))), "cyclic or out of order"),
    "reads what nothing writes": (
        chain(unary((1,), (3,))),
        r"operator 0 \('LOGISTIC'\) reads tensor 1 \('t1'\), which nothing writes",
    ),
    "writes twice": (
        chain(unary((0,), (3,)), unary((0,), (3,))),
        r"operator 1 \('LOGISTIC'\) writes tensor 3 \('t3'\) a second time",
    ),
    "writes one tensor as two outputs": (chain(unary((0,), (3, 3))), "a second time"),
    "writes an input": (chain(unary((0,), (0,)), unary((0,), (3,))), r"writes tensor 0 \('t0'\) a second time"),
    "writes a constant": (with_tensor(1, data=b"abcd"), r"writes tensor 1 \('t1'\) a second time; it is an input, a"),
    "output that nothing writes": (chain(unary((0,), (1,))), r"nothing writes the output tensor 3 \('t3'\)"),
    "input that is a constant": (with_tensor(0, data=b"abcd"), r"input tensor 0 \('t0'\) is also a constant"),
    "input listed twice": (with_graph(inputs=(0, 0)), r"input tensor 0 \('t0'\) is listed twice"),
    "operand out of range": (
        chain(unary((4,), (3,))),
        r"operator 0 \('LOGISTIC'\) refers to tensor 4, but there are 4",
    ),
    "operand below range": (chain(unary((-2,), (3,))), "refers to tensor -2"),
    "absent result": (chain(unary((0,), (3, -1))), "refers to tensor -1"),
    "intermediate out of range": (chain(unary((0,), (3,), intermediates=(9,))), "refers to tensor 9"),
    "graph input out of range": (with_graph(inputs=(0, 7)), "the list of inputs refers to tensor 7"),
    "graph output out of range": (with_graph(outputs=(-1,)), "the list of outputs refers to tensor -1"),
    "too few mutating flags": (
        chain(unary((0,), (3,), mutating_variable_inputs=(True, True))),
        "the list of inputs that change is not as long as the inputs",
    ),
    "negative dimension": (
        with_tensor(2, shape=(1, -4)),
        r"tensor 2 \('t2'\) has a negative dimension in its shape 1x-4",
    ),
    "very negative batch": (with_tensor(2, shape=(-2, 4)), "has a negative dimension in its shape -2x4"),
    "negative signature": (
        with_tensor(2, shape_signature=(-1, -4)),
        r"tensor 2 \('t2'\) has a dimension in its shape signature that is neither",
    ),
    "absurd dimension": (with_tensor(2, shape=(2**31 - 1, 4)), r"tensor 2 \('t2'\) has an absurd shape, 2147483647x4"),
    "absurd product": (with_tensor(2, shape=(-1, 2**16, 2**16)), "has an absurd shape, -1x65536x65536"),
    "absurd without elements": (with_tensor(2, shape=(0, 2**31 - 1, 9), dtype="INT64"), "has an absurd shape"),
    "absurd rank": (with_tensor(2, shape=(1,) * 33), "has an absurd shape"),
    "constant too short": (
        with_graph(tensors=(*SOUND.subgraphs[0].tensors, Tensor("w", "INT32", (2, 3), b"x" * 23))),
        r"tensor 4 \('w'\) has 23 bytes of data, but its shape 2x3 of INT32 takes 24",
    ),
    "constant too long": (
        with_graph(tensors=(*SOUND.subgraphs[0].tensors, Tensor("w", "INT4", (3,), b"xyz"))),
        "has 3 bytes of data, but its shape 3 of INT4 takes 2",
    ),
    "constant of any batch": (
        with_graph(tensors=(*SOUND.subgraphs[0].tensors, Tensor("w", "INT8", (-1, 3), b"xyz"))),
        "has 3 bytes of data, but its shape -1x3",
    ),
    "scales that fit nothing": (
        with_tensor(1, quantization=channels(3, 1)),
        r"tensor 1 \('t1'\) has 3 scales, but no dimension of that size",
    ),
    "zero points that fit nothing": (
        with_tensor(1, quantization=channels(4, 1, zero_points=3)),
        r"tensor 1 \('t1'\) has 4 scales but 3 zero points",
    ),
    "scale that is no number": (with_tensor(1, quantization=quantized(float("nan"))), "not a finite number"),
    "called subgraph out of range": (
        calling(2, 2),
        r"subgraph 0: operator 0 \('CALL_ONCE'\) calls subgraph 2, but there are 2",
    ),
    "called subgraph below range": (calling(-1), "calls subgraph -1"),
    "subgraph that calls itself": (calling(0), "subgraphs call each other in a circle: 0 -> 0"),
    "subgraphs that call each other": (calling(1, 2, 1), "subgraphs call each other in a circle: (1|2) -> (1|2)"),
    "signature of no subgraph": (
        replace(SOUND, signatures=(Signature("serve", 1, (), ()),)),
        r"signature 0 \('serve'\) refers to subgraph 1, but there are 1",
    ),
    "signature of no tensor": (
        replace(SOUND, signatures=(Signature("serve", 0, (("x", 0),), (("y", 4),)),)),
        r"signature 0 \('serve'\) refers to tensor 4, but there are 4",
    ),
}


def test_sound_model_is_accepted() -> None:
    """So that the models above are refused for the reason that they are meant to show."""
    assert read_model(write_model(SOUND)).subgraphs[0].outputs == (3,)


@pytest.mark.parametrize(("model", "message"), SENSELESS_MODELS.values(), ids=SENSELESS_MODELS.keys())
def test_senseless_model_is_neither_read_nor_written(
    model: Model, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadModelError, match=message):
        write_model(model)
    monkeypatch.setattr(writer, "validate", lambda _: None)
    assert re.search(message, refusal(write_model(model)))


@pytest.mark.parametrize(
    ("operator", "message"),
    [
        (unary((0,), (3,), name="LOGISTICS"), "'LOGISTICS'.* is not an operator of the schema"),
        (unary((0,), (3,), name="CUSTOM"), "is not an operator of the schema"),
        (unary((0,), (3,), name="", custom=True), "is not an operator of the schema"),
        (unary((0,), (3,), options_type="Conv4DOptions"), "'Conv4DOptions' is not an options table"),
        (unary((0,), (3,), options_type="AddOptions", options={"axis": 1}), "AddOptions has no field 'axis'"),
        (
            unary((0,), (3,), options_type="PackOptions", options={"axis": 2**31}),
            r"operator 0 \('LOGISTIC'\): axis takes a value of type int, not 2147483648",
        ),
        (
            unary((0,), (3,), options_type="PackOptions", options={"axis": 0.5}),
            "axis takes a value of type int, not 0.5",
        ),
        (unary((0,), (3,), options_type="PackOptions", options={"axis": (1,)}), "axis takes a value of type int"),
        (
            unary((0,), (3,), options_type="ReducerOptions", options={"keep_dims": 2}),
            "keep_dims takes a value of type bool, not 2",
        ),
        (unary((0,), (3,), options_type="ReshapeOptions", options={"new_shape": 4}), "takes a vector of int, not 4"),
        (unary((0,), (3,), options_type="ReshapeOptions", options={"new_shape": (2**40,)}), "takes a vector of int"),
        (
            unary((0,), (3,), options_type="VarHandleOptions", options={"container": 4}),
            "container takes a value of type string",
        ),
        (unary((0,), (3,), version=2**40), "version takes a value of type int"),
        (unary((0,), (3,), custom_options_format=300), "custom_options_format takes a value of type byte"),
    ],
)
def test_what_does_not_fit_the_schema_is_not_written(operator: Operator, message: str) -> None:
    with pytest.raises(BadModelError, match=message):
        write_model(chain(operator))


def test_tensor_of_another_schema_is_not_written() -> None:
    with pytest.raises(BadModelError, match=r"tensor 1 \('t1'\): 'INT3' is not a data type"):
        write_model(with_tensor(1, dtype="INT3"))
    with pytest.raises(BadModelError, match=r"tensor 1 \('t1'\) has a dimension in its shape signature"):
        write_model(with_tensor(1, shape_signature=(1, 2**40)))


OPTIONS = ("UOffsetTRelative", raw.table({}))
CUSTOM = {0: ("Int8", 32), 3: ("Int32", 32)}

FOREIGN_FILES: dict[str, tuple[dict[str, raw.Slots], str]] = {
    "old schema": ({"Model": {0: ("Uint32", 2)}}, "schema version 2 is not supported"),
    "new schema": ({"Model": {0: ("Uint32", 4)}}, "schema version 4 is not supported"),
    "new operator": ({"OperatorCode": {3: ("Int32", 999)}}, "operator code 999 is newer than the schema"),
    "placeholder": ({"OperatorCode": {3: ("Int32", 127)}}, "operator code 127 is newer than the schema"),
    "negative operator": ({"OperatorCode": {0: ("Int8", -5), 3: ("Int32", -9)}}, "operator code -5 is newer"),
    "new data type": ({"Tensor": {1: ("Int8", 99)}}, r"tensor 0 \('x'\): data type 99 is newer"),
    "new field of the model": ({"Model": {8: ("Int32", 1)}}, "model: field 8 of Model is newer"),
    "new field of a tensor": (
        {"Tensor": {10: ("Int32", 1)}},
        r"model.subgraphs\[0\].tensors\[0\]: field 10 of Tensor is newer",
    ),
    "new field of an operator": ({"Operator": {14: ("Int8", 1)}}, "field 14 of Operator is newer"),
    "new field of options": (
        {"Operator": {3: ("Uint8", 22), 4: ("UOffsetTRelative", raw.table({0: ("Int8", 1)}))}},
        r"operators\[0\].builtin_options \(PadOptions\): field 0 of PadOptions is newer",
    ),
    "new options": ({"Operator": {3: ("Uint8", 200), 4: OPTIONS}}, "member 200 of BuiltinOptions is newer"),
    "new second options": ({"Operator": {11: ("Uint8", 23), 12: OPTIONS}}, "member 23 of BuiltinOptions2 is newer"),
    "two options": (
        {"Operator": {3: ("Uint8", 1), 4: OPTIONS, 11: ("Uint8", 1), 12: OPTIONS}},
        r"operator 0 \('LOGISTIC'\) has two tables of options, Conv2DOptions and StablehloConcatenateOptions",
    ),
    "sparse tensor": ({"Tensor": {6: OPTIONS}}, r"tensor 0 \('x'\) is sparse"),
    "variant tensor": ({"Tensor": {9: raw.tables(raw.table({}))}}, r"tensor 0 \('x'\) holds a variant"),
    "blockwise quantization": (
        {"Tensor": {4: ("UOffsetTRelative", raw.table({4: ("Uint8", 2), 5: OPTIONS}))}},
        r"tensor 0 \('x'\) has custom quantization details",
    ),
    "compiled by Vela": ({"OperatorCode": {**CUSTOM, 1: raw.text(b"ethos-u")}}, "compiled by Vela"),
    "custom without a name": ({"OperatorCode": CUSTOM}, r"operator_codes\[0\] is a custom operator without a name"),
    "name that is no text": ({"Tensor": {3: raw.text(b"\xff\xfe")}}, r"tensors\[0\].name is not UTF-8 text"),
    "buffer out of range": (
        {"Tensor": {2: ("Uint32", 2)}},
        r"tensor 0 \('x'\) refers to buffer 2, but there are 2",
    ),
    "old metadata out of range": ({"Model": {5: raw.ints(-1)}}, "metadata_buffer refers to buffer -1"),
    "operator code out of range": ({"Operator": {0: ("Uint32", 1)}}, "operator 0 refers to operator code 1, but there"),
    "buffer behind the end": (
        {"Buffer": {1: ("Uint64", 100), 2: ("Uint64", 2**63)}},
        r"buffers\[1\] lies outside of the file",
    ),
    "custom options behind the end": (
        {"Operator": {9: ("Uint64", 2**63), 10: ("Uint64", 1)}},
        r"operators\[0\].custom_options lies outside",
    ),
    "endless buffer": ({"Buffer": {0: ("Int32", 0x7FFFFFF0)}}, r"buffers\[1\].data lies outside of the file"),
}


@pytest.mark.parametrize(("changes", "message"), FOREIGN_FILES.values(), ids=FOREIGN_FILES.keys())
def test_foreign_file_is_refused_by_name(changes: dict[str, raw.Slots], message: str) -> None:
    assert re.search(message, refusal(raw.raw_file(changes)))


def test_unchanged_raw_file_is_accepted() -> None:
    assert read_model(raw.raw_file({})).subgraphs[0].operators[0].name == "LOGISTIC"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"\0", "not a TFLite model"),
        (b"<!DOCTYPE html>", "not a TFLite model"),
        (b"\x1c\0\0\0TFL2" + bytes(100), "not a TFLite model"),
        (b"\x1c\0\0\0TFL3", "model lies outside of the file"),
        (b"\xff\xff\xff\xffTFL3" + bytes(100), "model lies outside of the file"),
        (b"\x08\0\0\0TFL3" + bytes(100), "model has no valid layout"),
        # A table at 8 whose layout, at 12, ends with half an entry.
        (struct.pack("<I4siHHB", 8, b"TFL3", 8 - 12, 5, 4, 0), "model has no valid layout"),
    ],
)
def test_other_files_are_refused(data: bytes, message: str) -> None:
    assert message in refusal(data)


def test_every_truncation_is_refused() -> None:
    data = write_model(small_model())
    bounds = Bounds(data, "small.tflite")
    bounds.check_model()
    for size in range(bounds.end):
        refusal(data[:size])
    assert read_model(data[: bounds.end]).subgraphs[0].name == "main"


def test_random_damage_is_read_or_refused() -> None:
    """Only our own errors may leave the reader, and what it reads can be written."""
    data = write_model(small_model())
    generator = np.random.default_rng(20)
    read = refused = 0
    for _ in range(1500):
        damaged = bytearray(data)
        for position in generator.integers(0, len(data), generator.integers(1, 4)):
            damaged[position] = generator.choice([0, 1, 127, 128, 255, generator.integers(256)])
        try:
            write_model(read_model(bytes(damaged)))
            read += 1
        except BadModelError:
            refused += 1
    assert min(read, refused) > 100


def test_random_words_are_read_or_refused() -> None:
    """Whole offsets and lengths at once, which single bytes seldom reach."""
    data = write_model(small_model())
    generator = np.random.default_rng(21)
    values = [0, 1, 4, len(data), 2**16, 2**31 - 1, 2**31, 2**32 - 4]
    for position in range(0, len(data) - 4, 4):
        damaged = bytearray(data)
        struct.pack_into("<I", damaged, position, int(generator.choice(values)))
        with suppress(BadModelError):
            write_model(read_model(bytes(damaged)))


def test_small_file_cannot_unfold_into_a_huge_model() -> None:
    """Ten thousand references to one table of ten thousand numbers are 400 MB in a file of 80 KB."""

    def shared(part: raw.Part) -> raw.Part:
        offsets: list[int] = []

        def add(builder: object) -> int:
            if not offsets:
                offsets.append(part(builder))
            return offsets[0]

        return add

    tensor = shared(raw.table({0: raw.ints(*[1] * 10_000), 1: ("Int8", 9)}))
    data = raw.raw_file({"SubGraph": {0: raw.tables(*[tensor] * 10_000)}})
    assert len(data) < 100_000
    assert "share the same bytes" in refusal(data)


def test_names_stay_on_one_short_line() -> None:
    model = with_tensor(2, name="weights\n" * 500, shape=(1, -4))
    with pytest.raises(BadModelError) as caught:
        write_model(model)
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda path: None, "No such file or directory"),
        (lambda path: path.mkdir(), "Is a directory"),
        (lambda path: path.write_bytes(b""), "the file is empty"),
        (lambda path: path.write_bytes(b"x" * 99), "is not a TFLite model"),
        (lambda path: path.symlink_to("/dev/zero"), "is not a TFLite model"),
    ],
    ids=["absent", "folder", "empty", "other", "endless"],
)
def test_unreadable_path_is_refused(tmp_path: Path, prepare: Callable[[Path], object], message: str) -> None:
    path = tmp_path / "model.tflite"
    prepare(path)
    with pytest.raises(BadModelError, match=f"^{re.escape(str(path))}: .*{message}"):
        read_file(path)


@pytest.mark.parametrize(
    ("target", "message"),
    [("absent/out.tflite", "No such file"), ("folder", "Is a directory"), ("file/out.tflite", "Not a directory")],
)
def test_unwritable_output_leaves_nothing(tmp_path: Path, target: str, message: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"kept")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(TinymoError, match=f"cannot write the file: {message}"):
        write_file(small_model(), tmp_path / target)
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "file").read_bytes() == b"kept"


def test_bad_model_does_not_touch_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "out.tflite"
    path.write_bytes(b"kept")
    with pytest.raises(BadModelError):
        write_file(with_tensor(2, shape=(1, -4)), path)
    assert [(entry.name, entry.read_bytes()) for entry in tmp_path.iterdir()] == [("out.tflite", b"kept")]


def test_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out.tflite"
    path.write_bytes(b"kept")

    def fail(self: Path, data: bytes) -> int:
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(TinymoError, match="No space left on device"):
        write_file(small_model(), path)
    assert [(entry.name, entry.read_bytes()) for entry in tmp_path.iterdir()] == [("out.tflite", b"kept")]


def test_output_through_a_link_and_into_a_device(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write_file(small_model(), tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == write_model(small_model())
    write_file(small_model(), "/dev/null")
    assert not Path("/dev/null").is_file()
