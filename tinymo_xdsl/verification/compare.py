"""The choice of the engine, and the protection from what it does to its process."""

from dataclasses import replace
from typing import Literal

from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.flatbuffer.model import Model, Subgraph
from tinymo_xdsl.flatbuffer.writer import write_model
from tinymo_xdsl.verification import engines, isolation
from tinymo_xdsl.verification.engines import EngineName, ModelFile
from tinymo_xdsl.verification.inputs import sample
from tinymo_xdsl.verification.side_by_side import Verification, run_side_by_side

TIME_LIMIT = 900.0
"""Seconds that an engine may take for one comparison."""


def compare_models(
    a: Model | bytes,
    b: Model | bytes,
    *,
    runs: int = 5,
    seed: int = 0,
    engine: EngineName | Literal["auto"] = "auto",
    names: tuple[str, str] = ("the first file", "the second file"),
    time_limit: float = TIME_LIMIT,
) -> Verification:
    """
    Run both files on the same seeded inputs in one engine and compare values bit for bit.

    `engine="auto"` is TFLite Micro, or LiteRT for a first file that TFLite Micro cannot run. `names` are for messages.
    Raises `MissingToolError` without an engine; `BadModelError` if the files take different inputs, give different
    outputs, or no engine runs them. A second file that fails where the first one runs is an error, not a reason
    to change the engine. What is compared is told at `run_side_by_side`.
    """
    if runs < 1:
        raise ValueError(f"{runs} runs compare nothing")
    first, second = (_read(model, name) for model, name in zip((a, b), names, strict=True))
    _check_interfaces(first, second)
    refusals: list[str] = []
    for candidate in engines.installed_engines(engine):
        try:
            verification, _ = isolation.call(
                time_limit, run_side_by_side, candidate.name, (first.data, second.data), names, runs, seed
            )
        except isolation.EngineError as error:
            refusal = load_error(first.data, candidate.name, first.name)
            if refusal is None:
                reason = load_error(second.data, candidate.name, second.name) or str(error)
                raise BadModelError(f"{second.name}: {candidate.name} {reason}; it runs {first.name}") from error
            refusals.append(f"{candidate.name} {refusal}")
        else:
            return replace(verification, notes=(*refusals, *verification.notes))
    raise BadModelError(f"{first.name}: {'; '.join(refusals)}")


def load_error(data: bytes, engine: EngineName, name: str = "the model") -> str | None:
    """Why `engine` does not load `data` and run it once, in one line; `None` if it does."""
    engines.installed_engines(engine)
    try:
        isolation.call(TIME_LIMIT, _run_once, data, engine, name)
    except isolation.EngineError as error:
        return str(error)
    return None


def _read(model: Model | bytes, name: str) -> ModelFile:
    return ModelFile.read(name, model if isinstance(model, bytes) else write_model(model))


def _run_once(data: bytes, engine: EngineName, name: str) -> None:
    file = ModelFile.read(name, data)
    main = file.model.subgraphs[0]
    for keep_tensors in (False, True):
        session = engines.by_name(engine).load(file, keep_tensors)
        session.invoke([sample(main.tensors[index], 0, 0, 0, at) for at, index in enumerate(main.inputs)])


def _check_interfaces(first: ModelFile, second: ModelFile) -> None:
    a, b = first.model.subgraphs[0], second.model.subgraphs[0]
    for what, ours, theirs in (("takes", a.inputs, b.inputs), ("gives", a.outputs, b.outputs)):
        if _types(a, ours) != _types(b, theirs):
            raise BadModelError(
                f"{second.name} {what} {_types(b, theirs)}, but {first.name} {what} {_types(a, ours)}:"
                " they cannot be compared"
            )


def _types(subgraph: Subgraph, indices: tuple[int, ...]) -> str:
    tensors = [subgraph.tensors[index] for index in indices]
    return ", ".join(f"{tensor.dtype} {'x'.join(map(str, tensor.shape)) or 'scalar'}" for tensor in tensors)
