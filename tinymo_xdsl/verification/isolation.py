"""
Calls in a process of their own.

A native engine that is given a wrong model may end the process or never return. Here this becomes an `EngineError`.
"""

import os
import pickle
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

from tinymo_xdsl.errors import BadModelError, TinymoError

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_SERVE = "from tinymo_xdsl.verification.isolation import serve; serve()"
_SOURCE_FILE = re.compile(r"^\S+\.cc(:\d+)?:?\s+")
"""Where in its own source an engine complains from."""
_LONGEST_MESSAGE = 300


class EngineError(BadModelError):
    """An engine that refused a model, crashed on it, or took too long. The message completes "the engine ..."."""


def call(
    time_limit: float, function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> tuple[Result, str]:
    """
    The result of `function(*args, **kwargs)` in a fresh process, and what it wrote to its standard error.

    The function is importable by its name; arguments and result are pickled. A `TinymoError` in the function is
    raised here. A crash, any other exception, and more than `time_limit` seconds are an `EngineError`.
    """
    request = pickle.dumps((function, args, kwargs))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "answer")
        command = [sys.executable, "-c", _SERVE, str(answer)]
        try:
            process = subprocess.run(
                command, input=request, capture_output=True, timeout=time_limit, env=environment, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise EngineError(f"took longer than {time_limit:g} s") from error
        log = process.stderr.decode(errors="replace")
        if process.returncode != 0:
            raise EngineError(_explain(_cause_of_death(process.returncode), log))
        result = cast(Result | TinymoError, pickle.loads(answer.read_bytes()))
    if isinstance(result, EngineError):
        raise EngineError(_explain(str(result), log))
    if isinstance(result, TinymoError):
        raise result
    return result, log


def serve() -> None:
    """The other side of `call`: the request is on standard input, the answer goes to the file of the command line."""
    function, args, kwargs = pickle.load(sys.stdin.buffer)
    try:
        result = function(*args, **kwargs)
    except TinymoError as error:
        result = error
    Path(sys.argv[1]).write_bytes(pickle.dumps(result))


def _cause_of_death(status: int) -> str:
    if status >= 0:
        return f"failed with exit status {status}"
    return f"crashed ({signal.Signals(-status).name})"


def _explain(what: str, log: str) -> str:
    """`what` with the last things that the engine said, on one line."""
    lines = [_SOURCE_FILE.sub("", line.strip()).rstrip(".") for line in log.splitlines()]
    said = [line for line in lines if line and not line.startswith(("INFO:", "WARNING:"))]
    return textwrap.shorten("; ".join([what, *said[-2:]]), _LONGEST_MESSAGE, placeholder=" ...")
