// RUN: tinymo-opt %s | tinymo-opt | filecheck %s
// RUN: tinymo-opt --print-op-generic %s | tinymo-opt | filecheck %s

// The same 24 elements in another shape.

// CHECK-LABEL: @reshape
// CHECK: tosa.reshape %x, %shape : (tensor<4x6xi8>, !tosa.shape<2>) -> tensor<2x12xi8>
func.func @reshape(%x: tensor<4x6xi8>) -> tensor<2x12xi8> {
  %shape = tosa.const_shape {values = dense<[2, 12]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %y = tosa.reshape %x, %shape : (tensor<4x6xi8>, !tosa.shape<2>) -> tensor<2x12xi8>
  return %y : tensor<2x12xi8>
}

// One size of -1 stands for what is left, here 24 / 4 = 6.

// CHECK-LABEL: @reshape_rest
// CHECK: tosa.reshape %x, %shape : (tensor<2x12xi8>, !tosa.shape<2>) -> tensor<4x6xi8>
func.func @reshape_rest(%x: tensor<2x12xi8>) -> tensor<4x6xi8> {
  %shape = tosa.const_shape {values = dense<[4, -1]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %y = tosa.reshape %x, %shape : (tensor<2x12xi8>, !tosa.shape<2>) -> tensor<4x6xi8>
  return %y : tensor<4x6xi8>
}

// A tensor of one element has no dimensions left.

// CHECK-LABEL: @reshape_scalar
// CHECK: tosa.reshape %x, %shape : (tensor<1x1xi8>, !tosa.shape<0>) -> tensor<i8>
func.func @reshape_scalar(%x: tensor<1x1xi8>) -> tensor<i8> {
  %shape = tosa.const_shape {values = dense<> : tensor<0xindex>} : () -> !tosa.shape<0>
  %y = tosa.reshape %x, %shape : (tensor<1x1xi8>, !tosa.shape<0>) -> tensor<i8>
  return %y : tensor<i8>
}

// From NHWC to NCHW: dimension 1 of the result is dimension 3 of the operand.

// CHECK-LABEL: @transpose
// CHECK: tosa.transpose %x {perms = array<i32: 0, 3, 1, 2>} : (tensor<1x8x6x4xi8>) -> tensor<1x4x8x6xi8>
func.func @transpose(%x: tensor<1x8x6x4xi8>) -> tensor<1x4x8x6xi8> {
  %y = tosa.transpose %x {perms = array<i32: 0, 3, 1, 2>} : (tensor<1x8x6x4xi8>) -> tensor<1x4x8x6xi8>
  return %y : tensor<1x4x8x6xi8>
}

// A row above, two columns on the right.

// CHECK-LABEL: @pad
// CHECK: tosa.pad %x, %padding, %zero : (tensor<4x6xi8>, !tosa.shape<4>, tensor<1xi8>) -> tensor<5x8xi8>
func.func @pad(%x: tensor<4x6xi8>, %zero: tensor<1xi8>) -> tensor<5x8xi8> {
  %padding = tosa.const_shape {values = dense<[1, 0, 0, 2]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %y = tosa.pad %x, %padding, %zero : (tensor<4x6xi8>, !tosa.shape<4>, tensor<1xi8>) -> tensor<5x8xi8>
  return %y : tensor<5x8xi8>
}

// Rows 1 and 2, columns 3 to 5.

// CHECK-LABEL: @slice
// CHECK: tosa.slice %x, %start, %size : (tensor<4x6xi8>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<2x3xi8>
func.func @slice(%x: tensor<4x6xi8>) -> tensor<2x3xi8> {
  %start = tosa.const_shape {values = dense<[1, 3]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %size = tosa.const_shape {values = dense<[2, 3]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %y = tosa.slice %x, %start, %size : (tensor<4x6xi8>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<2x3xi8>
  return %y : tensor<2x3xi8>
}

// Twice as many rows, three times as many columns.

// CHECK-LABEL: @tile
// CHECK: tosa.tile %x, %multiples : (tensor<4x6xi8>, !tosa.shape<2>) -> tensor<8x18xi8>
func.func @tile(%x: tensor<4x6xi8>) -> tensor<8x18xi8> {
  %multiples = tosa.const_shape {values = dense<[2, 3]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %y = tosa.tile %x, %multiples : (tensor<4x6xi8>, !tosa.shape<2>) -> tensor<8x18xi8>
  return %y : tensor<8x18xi8>
}

// Columns from right to left.

// CHECK-LABEL: @reverse
// CHECK: tosa.reverse %x {axis = 1 : i32} : (tensor<4x6xi8>) -> tensor<4x6xi8>
func.func @reverse(%x: tensor<4x6xi8>) -> tensor<4x6xi8> {
  %y = tosa.reverse %x {axis = 1 : i32} : (tensor<4x6xi8>) -> tensor<4x6xi8>
  return %y : tensor<4x6xi8>
}

// Nothing at all.

// CHECK-LABEL: @identity
// CHECK: tosa.identity %x : (tensor<4x6xi8>) -> tensor<4x6xi8>
func.func @identity(%x: tensor<4x6xi8>) -> tensor<4x6xi8> {
  %y = tosa.identity %x : (tensor<4x6xi8>) -> tensor<4x6xi8>
  return %y : tensor<4x6xi8>
}

// Three of five vectors of two elements.

// CHECK-LABEL: @gather
// CHECK: tosa.gather %values, %indices : (tensor<1x5x2xi8>, tensor<1x3xi32>) -> tensor<1x3x2xi8>
func.func @gather(%values: tensor<1x5x2xi8>, %indices: tensor<1x3xi32>) -> tensor<1x3x2xi8> {
  %y = tosa.gather %values, %indices : (tensor<1x5x2xi8>, tensor<1x3xi32>) -> tensor<1x3x2xi8>
  return %y : tensor<1x3x2xi8>
}

// Three of five vectors replaced.

// CHECK-LABEL: @scatter
// CHECK: tosa.scatter %values, %indices, %input : (tensor<1x5x2xi8>, tensor<1x3xi32>, tensor<1x3x2xi8>) -> tensor<1x5x2xi8>
func.func @scatter(%values: tensor<1x5x2xi8>, %indices: tensor<1x3xi32>, %input: tensor<1x3x2xi8>) -> tensor<1x5x2xi8> {
  %y = tosa.scatter %values, %indices, %input : (tensor<1x5x2xi8>, tensor<1x3xi32>, tensor<1x3x2xi8>) -> tensor<1x5x2xi8>
  return %y : tensor<1x5x2xi8>
}

// Sizes that are not known agree with any other.

// CHECK-LABEL: @dynamic
// CHECK: tosa.pad %x, %padding, %zero : (tensor<?x6xi8>, !tosa.shape<4>, tensor<1xi8>) -> tensor<?x8xi8>
func.func @dynamic(%x: tensor<?x6xi8>, %zero: tensor<1xi8>) -> tensor<?x8xi8> {
  %padding = tosa.const_shape {values = dense<[1, 0, 0, 2]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %y = tosa.pad %x, %padding, %zero : (tensor<?x6xi8>, !tosa.shape<4>, tensor<1xi8>) -> tensor<?x8xi8>
  return %y : tensor<?x8xi8>
}

// Shapes need not be constants. Then nothing about the sizes of the result is known.

// CHECK-LABEL: @shape_argument
// CHECK: tosa.reshape %x, %shape : (tensor<4x6xi8>, !tosa.shape<2>) -> tensor<2x12xi8>
func.func @shape_argument(%x: tensor<4x6xi8>, %shape: !tosa.shape<2>) -> tensor<2x12xi8> {
  %y = tosa.reshape %x, %shape : (tensor<4x6xi8>, !tosa.shape<2>) -> tensor<2x12xi8>
  return %y : tensor<2x12xi8>
}
