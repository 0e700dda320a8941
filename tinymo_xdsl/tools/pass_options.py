"""
Passes and their options as words of a command line.

`-p` takes xDSL's own grammar, `name{option=value other=1,2}`. A flag of a pass takes the same options separated by
commas or spaces: `--name=option=value,other=1,2`. Values are read as the type that the option declares.
"""

import ast
import dataclasses
import inspect
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Literal, TypeAlias, Union, cast, get_args, get_origin, get_type_hints

from xdsl.passes import ModulePass
from xdsl.utils.arg_spec import ArgSpec, parse_pipeline
from xdsl.utils.exceptions import ArgSpecParseError

from tinymo_xdsl.tools.command_line import UsageError, did_you_mean

Scalar: TypeAlias = str | int | bool | float

_TOKEN = re.compile(r'(?:[^\s,"]|"[^"]*")+')
_TRUTH = {"true": True, "on": True, "false": False, "off": False}


@dataclass(frozen=True)
class PassOption:
    """One option of a pass, as the user writes it."""

    name: str
    """With dashes: `min-gap`."""
    hint: object
    """The declared type."""
    default: str | None
    """The default value as written on the command line; `None` if the option must be given."""
    doc: str

    def accepted(self) -> tuple[object, ...]:
        """The scalar types and literal values that one value may be."""
        return tuple(_flatten(self.hint))

    def takes_many(self) -> bool:
        """Whether the option is a list."""
        return any(get_origin(hint) is tuple for hint in (self.hint, *get_args(self.hint)))

    def kind(self) -> str:
        """What the value is, in words."""
        names = {int: "an integer", float: "a number", bool: "true or false", str: "a word"}
        words = [names[item] if isinstance(item, type) else str(item) for item in self.accepted()]
        return ("a list of " if self.takes_many() else "") + " or ".join(words)


def parse_pass_list(text: str) -> tuple[ArgSpec, ...]:
    """The passes of `-p`, in xDSL's grammar."""
    try:
        return tuple(parse_pipeline(text))
    except ArgSpecParseError as error:
        reason = str(error).rstrip().rpartition("\n")[2].strip()
        raise UsageError(f"cannot read the pass list '{text}': {reason}") from None


def parse_flag_options(pass_type: type[ModulePass], text: str) -> ArgSpec:
    """The options behind the flag of a pass: `min-gap=4,memory=psram`."""
    options = {option.name for option in pass_options(pass_type)}
    parameters: dict[str, tuple[Scalar, ...]] = {}
    name = ""
    for token in _TOKEN.findall(text):
        key, equals, value = token.partition("=")
        if equals or key.replace("_", "-") in options:
            name = key
            parameters[name] = (_unquote(value),) if equals else ()
        elif parameters.get(name):
            parameters[name] += (_unquote(token),)
        else:
            raise _unknown_option(pass_type, key)
    return ArgSpec(pass_type.name, parameters)


def make_pass(pass_type: type[ModulePass], spec: ArgSpec) -> ModulePass:
    """The pass that `spec` asks for; every error names the pass and the option in the user's spelling."""
    options = {option.name: option for option in pass_options(pass_type)}
    parameters: dict[str, tuple[Scalar, ...]] = {}
    for key, values in spec.parameters.items():
        option = options.get(key.replace("_", "-"))
        if option is None:
            raise _unknown_option(pass_type, key)
        parameters[option.name] = _convert(pass_type, option, values)
    for option in options.values():
        if option.default is None and option.name not in parameters:
            raise UsageError(f"pass '{pass_type.name}' needs the option '{option.name}', {option.kind()}")
    try:
        return pass_type.from_spec(ArgSpec(pass_type.name, parameters))
    except ValueError as error:
        raise UsageError(f"pass '{pass_type.name}': {error}") from None


