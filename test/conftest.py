"""Collects the textual tests of `test/lit` as pytest items."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import lit_in_process
import pytest

LIT_FOLDER = Path(__file__).parent / "lit"


class LitItem(pytest.Item):
    """One test file: all of its RUN lines."""

    def runtest(self) -> None:
        test = lit_in_process.parse_test(self.path)
        missing = sorted(set(test.requires) - lit_in_process.available_features())
        if missing:
            pytest.skip(f"not available here: {', '.join(missing)}")
        with tempfile.TemporaryDirectory() as scratch:
            lit_in_process.run_test(test, Path(scratch))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> object:
        if isinstance(excinfo.value, lit_in_process.LitFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, self.name


class LitFile(pytest.File):
    """A test file and the one item in it."""

    def collect(self) -> Iterator[LitItem]:
        yield LitItem.from_parent(self, name=self.path.relative_to(LIT_FOLDER).as_posix())


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> LitFile | None:
    if file_path.suffix == ".mlir" and file_path.is_relative_to(LIT_FOLDER) and "Inputs" not in file_path.parts:
        return LitFile.from_parent(parent, path=file_path)
    return None
