"""`tosa.custom`: an operator that TOSA does not have."""

from collections.abc import Sequence

from xdsl.dialects.builtin import BytesAttr, StringAttr
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import irdl_op_definition, prop_def, var_operand_def, var_result_def

from tinymo_xdsl.dialects.tosa.base import Operand, TosaOp


@irdl_op_definition
class CustomOp(TosaOp):
    """
    The operator `operator_name` of the set `domain_name`, with options in that set's own encoding.

    What it does besides computing its results is not known, so it is never removed, merged or moved.

    ```mlir
    %y = tosa.custom %x {domain_name = "TFL", implementation_attrs = "", operator_name = "SOFTMAX"}
        : (tensor<1x10xi8>) -> tensor<1x10xi8>
    ```
    """

    name = "tosa.custom"

    input_list = var_operand_def()
    operator_name = prop_def(StringAttr)
    domain_name = prop_def(StringAttr)
    implementation_attrs = prop_def(StringAttr | BytesAttr)
    output_list = var_result_def()

    def __init__(
        self,
        operator_name: str,
        domain_name: str,
        implementation_attrs: str | bytes,
        inputs: Sequence[Operand],
        result_types: Sequence[Attribute],
    ):
        super().__init__(
            operands=[inputs],
            properties={
                "operator_name": StringAttr(operator_name),
                "domain_name": StringAttr(domain_name),
                "implementation_attrs": _string_attribute(implementation_attrs),
            },
            result_types=[result_types],
        )

    def implementation_bytes(self) -> bytes:
        """The options as bytes, whatever they are in the text."""
        data = self.implementation_attrs.data
        return data.encode() if isinstance(data, str) else data


def may_change(value: SSAValue) -> bool:
    """Whether `value` comes from a custom op that reads nothing: such may be a variable, whose numbers change."""
    return isinstance(value.owner, CustomOp) and not value.owner.operands


def _string_attribute(data: str | bytes) -> StringAttr | BytesAttr:
    """The attribute that xDSL's parser makes of `data` in quotes: a string if it is ASCII, bytes if not."""
    encoded = data.encode() if isinstance(data, str) else data
    return StringAttr(encoded.decode()) if encoded.isascii() else BytesAttr(encoded)
