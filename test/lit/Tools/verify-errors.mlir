// RUN: not tinymo-opt %s 2>&1 | filecheck %s
// RUN: tinymo-opt --verify-diagnostics %s | filecheck %s
// RUN: tinymo-opt --no-verify-each %s | filecheck %s --check-prefix=UNCHECKED

// All ops that do not verify are reported, each at its place with the op alone: no function around it, no weights.
// CHECK: verify-errors.mlir:[[# @LINE + 11]]:10: error: 'tosa.add' op
// CHECK-NEXT: verify-errors.mlir:{{.*}} note: see current operation: %sum = "tosa.add"(%a, %w) {tinymo.tensor = dense_resource<__elided__> : tensor<20xi8>} : (tensor<2xi8>, tensor<20xi8>) -> tensor<2xi8>
// CHECK-NEXT: verify-errors.mlir:[[# @LINE + 10]]:12: error: 'tosa.add' op
// CHECK-NEXT: note
// CHECK-NOT: func.func
// CHECK-NOT: dense<

// Without verification the module passes.
// UNCHECKED: func.func @f
func.func @f(%a: tensor<2xi8>) -> tensor<2xi8> {
  %w = "tosa.const"() <{values = dense<[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]> : tensor<20xi8>}> : () -> tensor<20xi8>
  %sum = "tosa.add"(%a, %w) {tinymo.tensor = dense<[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]> : tensor<20xi8>} : (tensor<2xi8>, tensor<20xi8>) -> tensor<2xi8>
  %again = "tosa.add"(%sum, %w) : (tensor<2xi8>, tensor<20xi8>) -> tensor<2xi8>
  return %again : tensor<2xi8>
}
