// RUN: not tinymo-opt --legalize-for-tflite %s 2>&1 | filecheck %s
// RUN: not tinymo-opt --form-kernels --legalize-for-tflite %s 2>&1 | filecheck %s --check-prefix=POOL

// Kernels come first: without them there is no saying what one operator is.
// CHECK: 'tosa.max_pool2d' stands outside of a tinymo.kernel: run form-kernels first

// The pads of a pool can be neither written nor put into a PAD: what they hold is no number, they never count.
// POOL: 'y': pads [1, 0, 0, 0] of a pool are neither SAME nor VALID
func.func @pool(%x: tensor<1x3x4x1xi8> {tinymo.tensor = {name = "x"}}) -> tensor<1x2x2x1xi8> {
  %y = tosa.max_pool2d %x {kernel = array<i64: 2, 2>, pad = array<i64: 1, 0, 0, 0>, stride = array<i64: 2, 2>, tinymo.tensor = {name = "y"}} : (tensor<1x3x4x1xi8>) -> tensor<1x2x2x1xi8>
  return %y : tensor<1x2x2x1xi8>
}
