// RUN: tinymo-opt %s | tinymo-opt | filecheck %s
// RUN: tinymo-opt --print-op-generic %s | tinymo-opt | filecheck %s

// Comparisons give booleans.

// CHECK-LABEL: @equal
// CHECK: tosa.equal %a, %b : (tensor<4x6xi32>, tensor<4x6xi32>) -> tensor<4x6xi1>
func.func @equal(%a: tensor<4x6xi32>, %b: tensor<4x6xi32>) -> tensor<4x6xi1> {
  %y = tosa.equal %a, %b : (tensor<4x6xi32>, tensor<4x6xi32>) -> tensor<4x6xi1>
  return %y : tensor<4x6xi1>
}

// Sizes of 1 stretch.

// CHECK-LABEL: @greater
// CHECK: tosa.greater %a, %b : (tensor<4x1xf32>, tensor<1x6xf32>) -> tensor<4x6xi1>
func.func @greater(%a: tensor<4x1xf32>, %b: tensor<1x6xf32>) -> tensor<4x6xi1> {
  %y = tosa.greater %a, %b : (tensor<4x1xf32>, tensor<1x6xf32>) -> tensor<4x6xi1>
  return %y : tensor<4x6xi1>
}

// The same counts as greater or equal.

// CHECK-LABEL: @greater_equal
// CHECK: tosa.greater_equal %a, %b : (tensor<4x6xf32>, tensor<4x6xf32>) -> tensor<4x6xi1>
func.func @greater_equal(%a: tensor<4x6xf32>, %b: tensor<4x6xf32>) -> tensor<4x6xi1> {
  %y = tosa.greater_equal %a, %b : (tensor<4x6xf32>, tensor<4x6xf32>) -> tensor<4x6xi1>
  return %y : tensor<4x6xi1>
}

// One condition for each row chooses between two tensors.

// CHECK-LABEL: @select
// CHECK: tosa.select %condition, %a, %b : (tensor<4x1xi1>, tensor<4x6xi8>, tensor<4x6xi8>) -> tensor<4x6xi8>
func.func @select(%condition: tensor<4x1xi1>, %a: tensor<4x6xi8>, %b: tensor<4x6xi8>) -> tensor<4x6xi8> {
  %y = tosa.select %condition, %a, %b : (tensor<4x1xi1>, tensor<4x6xi8>, tensor<4x6xi8>) -> tensor<4x6xi8>
  return %y : tensor<4x6xi8>
}
