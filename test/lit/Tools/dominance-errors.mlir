// RUN: tinymo-opt --verify-diagnostics --split-input-file %s | filecheck %s

// A value that is read before it is computed: xDSL parses it, and no analysis would end.

// CHECK: dominance-errors.mlir:[[# @LINE + 2]]:8: error: 'tosa.add' op operand #1, from 'tosa.add', does not dominate this use
func.func @itself(%x: tensor<2xi8>) -> tensor<2xi8> {
  %y = tosa.add %x, %y : (tensor<2xi8>, tensor<2xi8>) -> tensor<2xi8>
  return %y : tensor<2xi8>
}

// -----

// The same for ops in the wrong order.

// CHECK: error: 'tosa.abs' op operand #0, from 'tosa.add', does not dominate this use
func.func @later(%x: tensor<2xi8>) -> tensor<2xi8> {
  %y = tosa.abs %z : (tensor<2xi8>) -> tensor<2xi8>
  %z = tosa.add %x, %x : (tensor<2xi8>, tensor<2xi8>) -> tensor<2xi8>
  return %y : tensor<2xi8>
}

// -----

// A kernel reads what stands before it.

// CHECK: error: 'tosa.abs' op operand #0, from 'tosa.add', does not dominate this use
func.func @inside(%x: tensor<2xi8>) -> tensor<2xi8> {
  %k = tinymo.kernel -> tensor<2xi8> {
    %y = tosa.abs %z : (tensor<2xi8>) -> tensor<2xi8>
    tinymo.yield %y : tensor<2xi8>
  }
  %z = tosa.add %x, %x : (tensor<2xi8>, tensor<2xi8>) -> tensor<2xi8>
  return %k : tensor<2xi8>
}
