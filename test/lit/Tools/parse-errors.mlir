// RUN: not tinymo-opt --split-input-file %s 2>&1 | filecheck %s
// RUN: tinymo-opt --split-input-file --parsing-diagnostics %s | filecheck %s

// Each part of the file has its own errors, with lines counted from the beginning of the file. A text error shows the
// line with a caret; what stands after an error in the same part is not read.

// CHECK: parse-errors.mlir:[[# @LINE + 4]]:8: error: Operation arith.adddi is not registered
// CHECK-NEXT: %b = arith.adddi %a, %a : i32
// CHECK-NEXT: {{^       \^}}
func.func @unknown_op(%a: i32) {
  %b = arith.adddi %a, %a : i32
  return
}

// -----

// Weights are not shown, even when the error is beside them.
// CHECK: parse-errors.mlir:[[# @LINE + 3]]:{{.*}}: error: Shape mismatch in dense literal. Expected 40 elements from the type, but got 24 elements.
// CHECK-NEXT: values = dense<"0x...
func.func @wrong_count() {
  %w = "tosa.const"() <{values = dense<"0x000102030405060708090A0B0C0D0E0F1011121314151617"> : tensor<40xi8>}> : () -> tensor<40xi8>
  return
}

// -----

// A text that was printed without its constants is not taken for data.
// CHECK: parse-errors.mlir:[[# @LINE + 2]]:{{.*}}: error: the elements of this constant were left out when the module was printed; print it again without eliding constants
func.func @elided() {
  %w = "tosa.const"() <{values = dense_resource<__elided__> : tensor<40xi8>}> : () -> tensor<40xi8>
  return
}

// -----

// A verifier that runs while the text is read is an error at the op, as any other.
// CHECK: parse-errors.mlir:[[# @LINE + 2]]:{{.*}}: error: {{.*}}zero-rank
func.func @zero_rank() {
  %w = "tosa.const"() <{values = dense<"0x00010203"> : tensor<i8>}> : () -> tensor<i8>
  return
}

// -----

// Numbers that are too wide for the parser are refused where they stand.
// CHECK: parse-errors.mlir:[[# @LINE + 2]]:{{.*}}: error: Format not implemented for i67
func.func @wide() {
  %w = "tosa.const"() <{values = dense<3> : tensor<1xi67>}> : () -> tensor<1xi67>
  return
}
