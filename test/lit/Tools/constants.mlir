// RUN: tinymo-opt %s | filecheck %s
// RUN: tinymo-opt %s | tinymo-opt | filecheck %s
// RUN: tinymo-opt --print-op-generic %s | xdsl-opt | filecheck %s --check-prefix=XDSL
// RUN: tinymo-opt --elide-constants-larger=8 %s | filecheck %s --check-prefix=ELIDED

// Short constants are lists, long ones hexadecimal, equal elements are written once: the text is that of xDSL.
// With a limit, constants of more elements are left out, arrays and bytes too; those of equal elements cost nothing and stay.

// XDSL: list = dense<[1, -2, 3]> : tensor<3xi8>
// CHECK: list = dense<[1, -2, 3]> : tensor<3xi8>
// ELIDED: list = dense<[1, -2, 3]> : tensor<3xi8>
"test.op"() {list = dense<[1, -2, 3]> : tensor<3xi8>} : () -> ()

// CHECK: matrix = dense<{{\[\[}}1.000000e+00, -2.500000e+00], [0.000000e+00, 1.000000e-01]]> : tensor<2x2xf32>
"test.op"() {matrix = dense<[[1.0, -2.5], [0.0, 0.1]]> : tensor<2x2xf32>} : () -> ()

// CHECK: splat = dense<7> : tensor<64x64xi32>
// ELIDED: splat = dense<7> : tensor<64x64xi32>
"test.op"() {splat = dense<7> : tensor<64x64xi32>} : () -> ()

// CHECK: empty = dense<> : tensor<0xi8>
"test.op"() {empty = dense<> : tensor<0xi8>} : () -> ()

// CHECK: scalar = dense<4> : tensor<i32>
"test.op"() {scalar = dense<4> : tensor<i32>} : () -> ()

// Both zeros in one constant are not equal elements, though they compare equal.
// CHECK: zeros = dense<"0x0000000000000080"> : tensor<2xf32>
"test.op"() {zeros = dense<[0.0, -0.0]> : tensor<2xf32>} : () -> ()

// XDSL: hex = dense<"0x0102FF00{{0*}}"> : tensor<101xi8>
// CHECK: hex = dense<"0x0102FF00{{0*}}"> : tensor<101xi8>
// ELIDED: hex = dense_resource<__elided__> : tensor<101xi8>
"test.op"() {hex = dense<"0x0102FF0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"> : tensor<101xi8>} : () -> ()

// CHECK: scales = array<f32: 1.000000e+00, 2.000000e+00, 3.000000e+00, 4.000000e+00, 5.000000e+00, 6.000000e+00, 7.000000e+00, 8.000000e+00, 9.000000e+00>
// ELIDED: scales = dense_resource<__elided__> : tensor<9xf32>
"test.op"() {scales = array<f32: 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0>} : () -> ()

// CHECK: blob = "\00\FF\22\\\0A0123456789"
// ELIDED: blob = dense_resource<__elided__> : tensor<15xi8>
"test.op"() {blob = "\00\FF\22\\\n0123456789"} : () -> ()
