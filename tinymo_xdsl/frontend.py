"""
From a `.tflite` file to the IR.

Each subgraph becomes a `func.func` over TOSA ops; the first is called `main` if its name cannot be a symbol. What TOSA
has no words for goes into facts (see `facts`), so that the backend can write the file again.
"""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count

import numpy as np
from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    DictionaryAttr,
    FunctionType,
    IntegerAttr,
    ModuleOp,
    StringAttr,
    TensorType,
    i64,
)
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from tinymo_xdsl.dialects import tinymo, tosa
from tinymo_xdsl.dialects.tosa.base import plain_ints
from tinymo_xdsl.errors import BadModelError
from tinymo_xdsl.facts import (
    MODEL_KEY,
    OperatorFacts,
    OptionFact,
    SubgraphFacts,
    TensorFacts,
    set_argument_facts,
    set_operator_facts,
    set_subgraph_facts,
    set_tensor_facts,
)
from tinymo_xdsl.flatbuffer.model import Model, Operator, Quantization, Subgraph, Tensor
from tinymo_xdsl.flatbuffer.offline_plan import without_plan
from tinymo_xdsl.flatbuffer.schema import Padding
from tinymo_xdsl.flatbuffer.spills import SPILL_OPERATOR, spill_places
from tinymo_xdsl.numerics import dense
from tinymo_xdsl.operators.base import Emitter, Lowering, NotExactError, Operand, OperatorFamily, lower_exactly
from tinymo_xdsl.operators.custom import DOMAIN, VARIABLE, lower_custom
from tinymo_xdsl.operators.elements import ELEMENT_TYPES, element_of
from tinymo_xdsl.operators.options import stated_options
from tinymo_xdsl.operators.registry import FAMILIES

logger = logging.getLogger(__name__)

_SYMBOL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def import_model(model: Model) -> ModuleOp:
    """
    The level-1 module of a model.

    Raises `BadModelError` for what no module can say: a shape that is only known at run time, say.
    """
    names = _symbols(model)
    functions = [_Importer(graph, name).function() for graph, name in zip(model.subgraphs, names, strict=True)]
    module = ModuleOp(functions)
    module.attributes[MODEL_KEY] = _model_facts(model)
    return module


def _symbols(model: Model) -> list[str]:
    """A symbol for each subgraph: the file's name as far as that is a symbol, and told apart by a number."""
    names: list[str] = []
    for index, graph in enumerate(model.subgraphs):
        named = graph.name is not None and _SYMBOL.fullmatch(graph.name) is not None
        name = str(graph.name) if named else ("main" if index == 0 else "subgraph")
        numbered = (f"{name}_{number}" for number in count(index))
        names.append(name if name not in names else next(other for other in numbered if other not in names))
    return names


def _model_facts(model: Model) -> DictionaryAttr:
    entries: dict[str, Attribute] = {"version": IntegerAttr(model.version, i64)}
    if model.description is not None:
        entries["description"] = StringAttr(model.description)
    # A plan is for one order of tensors only.
    kept = without_plan(model).metadata
    if len(kept) != len(model.metadata):
        logger.info("the arena plan in the file is dropped: it holds for the tensors of this very file only")
    if kept:
        entries["metadata"] = ArrayAttr(
            [DictionaryAttr({"name": StringAttr(entry.name), "data": _blob(entry.data)}) for entry in kept]
        )
    if model.unnamed_metadata:
        entries["unnamed_metadata"] = ArrayAttr([_blob(data) for data in model.unnamed_metadata])
    if model.signatures:
        entries["signatures"] = ArrayAttr(list(_signatures(model)))
    if model.trailing:
        entries["trailing"] = _blob(model.trailing)
    return DictionaryAttr(entries)


def _blob(data: bytes) -> Attribute:
    return dense.from_numpy(np.frombuffer(data, np.int8))


def _signatures(model: Model) -> Iterator[DictionaryAttr]:
    """Tensors are told by their position among the arguments and results of the function."""
    for signature in model.signatures:
        graph = model.subgraphs[signature.subgraph]
        yield DictionaryAttr(
            {
                "key": StringAttr(signature.key),
                "subgraph": IntegerAttr(signature.subgraph, i64),
                "inputs": _positions(graph, signature.inputs, graph.inputs),
                "outputs": _positions(graph, signature.outputs, graph.outputs),
            }
        )


def _positions(graph: Subgraph, entries: tuple[tuple[str, int], ...], tensors: tuple[int, ...]) -> ArrayAttr:
    """A tensor that is neither argument nor result, as some tools leave behind, is told by its name."""

    def place(tensor: int) -> Mapping[str, Attribute]:
        if tensor in tensors:
            return {"position": IntegerAttr(tensors.index(tensor), i64)}
        return {"tensor": StringAttr(graph.tensors[tensor].name)}

    return ArrayAttr([DictionaryAttr({"name": StringAttr(name), **place(tensor)}) for name, tensor in entries])


