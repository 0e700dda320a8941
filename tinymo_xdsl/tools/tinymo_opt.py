"""`tinymo-opt`: xdsl-opt with a flag for each pass."""

import argparse
from collections.abc import Sequence

from xdsl.xdsl_opt_main import xDSLOptMain


class _AppendPass(argparse.Action):
    """Appends a pass to the pipeline: flags count in order of appearance."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        if option_string in ("-p", "--passes"):
            spec = str(values)
        else:
            name = (option_string or "").removeprefix("--")
            spec = f"{name}{{{values}}}" if values else name
        namespace.passes = ",".join(filter(None, [namespace.passes, spec]))


class TinymoOptMain(xDSLOptMain):
    """The driver of `tinymo-opt`."""

    def register_all_arguments(self, arg_parser: argparse.ArgumentParser) -> None:
        super().register_all_arguments(arg_parser)
        arg_parser.allow_abbrev = False
        taken = set(arg_parser._option_string_actions)
        arg_parser._option_string_actions["-p"].__class__ = _AppendPass
        for name in self.available_passes:
            if f"--{name}" not in taken:
                arg_parser.add_argument(
                    f"--{name}", action=_AppendPass, metavar="OPTIONS", dest=argparse.SUPPRESS, help=argparse.SUPPRESS
                )


def _expand_pass_flags(argv: Sequence[str], names: set[str]) -> list[str]:
    """`--cse in.mlir` must not take `in.mlir` for options."""
    return [f"{word}=" if word.removeprefix("--") in names and word.startswith("--") else word for word in argv]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tool on `argv`, the command line by default, and return its exit status."""
    import sys

    from xdsl.universe import Universe

    words = sys.argv[1:] if argv is None else argv
    TinymoOptMain("tinymo-opt", _expand_pass_flags(words, set(Universe.get_multiverse().all_passes))).run()
    return 0
