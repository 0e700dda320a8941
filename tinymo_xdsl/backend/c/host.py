"""The machine that this runs on, as a board."""

import logging
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tinymo_xdsl.backend.c.run import LibraryFolder, Measured
from tinymo_xdsl.errors import MissingToolError, TinymoError

logger = logging.getLogger(__name__)

_FLAGS: Final = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror", "-ffp-contract=off")
_CHECKS: Final = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
_COMPILERS: Final = ("cc", "gcc", "clang")
_MESSAGE_LENGTH: Final = 300


@dataclass(frozen=True)
class Host:
    """
    Compiles with `$CC`, or the first of cc, gcc and clang.

    The self-test is built with the compiler's checks of addresses and of undefined behaviour where it has them, so that
    an access next to the arena, which is exactly as large as declared, fails it. Sizes are those of a library built
    without them, for this machine's processor.
    """

    name: str = "host"

    def run(self, library: LibraryFolder) -> Measured:
        compiler = find_compiler()
        with tempfile.TemporaryDirectory(prefix="tinymo-") as folder:
            program, object_file = Path(folder) / "selftest", Path(folder) / "library.o"
            sources = [str(source) for source in library.sources]
            if not _compiles([*compiler, *_FLAGS, *_CHECKS, *sources, "-o", str(program)]):
                logger.warning("%s cannot check addresses: what lies beside the arena is not watched", compiler[0])
                compile_c([*compiler, *_FLAGS, "-O2", *sources, "-o", str(program)])
            result = subprocess.run([str(program)], capture_output=True, text=True, check=False)
            no_arena = f"-D{library.prefix.upper()}_NO_STATIC_ARENA"
            compile_c(
                [
                    *compiler,
                    *_FLAGS,
                    "-O2",
                    "-fno-pie",
                    no_arena,
                    "-c",
                    str(library.library_source),
                    "-o",
                    str(object_file),
                ]
            )
            sizes = object_sizes(object_file)
        output = (result.stdout + result.stderr).strip().splitlines()
        passed = result.returncode == 0
        telling = next(
            (line for line in output if "ERROR" in line or "runtime error" in line), output[0] if output else ""
        )
        message = telling[:_MESSAGE_LENGTH] or f"self-test failed with status {result.returncode}"
        return Measured(self.name, message, passed, library.arena, **sizes)


def find_compiler() -> list[str]:
    """The words that call a C compiler. Raises `MissingToolError` where there is none."""
    if chosen := os.environ.get("CC"):
        return chosen.split()
    found = next((name for name in _COMPILERS if shutil.which(name)), None)
    if found is None:
        raise MissingToolError("no C compiler was found; try: apt-get install gcc libc6-dev, or set CC")
    return [found]


def compile_c(command: Sequence[str]) -> None:
    """Runs a compiler. Raises `TinymoError` with its first complaint."""
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise MissingToolError(
            f"{command[0]}: cannot run the C compiler: {error.strerror}; set CC to another"
        ) from error
    if result.returncode != 0:
        complaints = [line for line in result.stderr.splitlines() if "error" in line] or ["no message"]
        raise TinymoError(f"{command[0]} cannot build the library: {complaints[0][:_MESSAGE_LENGTH]}")


def _compiles(command: Sequence[str]) -> bool:
    try:
        compile_c(command)
    except MissingToolError:
        raise
    except TinymoError:
        return False
    return True


def object_sizes(file: Path, tool: str = "size") -> dict[str, int]:
    """Flash, `.data` and `.bss` of an object file; nothing where there is no tool that tells."""
    if shutil.which(tool) is None:
        return {}
    result = subprocess.run([tool, "-B", str(file)], capture_output=True, text=True, check=False)
    rows = [line.split() for line in result.stdout.splitlines()[1:]]
    if result.returncode != 0 or not rows:
        return {}
    code, data, bss = (int(word) for word in rows[0][:3])
    return {"flash": code + data, "data": data, "bss": bss}
