"""
Plans problems in MiniMalloc's CSV form and tells the arena, the effort and the time of each.

Run it by hand: `python tools/bench_arena.py [--effort STATES] [--out FOLDER] FILE.csv ...`.
"""

import argparse
import time
from pathlib import Path

from tinymo_xdsl.errors import TinymoError
from tinymo_xdsl.planner.arena.minimalloc_csv import read_problem, write_solution
from tinymo_xdsl.planner.arena.portfolio import Effort, plan


def main() -> None:
    """Print one line for each file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.csv")
    parser.add_argument("--effort", type=int, default=Effort.DEFAULT, help="states to look at after the greedy methods")
    parser.add_argument("--out", type=Path, help="folder to write the plans to")
    arguments = parser.parse_args()
    print(f"{'problem':24} {'buffers':>7} {'bound':>9} {'arena':>9} {'optimal':7} {'states':>8} {'s (cpu)':>7}  method")
    for path in arguments.files:
        problem = read_problem(path.read_text(), str(path))
        start = time.process_time()
        solution = plan(problem, arguments.effort)
        seconds = time.process_time() - start
        print(
            f"{path.name:24} {len(problem.buffers):7} {solution.lower_bound:9} {solution.arena:9} "
            f"{'yes' if solution.optimal else 'no':7} {solution.states:8} {seconds:7.2f}  {solution.method}",
            flush=True,
        )
        if arguments.out is not None:
            arguments.out.mkdir(parents=True, exist_ok=True)
            (arguments.out / path.name).write_text(write_solution(problem, solution), newline="\n")


if __name__ == "__main__":
    try:
        main()
    except (TinymoError, OSError) as error:
        raise SystemExit(f"bench_arena: {error}") from error
