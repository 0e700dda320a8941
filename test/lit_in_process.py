"""
Runs the RUN lines of a lit test inside this process.

Starting a tool costs ten times more than what a small test does. Here the tools are functions, and a pipe hands bytes
from one to the next. A line that asks for more of the shell than pipes and redirections goes to `bash`.
Meanings are lit's: a pipe fails when any of its stages fails, and `not` turns a failure, but not a crash, into success.
"""

import contextlib
import importlib
import io
import os
import re
import shlex
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CRASHED = 134
"""The exit status of a process that aborts."""

_ENTRY_POINTS: Mapping[str, str] = {
    "tinymo": "tinymo_xdsl.tools.tinymo",
    "tinymo-opt": "tinymo_xdsl.tools.tinymo_opt",
    "tinymo-translate": "tinymo_xdsl.tools.tinymo_translate",
    "xdsl-opt": "xdsl.tools.xdsl_opt",
    "filecheck": "filecheck.main",
}
_DIRECTIVE = re.compile(r"(?:^|\s)(RUN|REQUIRES|UNSUPPORTED|XFAIL):(.*)")
_TOKEN = re.compile(r"""\s*(?:(2>&1|2>|[|<>;&`$()]+)|((?:[^\s|<>;&`$()"']|"[^"]*"|'[^']*')+))""")
_OPERATORS = frozenset({"|", "<", ">", "2>", "2>&1"})


class LitFailure(Exception):
    """A RUN line failed, or the test file is not a test."""


@dataclass(frozen=True)
class LitTest:
    """What a test file asks for."""

    path: Path
    commands: tuple[str, ...]
    """The RUN lines, continuation lines joined, before substitution."""
    requires: tuple[str, ...]
    """Features without which the test is skipped."""


@dataclass(frozen=True)
class Stage:
    """One command of a pipe."""

    words: tuple[str, ...]
    stdin: str | None = None
    stdout: str | None = None
    stderr: str | None = None
    """Paths of redirections; the stderr `&1` is this stage's standard output."""


@dataclass(frozen=True)
class Outcome:
    """What one command leaves."""

    status: int
    stdout: bytes
    stderr: bytes


@dataclass
class _Redirections:
    words: list[str] = field(default_factory=list[str])
    paths: dict[str, str] = field(default_factory=dict[str, str])

    def stage(self) -> Stage:
        return Stage(tuple(self.words), self.paths.get("<"), self.paths.get(">"), self.paths.get("2>"))


def models_folder() -> Path | None:
    """Where the real models are that some tests run on: `TINYMO_MODELS`, or a folder beside the project."""
    folder = Path(os.environ.get("TINYMO_MODELS", ROOT.parent / "shared" / "models"))
    return folder if folder.is_dir() else None


def available_features() -> frozenset[str]:
    """The features that `REQUIRES:` can name."""
    return frozenset({"models"} if models_folder() else ())


def parse_test(path: Path) -> LitTest:
    """The directives of the test file at `path`."""
    commands: list[str] = []
    requires: list[str] = []
    continued = False
    for line in path.read_text(encoding="utf-8").splitlines():
        if not (match := _DIRECTIVE.search(line)):
            continue
        keyword, text = match.group(1), match.group(2).strip()
        if keyword == "REQUIRES":
            requires += [feature.strip() for feature in text.split(",")]
        elif keyword != "RUN":
            raise LitFailure(f"{path}: the directive {keyword}: is not supported")
        elif continued:
            commands[-1] = f"{commands[-1]} {text.removesuffix(chr(92)).rstrip()}"
            continued = text.endswith("\\")
        else:
            commands.append(text.removesuffix("\\").rstrip())
            continued = text.endswith("\\")
    if not commands:
        raise LitFailure(f"{path}: the test has no RUN line")
    return LitTest(path, tuple(commands), tuple(requires))


def substitutions(path: Path, scratch: Path) -> dict[str, str]:
    """What `%s` and the like stand for; `scratch` is the test's own folder."""
    models = models_folder()
    return {
        "%%": "%",
        "%models": str(models) if models else "",
        "%s": str(path),
        "%S": str(path.parent),
        "%t": str(scratch / f"{path.name}.tmp"),
        "%T": str(scratch),
    }


def run_test(test: LitTest, scratch: Path) -> None:
    """Run every RUN line of `test`; raise `LitFailure` at the first that fails."""
    values = substitutions(test.path, scratch)
    for command in test.commands:
        stages = parse_pipe(command, values)
        outcomes = [_run_in_shell(command, values)] if stages is None else run_pipe(stages)
        if any(outcome.status for outcome in outcomes):
            raise LitFailure(_describe(command, outcomes))


