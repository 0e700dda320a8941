// RUN: tinymo-opt --verify-diagnostics --split-input-file %s | filecheck %s

// The dimension that is searched is gone.

// CHECK: error: 'tosa.argmax' op expected shape 4 of the result, got 4x1
func.func @shape(%x: tensor<4x6xi8>) -> tensor<4x1xi32> {
  %y = tosa.argmax %x {axis = 1 : i32} : (tensor<4x6xi8>) -> tensor<4x1xi32>
  return %y : tensor<4x1xi32>
}

// -----

// Dimensions count from 0.

// CHECK: error: 'tosa.argmax' op expected an axis of 0 to 1, got 2
func.func @axis(%x: tensor<4x6xi8>) -> tensor<4xi32> {
  %y = tosa.argmax %x {axis = 2 : i32} : (tensor<4x6xi8>) -> tensor<4xi32>
  return %y : tensor<4xi32>
}

// -----

// Positions are integers.

// CHECK: error: 'tosa.argmax' op result 'output' at position 0 does not verify:
func.func @type(%x: tensor<4x6xf32>) -> tensor<4xf32> {
  %y = tosa.argmax %x {axis = 1 : i32} : (tensor<4x6xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}
