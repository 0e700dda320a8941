"""Memory as lines of text: what reports and the pass `report-memory` show of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from tinymo_xdsl.analysis.peak import Peak

ROWS_OF_ALL = 40
"""A table of at most this many rows is shown whole by default."""
ROWS_OF_SOME = 24
"""How many rows a longer one shows."""
WIDTH = 100
"""Characters of a line."""

_BAR = 20
_NAME = 44
_ELLIPSIS = "..."


@dataclass(frozen=True)
class Row:
    """One operator in a table."""

    number: str
    operator: str
    used: int
    """Bytes in memory while it runs."""
    name: str
    """Its first output."""


def in_bytes(count: int) -> str:
    """A number of bytes for people: `55,296 bytes (54.0 KiB)`."""
    return f"{count:,} bytes" if count < 1024 else f"{count:,} bytes ({count / 1024:,.1f} KiB)"


def shorten(name: str, width: int = _NAME) -> str:
    """A name in at most `width` characters and on one line. Converters make names of hundreds of them."""
    printable = "".join(character if character.isprintable() else "?" for character in name)
    if len(printable) <= width:
        return printable
    tail = (width - len(_ELLIPSIS)) // 2
    return f"{printable[: width - len(_ELLIPSIS) - tail]}{_ELLIPSIS}{printable[-tail:]}"


def peak_lines(peak: Peak) -> list[str]:
    """Where the peak is, and every tensor that is alive there."""
    kernel = peak.peak_kernel
    if kernel is None:
        return ["no operators"]
    title = f"peak at operator {peak.peak_index}, {kernel.operator}, while these are in memory:"
    return [title, *(f"  {line}" for line in sized_names(peak.alive, WIDTH - 4))]


def sized_names(entries: Sequence[tuple[str, int]], width: int, most: int | None = None) -> list[str]:
    """Names with their bytes, a line of `width` characters each; of more than `most`, the rest in one line."""
    shown = entries if most is None or len(entries) <= most else entries[: most - 1]
    digits = max((len(f"{size:,}") for _, size in entries), default=0)
    lines = [f"{size:>{digits},}  {shorten(name, width - digits - 2)}" for name, size in shown]
    if rest := entries[len(shown) :]:
        total = sum(size for _, size in rest)
        lines.append(f"{total:>{digits},}  in {len(rest)} more")
    return lines


def kernel_rows(peak: Peak) -> list[Row]:
    """The rows of a function's kernels."""
    return [Row(str(at), row.operator, row.live_bytes, row.name) for at, row in enumerate(peak.kernels)]


def rows_to_show(count: int) -> int:
    """How many rows of a table of `count` are shown by default."""
    return count if count <= ROWS_OF_ALL else ROWS_OF_SOME


def table_lines(rows: Sequence[Row], most: int) -> list[str]:
    """
    One line an operator, in order of execution: its number, name, bytes in memory with a bar, and first output.

    At most `most` are shown, those with the most bytes; the first of the largest is marked as the peak.
    """
    return _lines(rows, _largest(rows)[:most])


def table_of_lines(rows: Sequence[Row], lines: int) -> list[str]:
    """The same with as many operators as fit `lines` lines: the peak, then those with the most bytes that still fit."""
    order = _largest(rows)
    shown = order[:1]
    for index in order[1:]:
        if len(_places([*shown, index], len(rows))) <= lines:
            shown.append(index)
    return _lines(rows, shown)


def _largest(rows: Sequence[Row]) -> list[int]:
    return sorted(range(len(rows)), key=lambda index: (-rows[index].used, index))


def _places(shown: Sequence[int], count: int) -> list[range]:
    """What each line of a table stands for: one row, or several that are left out. A gap of one row is not worth it."""
    places: list[range] = []
    start = 0
    for index in (*sorted(shown), count):
        gap = range(start, index)
        places += [gap] if len(gap) > 1 else [range(row, row + 1) for row in gap]
        places += [range(index, index + 1)] if index < count else []
        start = index + 1
    return places


def _lines(rows: Sequence[Row], shown: Sequence[int]) -> list[str]:
    operator_width = max((len(row.operator) for row in rows), default=0)
    number_width = max((len(row.number) for row in rows), default=0)
    peaks = _largest(rows)
    lines: list[str] = []
    for place in _places(shown, len(rows)):
        if len(place) > 1:
            lines.append(f"  {_ELLIPSIS} {len(place)} more")
            continue
        row, peak = rows[place[0]], rows[peaks[0]]
        mark = ">" if place[0] == peaks[0] else " "
        start = f"{mark} {row.number:>{number_width}} {row.operator:<{operator_width}} {row.used:>11,}"
        lines.append(f"{start} {_bar(row.used, peak.used):<{_BAR}} {_fitting(row.name, len(start))}".rstrip())
    return lines


def _bar(used: int, most: int) -> str:
    return "#" * round(_BAR * used / most) if most else ""


def _fitting(name: str, start: int) -> str:
    return shorten(name, max(WIDTH - start - _BAR - 2, 16))
