"""`tinymo codegen` and `tinymo run`: the folder, the interface of the library, its self-test, and what errors say."""

import ctypes
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import lit_in_process
import numpy as np
import pytest
from c_libraries import FLAGS, compiler
from lit_in_process import Outcome
from one_operator import tensor
from operator_models import model_of

from tinymo_xdsl.backend.c.text import identifier
from tinymo_xdsl.flatbuffer.writer import write_file
from tinymo_xdsl.zoo.random_model import random_recipe


def tinymo(*arguments: str | Path) -> Outcome:
    return lit_in_process.run_command(["tinymo", *map(str, arguments)])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of a few layers."""
    path = tmp_path_factory.mktemp("model") / "Tiny-Net 5.tflite"
    write_file(random_recipe(3, maximum_steps=4).model(), path)
    return path


@pytest.fixture
def library(model: Path, tmp_path: Path) -> Path:
    """The folder of its library."""
    outcome = tinymo("codegen", model, "-o", tmp_path / "lib")
    assert (outcome.status, outcome.stdout, outcome.stderr) == (0, b"", b"")
    return tmp_path / "lib"


def edit(file: Path, pattern: str, replacement: str) -> None:
    """Changes exactly one place."""
    text, count = re.subn(pattern, replacement, file.read_text(), count=1)
    assert count == 1
    file.write_text(text)


def test_a_library_passes_its_self_test_and_says_what_it_takes(library: Path) -> None:
    compiler()
    outcome = tinymo("run", library, "--on", "host", "--json")
    assert outcome.status == 0
    report = json.loads(outcome.stdout)
    arena = re.search(r"^#define TINY_NET_5_ARENA_BYTES (\d+)$", (library / "tiny_net_5.h").read_text(), re.MULTILINE)
    assert arena is not None
    assert report["schema"] == "tinymo-run/1"
    assert (report["board"], report["self_test"], report["arena"]) == ("host", "passed", int(arena[1]))
    assert report["flash"] > json.loads((library / "tinymo.json").read_text())["constants"] > 0
    assert report["bss"] == ctypes.sizeof(ctypes.c_void_p)
    assert "instructions" not in report


def test_one_wrong_byte_is_found_and_named(library: Path) -> None:
    compiler()
    source = library / "tiny_net_5_selftest.c"
    first = re.search(r"expected_0\[\d+\].*?\{\n\s*(\d+),", source.read_text(), re.DOTALL)
    assert first is not None
    edit(source, r"(expected_0\[\d+\].*?\{\n\s*)\d+,", rf"\g<1>{(int(first[1]) + 1) % 256},")
    outcome = tinymo("run", library)
    assert outcome.status == 4
    assert f"vector 0, output 0, byte 0 is {first[1]}".encode() in outcome.stdout


def test_a_wrong_bias_fails_the_self_test(library: Path) -> None:
    compiler()
    edit(library / "tiny_net_5.c", r"(layer_0_bias\[\d+\].*?\{\n\s*)-?\d+,", r"\g<1>99999,")
    assert tinymo("run", library).status == 4


def test_an_access_beside_the_arena_fails_the_self_test(library: Path) -> None:
    """The self-test's arena has exactly the declared bytes, and the compiler's checks watch what is around it."""
    if (
        "-fsanitize=address"
        not in subprocess.run(
            [compiler(), "-fsanitize=address", "-###", "-x", "c", os.devnull],
            capture_output=True,
            text=True,
            check=False,
        ).stderr
    ):
        pytest.skip("the compiler does not check addresses")
    arena = int(re.findall(r"ARENA_BYTES (\d+)", (library / "tiny_net_5.h").read_text())[0])
    edit(library / "tiny_net_5.h", r"ARENA_BYTES \d+", f"ARENA_BYTES {arena - 1}")
    outcome = tinymo("run", library)
    assert outcome.status == 4
    assert b"overflow" in outcome.stdout


def test_status_codes_of_the_interface(library: Path, tmp_path: Path) -> None:
    image = tmp_path / "lib.so"
    flags = [*FLAGS, "-shared", "-fPIC", "-DTINY_NET_5_NO_STATIC_ARENA"]
    subprocess.run([compiler(), *flags, str(library / "tiny_net_5.c"), "-o", str(image)], check=True)
    code = ctypes.CDLL(str(image))
    code.tiny_net_5_input.restype = ctypes.c_void_p
    bytes_ = int(re.findall(r"ARENA_BYTES (\d+)", (library / "tiny_net_5.h").read_text())[0])
    arena = ctypes.create_string_buffer(bytes_)
    assert not hasattr(code, "tiny_net_5_init")
    assert code.tiny_net_5_invoke() == 4
    assert code.tiny_net_5_input(0) is None
    assert code.tiny_net_5_init_with(None, bytes_) == 1
    assert code.tiny_net_5_init_with(arena, bytes_ - 1) == 2
    assert code.tiny_net_5_init_with(arena, bytes_) == 0
    assert ctypes.addressof(arena) <= code.tiny_net_5_input(0) < ctypes.addressof(arena) + bytes_
    assert code.tiny_net_5_input(1) is None
    assert code.tiny_net_5_invoke() == 0


def test_the_header_can_be_read_by_cpp_and_by_two_files(library: Path, tmp_path: Path) -> None:
    if shutil.which("g++") is None:
        pytest.skip("no C++ compiler: g++")
    user = tmp_path / "user.cpp"
    user.write_text(
        '#include "tiny_net_5.h"\n#include "tiny_net_5.h"\n'
        "int main() { return tiny_net_5_inputs[0].rank == TINY_NET_5_INPUT_0_RANK ? tiny_net_5_init() : 9; }\n"
    )
    built = tmp_path / "lib.o"
    subprocess.run([compiler(), "-std=c99", "-c", str(library / "tiny_net_5.c"), "-o", str(built)], check=True)
    program = tmp_path / "user"
    subprocess.run(
        ["g++", "-Wall", "-Wextra", "-Werror", f"-I{library}", str(user), str(built), "-o", str(program)], check=True
    )
    assert subprocess.run([str(program)], check=False).returncode == 0


def test_the_same_model_twice_gives_the_same_files(model: Path, library: Path, tmp_path: Path) -> None:
    assert tinymo("codegen", model, "-o", tmp_path / "again").status == 0
    names = sorted(path.name for path in library.iterdir())
    assert names == sorted(path.name for path in (tmp_path / "again").iterdir())
    assert all((library / name).read_bytes() == (tmp_path / "again" / name).read_bytes() for name in names)


def test_an_operator_without_a_kernel_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    x, y = tensor("x", "INT32", (2, 3)), tensor("the result", "INT32", (2, 3))
    write_file(
        model_of("CUMSUM", [x, tensor("axis", "INT32", (1,), data=np.zeros(1, np.int32))], [y]), tmp_path / "odd.tflite"
    )
    outcome = tinymo("codegen", tmp_path / "odd.tflite", "-o", tmp_path / "lib")
    assert outcome.status == 1
    (line,) = outcome.stderr.decode().splitlines()
    assert "odd.tflite: CUMSUM that yields 'the result' has no C kernel" in line
    assert not (tmp_path / "lib").exists()


@pytest.mark.parametrize("prefix", ["2fast", "a-b", "int", "a__b", "", "über"])
def test_a_prefix_that_makes_no_identifiers_is_refused(prefix: str, model: Path, tmp_path: Path) -> None:
    outcome = tinymo("codegen", model, "-o", tmp_path / "lib", f"--prefix={prefix}")
    assert outcome.status == (1 if prefix else 0)
    assert (tmp_path / "lib").exists() == (not prefix)


@pytest.mark.parametrize(
    ("stem", "wanted"),
    [
        ("Tiny-Net 5", "tiny_net_5"),
        ("2fast", "model_2fast"),
        ("int", "model_int"),
        ("--", "model"),
        ("a  b", "a_b"),
        ("über", "ber"),
    ],
)
def test_prefixes_follow_from_file_names(stem: str, wanted: str) -> None:
    assert identifier(stem) == wanted


def test_names_of_tensors_cannot_break_the_text(tmp_path: Path) -> None:
    """Names are anything: here they end comments and strings, and begin trigraphs, macros and templates."""
    compiler()
    name = 'a*/ "b" \\ ??/ $body ${x} %s\n|`#'
    x, y = tensor(name, "INT8", (1, 4), 0.5), tensor(name + "2", "INT8", (1, 4), 0.5)
    write_file(model_of("RELU", [x], [y]), tmp_path / "names.tflite")
    assert tinymo("codegen", tmp_path / "names.tflite", "-o", tmp_path / "lib").status == 0
    assert tinymo("run", tmp_path / "lib").status == 0


def test_errors_of_run(tmp_path: Path, library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = tinymo("run", tmp_path / "nothing")
    assert outcome.status == 1
    assert b"write one with: tinymo codegen" in outcome.stderr
    outcome = tinymo("run", library, "--on", "hots")
    assert outcome.status == 1
    assert b"there is no board 'hots'; did you mean 'host'?" in outcome.stderr
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    outcome = tinymo("run", library)
    assert outcome.status == 2
    assert b"apt-get install gcc" in outcome.stderr


def test_cmake_builds_the_library_and_its_self_test(library: Path, tmp_path: Path) -> None:
    compiler()
    if shutil.which("cmake") is None:
        pytest.skip("cmake is not installed")
    build = tmp_path / "build"
    subprocess.run(["cmake", "-S", str(library), "-B", str(build)], check=True, capture_output=True)
    subprocess.run(["cmake", "--build", str(build)], check=True, capture_output=True)
    tested = subprocess.run(["ctest", "--test-dir", str(build)], check=True, capture_output=True, text=True)
    assert "100% tests passed" in tested.stdout
