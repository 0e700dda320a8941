"""From a file to a smaller file, checked before anyone can use it."""

import logging
from dataclasses import dataclass, replace

from tinymo_xdsl.analysis.memory_table import in_bytes
from tinymo_xdsl.errors import BadModelError, BudgetError, MissingToolError, OutputsDifferError
from tinymo_xdsl.flatbuffer.writer import write_model
from tinymo_xdsl.report.build import file_report, import_unplanned, measure_arena
from tinymo_xdsl.report.operators import added_operators, new_operators
from tinymo_xdsl.report.report import Absent, MeasuredArena, Optimization, Report
from tinymo_xdsl.search import Optimized, OptimizeOptions, optimize
from tinymo_xdsl.tflm.arena import BITS_64, arena_need
from tinymo_xdsl.verification import Verification, compare_models, load_error
from tinymo_xdsl.verification.engines import ModelFile, installed_engines

logger = logging.getLogger(__name__)
progress = logging.getLogger("tinymo_xdsl.progress")
"""What is being done, for people who wait."""


@dataclass(frozen=True, eq=False)
class OptimizedFile:
    """A `.tflite` file that computes what the original computes, and the report on both."""

    data: bytes
    report: Report


@dataclass(frozen=True)
class _Check:
    """What engines find out about the original and the result."""

    arena_before: MeasuredArena | Absent
    arena_after: MeasuredArena | Absent
    verification: Verification | Absent


def optimize_file(file: ModelFile, target: str, options: OptimizeOptions, runs: int | None) -> OptimizedFile:
    """
    The smallest form of a model within the options. It is the original, byte for byte, if nothing lowers the peak.

    `target` is where the caller will write the file. Original and result are run in an engine on `runs` inputs, and
    their arenas are measured, as far as engines are there and can do it: the report says so. `None` runs nothing.
    Raises `BadModelError` for a model that cannot be understood, `BudgetError` when `options.ram` is not enough,
    and `OutputsDifferError` when the comparison fails.
    """
    progress.info("optimizing %s", file.name)
    module = import_unplanned(file)
    optimized = optimize(module, options)
    _check_budget(file.name, optimized, options)
    result = _result(file, target, optimized)
    is_original = result.data == file.data
    if file.has_plan and not is_original:
        logger.info("the arena plan in %s is dropped: it holds for the tensors of that very file only", file.name)
    check = _check(file, result, runs)
    plan_after = optimized.plan_before if is_original else optimized.plan_after
    # The figures are those of the file that is written, read again.
    read_again = module if is_original else import_unplanned(result)
    added = added_operators(file.model, result.model)
    optimization = Optimization(
        result=file_report(result, read_again, check.arena_after, plan_after),
        added=added,
        unknown=new_operators(file.model, added),
        passes=optimized.passes,
        verification=check.verification,
        is_original=is_original,
    )
    original = file_report(file, module, check.arena_before, optimized.plan_before)
    return OptimizedFile(result.data, Report(original, optimization=optimization))


def _result(file: ModelFile, target: str, optimized: Optimized) -> ModelFile:
    """The file to write: the original, byte for byte, if nothing makes it smaller."""
    if not optimized.is_smaller:
        return replace(file, name=target)
    if file.has_plan and optimized.plan_after is not None:
        # The original may hold a plan that is better than any that was found.
        needs = [arena_need(model, BITS_64).total for model in (file.model, optimized.model)]
        if needs[0] <= needs[1]:
            return replace(file, name=target)
    return ModelFile.read(target, write_model(optimized.model))


def _check_budget(name: str, optimized: Optimized, options: OptimizeOptions) -> None:
    if options.ram is None or optimized.needed <= options.ram:
        return
    what = "the arena of TFLite Micro on a 32-bit target" if options.plan else "the live peak"
    raise BudgetError(
        f"{name}: {what} does not come down to {in_bytes(options.ram)}; the least within"
        f" {100 * options.max_overhead:g} % more multiply-accumulates is {in_bytes(optimized.needed)}; nothing was"
        " written; allow more with --ram or --max-overhead"
    )


def _check(original: ModelFile, result: ModelFile, runs: int | None) -> _Check:
    if runs is None:
        return _Check(Absent("not asked for"), Absent("not asked for"), Absent("not asked for"))
    if result.data == original.data:
        arena = _measure(original)
        return _Check(arena, arena, Absent("the file is the original"))
    progress.info("comparing the models on %d inputs", runs)
    verification = _verify(original, result, runs)
    return _Check(_measure(original), _measure(result), verification)


def _measure(file: ModelFile) -> MeasuredArena | Absent:
    progress.info("measuring the arena of %s", file.name)
    return measure_arena(file)


def _verify(original: ModelFile, result: ModelFile, runs: int) -> Verification | Absent:
    names = (original.name, "the optimized model")
    try:
        verification = compare_models(original.data, result.data, runs=runs, names=names)
    except MissingToolError as error:
        return Absent(str(error))
    except BadModelError as error:
        if any(load_error(original.data, engine.name) is None for engine in installed_engines()):
            raise
        return Absent(f"no engine runs the original: {error}")
    if verification.first_difference is not None:
        raise OutputsDifferError(
            f"{original.name}: the optimized model computes other values, nothing was written; please report this:"
            f" {verification.first_difference}"
        )
    return verification