def parse_pipe(command: str, values: Mapping[str, str]) -> list[Stage] | None:
    """The stages of `command`, or `None` when only a shell understands it."""
    stages = [_Redirections()]
    target: str | None = None
    for match in _TOKEN.finditer(command.strip()):
        operator, word = match.group(1), match.group(2)
        current = stages[-1]
        # After `2>&1 >file`, errors go where the output went before: only a shell gets such orders right.
        if operator and (operator not in _OPERATORS or (operator == ">" and "2>" in current.paths)):
            return None
        if word:
            text = _substitute("".join(shlex.split(word)), values)
            if target:
                current.paths[target] = text
            else:
                current.words.append(text)
            target = None
        elif operator == "|":
            stages.append(_Redirections())
        elif operator == "2>&1":
            current.paths["2>"] = "&1"
        else:
            target = operator
    return [stage.stage() for stage in stages]


def run_pipe(stages: Sequence[Stage]) -> list[Outcome]:
    """Run `stages` one after the other, each reading what the one before wrote."""
    outcomes: list[Outcome] = []
    data = b""
    for stage in stages:
        if stage.stdin:
            data = Path(stage.stdin).read_bytes()
        outcome = run_command(stage.words, data, merge=stage.stderr == "&1")
        if stage.stderr and stage.stderr != "&1":
            Path(stage.stderr).write_bytes(outcome.stderr)
        data = outcome.stdout
        if stage.stdout:
            Path(stage.stdout).write_bytes(data)
            data = b""
        outcomes.append(outcome)
    return outcomes


def run_command(words: Sequence[str], stdin: bytes = b"", *, merge: bool = False) -> Outcome:
    """Run one command; `merge` sends its errors to its standard output, in the order in which they are written."""
    name, *arguments = words
    if name == "not":
        outcome = run_command(arguments, stdin, merge=merge)
        status = 0 if 0 < outcome.status < 128 else outcome.status or 1
        return Outcome(status, outcome.stdout, outcome.stderr)
    if module := _ENTRY_POINTS.get(name):
        return _run_in_process(name, module, arguments, stdin, merge=merge)
    process = subprocess.run(
        words,
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if merge else subprocess.PIPE,
        env=_environment(),
        check=False,
    )
    return Outcome(process.returncode, process.stdout, process.stderr or b"")


def _run_in_process(name: str, module: str, arguments: Sequence[str], stdin: bytes, *, merge: bool) -> Outcome:
    out = io.BytesIO()
    err = out if merge else io.BytesIO()
    with _streams(stdin, out, err):
        try:
            status = _call(name, importlib.import_module(module).main, list(arguments))
        except Exception:
            traceback.print_exc()
            # The tool of xDSL reports ordinary errors as tracebacks.
            status = 1 if name == "xdsl-opt" else CRASHED
    return Outcome(status, out.getvalue(), b"" if merge else err.getvalue())


def _call(name: str, main: Callable[..., int | None], arguments: list[str]) -> int:
    try:
        if name == "filecheck":
            return main([name, *arguments]) or 0
        if name == "xdsl-opt":
            sys.argv = [name, *arguments]
            return main() or 0
        return main(arguments) or 0
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)


@contextlib.contextmanager
def _streams(stdin: bytes, out: io.BytesIO, err: io.BytesIO) -> Iterator[None]:
    """The standard streams over memory. Text is written through, so that merged streams keep their order."""
    before = sys.stdin, sys.stdout, sys.stderr, sys.argv
    sys.stdin = io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")
    sys.stdout = io.TextIOWrapper(out, encoding="utf-8", newline="\n", write_through=True)
    sys.stderr = io.TextIOWrapper(err, encoding="utf-8", newline="\n", write_through=True)
    opened = sys.stdout, sys.stderr
    try:
        yield
    finally:
        sys.stdin, sys.stdout, sys.stderr, sys.argv = before
        for stream in opened:
            stream.flush()
            stream.detach()


def _substitute(text: str, values: Mapping[str, str], quote: Callable[[str], str] = str) -> str:
    keys = sorted(values, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, keys)), lambda match: quote(values[match.group()]), text)


def _run_in_shell(command: str, values: Mapping[str, str]) -> Outcome:
    line = _substitute(command, values, shlex.quote)
    process = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=_environment(),
        check=False,
    )
    return Outcome(process.returncode, process.stdout, process.stderr)


def _environment() -> dict[str, str]:
    return os.environ | {"PATH": os.pathsep.join([str(Path(sys.prefix) / "bin"), os.environ.get("PATH", "")])}


def _describe(command: str, outcomes: Sequence[Outcome]) -> str:
    lines = [f"RUN: {command}", f"exit status of each stage: {', '.join(str(o.status) for o in outcomes)}"]
    for number, outcome in enumerate(outcomes, 1):
        for title, data in (("stdout", outcome.stdout), ("stderr", outcome.stderr)):
            if data:
                lines.append(f"--- stage {number}, {title} ---\n{data[:20000].decode('utf-8', 'replace').rstrip()}")
    return "\n".join(lines)
