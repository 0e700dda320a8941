// RUN: tinymo-opt --verify-diagnostics --split-input-file %s | filecheck %s

// One result for each element.

// CHECK: error: 'tosa.cast' op expected shape 4x6 of the result, got 6x4
func.func @shape(%x: tensor<4x6xi8>) -> tensor<6x4xi32> {
  %y = tosa.cast %x : (tensor<4x6xi8>) -> tensor<6x4xi32>
  return %y : tensor<6x4xi32>
}
