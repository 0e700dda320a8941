// RUN: tinymo-opt --parsing-diagnostics --split-input-file %s | filecheck %s

// An attribute has one value.

// CHECK: an attribute is given twice
func.func @twice(%x: tensor<4xf32>) -> tensor<i32> {
  %0 = tosa.argmax %x {axis = 0 : i32, axis = 0 : i32} : (tensor<4xf32>) -> tensor<i32>
  return %0 : tensor<i32>
}

// -----

// A word that is no mode.

// CHECK: attribute expected
func.func @mode(%x: tensor<4xf32>) -> tensor<i32> {
  %0 = tosa.argmax %x {axis = 0 : i32, nan_mode = SOMETIMES} : (tensor<4xf32>) -> tensor<i32>
  return %0 : tensor<i32>
}

// -----

// A type for each operand.

// CHECK: expected 2 operand types but had 1
func.func @types(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = tosa.abs %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
