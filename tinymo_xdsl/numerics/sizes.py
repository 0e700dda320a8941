"""Amounts of memory as people write them."""

import re

_SIZE = re.compile(r"(0x[0-9a-f]+|[0-9]+(?:\.[0-9]+)?)\s*([kmg]?)(?:i?b)?", re.IGNORECASE)
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def parse_size(text: str | int) -> int:
    """
    A number of bytes: `65536`, `0x10000`, `64K`, `64KiB`, `1.5M`. K, M and G are powers of 1024.

    Raises `ValueError`, with what to write, for anything else and for less than a byte.
    """
    match = _SIZE.fullmatch(str(text).strip())
    value = 0.0
    if match is not None:
        number = match[1].lower()
        value = (int(number, 16) if number.startswith("0x") else float(number)) * _UNITS[match[2].lower()]
    if value < 1:
        raise ValueError(f"'{text}' is no size; write 65536, 64K, 64KiB, 1M or 0x10000")
    return int(value)
