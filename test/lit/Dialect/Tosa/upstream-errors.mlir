// RUN: tinymo-opt --verify-diagnostics --split-input-file %s | filecheck %s

// The values of a constant are those of its result: here a byte stands for four.

// CHECK: error: 'tosa.const' op expected values of the type of the result, tensor<1xi32>, got tensor<1xi8>
func.func @constant() -> tensor<1xi32> {
  %c = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi32>
  return %c : tensor<1xi32>
}

// -----

// A clamp moves no elements.

// CHECK: error: 'tosa.clamp' op expected shape 2x3 of the result, got 3x2
func.func @clamp(%x: tensor<2x3xi8>) -> tensor<3x2xi8> {
  %y = tosa.clamp %x {max_val = 4 : i8, min_val = 0 : i8} : (tensor<2x3xi8>) -> tensor<3x2xi8>
  return %y : tensor<3x2xi8>
}

// -----

// Parts differ along the axis only.

// CHECK: error: 'tosa.concat' op expected shape 2x4 of each operand, got 3x4
func.func @concat_parts(%a: tensor<2x3xi8>, %b: tensor<3x4xi8>) -> tensor<2x7xi8> {
  %y = tosa.concat %a, %b {axis = 1 : i32} : (tensor<2x3xi8>, tensor<3x4xi8>) -> tensor<2x7xi8>
  return %y : tensor<2x7xi8>
}

// -----

// They add up to the result.

// CHECK: error: 'tosa.concat' op expected shape 2x7 of the result, got 2x8
func.func @concat_result(%a: tensor<2x3xi8>, %b: tensor<2x4xi8>) -> tensor<2x8xi8> {
  %y = tosa.concat %a, %b {axis = 1 : i32} : (tensor<2x3xi8>, tensor<2x4xi8>) -> tensor<2x8xi8>
  return %y : tensor<2x8xi8>
}

// -----

// The axis is one of theirs.

// CHECK: error: 'tosa.concat' op expected an axis of 0 to 1, got 2
func.func @concat_axis(%a: tensor<2x3xi8>) -> tensor<2x3xi8> {
  %y = tosa.concat %a, %a {axis = 2 : i32} : (tensor<2x3xi8>, tensor<2x3xi8>) -> tensor<2x3xi8>
  return %y : tensor<2x3xi8>
}

// -----

// All are of one type.

