// RUN: tinymo-translate --mlir-to-tflite %s -o %t.tflite
// RUN: tinymo-translate --tflite-to-mlir %t.tflite | filecheck %s

// Axes that are reduced are one axis in TOSA, between two reshapes. The operator's axes are found in the shapes again:
// without any operator facts this is a SUM along rows and columns that drops them.
// CHECK: tosa.reshape
// CHECK-SAME: tensor<2x12x3xf32>
// CHECK: tosa.reduce_sum
// CHECK-SAME: axis = 1 : i32
// CHECK: tosa.reshape
// CHECK-SAME: tinymo.operator = {name = "SUM"}
// CHECK-SAME: name = "total"
func.func @main(%x: tensor<2x3x4x3xf32> {tinymo.tensor = {name = "x"}}) -> tensor<2x3xf32> {
  %merged = tosa.const_shape {values = dense<[2, 12, 3]> : tensor<3xindex>} : () -> !tosa.shape<3>
  %kept = tosa.const_shape {values = dense<[2, 3]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %rows = tosa.reshape %x, %merged : (tensor<2x3x4x3xf32>, !tosa.shape<3>) -> tensor<2x12x3xf32>
  %sum = tosa.reduce_sum %rows {axis = 1 : i32} : (tensor<2x12x3xf32>) -> tensor<2x1x3xf32>
  %total = tosa.reshape %sum, %kept {tinymo.tensor = {name = "total"}} : (tensor<2x1x3xf32>, !tosa.shape<2>) -> tensor<2x3xf32>
  return %total : tensor<2x3xf32>
}
