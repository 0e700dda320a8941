"""What a search comes up with: split spans that go together, in which directions they run, and what becomes of them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from tinymo_xdsl.planner.stripe_build import Edges
from tinymo_xdsl.planner.stripe_candidates import SplitSpan
from tinymo_xdsl.planner.stripe_cost import Cost
from tinymo_xdsl.planner.stripes import Solution

Splits: TypeAlias = tuple[SplitSpan, ...]
"""Split spans in the order of the layers; they do not overlap."""


@dataclass(frozen=True)
class Draft:
    """What split spans cost, as far as that is known without their steps."""

    splits: Splits
    cost: Cost


@dataclass(frozen=True)
class Found:
    """A solution, what it was built from, and what it costs exactly."""

    splits: Splits
    solution: Solution
    cost: Cost

    @property
    def regions(self) -> "Regions":
        """The regions without their cuts."""
        return regions_of(self.splits)


Regions: TypeAlias = tuple[tuple[int, int, Edges, bool], ...]


def regions_of(splits: Splits) -> Regions:
    """What is split and in which direction it runs, but not where it is cut."""
    return tuple((split.span.first, split.span.last, split.edges, split.upwards) for split in splits)


def directions(splits: Splits) -> Iterator[Splits]:
    """
    The same spans in the directions that leave the free bytes of an arena in one piece, and all downwards.

    The result of a region lies at the other end of the arena than its input, and so does that of every layer between
    two regions. The next region runs downwards if its input lies at the high end, upwards if not.
    """
    turned: list[SplitSpan] = []
    for split in splits:
        upwards = bool(turned)
        if turned:
            between = split.span.first - turned[-1].span.last - 1
            upwards = turned[-1].upwards is (between % 2 == 1)
        turned.append(replace(split, upwards=upwards))
    yield from dict.fromkeys(
        (tuple(turned), tuple(replace(split, upwards=not split.upwards) for split in turned), splits)
    )
