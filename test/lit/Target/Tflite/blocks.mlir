// RUN: tinymo-translate --mlir-to-tflite %s -o %t.tflite
// RUN: tinymo-opt %t.tflite | filecheck %s

// Pixels of a block become channels by a reshape, a transpose and a reshape; all three are one operator of the file,
// and the size of the block is read from the shape between them.
// CHECK: tosa.reshape
// CHECK-SAME: tensor<1x2x2x3x2x1xf32>
// CHECK: tosa.transpose
// CHECK-SAME: perms = array<i32: 0, 1, 3, 2, 4, 5>
// CHECK: tosa.reshape
// CHECK-SAME: tinymo.operator = {name = "SPACE_TO_DEPTH"}
func.func @main(%x: tensor<1x4x6x1xf32> {tinymo.tensor = {name = "x"}}) -> tensor<1x2x3x4xf32> {
  %split = tosa.const_shape {values = dense<[1, 2, 2, 3, 2, 1]> : tensor<6xindex>} : () -> !tosa.shape<6>
  %joined = tosa.const_shape {values = dense<[1, 2, 3, 4]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %pixels = tosa.reshape %x, %split : (tensor<1x4x6x1xf32>, !tosa.shape<6>) -> tensor<1x2x2x3x2x1xf32>
  %moved = tosa.transpose %pixels {perms = array<i32: 0, 1, 3, 2, 4, 5>} : (tensor<1x2x2x3x2x1xf32>) -> tensor<1x2x3x2x2x1xf32>
  %depth = tosa.reshape %moved, %joined {tinymo.operator = {name = "SPACE_TO_DEPTH"}, tinymo.tensor = {name = "depth"}} : (tensor<1x2x3x2x2x1xf32>, !tosa.shape<4>) -> tensor<1x2x3x4xf32>
  return %depth : tensor<1x2x3x4xf32>
}
