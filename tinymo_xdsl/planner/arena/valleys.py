"""
Where the search branches: the edges of the valleys of a skyline.

A valley is a run of sections at one level between higher walls. Whatever comes next in the section at its edge begins
at this level, or not below the level that `Edge.lift` gives.
"""

from typing import NamedTuple, TypeAlias

from tinymo_xdsl.planner.arena.skyline import WALL, Skyline
from tinymo_xdsl.planner.arena.strategy import Side, Strategy


class Valley(NamedTuple):
    """The sections [first, end) at `level`, and the levels of the sections beside them."""

    first: int
    end: int
    level: int
    left: int
    right: int


class Edge(NamedTuple):
    """What can happen in the outermost section of a valley, on one side."""

    section: int
    level: int
    parts: list[int]
    """Parts that can begin at the valley's level, the first choice first."""
    lift: int
    """If none of them does: the lowest level at which another one, or one of them, can begin."""
    may_stay_empty: bool
    """Whether there is enough room above for the section to waste what is below `lift`."""
    slack: int
    """The units that the section may waste."""


Known: TypeAlias = dict[Valley, tuple[Edge, Edge]]
"""The edges of valleys that are as they were. They only change with the valley, if `Sections.is_local`."""


class Branch(NamedTuple):
    """The edge to branch at, and all edges found on the way, for the search below."""

    edge: Edge
    known: Known


def find_branch(skyline: Skyline, first: int, end: int, known: Known, strategy: Strategy) -> Branch | None:
    """
    The most constrained edge within the sections [first, end), after filling up what stays empty in any plan.

    `None` if no plan can follow. The section that shows it counts as a failure: later searches come to it earlier.
    """
    floor = skyline.floor
    best: Edge | None = None
    best_rank = (False, 0, 0)
    found: Known = {}
    start = first
    while start < end:
        valley = _run(floor, start, first, end)
        start = valley.end
        if valley.left <= valley.level or valley.right <= valley.level:
            continue
        edges = known.get(valley) or (_left_edge(skyline, valley), _right_edge(skyline, valley))
        empty = edges[0] if not edges[0].parts else edges[1]
        if not empty.parts:
            if not empty.may_stay_empty or not skyline.raise_floor(empty.section, empty.lift):
                skyline.failures[empty.section] += 1
                return None
            # The run before it may be a valley now.
            start = _run_start(floor, _run_start(floor, empty.section, first) - 1, first)
            continue
        found[valley] = edges
        for edge in edges:
            rank = _rank(skyline, edge, strategy)
            if (best is None or rank < best_rank) and _is_wanted(edge, valley, strategy.side):
                best, best_rank = edge, rank
    return None if best is None else Branch(best, found if skyline.sections.is_local else {})


def _rank(skyline: Skyline, edge: Edge, strategy: Strategy) -> tuple[bool, int, int]:
    """The smaller, the more constrained. A single choice always comes first, failures make an edge urgent."""
    choices = len(edge.parts) + edge.may_stay_empty
    urgency = 1 + skyline.failures[edge.section]
    if strategy.fewest:
        return choices > 1, (choices << 10) // urgency, edge.slack
    return choices > 1, (edge.slack << 10) // urgency, edge.level


def _is_wanted(edge: Edge, valley: Valley, side: Side) -> bool:
    """Whether to branch on this side; a single choice is no branch."""
    if side is Side.BOTH or len(edge.parts) + edge.may_stay_empty == 1:
        return True
    return edge.section == (valley.first if side is Side.LEFT else valley.end - 1)


def _run(floor: list[int], start: int, first: int, end: int) -> Valley:
    """The run of sections at one level that begins at `start`, valley or not, within [first, end)."""
    level = floor[start]
    stop = start + 1
    while stop < end and floor[stop] == level:
        stop += 1
    return Valley(start, stop, level, floor[start - 1] if start > first else WALL, floor[stop] if stop < end else WALL)


