"""
Looks for models that a pass changes, and for bad files and texts that are not refused in an orderly way.

    python tools/fuzz.py [--first 0] [--count 100] [--only networks|files|texts]

Each seed makes a random network, a damaged file of it, and a damaged text of it. The network goes through import,
passes and export; every tensor that keeps its name must have the same values, in the interpreter and in TFLite Micro
where that is installed. Damage must be understood or refused with an error for people, in bounded time. A failure is
printed with its seed; of a network, layers are left out as long as it still fails. The exit status is 4 when values
differ, and 1 when something failed in another way.
"""

import signal
import sys
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from random import Random
from types import FrameType

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.transforms.canonicalize import CanonicalizePass

from tinymo_xdsl.analysis.peak import main_function, peak_of
from tinymo_xdsl.backend.tflite import export_model
from tinymo_xdsl.errors import ExitStatus, OutputsDifferError, TinymoError
from tinymo_xdsl.flatbuffer.model import Model
from tinymo_xdsl.flatbuffer.offline_plan import without_plan
from tinymo_xdsl.flatbuffer.reader import read_model
from tinymo_xdsl.flatbuffer.writer import write_model
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.interpreter.executor import run_and_observe
from tinymo_xdsl.interpreter.semantics import check_same
from tinymo_xdsl.passes.bufferize import BufferizePass
from tinymo_xdsl.passes.fold_constants import FoldConstantsPass
from tinymo_xdsl.passes.fold_pad import FoldPadPass
from tinymo_xdsl.passes.form_kernels import FormKernelsPass
from tinymo_xdsl.passes.legalize_for_tflite import LegalizeForTflitePass
from tinymo_xdsl.passes.plan_memory import plan_function
from tinymo_xdsl.passes.schedule import SchedulePass
from tinymo_xdsl.passes.spill_long_skips import SpillLongSkipsPass
from tinymo_xdsl.passes.split_sepconv import SplitSepconvPass
from tinymo_xdsl.search import Optimized, OptimizeOptions, optimize
from tinymo_xdsl.text.module import module_text, parse_module
from tinymo_xdsl.tflm.arena import BITS_64, arena_need
from tinymo_xdsl.tools.command_line import ArgumentParser
from tinymo_xdsl.tools.pass_pipeline import PassRunner, Timing
from tinymo_xdsl.universe import make_context
from tinymo_xdsl.verification.engines import TFLITE_MICRO, ModelFile, is_installed
from tinymo_xdsl.verification.inputs import sample
from tinymo_xdsl.verification.side_by_side import run_side_by_side
from tinymo_xdsl.zoo.random_model import Recipe, random_recipe

TIME_LIMIT = 120
"""Seconds for one check."""

PASSES: tuple[ModulePass, ...] = (
    FoldPadPass(),
    FoldConstantsPass(),
    CanonicalizePass(),
    SplitSepconvPass(chains="any", max_overhead=100.0),
    FormKernelsPass(),
    LegalizeForTflitePass(),
    SchedulePass(),
)
"""One after the other; what they make is written to a file."""

RAM_SHARES = (None, 0.8, 0.5)
"""Budgets for `optimize`, of the peak of the model as it comes; `None` is the lowest peak."""


def check_network(recipe: Recipe) -> None:
    """
    Send a network through everything that must keep its values.

    Raises `OutputsDifferError` when a value changes.
    """
    data = write_model(recipe.model())
    check_engine(data)
    module = import_model(read_model(data))
    check_file(data, module, "the round trip")
    passed = module.clone()
    for pass_ in PASSES:
        before = passed.clone()
        run_passes(passed, pass_)
        check_same(before, passed, pass_name=f"pass '{pass_.name}'")
    check_file(data, passed, "the passes")
    for pass_ in (SplitSepconvPass(chains="any", stripes=2, max_overhead=1000.0), SpillLongSkipsPass(min_gap=1)):
        changed = module.clone()
        run_passes(changed, pass_)
        check_same(module, changed, pass_name=f"pass '{pass_.name}' alone")
        run_passes(changed, FormKernelsPass())
        check_buffers(changed)
        run_passes(changed, LegalizeForTflitePass())
        check_buffers(changed)
        check_same(module, import_model(export_model(changed)), pass_name=f"'{pass_.name}' and the round trip")
    check_optimize(data, module)


def check_buffers(module: ModuleOp) -> None:
    """Kernels on buffers, and in planned arenas, keep the values."""
    for bufferize in (BufferizePass(), BufferizePass(sharing="all", alignment=1)):
        buffers = module.clone()
        run_passes(buffers, bufferize)
        check_same(module, buffers, pass_name=f"bufferize, sharing {bufferize.sharing},")
        plan_function(main_function(buffers), alignment=bufferize.alignment, effort=0)
        check_same(module, buffers, pass_name=f"plan-memory, sharing {bufferize.sharing},")


