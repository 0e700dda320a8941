// RUN: tinymo-opt %s | tinymo-opt | filecheck %s
// RUN: tinymo-opt --print-op-generic %s | tinymo-opt | filecheck %s

// A list of sizes, two equal ones, and an empty one.

// CHECK-LABEL: @constants
// CHECK-NEXT: %0 = tosa.const_shape {values = dense<[1, -1, 64]> : tensor<3xindex>} : () -> !tosa.shape<3>
// CHECK-NEXT: %1 = tosa.const_shape {values = dense<8> : tensor<2xindex>} : () -> !tosa.shape<2>
// CHECK-NEXT: %2 = tosa.const_shape {values = dense<> : tensor<0xindex>} : () -> !tosa.shape<0>
func.func @constants() -> (!tosa.shape<3>, !tosa.shape<2>, !tosa.shape<0>) {
  %0 = tosa.const_shape {values = dense<[1, -1, 64]> : tensor<3xindex>} : () -> !tosa.shape<3>
  %1 = tosa.const_shape {values = dense<8> : tensor<2xindex>} : () -> !tosa.shape<2>
  %2 = tosa.const_shape {values = dense<> : tensor<0xindex>} : () -> !tosa.shape<0>
  return %0, %1, %2 : !tosa.shape<3>, !tosa.shape<2>, !tosa.shape<0>
}
