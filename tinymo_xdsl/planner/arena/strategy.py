"""What the search tries first: it decides how soon a plan is found, never whether there is one."""

from dataclasses import dataclass
from enum import Enum

from tinymo_xdsl.planner.arena.random_numbers import RandomNumbers
from tinymo_xdsl.planner.arena.sections import Sections


class Side(Enum):
    """The edges of valleys at which the search branches."""

    BOTH = "both"
    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True)
class Strategy:
    """
    Where the search branches, and into what.

    Of the parts that fit at an edge the one with the largest size ** `size` * lifetime ** `lifetime` comes first,
    each times a random factor from 1 to 1 + `noise`.
    """

    fewest: bool = True
    """Branch where there are the fewest choices, or else where there is the least slack."""
    side: Side = Side.BOTH
    size: int = 1
    lifetime: int = 0
    noise: int = 0
    seed: int = 0

    def priority(self, sections: Sections) -> list[int]:
        """For each part a number: the smallest comes first."""
        numbers = RandomNumbers(self.seed)
        return [
            -(size**self.size) * (end - first) ** self.lifetime * (64 + numbers.below(64 * self.noise + 1))
            for size, first, end in zip(sections.size, sections.first, sections.end, strict=True)
        ]