def check_optimize(data: bytes, module: ModuleOp) -> None:
    """`optimize`, with and without plans and budgets, keeps the values, and never raises what it makes small."""
    before = peak_of(main_function(module)).live_peak_copies
    for share in RAM_SHARES:
        ram = None if share is None else int(before * share)
        optimized = optimize(module, OptimizeOptions(ram=ram, max_overhead=0.5, plan=False))
        check_optimized(data, module, optimized, f"optimize --no-plan --ram {ram}")
        assert optimized.after.live_peak_copies <= before, f"optimize --no-plan --ram {ram} raises the peak"
    arena = arena_need(read_model(data), BITS_64).total
    for overlap, spill in ((False, None), (True, None), (False, "psram")):
        optimized = optimize(module, OptimizeOptions(max_overhead=0.5, overlap=overlap, spill=spill))
        what = f"optimize, overlap {overlap}, spill {spill}"
        check_optimized(data, module, optimized, what)
        assert arena_need(optimized.model, BITS_64).total <= arena, f"{what}, raises the arena"


def check_optimized(data: bytes, module: ModuleOp, optimized: Optimized, what: str) -> None:
    """Module and file compute what they did."""
    check_same(module, optimized.module, pass_name=what)
    check_written(data, optimized.model, what)


def run_passes(module: ModuleOp, *passes: ModulePass) -> None:
    """Apply and verify, as `tinymo-opt` does."""
    PassRunner(make_context(), "the network", Timing()).run(module, passes)


def check_file(data: bytes, module: ModuleOp, what: str) -> None:
    """Write `module`; the file must compute what the file `data` computes."""
    check_written(data, export_model(module), what)


def check_written(data: bytes, model: Model, what: str) -> None:
    """The file of `model` must compute what the file `data` computes, read again or run by TFLite Micro."""
    written = write_model(model)
    check_same(import_model(read_model(data)), import_model(without_plan(read_model(written))), pass_name=what)
    if is_installed(TFLITE_MICRO):
        names = ("the network", "the result")
        verification = run_side_by_side(TFLITE_MICRO.name, (data, written), names, runs=1, seed=0)
        if verification.first_difference is not None:
            raise OutputsDifferError(f"{what}, in TFLite Micro: {verification.first_difference}")


def check_engine(data: bytes) -> None:
    """Each tensor must have the same values in the interpreter and in TFLite Micro, if that is installed."""
    if not is_installed(TFLITE_MICRO):
        return
    file = ModelFile.read("the network", data)
    (graph,) = file.model.subgraphs
    inputs = [sample(graph.tensors[index], 0, 0, 0, position) for position, index in enumerate(graph.inputs)]
    session = TFLITE_MICRO.load(file, keep_tensors=True)
    session.invoke(inputs)
    _, interpreted = run_and_observe(import_model(file.model), inputs)
    for index in (index for operator in graph.operators for index in operator.outputs):
        name = graph.tensors[index].name
        if not np.array_equal(interpreted[name], session.tensor(index)):
            raise OutputsDifferError(f"tensor '{name}' has other values in the interpreter than in TFLite Micro")


def check_damaged_file(seed: int) -> bool:
    """Whether a damaged file is understood. Only a `TinymoError` may say no."""
    random = Random(seed)
    data = damaged_bytes(random, write_model(random_recipe(seed, maximum_steps=4).model()))
    try:
        module = import_model(read_model(data, "damaged.tflite"))
        run_passes(module, *PASSES)
        write_model(export_model(module))
    except TinymoError as error:
        check_message(error)
        return False
    return True


def check_damaged_text(seed: int) -> bool:
    """Whether a damaged text is understood. Only a `TinymoError` may say no."""
    random = Random(seed)
    recipe = random_recipe(seed, maximum_steps=4)
    text = damaged_text(random, module_text(import_model(recipe.model())))
    try:
        module = parse_module(make_context(), text.encode("utf-8", "replace"), "damaged.mlir")
        run_passes(module, *PASSES)
        write_model(export_model(module))
    except TinymoError as error:
        check_message(error)
        return False
    return True


def check_message(error: TinymoError) -> None:
    """A message is for people: it is there, and it is short."""
    message = str(error)
    assert message.strip(), f"{type(error).__name__} has no message"
    longest = max(map(len, message.splitlines()))
    assert longest < 1000, f"a line of {longest} characters: {message[:200]}"


def damaged_bytes(random: Random, data: bytes) -> bytes:
    """A few bytes or whole words changed, or the end cut off."""
    damaged = bytearray(data)
    for _ in range(random.randint(1, 4)):
        position = random.randrange(len(damaged))
        match random.choice(("byte", "byte", "bit", "word", "cut")):
            case "byte":
                damaged[position] = random.choice((0, 1, 127, 128, 255, random.randrange(256)))
            case "bit":
                damaged[position] ^= 1 << random.randrange(8)
            case "word":
                word = random.choice((0, 1, 4, len(data), 2**16, 2**31 - 1, 2**31, 2**32 - 4))
                damaged[position : position + 4] = word.to_bytes(4, "little")
            case _ if random.random() < 0.1:
                del damaged[position + 1 :]
            case _:
                continue
    return bytes(damaged)


