"""
Regions and unsplit layers strung together to whole models.

They are like edges of a path from the first layer to the last. For a given limit of the peak, dynamic programming finds
the paths on which every edge keeps to it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Path:
    """A way from the first layer to some other, what it costs and which regions are on it."""

    macs: int = 0
    operators: int = 0
    upkeep: int = 0
    splits: tuple[SplitSpan, ...] = ()

    def along(self, edge: LayerCost | Candidate) -> "Path":
        """The path and one more layer or region."""
        splits = (*self.splits, edge.split) if isinstance(edge, Candidate) else self.splits
        return Path(self.macs + edge.macs, self.operators + edge.operators, self.upkeep + edge.upkeep, splits)


def not_dominated(paths: Iterable[Path]) -> list[Path]:
    """The paths than which no other has both fewer multiply-accumulates and less upkeep."""
    front: list[Path] = []
    for path in sorted(paths, key=lambda path: (path.macs, path.upkeep)):
        if not front or path.upkeep < front[-1].upkeep:
            front.append(path)
    return front


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
        paths = [path.along(layer) for path in reaching[-1]] if layer.peak <= limit else []
        paths += [path.along(region) for region in regions for path in reaching[region.split.span.first]]
        reaching.append(not_dominated(path for path in paths if path.macs + left <= maximum_macs))
    return reaching[-1]
