"""Two files in one engine, in the process of the caller."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tinymo_xdsl.errors import OutputsDifferError
from tinymo_xdsl.flatbuffer.model import Model, Operator, Subgraph, Tensor
from tinymo_xdsl.flatbuffer.spills import RELOAD_OPERATOR, SPILL_OPERATOR
from tinymo_xdsl.flatbuffer.writer import write_model
from tinymo_xdsl.verification import engines
from tinymo_xdsl.verification.engines import Array, Engine, EngineName, ModelFile, value_dtype
from tinymo_xdsl.verification.inputs import sample

_STATEFUL_STEPS = 4
"""Inferences in a run of a model with variables."""


@dataclass(frozen=True)
class Difference:
    """The first element that two files disagree on."""

    tensor: str
    index: tuple[int, ...]
    run: int
    step: int
    """The inference within the run; runs of models with variables have several."""
    values: tuple[int | float, int | float]
    """In the first file, in the second file."""
    planned: bool
    """Whether memory plans were followed. If values differ only then, a plan is wrong."""

    def __str__(self) -> str:
        first, second = self.values
        when = f"run {self.run}" + (f", inference {self.step}" if self.step else "")
        how = ", memory plan followed" if self.planned else ""
        return f"'{self.tensor}' {list(self.index)} is {first} in the first file, {second} in the second ({when}{how})"


@dataclass(frozen=True)
class Verification:
    """The result of running two files on the same inputs."""

    engine: EngineName
    version: str
    runs: int
    tensors: int
    """How many tensors were compared, outputs included."""
    not_comparable: int
    """Tensors that have the same name in both files, but not the same shape and type."""
    distinct_outputs: int
    """How many different outputs the inferences had. When it is 1, equal outputs prove little."""
    first_difference: Difference | None
    notes: tuple[str, ...] = ()

    @property
    def identical(self) -> bool:
        """Whether all compared values have the same bits in both files."""
        return self.first_difference is None

    def __str__(self) -> str:
        verdict = "identical" if self.first_difference is None else f"different: {self.first_difference}"
        scope = f"{self.tensors} tensors, {self.runs} runs, distinct outputs: {self.distinct_outputs}"
        return f"{verdict}; {scope}; {self.engine} {self.version}"


@dataclass(frozen=True)
class _Pair:
    """A tensor that both files compute: its index in the first file and in the second."""

    name: str
    first: int
    second: int


@dataclass
class _Tally:
    """What the comparison of some tensors has seen so far."""

    pairs: tuple[_Pair, ...]
    planned: bool
    first_difference: Difference | None = None
    seen: list[list[int]] = field(default_factory=list[list[int]])
    """For each inference a hash of each tensor's values."""

    def add(self, run: int, step: int, first: Sequence[Array], second: Sequence[Array]) -> None:
        """The values of one inference, one array for each pair."""
        self.seen.append([hash(values.tobytes()) for values in first])
        for pair, ours, theirs in zip(self.pairs, first, second, strict=True):
            self.first_difference = self.first_difference or self._difference(pair.name, run, step, ours, theirs)

    def _difference(self, name: str, run: int, step: int, first: Array, second: Array) -> Difference | None:
        if first.shape != second.shape:
            raise OutputsDifferError(
                f"tensor '{name}' has shape {first.shape} in one file, {second.shape} in the other"
            )
        # By their bits, so that NaN equals itself and the sign of a zero counts.
        bits = np.dtype(f"u{first.itemsize}")
        unequal = np.flatnonzero(first.ravel().view(bits) != second.ravel().view(bits))
        if not unequal.size:
            return None
        at = int(unequal[0])
        index = tuple(int(place) for place in np.unravel_index(at, first.shape))
        return Difference(name, index, run, step, (first.flat[at].item(), second.flat[at].item()), self.planned)

    def distinct(self, at: int) -> int:
        """How many different values the tensor at this place had."""
        return len({hashes[at] for hashes in self.seen})

    def most_varied(self) -> _Pair:
        """The last in the order of execution of the tensors that had the most different values."""
        return max(enumerate(self.pairs), key=lambda place: (self.distinct(place[0]), place[0]))[1]


def run_side_by_side(
    engine_name: EngineName, data: tuple[bytes, bytes], names: tuple[str, str], runs: int, seed: int
) -> Verification:
    """
    Both files on the same inputs; each run starts from fresh variables.

    Compared are the outputs of the files as they stand, memory plans followed if the engine does, and each inner
    tensor that keeps its name, shape and type, with the plans hidden. Of planned files one inner tensor is compared
    under the plans as well: the last of those that vary most, because a classifier's outputs may not vary at all.
    """
    engine = engines.by_name(engine_name)
    first, second = (ModelFile.read(name, content) for name, content in zip(names, data, strict=True))
    planned = engine.follows_plans and (first.has_plan or second.has_plan)
    outputs = _output_pairs(first.model, second.model)
    inner = _inner_pairs(first.model, second.model)
    kept, standing = _Tally(inner, planned=False), _Tally(outputs, planned)
    for run in range(runs):
        inputs = tuple(_inputs((first.model, second.model), seed, run))
        _compare_tensors(engine, first, second, run, inputs, kept)
        _compare_outputs(engine, first, second, run, inputs, standing)
    tallies = [kept, standing]
    if planned and inner and kept.most_varied() not in outputs:
        tallies.append(_compare_cut(engine, first, second, runs, seed, kept.most_varied()))
    distinct_outputs = len({tuple(hashes) for hashes in standing.seen})
    return Verification(
        engine=engine.name,
        version=engines.version(engine),
        runs=runs,
        tensors=len({*inner, *outputs}),
        not_comparable=_not_comparable(first.model, second.model),
        distinct_outputs=distinct_outputs,
        first_difference=next((tally.first_difference for tally in tallies if tally.first_difference), None),
        notes=tuple(_notes(runs, distinct_outputs, len({*inner} - {*outputs}))),
    )


