"""Whether values are computed before they are read: what MLIR verifies and xDSL does not."""

from collections.abc import Iterator

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation


def early_reads(module: ModuleOp) -> Iterator[tuple[Operation, str]]:
    """
    The ops of `module` that read what is not there yet, and for each the reason, in the order of the text.

    Ops directly in the module may stand in any order. Where a region has several blocks, only the order inside of
    each is looked at.
    """
    position = {op: number for number, op in enumerate(module.walk())}
    for op in position:
        for number, operand in enumerate(op.operands):
            if isinstance(operand.owner, Operation) and not _is_visible(operand.owner, op, position):
                yield op, f"operand #{number}, from '{operand.owner.name}', does not dominate this use"


def _is_visible(definition: Operation, user: Operation, position: dict[Operation, int]) -> bool:
    block = definition.parent_block()
    if block is None:
        return False
    if isinstance(block.parent_op(), ModuleOp):
        return True
    reader = block.find_ancestor_op_in_block(user)
    if reader is None:
        return _has_siblings(block)
    return position[definition] < position[reader]


def _has_siblings(block: Block) -> bool:
    region = block.parent_region()
    return region is not None and len(region.blocks) > 1
