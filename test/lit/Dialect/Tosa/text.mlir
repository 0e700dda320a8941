// RUN: tinymo-opt %s | tinymo-opt | filecheck %s
// RUN: tinymo-opt --print-op-generic %s | filecheck %s --check-prefix=GENERIC

// Values of enumerations are bare words, as mlir-opt prints them, or whole attributes, as in the generic form.

// CHECK-LABEL: @enumerations
// CHECK-NEXT: tosa.maximum %x, %x {nan_mode = IGNORE} :
// CHECK-NEXT: tosa.maximum %x, %x {nan_mode = IGNORE} :
// GENERIC: "tosa.maximum"(%x, %x) <{nan_mode = #tosa.nan_mode<IGNORE>}> :
// GENERIC-NEXT: "tosa.maximum"(%x, %x) <{nan_mode = #tosa.nan_mode<IGNORE>}> :
func.func @enumerations(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %0 = tosa.maximum %x, %x {nan_mode = IGNORE} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %1 = tosa.maximum %x, %x {nan_mode = #tosa.nan_mode<IGNORE>} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %0, %1 : tensor<4xf32>, tensor<4xf32>
}

// Attributes of other dialects stand among those of the op, in the order of their names. In the generic form they are
// apart. The value of units is spelt out, because the parser of MLIR wants one for every attribute.

// CHECK-LABEL: @discardable
// CHECK-NEXT: tosa.argmax %x {a = 1 : i32, axis = 0 : i32, test.fact = {scale = 5.000000e-01 : f32}, test.unit = unit} : (tensor<4xf32>) -> tensor<i32>
// GENERIC: "tosa.argmax"(%x) <{axis = 0 : i32}> {test.unit, test.fact = {scale = 5.000000e-01 : f32}, a = 1 : i32} : (tensor<4xf32>) -> tensor<i32>
func.func @discardable(%x: tensor<4xf32>) -> tensor<i32> {
  %0 = tosa.argmax %x {test.unit, test.fact = {scale = 5.000000e-01 : f32}, axis = 0 : i32, a = 1 : i32} : (tensor<4xf32>) -> tensor<i32>
  return %0 : tensor<i32>
}
