// RUN: tinymo-opt %s | tinymo-opt | filecheck %s
// RUN: tinymo-opt --print-op-generic %s | tinymo-opt | filecheck %s

// Each element in a wider type.

// CHECK-LABEL: @cast
// CHECK: tosa.cast %x : (tensor<4x6xi8>) -> tensor<4x6xi32>
func.func @cast(%x: tensor<4x6xi8>) -> tensor<4x6xi32> {
  %y = tosa.cast %x : (tensor<4x6xi8>) -> tensor<4x6xi32>
  return %y : tensor<4x6xi32>
}

// From floats to integers.

// CHECK-LABEL: @cast_float
// CHECK: tosa.cast %x : (tensor<?x6xf32>) -> tensor<?x6xi8>
func.func @cast_float(%x: tensor<?x6xf32>) -> tensor<?x6xi8> {
  %y = tosa.cast %x : (tensor<?x6xf32>) -> tensor<?x6xi8>
  return %y : tensor<?x6xi8>
}
