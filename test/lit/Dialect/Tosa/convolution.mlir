// RUN: tinymo-opt %s | tinymo-opt | filecheck %s
// RUN: tinymo-opt --print-op-generic %s | tinymo-opt | filecheck %s

// A 3x3 convolution that keeps the size of the image: a row or column of padding on each side. Eight-bit products are
// summed in i32.

// CHECK-LABEL: @same_size
// CHECK: tosa.conv2d %x, %w, %b, %z, %z {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>} : (tensor<1x8x8x4xi8>, tensor<6x3x3x4xi8>, tensor<6xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x8x8x6xi32>
func.func @same_size(%x: tensor<1x8x8x4xi8>, %w: tensor<6x3x3x4xi8>, %b: tensor<6xi32>, %z: tensor<1xi8>) -> tensor<1x8x8x6xi32> {
  %y = tosa.conv2d %x, %w, %b, %z, %z {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>} : (tensor<1x8x8x4xi8>, tensor<6x3x3x4xi8>, tensor<6xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x8x8x6xi32>
  return %y : tensor<1x8x8x6xi32>
}

// The rows and columns of a strided, dilated window: (9 - 1 + 0 + 0 - 2 * 2) / 2 + 1 = 3 rows, and
// (10 - 1 + 1 + 0 - 2 * 2) / 3 + 1 = 3 columns. A bias of one value holds for all channels.

// CHECK-LABEL: @strided
// CHECK: tosa.conv2d {{.*}} dilation = array<i64: 2, 2>, pad = array<i64: 0, 0, 1, 0>, stride = array<i64: 2, 3>} {{.*}} -> tensor<1x3x3x6xi32>
func.func @strided(%x: tensor<1x9x10x4xi8>, %w: tensor<6x3x3x4xi8>, %b: tensor<1xi32>, %z: tensor<1xi8>) -> tensor<1x3x3x6xi32> {
  %y = tosa.conv2d %x, %w, %b, %z, %z {acc_type = i32, dilation = array<i64: 2, 2>, pad = array<i64: 0, 0, 1, 0>, stride = array<i64: 2, 3>} : (tensor<1x9x10x4xi8>, tensor<6x3x3x4xi8>, tensor<1xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x3x3x6xi32>
  return %y : tensor<1x3x3x6xi32>
}

// Activations of 16 bits are summed in i48. The bias is i64, as TFLite has it.

// CHECK-LABEL: @sixteen_bits
// CHECK: tosa.conv2d {{.*}} {acc_type = i48, {{.*}} -> tensor<1x2x2x2xi48>
func.func @sixteen_bits(%x: tensor<1x2x2x4xi16>, %w: tensor<2x1x1x4xi8>, %b: tensor<2xi64>, %xz: tensor<1xi16>, %wz: tensor<1xi8>) -> tensor<1x2x2x2xi48> {
  %y = tosa.conv2d %x, %w, %b, %xz, %wz {acc_type = i48, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<1x2x2x4xi16>, tensor<2x1x1x4xi8>, tensor<2xi64>, tensor<1xi16>, tensor<1xi8>) -> tensor<1x2x2x2xi48>
  return %y : tensor<1x2x2x2xi48>
}

// Unsigned activations and weights keep their zero points, both unsigned.

// CHECK-LABEL: @unsigned
// CHECK: tosa.conv2d {{.*}} (tensor<1x2x2x4xui8>, tensor<2x1x1x4xui8>, tensor<2xi32>, tensor<1xui8>, tensor<1xui8>) -> tensor<1x2x2x2xi32>
func.func @unsigned(%x: tensor<1x2x2x4xui8>, %w: tensor<2x1x1x4xui8>, %b: tensor<2xi32>, %z: tensor<1xui8>) -> tensor<1x2x2x2xi32> {
  %y = tosa.conv2d %x, %w, %b, %z, %z {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<1x2x2x4xui8>, tensor<2x1x1x4xui8>, tensor<2xi32>, tensor<1xui8>, tensor<1xui8>) -> tensor<1x2x2x2xi32>
  return %y : tensor<1x2x2x2xi32>
}

// Floats: halves may be summed in singles, but the result is of halves.

// CHECK-LABEL: @halves
// CHECK: tosa.conv2d {{.*}} {acc_type = f32, {{.*}} -> tensor<1x2x2x2xf16>
func.func @halves(%x: tensor<1x2x2x4xf16>, %w: tensor<2x1x1x4xf16>, %b: tensor<2xf16>, %z: tensor<1xf16>) -> tensor<1x2x2x2xf16> {
  %y = tosa.conv2d %x, %w, %b, %z, %z {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<1x2x2x4xf16>, tensor<2x1x1x4xf16>, tensor<2xf16>, tensor<1xf16>, tensor<1xf16>) -> tensor<1x2x2x2xf16>
  return %y : tensor<1x2x2x2xf16>
}

// `local_bound` is printed only where it is not false, its default. Attributes of other dialects stay.

// CHECK-LABEL: @attributes
// CHECK: tosa.conv2d {{.*}} {acc_type = i32, dilation = array<i64: 1, 1>, local_bound = true, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>, test.note = "kept", test.unit = unit} :
// CHECK: tosa.conv2d {{.*}} {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} :
func.func @attributes(%x: tensor<1x2x2x4xi8>, %w: tensor<2x1x1x4xi8>, %b: tensor<2xi32>, %z: tensor<1xi8>) -> (tensor<1x2x2x2xi32>, tensor<1x2x2x2xi32>) {
  %y = tosa.conv2d %x, %w, %b, %z, %z {test.note = "kept", test.unit, acc_type = i32, dilation = array<i64: 1, 1>, local_bound = true, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<1x2x2x4xi8>, tensor<2x1x1x4xi8>, tensor<2xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x2x2x2xi32>
  %z0 = tosa.conv2d %x, %w, %b, %z, %z {acc_type = i32, dilation = array<i64: 1, 1>, local_bound = false, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<1x2x2x4xi8>, tensor<2x1x1x4xi8>, tensor<2xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x2x2x2xi32>
  return %y, %z0 : tensor<1x2x2x2xi32>, tensor<1x2x2x2xi32>
}

// Each of 4 channels has 2 kernels of its own: 8 channels come out.

// CHECK-LABEL: @depthwise
// CHECK: tosa.depthwise_conv2d %x, %w, %b, %z, %z {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 1, 0, 1>, stride = array<i64: 2, 2>} : (tensor<1x8x8x4xi8>, tensor<3x3x4x2xi8>, tensor<8xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x4x4x8xi32>
func.func @depthwise(%x: tensor<1x8x8x4xi8>, %w: tensor<3x3x4x2xi8>, %b: tensor<8xi32>, %z: tensor<1xi8>) -> tensor<1x4x4x8xi32> {
  %y = tosa.depthwise_conv2d %x, %w, %b, %z, %z {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 1, 0, 1>, stride = array<i64: 2, 2>} : (tensor<1x8x8x4xi8>, tensor<3x3x4x2xi8>, tensor<8xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x4x4x8xi32>
  return %y : tensor<1x4x4x8xi32>
}

// Windows two rows and columns apart make a small image twice as large. Here the last row, and the first and the last
// column, are cut: (4 - 1) * 2 + 0 - 1 + 3 = 8 rows, (4 - 1) * 2 - 1 - 1 + 4 = 8 columns.

// CHECK-LABEL: @transposed
// CHECK: tosa.transpose_conv2d %x, %w, %b, %z, %z {acc_type = i32, out_pad = array<i64: 0, -1, -1, -1>, stride = array<i64: 2, 2>} : (tensor<1x4x4x3xi8>, tensor<5x3x4x3xi8>, tensor<5xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x8x8x5xi32>
func.func @transposed(%x: tensor<1x4x4x3xi8>, %w: tensor<5x3x4x3xi8>, %b: tensor<5xi32>, %z: tensor<1xi8>) -> tensor<1x8x8x5xi32> {
  %y = tosa.transpose_conv2d %x, %w, %b, %z, %z {acc_type = i32, out_pad = array<i64: 0, -1, -1, -1>, stride = array<i64: 2, 2>} : (tensor<1x4x4x3xi8>, tensor<5x3x4x3xi8>, tensor<5xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x8x8x5xi32>
  return %y : tensor<1x8x8x5xi32>
}

// Three dimensions: pads front, back, top, bottom, left, right.

// CHECK-LABEL: @volume
// CHECK: tosa.conv3d %x, %w, %b, %z, %z {acc_type = i32, dilation = array<i64: 1, 1, 1>, pad = array<i64: 0, 0, 1, 1, 2, 0>, stride = array<i64: 1, 1, 1>} : {{.*}} -> tensor<1x3x8x8x6xi32>
func.func @volume(%x: tensor<1x4x8x8x4xi8>, %w: tensor<6x2x3x3x4xi8>, %b: tensor<6xi32>, %z: tensor<1xi8>) -> tensor<1x3x8x8x6xi32> {
  %y = tosa.conv3d %x, %w, %b, %z, %z {acc_type = i32, dilation = array<i64: 1, 1, 1>, pad = array<i64: 0, 0, 1, 1, 2, 0>, stride = array<i64: 1, 1, 1>} : (tensor<1x4x8x8x4xi8>, tensor<6x2x3x3x4xi8>, tensor<6xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x3x8x8x6xi32>
  return %y : tensor<1x3x8x8x6xi32>
}

// What is computed from a size that is not known is not checked.

// CHECK-LABEL: @dynamic
// CHECK: tosa.conv2d {{.*}} -> tensor<?x?x8x6xi32>
func.func @dynamic(%x: tensor<?x?x8x4xi8>, %w: tensor<6x3x3x4xi8>, %b: tensor<6xi32>, %z: tensor<1xi8>) -> tensor<?x?x8x6xi32> {
  %y = tosa.conv2d %x, %w, %b, %z, %z {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>} : (tensor<?x?x8x4xi8>, tensor<6x3x3x4xi8>, tensor<6xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<?x?x8x6xi32>
  return %y : tensor<?x?x8x6xi32>
}
