"""HTML and SVG from parts: text is escaped unless it is markup already."""

from html import escape
from typing import TypeAlias

Attribute: TypeAlias = str | int | float


class Markup(str):
    """Text that is markup: it stands as it is inside of an element. Any other string is escaped."""

    __slots__ = ()


_NAMES = {"class_": "class", "view_box": "viewBox", "pattern_units": "patternUnits"}
"""Attributes that are no Python names, or have capitals. In all others an underscore is a hyphen."""

_VOID = frozenset({"meta", "link", "br", "img", "input"})
"""Elements of HTML that have no end."""


def element(tag: str, *parts: str, **attributes: Attribute) -> Markup:
    """The element `tag` around `parts`, one after the other."""
    start = "".join(f' {_name(name)}="{escape(_printable(_value(value)))}"' for name, value in attributes.items())
    if tag in _VOID:
        return Markup(f"<{tag}{start}>")
    return Markup(f"<{tag}{start}>{joined(*parts)}</{tag}>")


def joined(*parts: str) -> Markup:
    """The parts one after the other, text escaped."""
    return Markup("".join(part if isinstance(part, Markup) else escape(_printable(part)) for part in parts))


def _name(name: str) -> str:
    return _NAMES.get(name, name.replace("_", "-"))


def _value(value: Attribute) -> str:
    """A number in as few digits as a picture needs."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _printable(text: str) -> str:
    """What a page cannot hold, as control characters and halves of surrogate pairs, becomes a replacement."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "\N{REPLACEMENT CHARACTER}" for sign in text)
