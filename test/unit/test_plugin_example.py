"""The package of `test/plugin_example`, and the page that explains it: `docs/write-a-pass.md`."""

import os
import re
import subprocess
import sys
from pathlib import Path

import lit_in_process
import pytest
from one_operator import tensor
from operator_models import options

from tinymo_xdsl.flatbuffer.model import Model, Operator, Subgraph
from tinymo_xdsl.flatbuffer.reader import read_model
from tinymo_xdsl.flatbuffer.schema import ActivationFunctionType, Padding
from tinymo_xdsl.flatbuffer.writer import write_model

FOLDER = lit_in_process.ROOT / "test" / "plugin_example"
PLUGIN = f"{FOLDER / 'pool_first.py'}:UNIVERSE"
EXAMPLE = str(FOLDER / "relu_then_pool.mlir")
PAGE = lit_in_process.ROOT / "docs" / "write-a-pass.md"


def blocks(language: str) -> list[str]:
    """The blocks of code in a language on the page."""
    return re.findall(rf"^```{language}\n(.*?)\n```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def test_the_page_shows_the_code_of_the_package() -> None:
    assert blocks("python")[0] in (FOLDER / "pool_first.py").read_text(encoding="utf-8")
    assert blocks("toml")[0] in (FOLDER / "pyproject.toml").read_text(encoding="utf-8")


def test_the_command_of_the_page_says_what_the_page_says() -> None:
    (command,) = (block for block in blocks("sh") if "--load-plugin" in block)
    words = [word.replace("test/", f"{lit_in_process.ROOT}/test/") for word in command.replace("\\\n", "").split()]
    outcome = lit_in_process.run_command(words, b"")
    assert outcome.status == 0, outcome.stderr.decode()
    assert re.findall(r"live peak (\d+) bytes", outcome.stderr.decode()) == ["64", "40"]
    assert "falls from 64 to 40 bytes" in PAGE.read_text(encoding="utf-8")


def test_a_relu_of_a_file_becomes_part_of_the_pooling(tmp_path: Path) -> None:
    shapes = {"image": (1, 4, 4, 2), "relu": (1, 4, 4, 2), "pool": (1, 2, 2, 2)}
    tensors = tuple(tensor(name, "FLOAT32", shape) for name, shape in shapes.items())
    table = options("Pool2DOptions", padding=Padding.VALID, stride_h=2, stride_w=2, filter_height=2, filter_width=2)
    pool = Operator("MAX_POOL_2D", (1,), (2,), options_type=table[0], options=table[1])
    source = tmp_path / "relu_then_pool.tflite"
    source.write_bytes(
        write_model(Model((Subgraph(tensors, (0,), (2,), (Operator("RELU", (0,), (1,)), pool), "main"),)))
    )

    flags = ["--verify-semantics", "--example-pool-first", "--form-kernels", "--legalize-for-tflite"]
    outcome = lit_in_process.run_command(["tinymo-opt", "--load-plugin", PLUGIN, *flags, str(source)], b"")
    assert outcome.status == 0, outcome.stderr.decode()
    written = lit_in_process.run_command(["tinymo-translate", "--mlir-to-tflite"], outcome.stdout)
    (operator,) = read_model(written.stdout, "written").subgraphs[0].operators
    assert operator.name == "MAX_POOL_2D"
    assert operator.options["fused_activation_function"] == ActivationFunctionType.RELU


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a process that has the package installed."""
    pytest.importorskip("pip", reason="pip is not installed")
    pytest.importorskip("hatchling", reason="hatchling is not installed (extra `test`)")
    folder = tmp_path_factory.mktemp("installed")
    where = ["--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check", "--target", str(folder)]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", *where, str(FOLDER)], check=True, capture_output=True
    )
    return {**os.environ, "PYTHONPATH": str(folder)}


@pytest.mark.parametrize("words", [["tinymo-opt", "--example-pool-first"], ["xdsl-opt", "-p", "example-pool-first"]])
def test_tools_find_the_installed_package(words: list[str], installed: dict[str, str]) -> None:
    module = {"tinymo-opt": "tinymo_xdsl.tools.tinymo_opt", "xdsl-opt": "xdsl.tools.xdsl_opt"}[words[0]]
    run_main = f"import sys; from {module} import main; sys.exit(main())"
    outcome = subprocess.run(
        [sys.executable, "-c", run_main, *words[1:], EXAMPLE],
        env=installed,
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout.index("tosa.max_pool2d") < outcome.stdout.index("tosa.clamp")
