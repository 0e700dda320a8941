"""
TFLite facts: what a `.tflite` file says of tensors and operators that TOSA has no words for.

Facts are builtin attributes under discardable keys, so that text with them parses in a stock `mlir-opt`:

- `tinymo.tensor`: on an op or a function argument; one dictionary, or an array of them for several results.
  A value *with* it is a tensor of the file. A value without, such as an accumulator, is never in memory.
- `tinymo.operator`: on the op that yields the tensor; the operator's name, version and the options that the TOSA
  ops do not express.
- `tinymo.subgraph` on the function, `tinymo.model` on the module: see `frontend` and `backend.tflite`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from xdsl.dialects.builtin import (
    ArrayAttr,
    DictionaryAttr,
    UnitAttr,
)
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Block, BlockArgument, Operation, OpResult, SSAValue

from tinymo_xdsl.dialects import tinymo
from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.fact_entries import (
    FactReader,
    OptionFact,
    dictionary_of,
    flag_attribute,
    integer_attribute,
    integers,
    option_attribute,
    option_value,
    stated_floats,
    stated_integers,
    text_attribute,
    text_value,
)

TENSOR_KEY = "tinymo.tensor"
OPERATOR_KEY = "tinymo.operator"
SUBGRAPH_KEY = "tinymo.subgraph"
MODEL_KEY = "tinymo.model"


@dataclass(frozen=True)
class TensorFacts:
    """What a `.tflite` file says of one tensor beyond its shape and element type."""

    name: str
    scale: tuple[float, ...] = ()
    """Each exactly a 32-bit float; empty when the tensor is not quantised."""
    zero_point: tuple[int, ...] = ()
    dimension: int = 0
    """The axis that per-channel scales lie on, in the file's shape."""
    dtype: str | None = None
    """The file's type where the element type does not tell: `RESOURCE`, `STRING`, `INT4`, or an index's `INT64`."""
    shape: tuple[int, ...] | None = None
    """The file's shape where the IR's type cannot hold it."""
    shape_signature: tuple[int, ...] | None = None
    minimum: tuple[float, ...] = ()
    maximum: tuple[float, ...] = ()
    has_rank: bool = False
    is_variable: bool = False
    """Whether an argument is state too. A variable that is no argument has an op of its own."""

    @property
    def one_scale(self) -> float:
        """The scale of a per-tensor quantised tensor."""
        if len(self.scale) != 1:
            raise BadModelError(f"tensor '{self.name}' has {len(self.scale)} scales, exactly one is needed here")
        if self.scale[0] <= 0:
            raise BadModelError(f"tensor '{self.name}' has the scale {self.scale[0]}, which must be positive")
        return self.scale[0]

    @property
    def one_zero_point(self) -> int:
        """The zero point of a per-tensor quantised tensor; 0 when none is given."""
        return self.zero_point[0] if self.zero_point else 0

    def renamed(self, name: str) -> "TensorFacts":
        """The facts of another tensor that holds the same kind of numbers: a window of this one, say."""
        return replace(self, name=name, shape=None, shape_signature=None, is_variable=False)

    def to_attribute(self) -> DictionaryAttr:
        """The dictionary that stands in the IR; what is at its default is left out."""
        return dictionary_of(
            name=text_attribute(self.name),
            scale=stated_floats(self.scale),
            zero_point=stated_integers(self.zero_point),
            dimension=integer_attribute(self.dimension, default=0),
            dtype=text_attribute(self.dtype),
            shape=None if self.shape is None else integers(self.shape),
            shape_signature=None if self.shape_signature is None else integers(self.shape_signature),
            min=stated_floats(self.minimum),
            max=stated_floats(self.maximum),
            has_rank=flag_attribute(self.has_rank),
            is_variable=flag_attribute(self.is_variable),
        )

    @staticmethod
    def from_attribute(attribute: Attribute) -> "TensorFacts":
        """The facts that a dictionary states. Raises `BadModelError` on a wrong type or an unknown key."""
        if not isinstance(attribute, DictionaryAttr):
            raise BadModelError(f"'{TENSOR_KEY}' must be a dictionary, not {attribute}")
        name = text_value(attribute.data.get("name"))
        reader = FactReader(f"'{TENSOR_KEY}'" if name is None else f"'{TENSOR_KEY}' of '{name}'", attribute)
        facts = TensorFacts(
            name=reader.text("name"),
            scale=reader.float_list("scale"),
            zero_point=reader.integer_list("zero_point"),
            dimension=reader.integer("dimension", 0),
            dtype=reader.text_or_none("dtype"),
            shape=reader.integer_list_or_none("shape"),
            shape_signature=reader.integer_list_or_none("shape_signature"),
            minimum=reader.float_list("min"),
            maximum=reader.float_list("max"),
            has_rank=reader.flag("has_rank"),
            is_variable=reader.flag("is_variable"),
        )
        reader.finish()
        return facts


