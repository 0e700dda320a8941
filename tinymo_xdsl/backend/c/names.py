"""The names of a generated library: its prefix, and one name for each thing that differs."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from tinymo_xdsl.backend.c.text import identifier
from tinymo_xdsl.errors import TinymoError

ThingT = TypeVar("ThingT")


@dataclass
class Names(Generic[ThingT]):
    """Gives each thing a name, and equal things the same one."""

    _names: dict[ThingT, str] = field(default_factory=dict[ThingT, str])
    _taken: set[str] = field(default_factory=set[str])
    """Names that are given already, or that nothing may have."""

    def reserve(self, names: Iterable[str]) -> None:
        """Keeps names for other things."""
        self._taken.update(names)

    def name(self, thing: ThingT, stem: str) -> str:
        """The name of `thing`: `stem`, with a number where other things have that name already."""
        if thing not in self._names:
            number = 1
            name = stem
            while name in self._taken:
                number += 1
                name = f"{stem}_{number}"
            self._taken.add(name)
            self._names[thing] = name
        return self._names[thing]

    @property
    def all(self) -> dict[ThingT, str]:
        """What has a name, in the order in which names were given."""
        return dict(self._names)


def checked_prefix(prefix: str) -> str:
    """`prefix` if every name that begins with it is a C identifier. Raises `TinymoError` if not."""
    if identifier(prefix) != prefix.lower() or not prefix.isidentifier():
        raise TinymoError(
            f"'{prefix}' cannot begin the names of a C library;"
            " use letters, digits and single underscores, a letter first"
        )
    return prefix
