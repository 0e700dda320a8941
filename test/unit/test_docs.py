"""Pages of `docs/`: the generated ones are current, and the others say what the code says."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import lit_in_process
import pytest

import tinymo_xdsl
from tinymo_xdsl.errors import ExitStatus

DOCS = lit_in_process.ROOT / "docs"
HOLE = "…"
"""What stands in a quoted message for the part that differs."""


def messages() -> Iterator[str]:
    """Every text in the sources, with holes for what is put in at run time."""
    (package,) = tinymo_xdsl.__path__
    for path in sorted(Path(package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Constant(value=str(text)):
                    yield text
                case ast.JoinedStr(values=values):
                    yield "".join(str(v.value) if isinstance(v, ast.Constant) else HOLE for v in values)
                case _:
                    continue


def pages() -> list[Path]:
    return sorted([*DOCS.glob("*.md"), *lit_in_process.ROOT.glob("*.md")])


def table(page: str, columns: str) -> list[list[str]]:
    """The cells of every table of `page` that is headed by `columns`."""
    text = (DOCS / page).read_text(encoding="utf-8")
    blocks = [block.splitlines() for block in text.split("\n\n")]
    rows = [row for block in blocks if block[0] == f"| {columns} |" for row in block[2:]]
    return [row.strip("| ").split(" | ") for row in rows]


def run_generator(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(lit_in_process.ROOT / "tools" / "gen_docs.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_generated_pages_are_current() -> None:
    outcome = run_generator("--check")
    assert outcome.returncode == 0, outcome.stderr


@pytest.mark.parametrize("row", table("errors.md", "message | what to do"), ids=lambda row: row[0][:60])
def test_messages_are_quoted_as_they_are(row: list[str]) -> None:
    quoted, remedy = row
    assert remedy
    assert any(quoted.strip("`") in message for message in messages())


def test_every_exit_status_is_explained() -> None:
    rows = table("errors.md", "status | name | means")
    assert [(int(number), name.strip("`")) for number, name, _ in rows] == [
        (status.value, status.name) for status in ExitStatus
    ]


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        assert target.startswith("http") or (page.parent / target).exists(), target