def tensor_facts_of(tensor: Tensor) -> TensorFacts:
    """What the file says of `tensor` beyond shape and element type."""
    quantization = tensor.quantization or Quantization(np.zeros(0, np.float32), np.zeros(0, np.int64))
    exact = tensor.dtype in ELEMENT_TYPES
    return TensorFacts(
        name=tensor.name,
        scale=tuple(float(scale) for scale in quantization.scale),
        zero_point=tuple(int(zero) for zero in quantization.zero_point),
        dimension=quantization.dimension,
        dtype=None if exact else tensor.dtype,
        shape=tensor.shape if not exact and tensor.data is not None else None,
        shape_signature=tensor.shape_signature,
        minimum=() if quantization.min is None else tuple(float(value) for value in quantization.min),
        maximum=() if quantization.max is None else tuple(float(value) for value in quantization.max),
        has_rank=tensor.has_rank,
    )


def _static(tensor: Tensor) -> Tensor:
    """`tensor` with a batch of 1 where the file leaves the batch open. State begins with zeros, in every runtime."""
    if tensor.is_variable and tensor.data is not None:
        raise BadModelError(f"the variable '{tensor.name}' has initial values, which runtimes do not support")
    if all(size >= 0 for size in tensor.shape):
        return tensor
    if tensor.shape[0] != -1 or any(size < 0 for size in tensor.shape[1:]):
        raise BadModelError(
            f"tensor '{tensor.name}' has the dynamic shape {list(tensor.shape)}: "
            "convert the model again with a fixed input shape"
        )
    logger.info("tensor '%s': the open batch becomes 1", tensor.name)
    return replace(tensor, shape=(1, *tensor.shape[1:]))


class _Importer:
    """Turns one subgraph into a function."""

    def __init__(self, graph: Subgraph, name: str):
        self.graph = graph
        self.name = name
        self.tensors = [_static(tensor) for tensor in graph.tensors]
        self.block = Block(arg_types=[self._type(index) for index in graph.inputs])
        self.pending: list[Operation] = []
        self.emitter = Emitter(self.pending.append)
        self.values: dict[int, SSAValue] = dict(zip(graph.inputs, self.block.args, strict=True))
        self.constants: dict[int, Operand] = {}
        self.spills = spill_places(graph)

    def function(self) -> FuncOp:
        """The function, complete with facts."""
        for operator in self.graph.operators:
            self._operator(operator)
        outputs = [self._value(index) for index in self.graph.outputs]
        self._flush()
        self.block.add_op(ReturnOp(*outputs))
        inputs = [argument.type for argument in self.block.args]
        signature = FunctionType.from_lists(inputs, [value.type for value in outputs])
        function = FuncOp(self.name, signature, Region(self.block))
        if self.graph.inputs:
            arguments = [self.tensors[index] for index in self.graph.inputs]
            facts = [replace(tensor_facts_of(tensor), is_variable=tensor.is_variable) for tensor in arguments]
            set_argument_facts(function, facts)
        set_subgraph_facts(function, SubgraphFacts(self.graph.name, self.graph.debug_metadata_index))
        return function

    def _type(self, index: int) -> TensorType:
        tensor = self.tensors[index]
        return TensorType(element_of(tensor.dtype), tensor.shape)

    def _operand(self, index: int) -> Operand | None:
        if index < 0:
            return None
        tensor = self.tensors[index]
        if tensor.data is not None:
            return self.constants.setdefault(index, _constant(tensor))
        facts = tensor_facts_of(tensor)
        return Operand(facts, element_of(tensor.dtype), tensor.shape, self._value(index))

    def _value(self, index: int) -> SSAValue:
        if (value := self.values.get(index)) is not None:
            return value
        tensor = self.tensors[index]
        if tensor.data is not None:
            operand = self.constants.setdefault(index, _constant(tensor))
            value = self.emitter.tensor(operand, operand.shape)
        elif tensor.is_variable:
            variable = tosa.CustomOp(VARIABLE, DOMAIN, "", [], [self._type(index)])
            set_tensor_facts(variable, tensor_facts_of(tensor))
            value = self.emitter.emit(variable).results[0]
        else:
            raise BadModelError(f"tensor '{tensor.name}' is read but no operator writes it")
        self.values[index] = value
        return value

    def _operator(self, operator: Operator) -> None:
        if operator in self.spills:
            self._spill(operator)
            return
        inputs = tuple(self._operand(index) for index in operator.inputs)
        outputs = tuple(
            Operand(tensor_facts_of(self.tensors[i]), element_of(self.tensors[i].dtype), self.tensors[i].shape)
            for i in operator.outputs
        )
        self._flush()
        family = _family(operator, (*inputs, *outputs))
        lowering = Lowering(operator, inputs, outputs, self.emitter)
        results = None if family is None else self._try(family, lowering)
        if results is None:
            family, results = None, tuple(lower_custom(lowering))
        self._state_facts(operator, family, results, outputs)
        self._flush()
        self.values.update(zip(operator.outputs, results, strict=True))

    def _spill(self, operator: Operator) -> None:
        """The place in the memory is forgotten: it holds for the file's own spills only."""
        source = self._value(operator.inputs[0])
        self._flush()
        if operator.name == SPILL_OPERATOR:
            op = tinymo.SpillOp(source, self.spills[operator].memory)
        else:
            op = tinymo.ReloadOp(source)
            set_tensor_facts(op, tensor_facts_of(self.tensors[operator.outputs[0]]))
        self.block.add_op(op)
        self.values[operator.outputs[0]] = op.results[0]

    def _flush(self) -> None:
        self.block.add_ops(self.pending)
        self.pending.clear()

    def _try(self, family: OperatorFamily, lowering: Lowering) -> tuple[SSAValue, ...] | None:
        """The results in TOSA, or `None`, with nothing emitted, where TOSA cannot say exactly this."""
        try:
            return lower_exactly(family, lowering, self.pending)
        except NotExactError as reason:
            name = lowering.output.facts.name if lowering.outputs else ""
            logger.debug("%s '%s' stays whole: %s", family.name, name, reason)
            self.emitter.forget(self.pending)
            for op in self.pending:
                op.drop_all_references()
            self.pending.clear()
            return None

    def _state_facts(
        self,
        operator: Operator,
        family: OperatorFamily | None,
        results: tuple[SSAValue, ...],
        outputs: tuple[Operand, ...],
    ) -> None:
        facts = self._operator_facts(operator, family, self.pending)
        if family is None:
            custom = self.pending[-1]
            set_operator_facts(custom, facts)
            if outputs:
                set_tensor_facts(custom, *(output.facts for output in outputs))
            return
        for index, (result, output) in enumerate(zip(results, outputs, strict=True)):
            owner = result.owner
            assert isinstance(owner, Operation)
            set_tensor_facts(owner, output.facts)
            set_operator_facts(owner, replace(facts, result=(index, len(results))) if len(results) > 1 else facts)

    def _operator_facts(self, operator: Operator, family: OperatorFamily | None, ops: list[Operation]) -> OperatorFacts:
        usual = None if family is None else family.options_type
        return OperatorFacts(
            name=None if family is None else operator.name,
            version=operator.version,
            options=_option_facts(operator, family, ops),
            absent=tuple(i for i, index in enumerate(operator.inputs) if index < 0),
            intermediates=tuple(self._intermediate(index) for index in operator.intermediates),
            mutating_variable_inputs=tuple(i for i, flag in enumerate(operator.mutating_variable_inputs) if flag),
            custom=operator.custom,
            custom_options_format=operator.custom_options_format,
            options_type=None if operator.options_type == usual else operator.options_type,
            debug_metadata_index=operator.debug_metadata_index,
        )

    def _intermediate(self, index: int) -> TensorFacts | None:
        if index < 0:
            return None
        tensor = self.tensors[index]
        if tensor.data is not None:
            raise BadModelError(f"the intermediate tensor '{tensor.name}' is a constant, which no module can say")
        return replace(tensor_facts_of(tensor), dtype=tensor.dtype, shape=tensor.shape)


