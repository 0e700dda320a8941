"""
Optimizes every `.tflite` file of a folder several times at once and compares the bytes of the results.

Run it by hand: `python tools/check_determinism.py FOLDER [--runs N] [--jobs N]`. Each run is a process of its own with
another hash seed, and as many of them as `--jobs` says keep the machine busy at once. It leaves with 1 if any two runs
of a model differ or one fails.
"""

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import sha256
from pathlib import Path

from tinymo_xdsl.errors import ExitStatus
from tinymo_xdsl.tools.command_line import ArgumentParser


def digest(path: Path, seed: int) -> str:
    """The digest of the optimized file, or what went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "optimized.tflite"
        command = [sys.executable, "-m", "tinymo_xdsl.tools.tinymo", "optimize", str(path), "--no-verify"]
        environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
        run = subprocess.run([*command, "-o", str(out)], env=environment, capture_output=True, text=True, check=False)
        if run.returncode:
            return f"failed: {' '.join(run.stderr.split())[-120:]}"
        return sha256(out.read_bytes()).hexdigest()


def main() -> int:
    """Print one line for each file."""
    parser = ArgumentParser("check_determinism.py", description="Whether optimizing always gives the same bytes.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=(os.cpu_count() or 1) + 1, help="runs at once")
    arguments = parser.parse(sys.argv[1:])
    status = ExitStatus.OK
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for path in sorted(arguments.folder.glob("*.tflite")):
            digests = sorted(set(pool.map(partial(digest, path), range(1, arguments.runs + 1))))
            if len(digests) > 1 or digests[0].startswith("failed"):
                status = ExitStatus.BAD_INPUT
            print(f"{path.stem}: {arguments.runs} runs: {', '.join(digests)}", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
