"""
Sharing where it counts: at the steps with the most bytes in use.

Tensors that share bytes move together and are harder to place, so those that do not lower the peak stay apart.
"""

from collections.abc import Iterable, Sequence
from itertools import accumulate

from tinymo_xdsl.planner.sharing import Cluster, Clusters, Group, Piece, Tensor, Wish, ends_of


def share_at_peaks(tensors: Sequence[Tensor], wishes: Sequence[Wish], alignment: int = 1) -> list[Group]:
    """
    Groups of `tensors` in which those of `wishes` are granted that lower the peak: the bytes in use at the worst step.

    They are granted one after the other, each time the one that lowers the bytes at that step the most, of equals the
    first. In the end no wish alone lowers the peak.
    """
    search = _Search(tensors, wishes, alignment)
    while search.grant_best():
        pass
    return search.clusters.groups()


class _Search:
    def __init__(self, tensors: Sequence[Tensor], wishes: Sequence[Wish], alignment: int) -> None:
        self.clusters = Clusters(tensors, wishes, alignment)
        self.wishes = wishes
        self.steps = 1 + max((step for tensor in tensors for step in _steps(tensor)), default=0)
        # Clusters are told by the tensor that they are kept for.
        self.loads = [self._load(self.clusters.pieces(cluster) or ()) for cluster in self.clusters.of]
        self.total = [sum(column) for column in zip(*self.loads, strict=True)]

    def grant_best(self) -> bool:
        """Grants the best wish; `False` if none lowers the peak."""
        peak = max(self.total, default=0)
        worst = self.total.index(peak) if peak else 0
        best: tuple[list[int], Cluster] | None = None
        for wish in self.wishes:
            if (merged := self._merged(wish, worst)) is not None:
                total = self._total_with(wish, merged)
                if total[worst] < (best[0][worst] if best else peak):
                    best = total, merged
        if best is None:
            return False
        self.total, merged = best
        load = self._load(self.clusters.pieces(merged) or ())
        self.clusters.put(merged)
        for index in merged:
            self.loads[index] = load
        return True

    def _merged(self, wish: Wish, worst: int) -> Cluster | None:
        """The cluster that the wish would make, if that is possible and has bytes in use at step `worst`."""
        if not any(self.loads[index][worst] for index in ends_of(wish)):
            return None
        merged = self.clusters.merged(wish)
        if merged is None or self._span(merged) >= self.total[worst] or self.clusters.pieces(merged) is None:
            return None
        return merged

    def _span(self, cluster: Cluster) -> int:
        """The bytes from the lowest to the highest: what overlaps in a row drifts apart."""
        return max(at + self.clusters.tensors[index].size for index, at in cluster.items()) - min(cluster.values())

    def _total_with(self, wish: Wish, merged: Cluster) -> list[int]:
        mine, theirs = (self.loads[index] for index in ends_of(wish))
        load = self._load(self.clusters.pieces(merged) or ())
        return [t - a - b + c for t, a, b, c in zip(self.total, mine, theirs, load, strict=True)]

    def _load(self, pieces: Iterable[Piece]) -> list[int]:
        """The bytes in use at each step. Bytes that are overwritten within one step count once."""
        change = [0] * (self.steps + 1)
        before: Piece | None = None
        for piece in pieces:
            continues = before is not None and (before.start, before.last) == (piece.start, piece.first)
            change[piece.first + continues] += piece.stop - piece.start
            change[piece.last + 1] -= piece.stop - piece.start
            before = piece
        return list(accumulate(change[:-1]))


def _steps(tensor: Tensor) -> Iterable[int]:
    yield tensor.made
    yield from (read.step for read in tensor.reads)
