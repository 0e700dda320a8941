// RUN: tinymo-opt %s | tinymo-opt | filecheck %s
// RUN: tinymo-opt --print-op-generic %s | tinymo-opt | filecheck %s

// The logistic function.

// CHECK-LABEL: @sigmoid
// CHECK: tosa.sigmoid %x : (tensor<4x6xf32>) -> tensor<4x6xf32>
func.func @sigmoid(%x: tensor<4x6xf32>) -> tensor<4x6xf32> {
  %y = tosa.sigmoid %x : (tensor<4x6xf32>) -> tensor<4x6xf32>
  return %y : tensor<4x6xf32>
}

// The hyperbolic tangent.

// CHECK-LABEL: @tanh
// CHECK: tosa.tanh %x : (tensor<4x6xf32>) -> tensor<4x6xf32>
func.func @tanh(%x: tensor<4x6xf32>) -> tensor<4x6xf32> {
  %y = tosa.tanh %x : (tensor<4x6xf32>) -> tensor<4x6xf32>
  return %y : tensor<4x6xf32>
}

// The error function.

// CHECK-LABEL: @erf
// CHECK: tosa.erf %x : (tensor<4x6xf32>) -> tensor<4x6xf32>
func.func @erf(%x: tensor<4x6xf32>) -> tensor<4x6xf32> {
  %y = tosa.erf %x : (tensor<4x6xf32>) -> tensor<4x6xf32>
  return %y : tensor<4x6xf32>
}

// Any function of 8 bits is a table of 256 entries.

// CHECK-LABEL: @table8
// CHECK: tosa.table %x, %t : (tensor<4x6xi8>, tensor<256xi8>) -> tensor<4x6xi8>
func.func @table8(%x: tensor<4x6xi8>, %t: tensor<256xi8>) -> tensor<4x6xi8> {
  %y = tosa.table %x, %t : (tensor<4x6xi8>, tensor<256xi8>) -> tensor<4x6xi8>
  return %y : tensor<4x6xi8>
}

// Entries of unsigned numbers are unsigned.

// CHECK-LABEL: @table_unsigned
// CHECK: tosa.table %x, %t : (tensor<4x6xui8>, tensor<256xui8>) -> tensor<4x6xui8>
func.func @table_unsigned(%x: tensor<4x6xui8>, %t: tensor<256xui8>) -> tensor<4x6xui8> {
  %y = tosa.table %x, %t : (tensor<4x6xui8>, tensor<256xui8>) -> tensor<4x6xui8>
  return %y : tensor<4x6xui8>
}

// A table for 16 bits has 513 entries, and the result 23 bits.

// CHECK-LABEL: @table16
// CHECK: tosa.table %x, %t : (tensor<4x6xi16>, tensor<513xi16>) -> tensor<4x6xi32>
func.func @table16(%x: tensor<4x6xi16>, %t: tensor<513xi16>) -> tensor<4x6xi32> {
  %y = tosa.table %x, %t : (tensor<4x6xi16>, tensor<513xi16>) -> tensor<4x6xi32>
  return %y : tensor<4x6xi32>
}