def pass_options(pass_type: type[ModulePass]) -> tuple[PassOption, ...]:
    """The options of a pass, in the order of their declaration."""
    required = pass_type.required_fields()
    hints = get_type_hints(pass_type)
    docs = _field_docs(pass_type)
    return tuple(
        PassOption(
            field.name.replace("_", "-"),
            hints[field.name],
            None if field.name in required else _default_text(field),
            docs.get(field.name, ""),
        )
        for field in dataclasses.fields(pass_type)
        if field.init and field.name != "name"
    )


def pass_summary(pass_type: type[ModulePass]) -> str:
    """The first paragraph of the pass's own documentation on one line; empty without one."""
    doc = inspect.cleandoc(pass_type.__dict__.get("__doc__") or "")
    generated = doc.startswith(f"{pass_type.__name__}(")
    return "" if generated else " ".join(doc.partition("\n\n")[0].split())


def describe_pass(pass_type: type[ModulePass]) -> str:
    """A pass and its options as lines of a help text."""
    lines = [f"  --{pass_type.name}"]
    lines += textwrap.wrap(pass_summary(pass_type), 110, initial_indent="      ", subsequent_indent="      ")
    for option in pass_options(pass_type):
        default = "required" if option.default is None else f"default: {option.default or 'none'}"
        text = f"{option.name}=... {option.kind()} ({default}). {option.doc}"
        lines += textwrap.wrap(text.rstrip(), 106, initial_indent="          ", subsequent_indent=" " * 14)
    return "\n".join(lines)


def _flatten(hint: object) -> Iterator[object]:
    origin = get_origin(hint)
    if origin in (Union, UnionType, tuple):
        for argument in get_args(hint):
            if argument not in (NoneType, ...):
                yield from _flatten(argument)
    elif origin is Literal:
        yield from get_args(hint)
    else:
        yield hint


def _convert(pass_type: type[ModulePass], option: PassOption, values: tuple[Scalar, ...]) -> tuple[Scalar, ...]:
    accepted = option.accepted()
    if not values and (bool in accepted or NoneType in get_args(option.hint)):
        return (True,) if bool in accepted else ()
    converted = tuple(_read(_spell(value), accepted) for value in values)
    good = tuple(value for value in converted if value is not None)
    if len(good) < len(values) or not values or (len(values) > 1 and not option.takes_many()):
        given = ",".join(map(_spell, values)) or "nothing"
        raise UsageError(f"option '{option.name}' of pass '{pass_type.name}' takes {option.kind()}, not '{given}'")
    return good


def _read(text: str, accepted: tuple[object, ...]) -> Scalar | None:
    """`text` as the first of the accepted types that it fits."""
    for item in accepted:
        if isinstance(item, Scalar) and _spell(item) == text:
            return item
    if bool in accepted and text in _TRUTH:
        return _TRUTH[text]
    for kind in (int, float):
        if kind in accepted:
            try:
                return kind(text)
            except ValueError:
                continue
    return text if str in accepted else None


def _spell(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unquote(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def _unknown_option(pass_type: type[ModulePass], name: str) -> UsageError:
    names = [option.name for option in pass_options(pass_type)]
    hint = did_you_mean(name, names) or (f"; it has {', '.join(names)}" if names else "; it has none")
    return UsageError(f"pass '{pass_type.name}' has no option '{name}'{hint}")


def _default_text(field: dataclasses.Field[object]) -> str:
    value = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
    match value:
        case str() | bool() | int() | float():
            return _spell(value)
        case tuple():
            return ",".join(map(str, cast("tuple[object, ...]", value)))
        case _:
            return ""


def _field_docs(pass_type: type[ModulePass]) -> dict[str, str]:
    """The string below each field of a dataclass."""
    try:
        source = textwrap.dedent(inspect.getsource(pass_type))
    except (OSError, TypeError):
        return {}
    (definition,) = ast.parse(source).body
    docs: dict[str, str] = {}
    if isinstance(definition, ast.ClassDef):
        for field, below in zip(definition.body, definition.body[1:], strict=False):
            match field, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    docs[name] = " ".join(text.split())
                case _:
                    continue
    return docs
