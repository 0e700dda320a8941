// RUN: tinymo-opt --split-sepconv=chains=any,max-overhead=100 %s 2>&1 | filecheck %s --check-prefix=COPIES
// RUN: tinymo-opt --verify-semantics --split-sepconv=chains=any,max-overhead=100,accounting=planned %s 2>&1 | filecheck %s --check-prefix=PLANNED
// RUN: not tinymo-opt --split-sepconv=accounting=views %s 2>&1 | filecheck %s --check-prefix=WRONG

// The input and the result have 32,768 bytes each, what lies between them has 65,536. Without an arena plan a region
// holds its input whole, then its result twice, its parts and what they are copied to: 65,536 bytes at least.
// COPIES: remark: split-sepconv: @main: {{[0-9]+}} stripes from '%e' to '%p'; the peak falls from 98,304 to {{[67]}}{{[0-9]}},{{[0-9]+}} bytes

// Under a plan the input dies row by row, and the result is born row by row in its place. Slices and joins take nothing.
// PLANNED: remark: split-sepconv: @main: {{[0-9]+}} stripes from '%e' to '%p'; the peak falls from 98,304 to {{[34]}}{{[0-9]}},{{[0-9]+}} bytes
// PLANNED: tinymo.join

// WRONG: tinymo-opt: error: option 'accounting' of pass 'split-sepconv' takes copies or planned, not 'views'
func.func @main(%x: tensor<1x32x16x16xf32>) -> tensor<1x32x16x16xf32> {
  %zp = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %w1 = "tosa.const"() <{values = dense<0.5> : tensor<32x1x1x16xf32>}> : () -> tensor<32x1x1x16xf32>
  %b1 = "tosa.const"() <{values = dense<0.1> : tensor<32xf32>}> : () -> tensor<32xf32>
  %w2 = "tosa.const"() <{values = dense<0.5> : tensor<16x1x1x32xf32>}> : () -> tensor<16x1x1x32xf32>
  %b2 = "tosa.const"() <{values = dense<0.1> : tensor<16xf32>}> : () -> tensor<16xf32>
  %e = tosa.conv2d %x, %w1, %b1, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>,
      stride = array<i64: 1, 1>}
    : (tensor<1x32x16x16xf32>, tensor<32x1x1x16xf32>, tensor<32xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x32x16x32xf32>
  %p = tosa.conv2d %e, %w2, %b2, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>,
      stride = array<i64: 1, 1>}
    : (tensor<1x32x16x32xf32>, tensor<16x1x1x32xf32>, tensor<16xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x32x16x16xf32>
  return %p : tensor<1x32x16x16xf32>
}
