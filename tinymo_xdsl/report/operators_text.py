"""Lists of operators as text."""

from collections.abc import Sequence

from tinymo_xdsl.report.operators import OperatorSupport, OperatorUse, statements


def uses_text(uses: Sequence[OperatorUse]) -> str:
    """The operators of a model, and what an application must register to run it."""
    width = max(len(use.name) for use in uses)
    lines = [f"{'operator':<{width}}  count  version  types", *(_use(use, width) for use in uses)]
    calls = "".join(f"  {statement}\n" for statement in statements(uses))
    table = "".join(f"{line}\n" for line in lines)
    return f"{table}\ntflite::MicroMutableOpResolver<{len(uses)}> resolver;\n{calls}"


def _use(use: OperatorUse, width: int) -> str:
    versions = ",".join(map(str, use.versions))
    kind = " (custom)" if use.custom else ""
    return f"{use.name:<{width}}  {use.count:>5}  {versions:<7}  {', '.join(use.dtypes)}{kind}"


def support_text(operators: Sequence[OperatorSupport], *, everything: bool) -> str:
    """What this package does with each operator; those that only pass through are counted, or listed if wanted."""
    shown = [entry for entry in operators if everything or entry.tosa or entry.interpreted]
    width = max(len(entry.name) for entry in shown)
    lines = [f"{'operator':<{width}}  round trip  TOSA  interpreter"]
    lines += [f"{entry.name:<{width}}  yes         {_mark(entry.tosa)}   {_mark(entry.interpreted)}" for entry in shown]
    if hidden := len(operators) - len(shown):
        lines.append(f"and {hidden} more that pass through unchanged, as custom operators do; --all lists them")
    lines += [
        "",
        "round trip   read and written, field for field",
        "TOSA         understood, where its options and types have an exact meaning in TOSA: these can be optimized",
        "interpreter  computed by TinyMo itself, bit-exact to TFLite Micro for integers",
    ]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _mark(flag: bool) -> str:
    return "yes" if flag else "-  "
