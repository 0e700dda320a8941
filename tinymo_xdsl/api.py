"""
What the command line does, as functions: `tinymo_xdsl.analyze`, `.optimize` and `.verify`.

A model is the path of a `.tflite` file, or its bytes. Errors are `TinymoError`s with one line for a person to read,
whose `exit_status` is what the command line leaves with.
"""

import os
from pathlib import Path
from typing import Literal, TypeAlias

from tinymo_xdsl.analysis.aliases import KernelLibrary
from tinymo_xdsl.numerics.sizes import parse_size
from tinymo_xdsl.report.build import analyze_file
from tinymo_xdsl.report.optimized_file import OptimizedFile, optimize_file
from tinymo_xdsl.report.report import Report
from tinymo_xdsl.search import OptimizeOptions
from tinymo_xdsl.verification import EngineName, Verification, compare_models
from tinymo_xdsl.verification.engines import ModelFile

ModelSource: TypeAlias = str | os.PathLike[str] | bytes
"""The path of a `.tflite` file, or what is in it."""


def analyze(model: ModelSource, *, measure: bool = True) -> Report:
    """
    Where the memory of a model goes: peak, lower bound, best arena, and the bytes at each operator.

    With `measure`, TFLite Micro runs the model for what it needs; that part is `Absent` where it is not installed.
    Raises `BadModelError` for what is no model, or cannot be imported.
    """
    return analyze_file(open_model(model), measure=measure)


def optimize(
    model: ModelSource,
    *,
    ram: int | str | None = None,
    max_overhead: float = 0.10,
    plan: bool = True,
    kernels: KernelLibrary | Literal["reference", "cmsis-nn", "unknown"] = KernelLibrary.REFERENCE,
    overlap: bool = False,
    spill: str | None = None,
    loops: bool = True,
    runs: int | None = 5,
    name: str | None = None,
) -> OptimizedFile:
    """
    The model in less memory: `data` is the new file, `report` tells what became of it. Nothing is written.

    `ram`, `max_overhead` (a share), `plan`, `kernels`, `overlap`, `spill` and `loops` are as in `OptimizeOptions`;
    sizes may be text like "64K". Original and result are compared on `runs` inputs in an engine, if one is installed;
    `None` compares nothing. `name` is what the report calls the new file. Raises `BadModelError` for what is no model,
    `BudgetError` if `ram` is not enough, `OutputsDifferError` if the comparison fails, and `ValueError` for a size that
    is none, or options that do not go together.
    """
    options = OptimizeOptions(
        None if ram is None else parse_size(ram), max_overhead, plan, KernelLibrary(kernels), overlap, spill, loops
    )
    file = open_model(model)
    return optimize_file(file, name or f"{Path(file.name).stem}.opt.tflite", options, runs)


def verify(
    a: ModelSource,
    b: ModelSource,
    *,
    runs: int = 5,
    seed: int = 0,
    engine: EngineName | Literal["auto"] = "auto",
) -> Verification:
    """
    What an engine finds when it runs both models on the same seeded inputs: `identical`, or the first difference.

    Raises `MissingToolError` without an engine, and `BadModelError` if the two cannot be compared.
    """
    first, second = open_model(a), open_model(b)
    names = (first.name, second.name)
    return compare_models(first.data, second.data, runs=runs, seed=seed, engine=engine, names=names)


def open_model(source: ModelSource) -> ModelFile:
    """The `.tflite` file. Raises `BadModelError` for anything else, with what to do about it."""
    return ModelFile.read("model", source) if isinstance(source, bytes) else ModelFile.open(os.fspath(source))
