// RUN: not tinymo-translate --mlir-to-tflite %s -o %t.tflite 2>&1 | filecheck %s

// Facts that name an operator do not make its ops into that operator: a maximum is no MINIMUM, nor is any other operator
// made of a maximum and an absolute value.
// CHECK: 'y' cannot be written as one operator of a .tflite file
func.func @main(%x: tensor<4xf32> {tinymo.tensor = {name = "x"}}) -> tensor<4xf32> {
  %size = tosa.abs %x : (tensor<4xf32>) -> tensor<4xf32>
  %y = tosa.maximum %size, %x {tinymo.operator = {name = "MINIMUM"}, tinymo.tensor = {name = "y"}} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}
