"""
Times what one MiB of weights costs to parse and to print.

Run it by hand: `python tools/bench_weights.py [MiB]`. The aim is under 50 ms each for one MiB.
"""

import random
import sys
import time
from collections.abc import Callable
from io import StringIO
from typing import TypeVar

from xdsl.context import Context
from xdsl.dialects.builtin import Builtin, BytesAttr, DenseIntOrFPElementsAttr, ModuleOp, TensorType, f32, i8, i32

from tinymo_xdsl.text.parser import TinymoParser
from tinymo_xdsl.text.printer import TinymoPrinter

ELEMENTS = {"i8": (i8, 1), "i32": (i32, 4), "f32": (f32, 4)}
REPEATS = 5
Result = TypeVar("Result")


def best_time(work: Callable[[], Result]) -> tuple[float, Result]:
    """The shortest of some runs, in milliseconds, and the result."""
    times: list[float] = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        result = work()
        times.append(1000 * (time.perf_counter() - start))
    return min(times), result


def print_module(module: ModuleOp) -> str:
    """The text of `module`."""
    stream = StringIO()
    TinymoPrinter(stream).print_op(module)
    return stream.getvalue()


def main() -> None:
    """Print one line for each element type."""
    size = int(float(sys.argv[1]) * 2**20) if len(sys.argv) > 1 else 2**20
    data = random.Random(0).randbytes(size)
    context = Context()
    context.load_dialect(Builtin)
    for name, (element, width) in ELEMENTS.items():
        weights = DenseIntOrFPElementsAttr(TensorType(element, [size // width]), BytesAttr(data))
        module = ModuleOp([], {"weights": weights})
        print_time, text = best_time(lambda module=module: print_module(module))
        parse_time, parsed = best_time(lambda text=text: TinymoParser(context, text, "weights").parse_module())
        if parsed.attributes["weights"] != weights:
            raise SystemExit(f"{name}: the weights changed")
        print(f"{name}: {size / 2**20:g} MiB parse {parse_time:.1f} ms, print {print_time:.1f} ms")


if __name__ == "__main__":
    main()
