"""The Python functions: what they take and give, and that the command line says the same."""

import subprocess
import sys
from pathlib import Path

import pytest

import tinymo_xdsl
from tinymo_xdsl import zoo
from tinymo_xdsl.backend.tflite import export_model
from tinymo_xdsl.errors import BadModelError, BudgetError, ExitStatus
from tinymo_xdsl.flatbuffer.writer import write_model
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.report.report import Absent
from tinymo_xdsl.tools.tinymo import main
from tinymo_xdsl.verification.engines import TFLITE_MICRO, is_installed


@pytest.fixture(scope="module")
def resnet() -> bytes:
    return write_model(zoo.build("resnet8"))


def test_analyze_takes_a_path_or_bytes(resnet: bytes, tmp_path: Path):
    path = tmp_path / "resnet.tflite"
    path.write_bytes(resnet)
    reports = [tinymo_xdsl.analyze(source, measure=False) for source in (path, str(path), resnet)]
    assert len({report.original.model.sha256 for report in reports}) == 1
    assert [report.original.model.file for report in reports] == [str(path), str(path), "model"]
    assert all(isinstance(report.original.measured, Absent) for report in reports)


def test_optimize_gives_what_the_command_writes(resnet: bytes, tmp_path: Path):
    path, output = tmp_path / "resnet.tflite", tmp_path / "small.tflite"
    path.write_bytes(resnet)
    optimized = tinymo_xdsl.optimize(path, ram="44K", runs=None)
    assert main(["optimize", str(path), "--ram", "44K", "--no-verify", "-q", "-o", str(output)]) == ExitStatus.OK
    assert output.read_bytes() == optimized.data != resnet
    assert set(tmp_path.iterdir()) == {path, output}


def test_what_does_not_fit_is_an_error(resnet: bytes):
    with pytest.raises(BudgetError, match=r"model: .* does not come down to 1,024 bytes"):
        tinymo_xdsl.optimize(resnet, ram=1024, plan=False, runs=None)
    with pytest.raises(ValueError, match="'many' is no size"):
        tinymo_xdsl.optimize(resnet, ram="many")
    with pytest.raises(ValueError, match="reference kernels"):
        tinymo_xdsl.optimize(resnet, overlap=True, kernels="cmsis-nn")
    with pytest.raises(BadModelError, match=r"no\.tflite: cannot read the file"):
        tinymo_xdsl.analyze("no.tflite")


@pytest.mark.skipif(not is_installed(TFLITE_MICRO), reason="TFLite Micro is not installed: the extra `verify`")
def test_verify_tells_models_apart(resnet: bytes):
    optimized = tinymo_xdsl.optimize(resnet, runs=1)
    assert optimized.report.optimization is not None
    assert tinymo_xdsl.verify(resnet, optimized.data, runs=1).identical
    other = write_model(export_model(import_model(zoo.build("resnet8", seed=1))))
    assert not tinymo_xdsl.verify(resnet, other, runs=1).identical


def test_the_package_alone_loads_little():
    """Plug-ins import it for its dialects: reports and searches are loaded when a function is asked for."""
    code = "import sys, tinymo_xdsl; print('tinymo_xdsl.api' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
    with pytest.raises(AttributeError, match="'tinymo_xdsl' has no attribute 'optimise'"):
        getattr(tinymo_xdsl, "optimise")  # noqa: B009
