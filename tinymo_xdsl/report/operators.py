"""Which operators a model uses, what an application must register for them, and what this package knows of each."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from tinymo_xdsl.flatbuffer.model import Model, Operator, Subgraph
from tinymo_xdsl.flatbuffer.schema import BUILTIN_OPERATORS
from tinymo_xdsl.flatbuffer.spills import RELOAD_OPERATOR, SPILL_OPERATOR
from tinymo_xdsl.interpreter.state import STATEFUL_OPERATORS
from tinymo_xdsl.interpreter.tflite_operators import OPERATORS
from tinymo_xdsl.operators.registry import FAMILIES

_RESOLVER_EXCEPTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "BATCH_MATMUL": "BatchMatMul",
        "CUMSUM": "CumSum",
        "PADV2": "PadV2",
        "UNIDIRECTIONAL_SEQUENCE_LSTM": "UnidirectionalSequenceLSTM",
    }
)
"""Operators that TFLite Micro's `micro_mutable_op_resolver.h` spells in a way of their own."""


@dataclass(frozen=True)
class OperatorUse:
    """One kind of operator in a model."""

    name: str
    custom: bool
    count: int
    versions: tuple[int, ...]
    dtypes: tuple[str, ...]
    """The types of the tensors that are computed from and computed, constants excluded, in the schema's words."""

    @property
    def registration(self) -> str:
        """The call by which a `MicroMutableOpResolver` learns of the operator."""
        if self.custom:
            return f'AddCustom("{self.name}", ...)'
        words = (word if word == "2D" else word.capitalize() for word in self.name.split("_"))
        return f"Add{_RESOLVER_EXCEPTIONS.get(self.name, ''.join(words))}()"


def statements(uses: Iterable[OperatorUse]) -> tuple[str, ...]:
    """
    The C++ statements by which an application's `resolver` learns of the operators, each once.

    Spills and reloads come together, with the application's array of memories: see `runtime/tflm/tinymo_spill.h`.
    """
    return tuple(dict.fromkeys(_statement(use) for use in uses))


def _statement(use: OperatorUse) -> str:
    if use.custom and use.name in (SPILL_OPERATOR, RELOAD_OPERATOR):
        return "tinymo::AddSpillOps<spill_memories>(resolver);"
    return f"resolver.{use.registration};"


def operator_uses(model: Model) -> tuple[OperatorUse, ...]:
    """The operators of all subgraphs, the most frequent first."""
    members: dict[tuple[str, bool], list[tuple[Subgraph, Operator]]] = {}
    for graph in model.subgraphs:
        for operator in graph.operators:
            members.setdefault((operator.name, operator.custom), []).append((graph, operator))
    uses = [_use(name, custom, found) for (name, custom), found in members.items()]
    return tuple(sorted(uses, key=lambda use: (-use.count, use.name)))


def _use(name: str, custom: bool, members: list[tuple[Subgraph, Operator]]) -> OperatorUse:
    versions = sorted({operator.version for _, operator in members})
    dtypes = dict.fromkeys(dtype for graph, operator in members for dtype in _dtypes(graph, operator))
    return OperatorUse(name, custom, len(members), tuple(versions), tuple(dtypes))


def _dtypes(graph: Subgraph, operator: Operator) -> Iterator[str]:
    tensors = [graph.tensors[index] for index in (*operator.inputs, *operator.outputs) if index >= 0]
    return (tensor.dtype for tensor in tensors if tensor.data is None)


def added_operators(before: Model, after: Model) -> tuple[OperatorUse, ...]:
    """What `after` has more of than `before`, with the difference as the count."""
    known = Counter({(use.name, use.custom): use.count for use in operator_uses(before)})
    uses = ((use, use.count - known[use.name, use.custom]) for use in operator_uses(after))
    return tuple(OperatorUse(use.name, use.custom, count, use.versions, use.dtypes) for use, count in uses if count > 0)


def new_operators(before: Model, added: Iterable[OperatorUse]) -> tuple[OperatorUse, ...]:
    """What an application that ran `before` must register besides to run the operators `added`."""
    known = {(use.name, use.custom) for use in operator_uses(before)}
    return tuple(use for use in added if (use.name, use.custom) not in known)


@dataclass(frozen=True)
class OperatorSupport:
    """What this package does with one operator. Every builtin operator at least passes through unchanged."""

    name: str
    tosa: bool
    """Whether it becomes TOSA ops, where its options have an exact meaning there. Only those can be optimized."""
    interpreted: bool
    """Whether the interpreter computes it, whole or as TOSA ops."""


def supported_operators() -> tuple[OperatorSupport, ...]:
    """All builtin operators of the schema by name."""
    interpreted = FAMILIES.keys() | OPERATORS.keys() | STATEFUL_OPERATORS
    return tuple(OperatorSupport(name, name in FAMILIES, name in interpreted) for name in sorted(BUILTIN_OPERATORS))