def damaged_text(random: Random, text: str) -> str:
    """One other digit, which often leaves a module; or words and lines left out, doubled, swapped and changed."""
    lines = text.splitlines()
    if random.random() < 0.5:
        at = random.randrange(len(lines))
        lines[at] = damaged_digit(random, lines[at])
        return "\n".join(lines)
    for _ in range(random.randint(1, 2)):
        at = random.randrange(len(lines))
        match random.choice(("number", "word", "character", "remove", "double", "swap")):
            case "word":
                lines[at] = damaged_word(random, lines[at], str.isspace, random.choice(lines).split())
            case "number":
                numbers = ["0", "1", "-1", "2", "3", "255", "65536", "2147483648", "9223372036854775808", "1.5"]
                lines[at] = damaged_word(random, lines[at], lambda letter: not letter.isdigit(), numbers)
            case "character" if lines[at]:
                place = random.randrange(len(lines[at]))
                letter = random.choice("%@#!<>(){}[]:,\"'=-x0 \0é")
                lines[at] = lines[at][:place] + letter + lines[at][place + 1 :]
            case "remove" if len(lines) > 1:
                del lines[at]
            case "double":
                lines.insert(at, lines[at])
            case _:
                other = random.randrange(len(lines))
                lines[at], lines[other] = lines[other], lines[at]
    return "\n".join(lines)


def damaged_digit(random: Random, line: str) -> str:
    """`line` with another digit in place of one."""
    places = [at for at, letter in enumerate(line) if letter.isdigit()]
    if not places:
        return line
    place = random.choice(places)
    return line[:place] + random.choice("0123456789") + line[place + 1 :]


def damaged_word(random: Random, line: str, separates: Callable[[str], bool], words: list[str]) -> str:
    """`line` with one of its words, which lie between characters that separate, replaced by one of `words`."""
    starts = [at for at, letter in enumerate(line) if not separates(letter) and (at == 0 or separates(line[at - 1]))]
    if not starts or not words:
        return line
    start = random.choice(starts)
    end = next((at for at in range(start, len(line)) if separates(line[at])), len(line))
    return line[:start] + random.choice(words) + line[end:]


def failure(check: Callable[[], object]) -> Exception | None:
    """What `check` raises."""
    try:
        with time_limit(TIME_LIMIT):
            check()
    # Whatever it is, it is what is looked for.
    except Exception as error:
        return error
    return None


@contextmanager
def time_limit(seconds: int) -> Generator[None]:
    """A `TimeoutError` in the `with` block after so many seconds."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"took longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def shrink(recipe: Recipe, kind: type[Exception]) -> Recipe:
    """A recipe of as few steps as possible that fails in the same way."""
    for smaller in recipe.smaller():
        error = failure(lambda smaller=smaller: check_network(smaller))
        if type(error) is kind:
            return shrink(smaller, kind)
    return recipe


def report(kind: str, seed: int, error: Exception) -> None:
    """Print a failure, and the smallest network that has it."""
    print(f"{kind}, seed {seed}: {type(error).__name__}: {' '.join(str(error).split())[:500]}")
    if kind == "networks":
        smallest = shrink(random_recipe(seed), type(error))
        again = failure(lambda: check_network(smallest))
        print(f"  smallest: {smallest}\n  {' '.join(str(again).split())[:500]}")
    sys.stdout.flush()


CHECKS: dict[str, Callable[[int], object]] = {
    "networks": lambda seed: check_network(random_recipe(seed)),
    "files": check_damaged_file,
    "texts": check_damaged_text,
}


def main() -> int:
    """Try a range of seeds."""
    parser = ArgumentParser("fuzz.py", description=__doc__)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=100, help="how many seeds")
    parser.add_argument("--only", choices=sorted(CHECKS))
    options = parser.parse(sys.argv[1:])
    failures: Counter[str] = Counter()
    status = ExitStatus.OK
    for kind in [options.only] if options.only else CHECKS:
        for seed in range(options.first, options.first + options.count):
            error = failure(lambda kind=kind, seed=seed: CHECKS[kind](seed))
            if error is not None:
                failures[kind] += 1
                differs = isinstance(error, OutputsDifferError)
                status = max(status, ExitStatus.OUTPUTS_DIFFER if differs else ExitStatus.BAD_INPUT)
                report(kind, seed, error)
        print(f"{kind}: {failures[kind]} of {options.count} seeds from {options.first} on fail")
    return status


if __name__ == "__main__":
    sys.exit(main())
