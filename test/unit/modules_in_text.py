"""Modules for tests, written as MLIR text."""

from xdsl.context import Context
from xdsl.dialects.arith import Arith
from xdsl.dialects.builtin import Builtin, ModuleOp
from xdsl.dialects.func import Func
from xdsl.dialects.memref import MemRef
from xdsl.parser import Parser

from tinymo_xdsl.dialects.tinymo import TINYMO
from tinymo_xdsl.dialects.tosa import TOSA


def parse(text: str) -> ModuleOp:
    """The module that `text` describes, verified."""
    context = Context()
    for dialect in (Arith, Builtin, Func, MemRef, TOSA, TINYMO):
        context.load_dialect(dialect)
    module = Parser(context, text).parse_module()
    module.verify()
    return module


def in_main(arguments: str, results: str, body: str) -> ModuleOp:
    """A module with one function, `main`."""
    return parse(f"func.func @main({arguments}) -> ({results}) {{\n{body}\n}}")


SPLIT = """
func.func @main(%x : tensor<1x4x2xi8> {tinymo.tensor = {name = "x"}}) -> tensor<1x4x2xi8> {
  %a, %b = tinymo.split %x {axis = 1, windows = [[0, 3], [1, 4]]}
    : tensor<1x4x2xi8> -> (tensor<1x3x2xi8>, tensor<1x3x2xi8>)
  %k = tinymo.kernel -> tensor<1x3x2xi8> {
    %c = tosa.maximum %a, %b {tinymo.tensor = {name = "largest"}}
      : (tensor<1x3x2xi8>, tensor<1x3x2xi8>) -> tensor<1x3x2xi8>
    tinymo.yield %c : tensor<1x3x2xi8>
  }
  %h = tinymo.spill %k {memory = "psram"} : tensor<1x3x2xi8> -> !tinymo.spilled<tensor<1x3x2xi8>>
  %l = tinymo.reload %h : !tinymo.spilled<tensor<1x3x2xi8>> -> tensor<1x3x2xi8>
  %first = tinymo.split %x {axis = 1, windows = [[0, 1]]} : tensor<1x4x2xi8> -> (tensor<1x1x2xi8>)
  %j = tinymo.join %first, %l {axis = 1 : i64, tinymo.tensor = {name = "y"}}
    : (tensor<1x1x2xi8>, tensor<1x3x2xi8>) -> tensor<1x4x2xi8>
  return %j : tensor<1x4x2xi8>
}
"""
"""All ops of the TinyMo dialect: each row of `x` but the first becomes the largest of itself and the row before."""

STATE = """
module {
  func.func @main(%x : tensor<2xi32>) -> tensor<2xi32> {
    tosa.custom {domain_name = "TFL", implementation_attrs = "", operator_name = "CALL_ONCE",
      tinymo.operator = {options = {init_subgraph_index = 1 : i64}}} : () -> ()
    %h = tosa.custom {domain_name = "TFL", implementation_attrs = "", operator_name = "VAR_HANDLE",
      tinymo.operator = {options = {container = "", shared_name = "sum"}}} : () -> tensor<i32>
    %old = tosa.custom %h {domain_name = "TFL", implementation_attrs = "", operator_name = "READ_VARIABLE"}
      : (tensor<i32>) -> tensor<2xi32>
    %new = tosa.add %old, %x : (tensor<2xi32>, tensor<2xi32>) -> tensor<2xi32>
    tosa.custom %h, %new {domain_name = "TFL", implementation_attrs = "", operator_name = "ASSIGN_VARIABLE"}
      : (tensor<i32>, tensor<2xi32>) -> ()
    return %new : tensor<2xi32>
  }
  func.func @init() {
    %h = tosa.custom {domain_name = "TFL", implementation_attrs = "", operator_name = "VAR_HANDLE",
      tinymo.operator = {options = {container = "", shared_name = "sum"}}} : () -> tensor<i32>
    %start = "tosa.const"() <{values = dense<100> : tensor<2xi32>}> : () -> tensor<2xi32>
    tosa.custom %h, %start {domain_name = "TFL", implementation_attrs = "", operator_name = "ASSIGN_VARIABLE"}
      : (tensor<i32>, tensor<2xi32>) -> ()
    return
  }
}
"""
"""Adds up its inputs in a resource variable that starts at 100."""