def _notes(runs: int, distinct_outputs: int, inner: int) -> Iterator[str]:
    if runs > 1 and distinct_outputs == 1:
        yield f"all outputs are alike, so they prove little; {inner} inner tensors were compared"
    elif not inner:
        yield "no inner tensor has the same name in both files, only outputs were compared"


def _compare_tensors(
    engine: Engine, first: ModelFile, second: ModelFile, run: int, inputs: Sequence[Sequence[Array]], tally: _Tally
) -> None:
    a, b = engine.load(first, keep_tensors=True), engine.load(second, keep_tensors=True)
    for step, values in enumerate(inputs):
        a.invoke(values)
        b.invoke(values)
        tally.add(
            run, step, [a.tensor(pair.first) for pair in tally.pairs], [b.tensor(pair.second) for pair in tally.pairs]
        )


def _compare_outputs(
    engine: Engine, first: ModelFile, second: ModelFile, run: int, inputs: Sequence[Sequence[Array]], tally: _Tally
) -> None:
    a, b = engine.load(first), engine.load(second)
    for step, values in enumerate(inputs):
        tally.add(run, step, a.invoke(values), b.invoke(values))


def _compare_cut(engine: Engine, first: ModelFile, second: ModelFile, runs: int, seed: int, pair: _Pair) -> _Tally:
    """Both files up to the operator that computes `pair`, which becomes the output."""
    a, b = _cut(first, pair.first), _cut(second, pair.second)
    tally = _Tally((pair,), planned=True)
    for run in range(runs):
        # The files may write variables on different sides of the cut, so later inferences need not agree.
        inputs = next(_inputs((a.model, b.model), seed, run))
        _compare_outputs(engine, a, b, run, (inputs,), tally)
    return tally


def _cut(file: ModelFile, tensor: int) -> ModelFile:
    main = file.model.subgraphs[0]
    end = next(at for at, operator in enumerate(main.operators) if tensor in operator.outputs) + 1
    # All tensors stay: a plan has an offset for each.
    start = replace(main, operators=main.operators[:end], outputs=(tensor,))
    model = replace(file.model, subgraphs=(start, *file.model.subgraphs[1:]), signatures=())
    return ModelFile(file.name, write_model(model), model)


def _inputs(models: Sequence[Model], seed: int, run: int) -> Iterator[list[Array]]:
    """The input values of each inference of a run."""
    main = models[0].subgraphs[0]
    steps = _STATEFUL_STEPS if any(_has_state(model) for model in models) else 1
    for step in range(steps):
        yield [sample(main.tensors[index], seed, run, step, position) for position, index in enumerate(main.inputs)]


def _has_state(model: Model) -> bool:
    """Whether an inference may depend on the ones before. Nothing is known of most custom operators, so they count."""
    operators = (operator for subgraph in model.subgraphs for operator in subgraph.operators)
    tensors = (tensor for subgraph in model.subgraphs for tensor in subgraph.tensors)
    return any(_keeps_state(operator) for operator in operators) or any(tensor.is_variable for tensor in tensors)


def _keeps_state(operator: Operator) -> bool:
    if operator.custom:
        return operator.name not in (SPILL_OPERATOR, RELOAD_OPERATOR)
    return operator.name == "VAR_HANDLE"


def _output_pairs(first: Model, second: Model) -> tuple[_Pair, ...]:
    a, b = first.subgraphs[0], second.subgraphs[0]
    return tuple(_Pair(a.tensors[i].name, i, j) for i, j in zip(a.outputs, b.outputs, strict=True))


def _inner_pairs(first: Model, second: Model) -> tuple[_Pair, ...]:
    """What both files compute under the same name, in the first file's order of execution."""
    a, b = first.subgraphs[0], second.subgraphs[0]
    theirs = _computed(b)
    pairs = (_Pair(name, index, theirs[name]) for name, index in _computed(a).items() if name in theirs)
    return tuple(pair for pair in pairs if _alike(a.tensors[pair.first], b.tensors[pair.second]))


def _not_comparable(first: Model, second: Model) -> int:
    return len(_computed(first.subgraphs[0]).keys() & _computed(second.subgraphs[0]).keys()) - len(
        _inner_pairs(first, second)
    )


def _alike(a: Tensor, b: Tensor) -> bool:
    return (a.dtype, a.shape) == (b.dtype, b.shape)


def _computed(subgraph: Subgraph) -> dict[str, int]:
    """The tensors that operators write, by names that no other tensor has, in the order of execution."""
    count = Counter(tensor.name for tensor in subgraph.tensors)
    written = [index for operator in subgraph.operators for index in operator.outputs]
    tensors = ((index, subgraph.tensors[index]) for index in written)
    return {
        tensor.name: index
        for index, tensor in tensors
        if tensor.name and count[tensor.name] == 1 and value_dtype(tensor.dtype) is not None and not tensor.is_variable
    }