def _family(operator: Operator, operands: Sequence[Operand | None]) -> OperatorFamily | None:
    """The family of an operator of which TOSA may express all; `None` for others."""
    family = None if operator.custom else FAMILIES.get(operator.name)
    if family is None or operator.options_type not in (None, family.options_type):
        return None
    keeps_state = bool(operator.intermediates) or any(operator.mutating_variable_inputs)
    is_carried = any(operand is not None and operand.facts.dtype is not None for operand in operands)
    return None if keeps_state or is_carried or operator.custom_options else family


def _constant(tensor: Tensor) -> Operand:
    """Types that no element type tells are carried as bytes."""
    assert tensor.data is not None
    facts = tensor_facts_of(tensor)
    if tensor.dtype in ELEMENT_TYPES:
        return Operand(facts, element_of(tensor.dtype), tensor.shape, None, tensor.data)
    return Operand(facts, element_of("INT8"), (len(tensor.data),), None, tensor.data)


def _option_facts(operator: Operator, family: OperatorFamily | None, ops: list[Operation]) -> Mapping[str, OptionFact]:
    """The options that the ops do not tell. Without pads SAME looks like VALID, and has to be stated."""
    if family is None:
        return stated_options(operator)
    facts = stated_options(operator, family.derived)
    if operator.options.get("padding") == Padding.SAME and not _has_pads(ops):
        facts["padding"] = Padding.SAME.name
    return facts


def _has_pads(ops: list[Operation]) -> bool:
    """A transposed convolution tells by what it cuts off before its result."""
    pads = [op.properties.get("pad") for op in ops]
    cuts = [op.out_pad.get_values()[::2] for op in ops if isinstance(op, tosa.TransposeConv2DOp)]
    return any(any(plain_ints(pad)) for pad in pads if isinstance(pad, DenseArrayBase)) or any(map(any, cuts))
