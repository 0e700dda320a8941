"""Runs passes on a module, and shows what they do: dumps, times, checks. Everything goes to standard error."""

import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import DiagnosticException, ShrinkException

from tinymo_xdsl.errors import TinymoError
from tinymo_xdsl.text.diagnostics import DiagnosedError, Diagnostic, verify_module
from tinymo_xdsl.text.printer import DUMP_ELEMENTS, TinymoPrinter

SemanticsCheck: TypeAlias = Callable[[str, ModuleOp, ModuleOp], None]
"""Given a pass's name and the module before and after it, raises an error if they compute different values."""


@dataclass(frozen=True)
class DumpSelection:
    """Around which passes the module is printed."""

    before: frozenset[str] = frozenset()
    after: frozenset[str] = frozenset()
    before_all: bool = False
    after_all: bool = False
    after_change: bool = False
    """After a pass that changed the module."""


@dataclass
class Timing:
    """Wall-clock seconds of the steps of a run."""

    steps: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])

    @contextmanager
    def measure(self, step: str) -> Generator[None]:
        """Add the time of the `with` block."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.steps.append((step, time.perf_counter() - start))

    def report(self) -> str:
        """A table of the steps, in the order in which they ended."""
        total = sum(seconds for _, seconds in self.steps)
        lines = [f"{seconds:10.4f} s {seconds / (total or 1):7.1%}  {step}" for step, seconds in self.steps]
        return "\n".join(["wall-clock time of each step:", *lines, f"{total:10.4f} s  100.0%  total"])


@dataclass(frozen=True)
class PassRunner:
    """Applies passes in order and verifies the module after each."""

    context: Context
    file: str
    """What errors name when an op has no place in a text."""
    timing: Timing
    dumps: DumpSelection = DumpSelection()
    elide_larger: int = DUMP_ELEMENTS
    """Constants of more elements than this are left out of dumps."""
    verify_each: bool = True
    check_semantics: SemanticsCheck | None = None

    def run(self, module: ModuleOp, passes: Sequence[ModulePass]) -> None:
        """Apply `passes` to `module`; raise a `DiagnosedError` at the first that fails or leaves an invalid module."""
        self._verify(module)
        for pass_ in passes:
            keeps_before = self.check_semantics or self.dumps.after_change
            before = module.clone() if keeps_before else None
            if self.dumps.before_all or pass_.name in self.dumps.before:
                self._dump(module, f"IR Dump Before {pass_.name}")
            with self.timing.measure(pass_.name):
                self._apply(pass_, module)
            self._dump_after(pass_.name, before, module)
            self._verify(module, f"after pass '{pass_.name}': ")
            if before and self.check_semantics:
                with self.timing.measure(f"semantics of {pass_.name}"):
                    self.check_semantics(pass_.name, before, module)

    def _apply(self, pass_: ModulePass, module: ModuleOp) -> None:
        try:
            pass_.apply(self.context, module)
        except DiagnosticException as error:
            diagnostic = Diagnostic(self.file, f"pass '{pass_.name}' failed: {error}")
            raise DiagnosedError([diagnostic]) from None
        except (TinymoError, ShrinkException):
            raise
        except Exception as error:
            error.add_note(f"in pass '{pass_.name}'")
            raise

    def _verify(self, module: ModuleOp, occasion: str = "") -> None:
        if self.verify_each:
            with self.timing.measure("verify"):
                verify_module(module, self.file, occasion)

    def _dump_after(self, name: str, before: ModuleOp | None, module: ModuleOp) -> None:
        changed = self.dumps.after_change and before and not module.is_structurally_equivalent(before)
        if self.dumps.after_all or name in self.dumps.after or changed:
            self._dump(module, f"IR Dump After {name}")

    def _dump(self, module: ModuleOp, title: str) -> None:
        print(f"// -----// {title} //----- //", file=sys.stderr)
        TinymoPrinter(sys.stderr, elide_larger=self.elide_larger).print_op(module)
        print("\n", file=sys.stderr)
