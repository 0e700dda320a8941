// RUN: tinymo-opt %s | tinymo-opt | filecheck %s
// RUN: tinymo-opt -p cse,dce %s | filecheck %s --check-prefix=CLEAN

// A rescale keeps the attributes of other dialects.

// CHECK-LABEL: @rescale
// CHECK: tosa.rescale %x, %m, %s, %z, %z {input_unsigned = false, output_unsigned = false, per_channel = false, rounding_mode = DOUBLE_ROUND, scale32 = true, test.fact = "kept"} : (tensor<4xi32>, tensor<1xi32>, tensor<1xi8>, tensor<1xi32>, tensor<1xi32>) -> tensor<4xi32>
func.func @rescale(%x: tensor<4xi32>, %m: tensor<1xi32>, %s: tensor<1xi8>, %z: tensor<1xi32>) -> tensor<4xi32> {
  %y = tosa.rescale %x, %m, %s, %z, %z {test.fact = "kept", input_unsigned = false, output_unsigned = false, per_channel = false, rounding_mode = DOUBLE_ROUND, scale32 = true} : (tensor<4xi32>, tensor<1xi32>, tensor<1xi8>, tensor<1xi32>, tensor<1xi32>) -> tensor<4xi32>
  return %y : tensor<4xi32>
}

// MLIR always prints the rounding mode of a rescale, and wants it: it is there even where it is xDSL's default.

// CHECK-LABEL: @single_round
// CHECK: tosa.rescale {{.*}}rounding_mode = SINGLE_ROUND
func.func @single_round(%x: tensor<4xi32>, %m: tensor<1xi32>, %s: tensor<1xi8>, %z: tensor<1xi32>) -> tensor<4xi32> {
  %y = "tosa.rescale"(%x, %m, %s, %z, %z) <{input_unsigned = false, output_unsigned = false, per_channel = false, rounding_mode = #tosa.rounding_mode<SINGLE_ROUND>, scale32 = true}> : (tensor<4xi32>, tensor<1xi32>, tensor<1xi8>, tensor<1xi32>, tensor<1xi32>) -> tensor<4xi32>
  return %y : tensor<4xi32>
}

// Unsigned numbers have unsigned bounds.

// CHECK-LABEL: @unsigned_clamp
// CHECK: tosa.clamp %x {max_val = 255 : ui8, min_val = 128 : ui8} : (tensor<4xui8>) -> tensor<4xui8>
func.func @unsigned_clamp(%x: tensor<4xui8>) -> tensor<4xui8> {
  %y = tosa.clamp %x {max_val = 255 : ui8, min_val = 128 : ui8} : (tensor<4xui8>) -> tensor<4xui8>
  return %y : tensor<4xui8>
}

// Products of 8 bits are summed in 32.

// CHECK-LABEL: @wide_matmul
// CHECK: tosa.matmul %a, %b, %z, %z : (tensor<1x2x3xi8>, tensor<1x3x4xi8>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x2x4xi32>
func.func @wide_matmul(%a: tensor<1x2x3xi8>, %b: tensor<1x3x4xi8>, %z: tensor<1xi8>) -> tensor<1x2x4xi32> {
  %y = tosa.matmul %a, %b, %z, %z : (tensor<1x2x3xi8>, tensor<1x3x4xi8>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x2x4xi32>
  return %y : tensor<1x2x4xi32>
}

// Nothing that only computes is kept without a use, and constants that are alike become one.

// CLEAN-LABEL: @dead
// CLEAN-NEXT: %0 = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
// CLEAN-NEXT: return %0, %0
func.func @dead(%x: tensor<1x4x4x2xi8>) -> (tensor<1xi8>, tensor<1xi8>) {
  %0 = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %1 = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %2 = tosa.clamp %x {max_val = 4 : i8, min_val = 0 : i8} : (tensor<1x4x4x2xi8>) -> tensor<1x4x4x2xi8>
  %3 = tosa.concat %x, %x {axis = 0 : i32} : (tensor<1x4x4x2xi8>, tensor<1x4x4x2xi8>) -> tensor<2x4x4x2xi8>
  %4 = tosa.avg_pool2d %x, %0, %0 {acc_type = i32, kernel = array<i64: 2, 2>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>} : (tensor<1x4x4x2xi8>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x2x2x2xi8>
  %5 = tosa.max_pool2d %x {kernel = array<i64: 2, 2>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>} : (tensor<1x4x4x2xi8>) -> tensor<1x2x2x2xi8>
  %6 = tosa.reduce_max %x {axis = 1 : i32} : (tensor<1x4x4x2xi8>) -> tensor<1x1x4x2xi8>
  %7 = tosa.const_shape {values = dense<[4, 8]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %8 = tosa.reshape %x, %7 : (tensor<1x4x4x2xi8>, !tosa.shape<2>) -> tensor<4x8xi8>
  return %0, %1 : tensor<1xi8>, tensor<1xi8>
}
