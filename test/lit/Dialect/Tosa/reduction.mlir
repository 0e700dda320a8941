// RUN: tinymo-opt %s | tinymo-opt | filecheck %s
// RUN: tinymo-opt --print-op-generic %s | tinymo-opt | filecheck %s

// The position of the greatest of six columns, in each row.

// CHECK-LABEL: @argmax
// CHECK: tosa.argmax %x {axis = 1 : i32} : (tensor<4x6xi8>) -> tensor<4xi32>
func.func @argmax(%x: tensor<4x6xi8>) -> tensor<4xi32> {
  %y = tosa.argmax %x {axis = 1 : i32} : (tensor<4x6xi8>) -> tensor<4xi32>
  return %y : tensor<4xi32>
}

// NaNs need not win.

// CHECK-LABEL: @argmax_nan
// CHECK: tosa.argmax %x {axis = 0 : i32, nan_mode = IGNORE} : (tensor<4x6xf32>) -> tensor<6xi32>
func.func @argmax_nan(%x: tensor<4x6xf32>) -> tensor<6xi32> {
  %y = tosa.argmax %x {axis = 0 : i32, nan_mode = IGNORE} : (tensor<4x6xf32>) -> tensor<6xi32>
  return %y : tensor<6xi32>
}
