// RUN: tinymo-translate --mlir-to-tflite %s -o %t.tflite
// RUN: tinymo-opt %t.tflite | filecheck %s

// TOSA has no "less": LESS is a greater with its operands the other way round, and comes back as the same operator.
// CHECK: tosa.greater %1, %0
// CHECK-SAME: tinymo.operator = {name = "LESS"}

// What it decides on is a tensor of the file too, of type bool, and a select is an operator by itself.
// CHECK: tosa.select %2, %0, %1
// CHECK-SAME: tinymo.operator = {name = "SELECT_V2"}
func.func @main(%x: tensor<4xf32> {tinymo.tensor = {name = "x"}}, %y: tensor<4xf32> {tinymo.tensor = {name = "y"}}) -> tensor<4xf32> {
  %less = tosa.greater %y, %x {tinymo.operator = {name = "LESS"}, tinymo.tensor = {name = "less"}} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xi1>
  %least = tosa.select %less, %x, %y {tinymo.operator = {name = "SELECT_V2"}, tinymo.tensor = {name = "least"}} : (tensor<4xi1>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %least : tensor<4xf32>
}
