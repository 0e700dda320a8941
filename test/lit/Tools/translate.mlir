// RUN: tinymo-translate --mlir-to-tflite %s -o %t.tflite
// RUN: tinymo-translate --tflite-to-mlir %t.tflite | filecheck %s
// RUN: tinymo-opt %t.tflite | filecheck %s
// RUN: tinymo-translate --mlir-to-tflite < %s > %t2.tflite
// RUN: tinymo-opt -f tflite < %t2.tflite | filecheck %s
// RUN: not tinymo-translate %s 2>&1 | filecheck %s --check-prefix=DIRECTION
// RUN: not tinymo-translate --tflite-to-mlir %s 2>&1 | filecheck %s --check-prefix=FORMAT
// RUN: not tinymo-opt --cse -p nonsense %t.tflite 2>&1 | filecheck %s --check-prefix=PASS

// A module becomes a .tflite and comes back: through files, through pipes, and by the extension that tinymo-opt knows.
// CHECK: func.func @main(%{{.*}}: tensor<1x4xf32> {tinymo.tensor = {name = "x"
// CHECK: tosa.add {{.*}} {{.*}}name = "y"
// CHECK: return

// DIRECTION: tinymo-translate: error: one of the arguments --tflite-to-mlir --mlir-to-tflite is required
// FORMAT: tinymo-translate: error: {{.*}}translate.mlir
// PASS: tinymo-opt: error: there is no pass 'nonsense'
func.func @main(%x: tensor<1x4xf32> {tinymo.tensor = {name = "x"}}) -> tensor<1x4xf32> {
  %y = tosa.add %x, %x {tinymo.tensor = {name = "y"}} : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
  return %y : tensor<1x4xf32>
}
