"""A peak as lines of text: what reports and the pass `report-memory` show of it."""

from collections.abc import Collection, Sequence

from tinymo_xdsl.analysis.peak import KernelMemory, Peak

ROWS_OF_ALL = 40
"""A table of at most this many kernels is shown whole by default."""
ROWS_OF_SOME = 24
"""How many kernels a longer one shows."""

_BAR = 24
_NAME = 44
_ELLIPSIS = "..."


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
    width = max((len(f"{size:,}") for _, size in peak.alive), default=0)
    alive = [f"  {size:>{width},}  {shorten(name, 72)}" for name, size in peak.alive]
    return [f"peak at operator {peak.peak_index}, {kernel.operator}, while these are in memory:", *alive]


def table_lines(peak: Peak, rows: int | None = None) -> list[str]:
    """
    One line a kernel, in order of execution: its number, operator, bytes alive while it runs, and first output.

    `rows` limits the table to the kernels with the most bytes; by default long tables are limited.
    """
    kernels = peak.kernels
    limit = rows if rows is not None else len(kernels) if len(kernels) <= ROWS_OF_ALL else ROWS_OF_SOME
    shown = _largest(kernels, limit)
    operator_width = max((len(kernels[index].operator) for index in shown), default=0)
    lines: list[str] = []
    previous = -1
    for index in shown:
        lines += _gap(index - previous - 1)
        lines.append(_row(index, kernels[index], operator_width, peak.live_peak_copies))
        previous = index
    return lines + _gap(len(kernels) - previous - 1)


def _largest(kernels: Sequence[KernelMemory], limit: int) -> Collection[int]:
    by_size = sorted(range(len(kernels)), key=lambda index: (-kernels[index].live_bytes, index))
    return sorted(by_size[:limit])


def _gap(count: int) -> list[str]:
    return [f"      {_ELLIPSIS} {count} with less"] if count else []


def _row(index: int, kernel: KernelMemory, operator_width: int, most: int) -> str:
    bar = "#" * round(_BAR * kernel.live_bytes / most) if most else ""
    return (
        f"{index:>5} {kernel.operator:<{operator_width}} {kernel.live_bytes:>11,} {bar:<{_BAR}} {shorten(kernel.name)}"
    )
