"""The runner of textual tests: a test that should fail must fail."""

from pathlib import Path

import lit_in_process
import pytest
from lit_in_process import LitFailure, Stage, parse_pipe, parse_test, run_command, run_test

MODULE = "func.func private @f()\n"


def run(tmp_path: Path, text: str) -> None:
    path = tmp_path / "case.mlir"
    path.write_text(text)
    run_test(parse_test(path), tmp_path)


def test_a_matching_check_passes(tmp_path: Path):
    run(tmp_path, f"// RUN: tinymo-opt %s | filecheck %s\n// CHECK: func.func private @f\n{MODULE}")


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param("// RUN: tinymo-opt %s | filecheck %s\n// CHECK: @g(", id="check that does not match"),
        pytest.param("// RUN: tinymo-opt %s | filecheck %s\n// CHECK-NOT: @f", id="forbidden text"),
        pytest.param("// RUN: tinymo-opt %s | filecheck %s", id="no checks"),
        pytest.param("// RUN: tinymo-opt --nonsense %s", id="failing tool"),
        pytest.param("// RUN: tinymo-opt --nonsense %s 2>&1 | filecheck %s\n// CHECK: unknown", id="first of a pipe"),
        pytest.param("// RUN: not tinymo-opt %s", id="success where failure is expected"),
        pytest.param("// RUN: true\n// RUN: false", id="second line"),
        pytest.param("// RUN: true && false", id="a line for the shell"),
        pytest.param("// RUN: false | true", id="an external pipe"),
        pytest.param("// CHECK: @f", id="no RUN line"),
        pytest.param("// XFAIL: *\n// RUN: true", id="unknown directive"),
    ],
)
def test_a_failing_test_fails(tmp_path: Path, lines: str):
    with pytest.raises(LitFailure):
        run(tmp_path, f"{lines}\n{MODULE}")


def test_a_crash_is_not_the_failure_that_not_expects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def crash(arguments: list[str]) -> int:
        raise RuntimeError("crash")

    monkeypatch.setattr("tinymo_xdsl.tools.tinymo_opt.main", crash)
    with pytest.raises(LitFailure, match="RuntimeError"):
        run(tmp_path, "// RUN: not tinymo-opt %s\n")


def test_errors_join_the_output_only_when_asked():
    apart = run_command(["tinymo-opt", "missing.mlir"])
    assert (apart.status, apart.stdout) == (1, b"")
    joined = run_command(["tinymo-opt", "missing.mlir"], merge=True)
    assert (joined.stdout, joined.stderr) == (apart.stderr, b"")


def test_redirections_and_quotes(tmp_path: Path):
    values = lit_in_process.substitutions(tmp_path / "a b.mlir", tmp_path)
    stages = parse_pipe("""tinymo-opt "x y" '-p=a{b=1 c}' %s 2> %t < %s | filecheck %s >%t""", values)
    path, scratch = values["%s"], values["%t"]
    assert stages == [
        Stage(("tinymo-opt", "x y", "-p=a{b=1 c}", path), stdin=path, stderr=scratch),
        Stage(("filecheck", path), stdout=scratch),
    ]
    assert parse_pipe("a 2>&1 | b", values) == [Stage(("a",), stderr="&1"), Stage(("b",))]
    for line in ("a && b", "a; b", "a $(b)", "a 2>&1 >%t | b", "a >> %t"):
        assert parse_pipe(line, values) is None


def test_lines_continue_after_a_backslash(tmp_path: Path):
    path = tmp_path / "case.mlir"
    path.write_text("// REQUIRES: models, mlir-opt\n// RUN: tinymo-opt %s \\\n// RUN:   --cse \\\n// RUN:   --dce\n")
    test = parse_test(path)
    assert test.commands == ("tinymo-opt %s --cse --dce",)
    assert test.requires == ("models", "mlir-opt")
