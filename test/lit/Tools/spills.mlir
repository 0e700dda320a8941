// RUN: tinymo-translate --mlir-to-tflite %s -o %t.tflite
// RUN: tinymo-opt %t.tflite | filecheck %s
// RUN: tinymo-translate --tflite-to-mlir %t.tflite | tinymo-translate --mlir-to-tflite > %t2.tflite
// RUN: cmp %t.tflite %t2.tflite
// RUN: not tinymo-translate --mlir-to-tflite %S/Inputs/spill-to-nowhere.mlir 2>&1 | filecheck %s --check-prefix=NOWHERE

// A spill and its two reloads are custom operators in the file, with the memory's name in their options. They come back
// as what they were: the tensor is in the same memory, each reload has its name, and the file is the same.

// CHECK-LABEL: @main
// CHECK: %[[HANDLE:.+]] = tinymo.spill %{{.*}} {memory = "hyperram"} : tensor<1x64xf32> -> !tinymo.spilled<tensor<1x64xf32>>
// CHECK: %[[FIRST:.+]] = tinymo.reload %[[HANDLE]] {tinymo.tensor = {name = "first"}} : !tinymo.spilled<tensor<1x64xf32>> -> tensor<1x64xf32>
// CHECK: %[[SECOND:.+]] = tinymo.reload %[[HANDLE]] {tinymo.tensor = {name = "second"
// CHECK: tosa.add %[[FIRST]], %[[SECOND]]

// NOWHERE: error: the name of the memory '' must have 1 to 255 bytes
func.func @main(%x: tensor<1x64xf32> {tinymo.tensor = {name = "x"}}) -> tensor<1x64xf32> {
  %handle = tinymo.spill %x {memory = "hyperram"} : tensor<1x64xf32> -> !tinymo.spilled<tensor<1x64xf32>>
  %first = tinymo.reload %handle {tinymo.tensor = {name = "first"}} : !tinymo.spilled<tensor<1x64xf32>> -> tensor<1x64xf32>
  %second = tinymo.reload %handle {tinymo.tensor = {name = "second"}} : !tinymo.spilled<tensor<1x64xf32>> -> tensor<1x64xf32>
  %y = tosa.add %first, %second {tinymo.tensor = {name = "y"}} : (tensor<1x64xf32>, tensor<1x64xf32>) -> tensor<1x64xf32>
  return %y : tensor<1x64xf32>
}
