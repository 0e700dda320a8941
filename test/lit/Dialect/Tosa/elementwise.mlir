// RUN: tinymo-opt %s | tinymo-opt | filecheck %s
// RUN: tinymo-opt --print-op-generic %s | tinymo-opt | filecheck %s

// The absolute value.

// CHECK-LABEL: @abs
// CHECK: tosa.abs %x : (tensor<4x6xi8>) -> tensor<4x6xi8>
func.func @abs(%x: tensor<4x6xi8>) -> tensor<4x6xi8> {
  %y = tosa.abs %x : (tensor<4x6xi8>) -> tensor<4x6xi8>
  return %y : tensor<4x6xi8>
}

// All bits inverted.

// CHECK-LABEL: @bitwise_not
// CHECK: tosa.bitwise_not %x : (tensor<4x6xi16>) -> tensor<4x6xi16>
func.func @bitwise_not(%x: tensor<4x6xi16>) -> tensor<4x6xi16> {
  %y = tosa.bitwise_not %x : (tensor<4x6xi16>) -> tensor<4x6xi16>
  return %y : tensor<4x6xi16>
}

// The least whole number that is not less.

// CHECK-LABEL: @ceil
// CHECK: tosa.ceil %x : (tensor<4x6xf32>) -> tensor<4x6xf32>
func.func @ceil(%x: tensor<4x6xf32>) -> tensor<4x6xf32> {
  %y = tosa.ceil %x : (tensor<4x6xf32>) -> tensor<4x6xf32>
  return %y : tensor<4x6xf32>
}

// The number of leading zero bits.

// CHECK-LABEL: @clz
// CHECK: tosa.clz %x : (tensor<4x6xi32>) -> tensor<4x6xi32>
func.func @clz(%x: tensor<4x6xi32>) -> tensor<4x6xi32> {
  %y = tosa.clz %x : (tensor<4x6xi32>) -> tensor<4x6xi32>
  return %y : tensor<4x6xi32>
}

// The exponential.

// CHECK-LABEL: @exp
// CHECK: tosa.exp %x : (tensor<4x6xf32>) -> tensor<4x6xf32>
func.func @exp(%x: tensor<4x6xf32>) -> tensor<4x6xf32> {
  %y = tosa.exp %x : (tensor<4x6xf32>) -> tensor<4x6xf32>
  return %y : tensor<4x6xf32>
}

// The greatest whole number that is not greater.

// CHECK-LABEL: @floor
// CHECK: tosa.floor %x : (tensor<4x6xf16>) -> tensor<4x6xf16>
func.func @floor(%x: tensor<4x6xf16>) -> tensor<4x6xf16> {
  %y = tosa.floor %x : (tensor<4x6xf16>) -> tensor<4x6xf16>
  return %y : tensor<4x6xf16>
}

// The natural logarithm.

// CHECK-LABEL: @log
// CHECK: tosa.log %x : (tensor<4x6xf32>) -> tensor<4x6xf32>
func.func @log(%x: tensor<4x6xf32>) -> tensor<4x6xf32> {
  %y = tosa.log %x : (tensor<4x6xf32>) -> tensor<4x6xf32>
  return %y : tensor<4x6xf32>
}

// Its opposite.

// CHECK-LABEL: @logical_not
// CHECK: tosa.logical_not %x : (tensor<4x6xi1>) -> tensor<4x6xi1>
func.func @logical_not(%x: tensor<4x6xi1>) -> tensor<4x6xi1> {
  %y = tosa.logical_not %x : (tensor<4x6xi1>) -> tensor<4x6xi1>
  return %y : tensor<4x6xi1>
}

// The reciprocal of the square root.

// CHECK-LABEL: @rsqrt
// CHECK: tosa.rsqrt %x : (tensor<4x6xf32>) -> tensor<4x6xf32>
func.func @rsqrt(%x: tensor<4x6xf32>) -> tensor<4x6xf32> {
  %y = tosa.rsqrt %x : (tensor<4x6xf32>) -> tensor<4x6xf32>
  return %y : tensor<4x6xf32>
}

// Quantized numbers are negated around their zero points.

// CHECK-LABEL: @negate
// CHECK: tosa.negate %x, %x_zp, %y_zp : (tensor<4x6xi8>, tensor<1xi8>, tensor<1xi8>) -> tensor<4x6xi8>
func.func @negate(%x: tensor<4x6xi8>, %x_zp: tensor<1xi8>, %y_zp: tensor<1xi8>) -> tensor<4x6xi8> {
  %y = tosa.negate %x, %x_zp, %y_zp : (tensor<4x6xi8>, tensor<1xi8>, tensor<1xi8>) -> tensor<4x6xi8>
  return %y : tensor<4x6xi8>
}

