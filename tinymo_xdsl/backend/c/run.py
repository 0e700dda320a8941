"""
Running a generated library: it is built, its self-test is run, and what it takes is measured.

A place to run on is a `Board`; `BOARDS` names them.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from tinymo_xdsl.backend.c.project import DESCRIPTION_FILE, SCHEMA
from tinymo_xdsl.errors import TinymoError

REPORT_SCHEMA = "tinymo-run/1"


@dataclass(frozen=True)
class LibraryFolder:
    """A folder that `tinymo codegen` has written."""

    path: Path
    prefix: str
    arena: int

    @staticmethod
    def read(path: str) -> "LibraryFolder":
        """The library in the folder at `path`. Raises `TinymoError` where there is none."""
        file = Path(path) / DESCRIPTION_FILE
        try:
            entries: Any = json.loads(file.read_text(encoding="utf-8"))
            if not isinstance(entries, dict):
                raise ValueError("no object")
            described = cast(dict[str, object], entries)
            prefix, arena = described["prefix"], described["arena"]
            if described["schema"] != SCHEMA or not isinstance(prefix, str) or not isinstance(arena, int):
                raise ValueError(f"no description of the form {SCHEMA}")
        except (OSError, ValueError, KeyError) as error:
            raise TinymoError(
                f"{path}: no C library is described in {DESCRIPTION_FILE};"
                f" write one with: tinymo codegen MODEL -o {path}"
            ) from error
        return LibraryFolder(Path(path), prefix, arena)

    @property
    def library_source(self) -> Path:
        """The library itself."""
        return self.path / f"{self.prefix}.c"

    @property
    def sources(self) -> tuple[Path, ...]:
        """The library, its self-test and a `main`."""
        return self.library_source, self.path / f"{self.prefix}_selftest.c", self.path / "main.c"


@dataclass(frozen=True)
class Measured:
    """What a run has shown. Sizes are bytes; what a board cannot measure is `None`."""

    board: str
    message: str
    """What the self-test says, in one line."""
    passed: bool
    arena: int
    data: int | None = None
    bss: int | None = None
    """Without the arena."""
    flash: int | None = None
    """Code and constants of the library, the self-test apart."""
    instructions: int | None = None
    stack: int | None = None

    def to_json(self) -> str:
        """The report for programs."""
        sizes = {
            "instructions": self.instructions,
            "stack": self.stack,
            "arena": self.arena,
            "data": self.data,
            "bss": self.bss,
            "flash": self.flash,
        }
        present = {name: size for name, size in sizes.items() if size is not None}
        report = {"schema": REPORT_SCHEMA, "board": self.board, **present}
        return json.dumps({**report, "self_test": "passed" if self.passed else "failed"}, indent=2) + "\n"

    def to_text(self) -> str:
        """The report for people."""
        sizes = [
            ("arena", self.arena),
            ("other static RAM", None if self.data is None or self.bss is None else self.data + self.bss),
            ("stack", self.stack),
            ("flash", self.flash),
        ]
        lines = [f"{self.board}: {self.message}"]
        lines += [f"  {name:<18}{size:>12,} bytes" for name, size in sizes if size is not None]
        if self.instructions is not None:
            lines.append(f"  {'instructions':<18}{self.instructions:>12,}")
        return "\n".join(lines) + "\n"


class Board(Protocol):
    """A place to run on."""

    @property
    def name(self) -> str:
        """What it is called on the command line."""
        ...

    def run(self, library: LibraryFolder) -> Measured:
        """
        Builds the library, runs its self-test and measures both.

        Raises `MissingToolError`, with the line that installs it, where a tool is absent, and `TinymoError` where the
        library cannot be built.
        """
        ...
