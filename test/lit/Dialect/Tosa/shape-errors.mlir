// RUN: tinymo-opt --verify-diagnostics --split-input-file %s | filecheck %s

// The type says how many sizes there are.

// CHECK: error: 'tosa.const_shape' op expected as many values as !tosa.shape<3> holds, got 2
func.func @count() -> !tosa.shape<3> {
  %0 = tosa.const_shape {values = dense<[1, 64]> : tensor<2xindex>} : () -> !tosa.shape<3>
  return %0 : !tosa.shape<3>
}

// -----

// Sizes are of type index.

// CHECK: error: 'tosa.const_shape' op expected values of type index, got i64
func.func @type() -> !tosa.shape<2> {
  %0 = tosa.const_shape {values = dense<[1, 64]> : tensor<2xi64>} : () -> !tosa.shape<2>
  return %0 : !tosa.shape<2>
}
