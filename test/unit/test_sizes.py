"""Sizes of memory as people write them."""

import pytest

from tinymo_xdsl.numerics.sizes import parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (7, 7),
        ("7", 7),
        ("64K", 65_536),
        ("64k", 65_536),
        ("64 KiB", 65_536),
        ("64kB", 65_536),
        ("2M", 2 << 20),
        ("1.5K", 1536),
        ("0x10000", 65_536),
        ("1G", 1 << 30),
    ],
)
def test_units_are_powers_of_1024(text: int | str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", [-1, 0, "", "K", "64Q", "0x", "0.4", "1,5K"])
def test_what_is_no_size_is_refused(text: int | str) -> None:
    with pytest.raises(ValueError, match="is no size; write 65536, 64K, 64KiB, 1M or 0x10000"):
        parse_size(text)