// CHECK: error: 'tosa.concat' op expected operands of i8, got i16
func.func @concat_types(%a: tensor<2xi8>, %b: tensor<2xi16>) -> tensor<4xi8> {
  %y = tosa.concat %a, %b {axis = 0 : i32} : (tensor<2xi8>, tensor<2xi16>) -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// -----

// Windows of 2 rows, each 2 rows on, give 2 rows of 4.

// CHECK: error: 'tosa.max_pool2d' op expected shape 1x2x2x1 of the result, got 1x3x2x1
func.func @pool_result(%x: tensor<1x4x4x1xi8>) -> tensor<1x3x2x1xi8> {
  %y = tosa.max_pool2d %x {kernel = array<i64: 2, 2>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>} : (tensor<1x4x4x1xi8>) -> tensor<1x3x2x1xi8>
  return %y : tensor<1x3x2x1xi8>
}

// -----

// The last window ends where the image does.

// CHECK: error: 'tosa.max_pool2d' op expected a multiple of stride 2, got size 5 - 1 + pads 0 + 0 - (kernel 2 - 1) * dilation 1 = 3: slice the input first
func.func @pool_rest(%x: tensor<1x5x4x1xi8>) -> tensor<1x2x2x1xi8> {
  %y = tosa.max_pool2d %x {kernel = array<i64: 2, 2>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>} : (tensor<1x5x4x1xi8>) -> tensor<1x2x2x1xi8>
  return %y : tensor<1x2x2x1xi8>
}

// -----

// A window of pads alone has no largest element.

// CHECK: error: 'tosa.max_pool2d' op expected pads of 0 up to less than the kernel, [2, 2], got [2, 0, 0, 0]
func.func @pool_pads(%x: tensor<1x4x4x1xi8>) -> tensor<1x3x2x1xi8> {
  %y = tosa.max_pool2d %x {kernel = array<i64: 2, 2>, pad = array<i64: 2, 0, 0, 0>, stride = array<i64: 2, 2>} : (tensor<1x4x4x1xi8>) -> tensor<1x3x2x1xi8>
  return %y : tensor<1x3x2x1xi8>
}

// -----

// Windows go on.

// CHECK: error: 'tosa.max_pool2d' op expected kernels and strides >= 1, got [2, 2] and [0, 2]
func.func @pool_stride(%x: tensor<1x4x4x1xi8>) -> tensor<1x3x2x1xi8> {
  %y = tosa.max_pool2d %x {kernel = array<i64: 2, 2>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 0, 2>} : (tensor<1x4x4x1xi8>) -> tensor<1x3x2x1xi8>
  return %y : tensor<1x3x2x1xi8>
}

// -----

// An image has rows and columns.

// CHECK: error: 'tosa.max_pool2d' op expected two sizes of the kernel, two strides and four pads
func.func @pool_sizes(%x: tensor<1x4x4x1xi8>) -> tensor<1x3x2x1xi8> {
  %y = tosa.max_pool2d %x {kernel = array<i64: 2>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>} : (tensor<1x4x4x1xi8>) -> tensor<1x3x2x1xi8>
  return %y : tensor<1x3x2x1xi8>
}

// -----

// A zero point is one element of the image's type.

// CHECK: error: 'tosa.avg_pool2d' op expected input_zp of i8, got i32
func.func @pool_zero_point(%x: tensor<1x4x4x1xi8>, %z: tensor<1xi32>) -> tensor<1x2x2x1xi8> {
  %y = tosa.avg_pool2d %x, %z, %z {acc_type = i32, kernel = array<i64: 2, 2>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>} : (tensor<1x4x4x1xi8>, tensor<1xi32>, tensor<1xi32>) -> tensor<1x2x2x1xi8>
  return %y : tensor<1x2x2x1xi8>
}

// -----

// One factor for each channel, or one for all.

// CHECK: error: 'tosa.rescale' op expected shape 4 of the multipliers, got 1
func.func @rescale_channels(%x: tensor<2x4xi32>, %m: tensor<1xi32>, %s: tensor<1xi8>, %z: tensor<1xi32>, %o: tensor<1xi8>) -> tensor<2x4xi8> {
  %y = tosa.rescale %x, %m, %s, %z, %o {input_unsigned = false, output_unsigned = false, per_channel = true, rounding_mode = DOUBLE_ROUND, scale32 = true} : (tensor<2x4xi32>, tensor<1xi32>, tensor<1xi8>, tensor<1xi32>, tensor<1xi8>) -> tensor<2x4xi8>
  return %y : tensor<2x4xi8>
}

// -----

// Scales of 32 bits have multipliers of 32 bits.

// CHECK: error: 'tosa.rescale' op expected multipliers of i32 and shifts of i8, got i16 and i8
func.func @rescale_width(%x: tensor<4xi32>, %m: tensor<1xi16>, %s: tensor<1xi8>, %z: tensor<1xi32>, %o: tensor<1xi8>) -> tensor<4xi8> {
  %y = tosa.rescale %x, %m, %s, %z, %o {input_unsigned = false, output_unsigned = false, per_channel = false, rounding_mode = DOUBLE_ROUND, scale32 = true} : (tensor<4xi32>, tensor<1xi16>, tensor<1xi8>, tensor<1xi32>, tensor<1xi8>) -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// -----

// A scalar has no channels.

// CHECK: error: 'tosa.rescale' op expected channels: a scalar has none
func.func @rescale_scalar(%x: tensor<i32>, %m: tensor<1xi32>, %s: tensor<1xi8>, %z: tensor<1xi32>, %o: tensor<1xi8>) -> tensor<i8> {
  %y = tosa.rescale %x, %m, %s, %z, %o {input_unsigned = false, output_unsigned = false, per_channel = true, rounding_mode = DOUBLE_ROUND, scale32 = true} : (tensor<i32>, tensor<1xi32>, tensor<1xi8>, tensor<1xi32>, tensor<1xi8>) -> tensor<i8>
  return %y : tensor<i8>
}
