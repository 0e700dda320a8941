"""Options of passes as words of a command line."""

from dataclasses import dataclass
from typing import Literal

import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from tinymo_xdsl.tools.command_line import UsageError
from tinymo_xdsl.tools.pass_options import make_pass, parse_flag_options, parse_pass_list, pass_options, pass_summary


@dataclass(frozen=True)
class Example(ModulePass):
    """
    Does nothing, in two
    lines.

    And more.
    """

    name = "example"

    count: int = 1
    """How many."""
    size: int | str = "256k"
    ratio: float | None = None
    windows: tuple[int, ...] = (1, 2)
    names: tuple[str, ...] | None = None
    level: Literal[0, 1, "max"] = 0
    check_all: bool = False

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        raise NotImplementedError


@dataclass(frozen=True)
class Picky(ModulePass):
    name = "picky"

    count: int = 0

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ValueError("count must not be negative")

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Example()),
        ("count=3", Example(count=3)),
        ("count=-3", Example(count=-3)),
        ("size=64", Example(size=64)),
        ("size=64k", Example(size="64k")),
        ("ratio=2", Example(ratio=2.0)),
        ("ratio=1e-3", Example(ratio=0.001)),
        ("ratio", Example(ratio=None)),
        ("windows=4", Example(windows=(4,))),
        ("windows=4,5,6,count=2", Example(windows=(4, 5, 6), count=2)),
        ("windows=4,5 count=2", Example(windows=(4, 5), count=2)),
        ('names=a,"b,c d",e.f/g', Example(names=("a", "b,c d", "e.f/g"))),
        ("level=1", Example(level=1)),
        ("level=max", Example(level="max")),
        ("check-all", Example(check_all=True)),
        ("check-all,count=2", Example(check_all=True, count=2)),
        ("check_all=off", Example(check_all=False)),
        ("check-all=on", Example(check_all=True)),
    ],
)
def test_flag_options(text: str, expected: Example):
    assert make_pass(Example, parse_flag_options(Example, text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("example", Example()),
        ("example{count=3 ratio=2 windows=4,5 check-all}", Example(3, ratio=2.0, windows=(4, 5), check_all=True)),
        ('example{names="a b",c level=max}', Example(names=("a b", "c"), level="max")),
    ],
)
def test_pass_list(text: str, expected: Example):
    (spec,) = parse_pass_list(text)
    assert make_pass(Example, spec) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cuont=3", "pass 'example' has no option 'cuont'; did you mean 'count'?"),
        ("3", "pass 'example' has no option '3'; it has count, size, ratio, windows, names, level, check-all"),
        ("count=3,4", "option 'count' of pass 'example' takes an integer, not '3,4'"),
        ("count=x", "option 'count' of pass 'example' takes an integer, not 'x'"),
        ("count", "option 'count' of pass 'example' takes an integer, not 'nothing'"),
        ("windows=1,x", "option 'windows' of pass 'example' takes a list of an integer, not '1,x'"),
        ("level=2", "option 'level' of pass 'example' takes 0 or 1 or max, not '2'"),
        ("check-all=maybe", "option 'check-all' of pass 'example' takes true or false, not 'maybe'"),
    ],
)
def test_wrong_options(text: str, message: str):
    with pytest.raises(UsageError) as caught:
        make_pass(Example, parse_flag_options(Example, text))
    assert str(caught.value) == message


def test_a_pass_can_refuse_a_value():
    with pytest.raises(UsageError, match="pass 'picky': count must not be negative"):
        make_pass(Picky, parse_flag_options(Picky, "count=-1"))


def test_documentation_is_the_first_paragraph_and_the_text_below_a_field():
    assert pass_summary(Example) == "Does nothing, in two lines."
    assert pass_summary(Picky) == ""
    count, size, *_, check_all = pass_options(Example)
    assert (count.doc, count.default) == ("How many.", "1")
    assert (size.doc, size.default) == ("", "256k")
    assert (check_all.name, check_all.default) == ("check-all", "false")