// The first to the power of the second.

// CHECK-LABEL: @pow
// CHECK: tosa.pow %a, %b : (tensor<4x6xf32>, tensor<4x6xf32>) -> tensor<4x6xf32>
func.func @pow(%a: tensor<4x6xf32>, %b: tensor<4x6xf32>) -> tensor<4x6xf32> {
  %y = tosa.pow %a, %b : (tensor<4x6xf32>, tensor<4x6xf32>) -> tensor<4x6xf32>
  return %y : tensor<4x6xf32>
}

// The quotient, rounded towards zero.

// CHECK-LABEL: @intdiv
// CHECK: tosa.intdiv %a, %b : (tensor<4x6xi32>, tensor<4x6xi32>) -> tensor<4x6xi32>
func.func @intdiv(%a: tensor<4x6xi32>, %b: tensor<4x6xi32>) -> tensor<4x6xi32> {
  %y = tosa.intdiv %a, %b : (tensor<4x6xi32>, tensor<4x6xi32>) -> tensor<4x6xi32>
  return %y : tensor<4x6xi32>
}

// The bits of both.

// CHECK-LABEL: @bitwise_and
// CHECK: tosa.bitwise_and %a, %b : (tensor<4x6xi8>, tensor<4x6xi8>) -> tensor<4x6xi8>
func.func @bitwise_and(%a: tensor<4x6xi8>, %b: tensor<4x6xi8>) -> tensor<4x6xi8> {
  %y = tosa.bitwise_and %a, %b : (tensor<4x6xi8>, tensor<4x6xi8>) -> tensor<4x6xi8>
  return %y : tensor<4x6xi8>
}

// The bits of either.

// CHECK-LABEL: @bitwise_or
// CHECK: tosa.bitwise_or %a, %b : (tensor<4x6xi8>, tensor<4x6xi8>) -> tensor<4x6xi8>
func.func @bitwise_or(%a: tensor<4x6xi8>, %b: tensor<4x6xi8>) -> tensor<4x6xi8> {
  %y = tosa.bitwise_or %a, %b : (tensor<4x6xi8>, tensor<4x6xi8>) -> tensor<4x6xi8>
  return %y : tensor<4x6xi8>
}

// The bits of only one.

// CHECK-LABEL: @bitwise_xor
// CHECK: tosa.bitwise_xor %a, %b : (tensor<4x6xi8>, tensor<4x6xi8>) -> tensor<4x6xi8>
func.func @bitwise_xor(%a: tensor<4x6xi8>, %b: tensor<4x6xi8>) -> tensor<4x6xi8> {
  %y = tosa.bitwise_xor %a, %b : (tensor<4x6xi8>, tensor<4x6xi8>) -> tensor<4x6xi8>
  return %y : tensor<4x6xi8>
}

// Both.

// CHECK-LABEL: @logical_and
// CHECK: tosa.logical_and %a, %b : (tensor<4x6xi1>, tensor<4x6xi1>) -> tensor<4x6xi1>
func.func @logical_and(%a: tensor<4x6xi1>, %b: tensor<4x6xi1>) -> tensor<4x6xi1> {
  %y = tosa.logical_and %a, %b : (tensor<4x6xi1>, tensor<4x6xi1>) -> tensor<4x6xi1>
  return %y : tensor<4x6xi1>
}

// Either.

// CHECK-LABEL: @logical_or
// CHECK: tosa.logical_or %a, %b : (tensor<4x6xi1>, tensor<4x6xi1>) -> tensor<4x6xi1>
func.func @logical_or(%a: tensor<4x6xi1>, %b: tensor<4x6xi1>) -> tensor<4x6xi1> {
  %y = tosa.logical_or %a, %b : (tensor<4x6xi1>, tensor<4x6xi1>) -> tensor<4x6xi1>
  return %y : tensor<4x6xi1>
}

// Only one.

// CHECK-LABEL: @logical_xor
// CHECK: tosa.logical_xor %a, %b : (tensor<4x6xi1>, tensor<4x6xi1>) -> tensor<4x6xi1>
func.func @logical_xor(%a: tensor<4x6xi1>, %b: tensor<4x6xi1>) -> tensor<4x6xi1> {
  %y = tosa.logical_xor %a, %b : (tensor<4x6xi1>, tensor<4x6xi1>) -> tensor<4x6xi1>
  return %y : tensor<4x6xi1>
}

