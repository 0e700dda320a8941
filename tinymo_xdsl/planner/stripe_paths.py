"""
Regions and unsplit layers strung together to whole models.

They are like edges of a path from the first layer to the last. For a given limit of the peak, dynamic programming finds
the paths on which every edge keeps to it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import TypeAlias

from tinymo_xdsl.planner.stripe_candidates import Candidate, SplitSpan


@dataclass(frozen=True)
class LayerCost:
    """
    What a layer costs unsplit: bytes in use at its worst operator, multiply-accumulates, operators, and bytes that they
    take for good.
    """

    peak: int
    macs: int
    operators: int
    upkeep: int


Edge: TypeAlias = LayerCost | Candidate
"""What leads from one layer to a later one."""


@dataclass(frozen=True)
class Path:
    """A way from the first layer to some other, what it costs and which regions are on it."""

    macs: int = 0
    operators: int = 0
    upkeep: int = 0
    splits: tuple[SplitSpan, ...] = ()

    def along(self, edge: Edge) -> "Path":
        """The path and one more layer or region."""
        splits = (*self.splits, edge.split) if isinstance(edge, Candidate) else self.splits
        return Path(self.macs + edge.macs, self.operators + edge.operators, self.upkeep + edge.upkeep, splits)


def find_paths(layers: Sequence[LayerCost], pool: Iterable[Candidate], limit: int, maximum_macs: int) -> list[Path]:
    """The ways through the whole model, none dominated, with no peak above `limit` and no more MACs than allowed."""
    ending: list[list[Candidate]] = [[] for _ in layers]
    for candidate in pool:
        if candidate.peak <= limit:
            ending[candidate.split.span.last].append(candidate)
    # The MACs that are left when a layer is done are those of all layers behind it.
    left = sum(layer.macs for layer in layers)
    reaching = [[Path()]]
    for layer, regions in zip(layers, ending, strict=True):
        left -= layer.macs
        edges: list[tuple[Edge, list[Path]]] = []
        if layer.peak <= limit:
            edges.append((layer, reaching[-1]))
        edges += [(region, reaching[region.split.span.first]) for region in regions]
        ways = (
            (macs, path.upkeep + edge.upkeep, path, edge)
            for edge, paths in edges
            for path in paths
            if (macs := path.macs + edge.macs) + left <= maximum_macs
        )
        reaching.append([path.along(edge) for path, edge in not_dominated(ways)])
    return reaching[-1]


def not_dominated(ways: Iterable[tuple[int, int, Path, Edge]]) -> list[tuple[Path, Edge]]:
    """Those ways than which no other has both fewer multiply-accumulates, the first number, and less upkeep."""
    front: list[tuple[Path, Edge]] = []
    least: int | None = None
    for _, upkeep, path, edge in sorted(ways, key=itemgetter(0, 1)):
        if least is None or upkeep < least:
            least = upkeep
            front.append((path, edge))
    return front