@dataclass(frozen=True)
class OperatorFacts:
    """What a `.tflite` file says of one operator beyond what the TOSA ops of its kernel express."""

    name: str | None = None
    """The schema's name; `None` leaves the choice to the ops."""
    version: int = 1
    options: Mapping[str, OptionFact] = field(default_factory=dict[str, OptionFact])
    result: tuple[int, int] | None = None
    """Which result of how many this op yields; `None` where there is only one, and for ops of several results."""
    absent: tuple[int, ...] = ()
    """Positions of the optional inputs that are absent."""
    intermediates: tuple[TensorFacts | None, ...] = ()
    """Tensors that the kernel keeps for itself; `None` for one that is absent."""
    mutating_variable_inputs: tuple[int, ...] = ()
    """Positions of the inputs that the operator changes."""
    custom: bool = False
    custom_options_format: int = 0
    options_type: str | None = None
    """The options table, where it is not the usual one of the operator."""
    debug_metadata_index: int = -1
    """The operator's entry in the metadata for debuggers, or -1."""

    def to_attribute(self) -> DictionaryAttr:
        """The dictionary that stands in the IR; what is at its default is left out."""
        options = DictionaryAttr({name: option_attribute(value) for name, value in self.options.items()})
        intermediates = ArrayAttr([UnitAttr() if it is None else it.to_attribute() for it in self.intermediates])
        return dictionary_of(
            name=text_attribute(self.name),
            version=integer_attribute(self.version, default=1),
            options=options if self.options else None,
            result=None if self.result is None else integers(self.result),
            absent=stated_integers(self.absent),
            intermediates=intermediates if self.intermediates else None,
            mutating_variable_inputs=stated_integers(self.mutating_variable_inputs),
            custom=flag_attribute(self.custom),
            custom_options_format=integer_attribute(self.custom_options_format, default=0),
            options_type=text_attribute(self.options_type),
            debug_metadata_index=integer_attribute(self.debug_metadata_index, default=-1),
        )

    @staticmethod
    def from_attribute(attribute: Attribute) -> "OperatorFacts":
        """The facts that a dictionary states. Raises `BadModelError` on a wrong type or an unknown key."""
        if not isinstance(attribute, DictionaryAttr):
            raise BadModelError(f"'{OPERATOR_KEY}' must be a dictionary, not {attribute}")
        reader = FactReader(f"'{OPERATOR_KEY}'", attribute)
        facts = OperatorFacts(
            name=reader.text_or_none("name"),
            version=reader.integer("version", 1),
            options={name: option_value(value) for name, value in reader.dictionary("options").items()},
            result=reader.integer_pair_or_none("result"),
            absent=reader.integer_list("absent"),
            intermediates=tuple(
                None if isinstance(entry, UnitAttr) else TensorFacts.from_attribute(entry)
                for entry in reader.array("intermediates")
            ),
            mutating_variable_inputs=reader.integer_list("mutating_variable_inputs"),
            custom=reader.flag("custom"),
            custom_options_format=reader.integer("custom_options_format", 0),
            options_type=reader.text_or_none("options_type"),
            debug_metadata_index=reader.integer("debug_metadata_index", -1),
        )
        reader.finish()
        return facts


@dataclass(frozen=True)
class SubgraphFacts:
    """What a `.tflite` file says of a subgraph beyond its operators."""

    name: str | None = None
    """The file's name, which need not be the function's symbol."""
    debug_metadata_index: int = -1
    """The subgraph's entry in the metadata for debuggers, or -1."""

    def to_attribute(self) -> DictionaryAttr:
        """The dictionary that stands in the IR; what is at its default is left out."""
        return dictionary_of(
            name=text_attribute(self.name),
            debug_metadata_index=integer_attribute(self.debug_metadata_index, default=-1),
        )

    @staticmethod
    def from_attribute(attribute: Attribute) -> "SubgraphFacts":
        """The facts that a dictionary states. Raises `BadModelError` on a wrong type or an unknown key."""
        if not isinstance(attribute, DictionaryAttr):
            raise BadModelError(f"'{SUBGRAPH_KEY}' must be a dictionary, not {attribute}")
        reader = FactReader(f"'{SUBGRAPH_KEY}'", attribute)
        facts = SubgraphFacts(reader.text_or_none("name"), reader.integer("debug_metadata_index", -1))
        reader.finish()
        return facts