// Zeros come in on the right.

// CHECK-LABEL: @logical_left_shift
// CHECK: tosa.logical_left_shift %a, %b : (tensor<4x6xi32>, tensor<4x6xi32>) -> tensor<4x6xi32>
func.func @logical_left_shift(%a: tensor<4x6xi32>, %b: tensor<4x6xi32>) -> tensor<4x6xi32> {
  %y = tosa.logical_left_shift %a, %b : (tensor<4x6xi32>, tensor<4x6xi32>) -> tensor<4x6xi32>
  return %y : tensor<4x6xi32>
}

// Zeros come in on the left.

// CHECK-LABEL: @logical_right_shift
// CHECK: tosa.logical_right_shift %a, %b : (tensor<4x6xi32>, tensor<4x6xi32>) -> tensor<4x6xi32>
func.func @logical_right_shift(%a: tensor<4x6xi32>, %b: tensor<4x6xi32>) -> tensor<4x6xi32> {
  %y = tosa.logical_right_shift %a, %b : (tensor<4x6xi32>, tensor<4x6xi32>) -> tensor<4x6xi32>
  return %y : tensor<4x6xi32>
}

// Signs come in on the left; with `round`, the last bit that goes out counts.

// CHECK-LABEL: @arithmetic_right_shift
// CHECK: tosa.arithmetic_right_shift %a, %b {round = true} : (tensor<4x6xi32>, tensor<4x6xi32>) -> tensor<4x6xi32>
func.func @arithmetic_right_shift(%a: tensor<4x6xi32>, %b: tensor<4x6xi32>) -> tensor<4x6xi32> {
  %y = tosa.arithmetic_right_shift %a, %b {round = true} : (tensor<4x6xi32>, tensor<4x6xi32>) -> tensor<4x6xi32>
  return %y : tensor<4x6xi32>
}

// The greater of two, a NaN winning unless it is to be ignored.

// CHECK-LABEL: @maximum
// CHECK: tosa.maximum %a, %b {nan_mode = IGNORE} : (tensor<4x6xf32>, tensor<4x6xf32>) -> tensor<4x6xf32>
func.func @maximum(%a: tensor<4x6xf32>, %b: tensor<4x6xf32>) -> tensor<4x6xf32> {
  %y = tosa.maximum %a, %b {nan_mode = IGNORE} : (tensor<4x6xf32>, tensor<4x6xf32>) -> tensor<4x6xf32>
  return %y : tensor<4x6xf32>
}

// The default of `nan_mode` is not printed.

// CHECK-LABEL: @minimum
// CHECK: tosa.minimum %a, %b : (tensor<4x6xui8>, tensor<4x6xui8>) -> tensor<4x6xui8>
func.func @minimum(%a: tensor<4x6xui8>, %b: tensor<4x6xui8>) -> tensor<4x6xui8> {
  %y = tosa.minimum %a, %b {nan_mode = PROPAGATE} : (tensor<4x6xui8>, tensor<4x6xui8>) -> tensor<4x6xui8>
  return %y : tensor<4x6xui8>
}

// Sizes of 1 stretch, in either operand.

// CHECK-LABEL: @broadcast
// CHECK: tosa.maximum %a, %b : (tensor<4x1xi8>, tensor<1x6xi8>) -> tensor<4x6xi8>
func.func @broadcast(%a: tensor<4x1xi8>, %b: tensor<1x6xi8>) -> tensor<4x6xi8> {
  %y = tosa.maximum %a, %b : (tensor<4x1xi8>, tensor<1x6xi8>) -> tensor<4x6xi8>
  return %y : tensor<4x6xi8>
}

// A size that is not known may be any, but the other operand tells that of the result.

// CHECK-LABEL: @dynamic
// CHECK: tosa.maximum %a, %b : (tensor<?x1xi8>, tensor<4x6xi8>) -> tensor<4x6xi8>
func.func @dynamic(%a: tensor<?x1xi8>, %b: tensor<4x6xi8>) -> tensor<4x6xi8> {
  %y = tosa.maximum %a, %b : (tensor<?x1xi8>, tensor<4x6xi8>) -> tensor<4x6xi8>
  return %y : tensor<4x6xi8>
}
