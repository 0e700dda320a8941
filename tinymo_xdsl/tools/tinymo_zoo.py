"""`tinymo zoo`."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from tinymo_xdsl.errors import ExitStatus
from tinymo_xdsl.output import write_atomically
from tinymo_xdsl.tools.command_line import ArgumentParser, UsageError, did_you_mean
from tinymo_xdsl.tools.tinymo_arguments import parse

if TYPE_CHECKING:
    from tinymo_xdsl.zoo import Architecture, Parameter


_DESCRIPTION: Final = """\
Writes a well-known network as an int8 .tflite file. Weights follow from a seed:
shapes, operators and scales are real, what the network says is not.
"""

_EPILOG: Final = """\
tinymo zoo --list shows the networks, tinymo zoo NAME --help the parameters of one.
"""


def zoo(words: Sequence[str]) -> int:
    """Write a network of the zoo, or list them."""
    from tinymo_xdsl.zoo import ARCHITECTURES

    name = next((word for word in words if word in ARCHITECTURES), None)
    if name is None:
        return _list(words, list(ARCHITECTURES.values()))
    return _write(ARCHITECTURES[name], [word for word in words if word != name])


def _list(words: Sequence[str], networks: Sequence["type[Architecture]"]) -> int:
    names = [network.name for network in networks]
    parser = ArgumentParser("tinymo zoo", description=_DESCRIPTION, epilog=_EPILOG)
    parser.usage = "tinymo zoo NAME [PARAMETER ...] -o FILE | tinymo zoo --list"
    parser.add_argument("-o", "--output", metavar="FILE", help="the file to write")
    parser.add_argument("--list", action="store_true", help="show the networks and their parameters")
    if words and not words[0].startswith("-"):
        raise UsageError(f"the zoo has no '{words[0]}'{did_you_mean(words[0], names) or '; see --list'}")
    if not parse(parser, words).list:
        raise UsageError(f"name a network first: {', '.join(names)}")
    sys.stdout.write("\n".join(_description(network) for network in networks))
    return ExitStatus.OK


def _description(network: "type[Architecture]") -> str:
    lines = [f"{network.name}: {network.summary}", *(f"  {_usage(entry)}" for entry in network.parameters())]
    return "".join(f"{line}\n" for line in lines)


def _usage(parameter: "Parameter") -> str:
    return f"{_flag(parameter)} N  {_help(parameter)}"


def _flag(parameter: "Parameter") -> str:
    return f"--{parameter.name.replace('_', '-')}"


def _help(parameter: "Parameter") -> str:
    return f"{parameter.help} (default: {parameter.default})"


def _write(network: "type[Architecture]", words: Sequence[str]) -> int:
    parser = ArgumentParser(
        f"tinymo zoo {network.name}", description=f"Writes an int8 .tflite file:\n{network.summary}"
    )
    parser.add_argument("-o", "--output", metavar="FILE", required=True, help="the file to write")
    group = parser.add_argument_group("parameters")
    parameters = network.parameters()
    for entry in parameters:
        group.add_argument(
            _flag(entry), dest=entry.name, type=entry.type, default=entry.default, metavar="N", help=_help(entry)
        )
    options = parse(parser, words)

    from tinymo_xdsl.flatbuffer.writer import write_model
    from tinymo_xdsl.zoo import build

    chosen = {entry.name: getattr(options, entry.name) for entry in parameters}
    write_atomically(options.output, write_model(build(network.name, **chosen)))
    return ExitStatus.OK
