// RUN: tinymo-opt %s | tinymo-opt | filecheck %s
// RUN: tinymo-opt --print-op-generic %s | tinymo-opt | filecheck %s
// RUN: tinymo-opt -p cse,dce %s | filecheck %s --check-prefix=CLEAN

// A variable has a first value, or only a type. Attributes of other dialects come before either.

// CHECK: tosa.variable @"stream/state" = dense<-128> : tensor<1x4xi8>
// CHECK-NEXT: tosa.variable @scratch : tensor<?x4xi8>
// CHECK-NEXT: tosa.variable @noted {test.fact = 1 : i32} : tensor<4xi8>
tosa.variable @"stream/state" = dense<-128> : tensor<1x4xi8>
tosa.variable @scratch : tensor<?x4xi8>
tosa.variable @noted {test.fact = 1 : i32} : tensor<4xi8>

// The first reading is of the old value, the second of the new one: neither is the other, and no value is written in vain.
// Only the last reading, of which nothing is used, goes.

// CHECK-LABEL: @step
// CHECK-NEXT: tosa.variable_read @"stream/state" : tensor<1x4xi8>
// CHECK-NEXT: tosa.variable_write @"stream/state", %x : tensor<1x4xi8>
// CHECK-NEXT: tosa.variable_read @"stream/state" : tensor<1x4xi8>
// CHECK-NEXT: tosa.variable_read @scratch : tensor<2x4xi8>
// CLEAN-LABEL: @step
// CLEAN-NEXT: %old = tosa.variable_read @"stream/state" : tensor<1x4xi8>
// CLEAN-NEXT: tosa.variable_write @"stream/state", %x : tensor<1x4xi8>
// CLEAN-NEXT: %new = tosa.variable_read @"stream/state" : tensor<1x4xi8>
// CLEAN-NEXT: return %old, %new
func.func @step(%x: tensor<1x4xi8>) -> (tensor<1x4xi8>, tensor<1x4xi8>) {
  %old = tosa.variable_read @"stream/state" : tensor<1x4xi8>
  tosa.variable_write @"stream/state", %x : tensor<1x4xi8>
  %new = tosa.variable_read @"stream/state" : tensor<1x4xi8>
  %unused = tosa.variable_read @scratch : tensor<2x4xi8>
  return %old, %new : tensor<1x4xi8>, tensor<1x4xi8>
}