def tensor_facts(value: SSAValue) -> TensorFacts | None:
    """The facts of the tensor that `value` is, or `None` for a value that is never in memory or is not from a file."""
    attribute = _tensor_attribute(value)
    return None if attribute is None else TensorFacts.from_attribute(attribute)


def has_tensor_facts(value: SSAValue) -> bool:
    """Whether `value` is a tensor of the file; cheaper than reading the facts."""
    return _tensor_attribute(value) is not None


def _tensor_attribute(value: SSAValue) -> Attribute | None:
    if isinstance(value, BlockArgument):
        return _argument_attribute(value)
    assert isinstance(value, OpResult)
    yielded = yielded_value(value)
    if yielded is not value:
        return _tensor_attribute(yielded)
    attribute = value.op.attributes.get(TENSOR_KEY)
    if isinstance(attribute, ArrayAttr):
        return attribute.data[value.index] if value.index < len(attribute) else None
    return attribute


def yielded_value(value: OpResult) -> SSAValue:
    """The value inside a `tinymo.kernel` that becomes `value`; `value` itself for results of other ops."""
    op = value.op
    if op.name != "tinymo.kernel":
        return value
    terminator = op.regions[0].block.last_op
    return value if terminator is None else terminator.operands[value.index]


def _argument_attribute(value: BlockArgument) -> Attribute | None:
    owner = value.block.parent_op()
    if owner is not None and owner.name == "tinymo.kernel":
        return _tensor_attribute(owner.operands[value.index])
    if not isinstance(owner, FuncOp) or owner.arg_attrs is None:
        return None
    return owner.arg_attrs.data[value.index].data.get(TENSOR_KEY)


def set_tensor_facts(op: Operation, *facts: TensorFacts) -> None:
    """States the facts of the results of `op`, in their order."""
    entries = [entry.to_attribute() for entry in facts]
    op.attributes[TENSOR_KEY] = entries[0] if len(op.results) == 1 else ArrayAttr(entries)


def set_argument_facts(function: FuncOp, facts: Sequence[TensorFacts]) -> None:
    """States the facts of the arguments of `function`, in their order."""
    function.arg_attrs = ArrayAttr([DictionaryAttr({TENSOR_KEY: entry.to_attribute()}) for entry in facts])


def operator_facts(op: Operation) -> OperatorFacts:
    """The operator facts of `op`; the defaults where it states none."""
    attribute = op.attributes.get(OPERATOR_KEY)
    try:
        return OperatorFacts() if attribute is None else OperatorFacts.from_attribute(attribute)
    except BadModelError as error:
        name = name_of(op.results[0]) if op.results else op.name
        raise BadModelError(f"'{name}': {error}") from error


def set_operator_facts(op: Operation, facts: OperatorFacts) -> None:
    """States the operator facts of `op`; facts that are all at their defaults are not written."""
    attribute = facts.to_attribute()
    if attribute.data:
        op.attributes[OPERATOR_KEY] = attribute


def subgraph_facts(function: FuncOp) -> SubgraphFacts:
    """The facts of the subgraph that `function` is; the defaults where it states none."""
    attribute = function.attributes.get(SUBGRAPH_KEY)
    return SubgraphFacts() if attribute is None else SubgraphFacts.from_attribute(attribute)


def set_subgraph_facts(function: FuncOp, facts: SubgraphFacts) -> None:
    """States the facts of a subgraph; facts that are all at their defaults are not written."""
    attribute = facts.to_attribute()
    if attribute.data:
        function.attributes[SUBGRAPH_KEY] = attribute


def move_facts(source: Operation, target: Operation) -> None:
    """Carries the tensor and operator facts of `source` to the op that takes its place."""
    for key in (TENSOR_KEY, OPERATOR_KEY):
        if key in source.attributes:
            target.attributes[key] = source.attributes[key]


def name_of(value: SSAValue) -> str:
    """What to call `value` in messages: the tensor's name, else the name in the text, else the op that yields it."""
    if (facts := tensor_facts(value)) is not None:
        return facts.name
    if value.name_hint is not None:
        return f"%{value.name_hint}"
    if isinstance(value.owner, tinymo.SpillOp):
        return f"{name_of(value.owner.source)}/spilled"
    owner = value.owner
    return (
        f"argument {value.index}"
        if isinstance(owner, Block) and isinstance(value, BlockArgument)
        else f"result of {owner.name}"
        if isinstance(owner, Operation)
        else "value"
    )
