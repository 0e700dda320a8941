// RUN: tinymo-translate --mlir-to-tflite %s -o %t.tflite
// RUN: not tinymo codegen %t.tflite -o %t.lib 2>&1 | filecheck %s
// RUN: not ls %t.lib
// RUN: not tinymo codegen %t.tflite -o %t.lib --prefix a-b 2>&1 | filecheck %s --check-prefix=PREFIX
// RUN: not tinymo run %t.lib 2>&1 | filecheck %s --check-prefix=RUN-NOTHING

// An operator without C is named with its tensor, and no folder appears.
// CHECK: errors.mlir.tmp.tflite: MIRROR_PAD that yields 'mirrored' has no C kernel: it is not among the operators that have one

// Names of C begin with the prefix.
// PREFIX: error: {{.*}}'a-b' cannot begin the names of a C library; use letters, digits and single underscores, a letter first

// Only what `tinymo codegen` has written can be run.
// RUN-NOTHING: no C library is described in tinymo.json; write one with: tinymo codegen MODEL -o
func.func @main(%x: tensor<1x4xi8> {tinymo.tensor = {name = "x", scale = array<f32: 0.5>, zero_point = array<i64: 0>}}) -> tensor<1x6xi8> {
  %y = tosa.custom %x {operator_name = "MIRROR_PAD", domain_name = "TFL", implementation_attrs = "", tinymo.tensor = {name = "mirrored", scale = array<f32: 0.5>, zero_point = array<i64: 0>}} : (tensor<1x4xi8>) -> tensor<1x6xi8>
  return %y : tensor<1x6xi8>
}
