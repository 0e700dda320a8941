"""`tools/sweep_models.py`: what it writes down, that a bad file does not stop it, and that it goes on where it was."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from flatbuffer_models import PROJECT

from tinymo_xdsl.errors import ExitStatus
from tinymo_xdsl.flatbuffer.writer import write_file
from tinymo_xdsl.zoo.random_model import random_recipe

pytest.importorskip("tflite_micro", reason="no engine is installed (extra `verify`)")


def sweep(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        PROJECT / "tools" / "sweep_models.py",
        folder,
        "-o",
        folder / "results.jsonl",
        "--runs=1",
    ]
    return subprocess.run([*command, *options], capture_output=True, text=True, check=False)


def test_a_bad_file_is_written_down_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "a_bad.tflite").write_bytes(b"no model")
    write_file(random_recipe(5, maximum_steps=3).model(), tmp_path / "b_good.tflite")
    first = sweep(tmp_path)
    assert first.returncode == ExitStatus.BAD_INPUT, first.stderr
    results = (tmp_path / "results.jsonl").read_text()
    bad, good = map(json.loads, results.splitlines())
    assert {check["outcome"] for check in bad["checks"]} == {"failed"}
    assert {check["outcome"] for check in good["checks"]} == {"identical", "unchanged"}
    outcomes = {check["name"]: check["outcome"] for check in good["checks"]}
    assert outcomes["round trip: text"] == outcomes["form-kernels"] == "identical"
    assert first.stdout.count("is not a TFLite model") == 2
    again = sweep(tmp_path)
    assert again.returncode == ExitStatus.BAD_INPUT
    assert "2 of 2 models are in" in again.stderr
    assert (tmp_path / "results.jsonl").read_text() == results


def test_a_model_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    write_file(random_recipe(5, maximum_steps=3).model(), tmp_path / "slow.tflite")
    stopped = sweep(tmp_path, "--time-limit=0.01")
    assert stopped.returncode == ExitStatus.BAD_INPUT
    assert "failed: slow: process: stopped after 0.01 s" in stopped.stdout
