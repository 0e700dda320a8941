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
    """The same with as many operators as fit `lines` lines, the peak at least."""
    if len(rows) <= lines:
        return table_lines(rows, len(rows))
    tables = (table_lines(rows, most) for most in range(lines, 0, -1))
    return next((table for table in tables if len(table) <= lines), table_lines(rows, 1))


def _largest(rows: Sequence[Row]) -> list[int]:
    return sorted(range(len(rows)), key=lambda index: (-rows[index].used, index))


def _lines(rows: Sequence[Row], shown: Sequence[int]) -> list[str]:
    operator_width = max((len(rows[index].operator) for index in shown), default=0)
    number_width = max((len(rows[index].number) for index in shown), default=0)
    peak = next(iter(shown), None)
    lines: list[str] = []
    previous = -1
    for index in _without_small_gaps(shown, len(rows)):
        lines += _gap(index - previous - 1)
        row = rows[index]
        mark = ">" if index == peak else " "
        start = f"{mark} {row.number:>{number_width}} {row.operator:<{operator_width}} {row.used:>11,}"
        lines.append(f"{start} {_bar(row.used, rows[shown[0]].used):<{_BAR}} {_fitting(row.name, len(start))}".rstrip())
        previous = index
    return lines + _gap(len(rows) - previous - 1)


def _without_small_gaps(shown: Sequence[int], count: int) -> list[int]:
    """The rows `shown`, and those alone between that take no more room than the word that they are left out."""
    ends = {*shown, -1, count}
    return [index for index in range(count) if index in ends or {index - 1, index + 1} <= ends]


def _bar(used: int, most: int) -> str:
    return "#" * round(_BAR * used / most) if most else ""


def _fitting(name: str, start: int) -> str:
    return shorten(name, max(WIDTH - start - _BAR - 2, 16))


def _gap(count: int) -> list[str]:
    return [f"  {_ELLIPSIS} {count} with less"] if count > 0 else []
