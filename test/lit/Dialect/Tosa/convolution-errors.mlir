// RUN: tinymo-opt --verify-diagnostics --split-input-file %s | filecheck %s

// Windows of 3, two apart, never read the last of 8 rows: TOSA wants it to be cut before.

// CHECK: error: 'tosa.conv2d' op expected a multiple of stride 2, got size 8 - 1 + pads 0 + 0 - (kernel 3 - 1) * dilation 1 = 5: slice the input first
func.func @unread_row(%x: tensor<1x8x8x4xi8>, %w: tensor<6x3x3x4xi8>, %b: tensor<6xi32>, %z: tensor<1xi8>) -> tensor<1x3x3x6xi32> {
  %y = tosa.conv2d %x, %w, %b, %z, %z {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>} : (tensor<1x8x8x4xi8>, tensor<6x3x3x4xi8>, tensor<6xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x3x3x6xi32>
  return %y : tensor<1x3x3x6xi32>
}

// -----

// A dilated kernel of 3 spans 7 rows, more than there are.

// CHECK: error: 'tosa.depthwise_conv2d' op expected the kernel to fit the padded input, got size 5 - 1 + pads 1 + 0 - (kernel 3 - 1) * dilation 3 = -1
func.func @kernel_too_large(%x: tensor<1x5x5x4xi8>, %w: tensor<3x3x4x1xi8>, %b: tensor<4xi32>, %z: tensor<1xi8>) -> tensor<1x1x1x4xi32> {
  %y = tosa.depthwise_conv2d %x, %w, %b, %z, %z {acc_type = i32, dilation = array<i64: 3, 3>, pad = array<i64: 1, 0, 1, 1>, stride = array<i64: 1, 1>} : (tensor<1x5x5x4xi8>, tensor<3x3x4x1xi8>, tensor<4xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x1x1x4xi32>
  return %y : tensor<1x1x1x4xi32>
}

// -----

// The result of another shape than the windows give.

// CHECK: error: 'tosa.conv2d' op expected shape 1x8x8x6 of the output, got 1x8x7x6
func.func @output_shape(%x: tensor<1x8x8x4xi8>, %w: tensor<6x3x3x4xi8>, %b: tensor<6xi32>, %z: tensor<1xi8>) -> tensor<1x8x7x6xi32> {
  %y = tosa.conv2d %x, %w, %b, %z, %z {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>} : (tensor<1x8x8x4xi8>, tensor<6x3x3x4xi8>, tensor<6xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x8x7x6xi32>
  return %y : tensor<1x8x7x6xi32>
}

// -----

// Weights of another number of input channels.

// CHECK: error: 'tosa.conv2d' op expected weights of 4 input channels, got 5
func.func @input_channels(%x: tensor<1x8x8x4xi8>, %w: tensor<6x1x1x5xi8>, %b: tensor<6xi32>, %z: tensor<1xi8>) -> tensor<1x8x8x6xi32> {
  %y = tosa.conv2d %x, %w, %b, %z, %z {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<1x8x8x4xi8>, tensor<6x1x1x5xi8>, tensor<6xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x8x8x6xi32>
  return %y : tensor<1x8x8x6xi32>
}

// -----

// Depthwise weights in the layout of TFLite, [1, KH, KW, C], instead of [KH, KW, C, M].

// CHECK: error: 'tosa.depthwise_conv2d' op expected weights of 4 input channels, got 3
func.func @depthwise_layout(%x: tensor<1x8x8x4xi8>, %w: tensor<1x3x3x4xi8>, %b: tensor<4xi32>, %z: tensor<1xi8>) -> tensor<1x6x6x4xi32> {
  %y = tosa.depthwise_conv2d %x, %w, %b, %z, %z {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<1x8x8x4xi8>, tensor<1x3x3x4xi8>, tensor<4xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x6x6x4xi32>
  return %y : tensor<1x6x6x4xi32>
}

// -----

// A bias of neither one value nor one for each of the 4 * 2 channels of the output.

// CHECK: error: 'tosa.depthwise_conv2d' op expected a bias of 8 values or 1, got shape 4
func.func @bias(%x: tensor<1x8x8x4xi8>, %w: tensor<3x3x4x2xi8>, %b: tensor<4xi32>, %z: tensor<1xi8>) -> tensor<1x6x6x8xi32> {
  %y = tosa.depthwise_conv2d %x, %w, %b, %z, %z {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<1x8x8x4xi8>, tensor<3x3x4x2xi8>, tensor<4xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x6x6x8xi32>
  return %y : tensor<1x6x6x8xi32>
}

// -----

// A zero point for each channel: TOSA has one for the tensor.

// CHECK: error: 'tosa.conv2d' op expected shape 1 of weight_zp, got 6
func.func @zero_points(%x: tensor<1x8x8x4xi8>, %w: tensor<6x1x1x4xi8>, %b: tensor<6xi32>, %z: tensor<1xi8>, %zs: tensor<6xi8>) -> tensor<1x8x8x6xi32> {
  %y = tosa.conv2d %x, %w, %b, %z, %zs {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<1x8x8x4xi8>, tensor<6x1x1x4xi8>, tensor<6xi32>, tensor<1xi8>, tensor<6xi8>) -> tensor<1x8x8x6xi32>
  return %y : tensor<1x8x8x6xi32>
}

// -----

// A zero point of another type than its tensor's.

// CHECK: error: 'tosa.conv2d' op expected input_zp of i16, got i8
func.func @zero_point_type(%x: tensor<1x8x8x4xi16>, %w: tensor<6x1x1x4xi8>, %b: tensor<6xi48>, %z: tensor<1xi8>) -> tensor<1x8x8x6xi48> {
  %y = tosa.conv2d %x, %w, %b, %z, %z {acc_type = i48, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<1x8x8x4xi16>, tensor<6x1x1x4xi8>, tensor<6xi48>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x8x8x6xi48>
  return %y : tensor<1x8x8x6xi48>
}

// -----

// Sixteen bits would overflow accumulators of 32.

// CHECK: error: 'tosa.conv2d' op expected accumulators of i48, got i32
func.func @accumulators(%x: tensor<1x8x8x4xi16>, %w: tensor<6x1x1x4xi8>, %b: tensor<6xi64>, %xz: tensor<1xi16>, %wz: tensor<1xi8>) -> tensor<1x8x8x6xi32> {
  %y = tosa.conv2d %x, %w, %b, %xz, %wz {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<1x8x8x4xi16>, tensor<6x1x1x4xi8>, tensor<6xi64>, tensor<1xi16>, tensor<1xi8>) -> tensor<1x8x8x6xi32>
  return %y : tensor<1x8x8x6xi32>
}

// -----

// The result holds the accumulators; a rescale brings them back to i8.

// CHECK: error: 'tosa.conv2d' op expected an output of i32, got i8
func.func @output_type(%x: tensor<1x8x8x4xi8>, %w: tensor<6x1x1x4xi8>, %b: tensor<6xi32>, %z: tensor<1xi8>) -> tensor<1x8x8x6xi8> {
  %y = tosa.conv2d %x, %w, %b, %z, %z {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<1x8x8x4xi8>, tensor<6x1x1x4xi8>, tensor<6xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x8x8x6xi8>
  return %y : tensor<1x8x8x6xi8>
}

// -----

// Integer weights for an input of floats.

// CHECK: error: 'tosa.conv2d' op expected weights and bias of f32, got i8 and f32
func.func @hybrid(%x: tensor<1x8x8x4xf32>, %w: tensor<6x1x1x4xi8>, %b: tensor<6xf32>, %xz: tensor<1xf32>, %wz: tensor<1xi8>) -> tensor<1x8x8x6xf32> {
  %y = tosa.conv2d %x, %w, %b, %xz, %wz {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<1x8x8x4xf32>, tensor<6x1x1x4xi8>, tensor<6xf32>, tensor<1xf32>, tensor<1xi8>) -> tensor<1x8x8x6xf32>
  return %y : tensor<1x8x8x6xf32>
}

// -----

// Weights of 16 bits, which TOSA does not have.

// CHECK: error: 'tosa.conv2d' op expected weights of 8 or 4 bits for an input of i8, got i16
func.func @wide_weights(%x: tensor<1x8x8x4xi8>, %w: tensor<6x1x1x4xi16>, %b: tensor<6xi32>, %xz: tensor<1xi8>, %wz: tensor<1xi16>) -> tensor<1x8x8x6xi32> {
  %y = tosa.conv2d %x, %w, %b, %xz, %wz {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<1x8x8x4xi8>, tensor<6x1x1x4xi16>, tensor<6xi32>, tensor<1xi8>, tensor<1xi16>) -> tensor<1x8x8x6xi32>
  return %y : tensor<1x8x8x6xi32>
}

// -----

// A bias as narrow as the weights.

// CHECK: error: 'tosa.conv2d' op expected a bias of i32, i48 or i64 for an input of i8, got i8
func.func @narrow_bias(%x: tensor<1x8x8x4xi8>, %w: tensor<6x1x1x4xi8>, %b: tensor<6xi8>, %z: tensor<1xi8>) -> tensor<1x8x8x6xi32> {
  %y = tosa.conv2d %x, %w, %b, %z, %z {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<1x8x8x4xi8>, tensor<6x1x1x4xi8>, tensor<6xi8>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x8x8x6xi32>
  return %y : tensor<1x8x8x6xi32>
}

// -----

// An image without its batch dimension.

// CHECK: error: 'tosa.conv2d' op expected an input of rank 4, got shape 8x8x4
func.func @rank(%x: tensor<8x8x4xi8>, %w: tensor<6x1x1x4xi8>, %b: tensor<6xi32>, %z: tensor<1xi8>) -> tensor<8x8x6xi32> {
  %y = tosa.conv2d %x, %w, %b, %z, %z {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<8x8x4xi8>, tensor<6x1x1x4xi8>, tensor<6xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<8x8x6xi32>
  return %y : tensor<8x8x6xi32>
}

// -----

// Pads cannot cut.

// CHECK: error: 'tosa.conv2d' op expected pads >= 0, got [0, -1, 0, 0]
func.func @negative_pad(%x: tensor<1x8x8x4xi8>, %w: tensor<6x1x1x4xi8>, %b: tensor<6xi32>, %z: tensor<1xi8>) -> tensor<1x7x8x6xi32> {
  %y = tosa.conv2d %x, %w, %b, %z, %z {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 0, -1, 0, 0>, stride = array<i64: 1, 1>} : (tensor<1x8x8x4xi8>, tensor<6x1x1x4xi8>, tensor<6xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x7x8x6xi32>
  return %y : tensor<1x7x8x6xi32>
}

// -----

// Windows that do not move.

// CHECK: error: 'tosa.conv2d' op expected strides and dilations >= 1, got [1, 0] and [1, 1]
func.func @zero_stride(%x: tensor<1x8x8x4xi8>, %w: tensor<6x1x1x4xi8>, %b: tensor<6xi32>, %z: tensor<1xi8>) -> tensor<1x8x8x6xi32> {
  %y = tosa.conv2d %x, %w, %b, %z, %z {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 0>} : (tensor<1x8x8x4xi8>, tensor<6x1x1x4xi8>, tensor<6xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x8x8x6xi32>
  return %y : tensor<1x8x8x6xi32>
}

// -----

// Pads for one dimension where there are two.

// CHECK: error: 'tosa.conv2d' op expected two pads, a stride and a dilation for each of 2 dimensions
func.func @few_pads(%x: tensor<1x8x8x4xi8>, %w: tensor<6x1x1x4xi8>, %b: tensor<6xi32>, %z: tensor<1xi8>) -> tensor<1x8x8x6xi32> {
  %y = tosa.conv2d %x, %w, %b, %z, %z {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0>, stride = array<i64: 1, 1>} : (tensor<1x8x8x4xi8>, tensor<6x1x1x4xi8>, tensor<6xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x8x8x6xi32>
  return %y : tensor<1x8x8x6xi32>
}

// -----

// A transposed convolution has (4 - 1) * 2 + 0 + 0 + 3 = 9 rows and columns.

// CHECK: error: 'tosa.transpose_conv2d' op expected shape 1x9x9x5 of the output, got 1x8x8x5
func.func @transposed_shape(%x: tensor<1x4x4x3xi8>, %w: tensor<5x3x3x3xi8>, %b: tensor<5xi32>, %z: tensor<1xi8>) -> tensor<1x8x8x5xi32> {
  %y = tosa.transpose_conv2d %x, %w, %b, %z, %z {acc_type = i32, out_pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>} : (tensor<1x4x4x3xi8>, tensor<5x3x3x3xi8>, tensor<5xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x8x8x5xi32>
  return %y : tensor<1x8x8x5xi32>
}

// -----

// It may cut less than a kernel.

// CHECK: error: 'tosa.transpose_conv2d' op expected out_pad > -3, the size of the kernel, got -3
func.func @transposed_cut(%x: tensor<1x4x4x3xi8>, %w: tensor<5x3x3x3xi8>, %b: tensor<5xi32>, %z: tensor<1xi8>) -> tensor<1x9x6x5xi32> {
  %y = tosa.transpose_conv2d %x, %w, %b, %z, %z {acc_type = i32, out_pad = array<i64: 0, 0, -3, 0>, stride = array<i64: 2, 2>} : (tensor<1x4x4x3xi8>, tensor<5x3x3x3xi8>, tensor<5xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x9x6x5xi32>
  return %y : tensor<1x9x6x5xi32>
}

// -----

// Weights without input channels.

// CHECK: error: 'tosa.conv2d' op expected weights of rank 4, got shape 5x3x3
func.func @weights_rank(%x: tensor<1x4x4x3xi8>, %w: tensor<5x3x3xi8>, %b: tensor<5xi32>, %z: tensor<1xi8>) -> tensor<1x2x2x5xi32> {
  %y = tosa.conv2d %x, %w, %b, %z, %z {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<1x4x4x3xi8>, tensor<5x3x3xi8>, tensor<5xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x2x2x5xi32>
  return %y : tensor<1x2x2x5xi32>
}

// -----

// A transposed convolution has two dimensions.

// CHECK: error: 'tosa.transpose_conv2d' op expected four values of out_pad and two strides
func.func @transposed_strides(%x: tensor<1x4x4x3xi8>, %w: tensor<5x3x3x3xi8>, %b: tensor<5xi32>, %z: tensor<1xi8>) -> tensor<1x9x9x5xi32> {
  %y = tosa.transpose_conv2d %x, %w, %b, %z, %z {acc_type = i32, out_pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 2>} : (tensor<1x4x4x3xi8>, tensor<5x3x3x3xi8>, tensor<5xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x9x9x5xi32>
  return %y : tensor<1x9x9x5xi32>
}

// -----

// Its windows are apart.

// CHECK: error: 'tosa.transpose_conv2d' op expected strides >= 1, got [2, 0]
func.func @transposed_zero_stride(%x: tensor<1x4x4x3xi8>, %w: tensor<5x3x3x3xi8>, %b: tensor<5xi32>, %z: tensor<1xi8>) -> tensor<1x9x3x5xi32> {
  %y = tosa.transpose_conv2d %x, %w, %b, %z, %z {acc_type = i32, out_pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 0>} : (tensor<1x4x4x3xi8>, tensor<5x3x3x3xi8>, tensor<5xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x9x3x5xi32>
  return %y : tensor<1x9x3x5xi32>
}