def _run_start(floor: list[int], section: int, first: int) -> int:
    """Where the run that holds `section` begins."""
    section = max(section, first)
    while section > first and floor[section - 1] == floor[section]:
        section -= 1
    return section


def _left_edge(skyline: Skyline, valley: Valley) -> Edge:
    sections, is_open = skyline.sections, skyline.is_open
    beginning = [part for part in skyline.starting[valley.first] if is_open[part]]
    inside = [part for part in beginning if sections.end[part] <= valley.end]
    lift = valley.left if skyline.spanning[valley.first] else WALL
    if len(inside) < len(beginning):
        lift = min(lift, valley.right)
    reach = max((sections.end[part] for part in inside), default=0)
    neighbours = (part for section in range(valley.first + 1, reach) for part in skyline.starting[section])
    smallest = WALL
    if _can_support(skyline, valley.first, valley.level, lift):
        sizes = (sections.size[p] for p in neighbours if is_open[p] and sections.end[p] <= valley.end)
        smallest = min(sizes, default=WALL)
    return _edge(skyline, valley.first, valley.level, inside, min(lift, valley.level + smallest))


def _right_edge(skyline: Skyline, valley: Valley) -> Edge:
    sections, is_open = skyline.sections, skyline.is_open
    ending = [part for part in skyline.ending[valley.end] if is_open[part]]
    inside = [part for part in ending if sections.first[part] >= valley.first]
    lift = valley.right if skyline.spanning[valley.end] else WALL
    if len(inside) < len(ending):
        lift = min(lift, valley.left)
    reach = min((sections.first[part] for part in inside), default=valley.end)
    neighbours = (part for section in range(reach + 1, valley.end) for part in skyline.ending[section])
    smallest = WALL
    if _can_support(skyline, valley.end - 1, valley.level, lift):
        sizes = (sections.size[p] for p in neighbours if is_open[p] and sections.first[p] >= valley.first)
        smallest = min(sizes, default=WALL)
    return _edge(skyline, valley.end - 1, valley.level, inside, min(lift, valley.level + smallest))


def _can_support(skyline: Skyline, section: int, level: int, lift: int) -> bool:
    """Whether it matters that a part could lie on top of a neighbour: below `lift`, with enough room left."""
    above = level + skyline.sections.smallest
    return above < lift and above <= skyline.ceiling[section]


def _edge(skyline: Skyline, section: int, level: int, parts: list[int], lift: int) -> Edge:
    if skyline.sections.all_simple:
        parts = _distinct(skyline, parts) if len(parts) > 1 else parts
    else:
        parts, lift = _ready(skyline, parts, section, level, lift)
    ceiling = skyline.ceiling[section]
    return Edge(section, level, parts, lift, lift <= ceiling, ceiling - level)


def _distinct(skyline: Skyline, parts: list[int]) -> list[int]:
    """One of each kind of simple parts: of equals it does not matter which one comes first."""
    sections = skyline.sections
    kinds = {(sections.first[part], sections.end[part], sections.size[part]): part for part in reversed(parts)}
    return [part for part in parts if part in kinds.values()]


def _ready(skyline: Skyline, parts: list[int], section: int, level: int, lift: int) -> tuple[list[int], int]:
    """
    The parts whose whole buffers can be placed now, and the level at which that may change for others.

    A buffer waits for its alignment, for its other parts, and for parts that hang too low.
    """
    sections = skyline.sections
    if hanging := skyline.hanging[section]:
        lift = min(lift, hanging[0][0])
    ready: list[int] = []
    for part in parts:
        buffer = sections.buffer[part]
        lowest = max(
            max(skyline.floor[sections.first[p] : sections.end[p]]) - sections.above[p] for p in sections.parts[buffer]
        )
        begin = skyline.lowest_offset(buffer, max(lowest, 0)) + sections.above[part]
        if begin == level:
            ready.append(part)
        else:
            lift = min(lift, max(begin, level + 1))
    return ready, lift
