// RUN: tinymo-opt --split-sepconv=ram=12K,max-overhead=100 %s 2>&1 | filecheck %s --check-prefix=KEPT
// RUN: tinymo-opt --verify-semantics --split-sepconv=ram=8192,max-overhead=100 %s 2>&1 | filecheck %s --check-prefix=TWO
// RUN: tinymo-opt --verify-semantics --split-sepconv=ram=6000,max-overhead=100 %s 2>&1 | filecheck %s --check-prefix=MORE
// RUN: tinymo-opt --verify-semantics --split-sepconv=stripes=4,max-overhead=100 %s 2>&1 | filecheck %s --check-prefix=FOUR
// RUN: tinymo-opt --split-sepconv=stripes=4,max-overhead=0 %s 2>&1 | filecheck %s --check-prefix=EXACT
// RUN: not tinymo-opt --split-sepconv=stripes=0 %s 2>&1 | filecheck %s --check-prefix=STRIPES
// RUN: not tinymo-opt --split-sepconv=max-overhead=-5 %s 2>&1 | filecheck %s --check-prefix=OVERHEAD
// RUN: not tinymo-opt --split-sepconv=chains=some %s 2>&1 | filecheck %s --check-prefix=CHAINS
// RUN: not tinymo-opt --split-sepconv=ram=small %s 2>&1 | filecheck %s --check-prefix=SIZE
// RUN: not tinymo-opt --form-kernels --split-sepconv %s 2>&1 | filecheck %s --check-prefix=LEVEL

// The expanded image and the filtered one have 6,144 bytes each. That is a peak of 12,288, which is the limit of the
// first run already. In two stripes the peak is below 8,192, and no more stripes are made; 6,000 takes more.
// KEPT: remark: split-sepconv: @main: left alone: the peak of 12,288 bytes is within 12,288 bytes already
// KEPT-NOT: tinymo
// TWO: remark: split-sepconv: @main: 2 stripes from '%e' to '%p'; the peak falls from 12,288 to 7,488 bytes
// TWO: tinymo.join %{{[0-9]+}}, %{{[0-9]+}} {
// MORE: remark: split-sepconv: @main: {{[3-9]}} stripes from '%e' to '%p'; the peak falls from 12,288 to 5,{{[0-9]+}} bytes

// Stripes of a given number are of equal height: here 4 rows and the halo.
// FOUR-DAG: tinymo.split %x {axis = 1, windows = {{\[\[}}0, 5]]}
// FOUR-DAG: tinymo.split %x {axis = 1, windows = {{\[\[}}3, 9]]}
// FOUR-DAG: tinymo.split %x {axis = 1, windows = {{\[\[}}7, 13]]}
// FOUR-DAG: tinymo.split %x {axis = 1, windows = {{\[\[}}11, 16]]}

// Without a budget for work there is no halo, and then no stripes.
// EXACT: remark: split-sepconv: @main: left alone: 4 stripes do not lower the peak by more than they cost within 0 % more multiply-accumulates
// EXACT-NOT: tinymo

// STRIPES: tinymo-opt: error: pass 'split-sepconv': stripes is 0, but must be 2 or more
// OVERHEAD: tinymo-opt: error: pass 'split-sepconv': max-overhead is -5, but must be 0 or more percent
// CHAINS: tinymo-opt: error: option 'chains' of pass 'split-sepconv' takes sepconv or any, not 'some'
// SIZE: tinymo-opt: error: pass 'split-sepconv': 'small' is no size; write 65536, 64K, 64KiB, 1M or 0x10000
// LEVEL: error: pass 'split-sepconv' failed: split-sepconv runs on level 1: put it before form-kernels
func.func @main(%x: tensor<1x16x8x2xf32>) -> tensor<1x16x8x2xf32> {
  %zp = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %w1 = "tosa.const"() <{values = dense<0.5> : tensor<12x1x1x2xf32>}> : () -> tensor<12x1x1x2xf32>
  %b12 = "tosa.const"() <{values = dense<0.1> : tensor<12xf32>}> : () -> tensor<12xf32>
  %w3 = "tosa.const"() <{values = dense<0.5> : tensor<3x3x12x1xf32>}> : () -> tensor<3x3x12x1xf32>
  %w4 = "tosa.const"() <{values = dense<0.5> : tensor<2x1x1x12xf32>}> : () -> tensor<2x1x1x12xf32>
  %b2 = "tosa.const"() <{values = dense<0.1> : tensor<2xf32>}> : () -> tensor<2xf32>
  %e = tosa.conv2d %x, %w1, %b12, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x2xf32>, tensor<12x1x1x2xf32>, tensor<12xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x12xf32>
  %d = tosa.depthwise_conv2d %e, %w3, %b12, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x12xf32>, tensor<3x3x12x1xf32>, tensor<12xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x12xf32>
  %p = tosa.conv2d %d, %w4, %b2, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x12xf32>, tensor<2x1x1x12xf32>, tensor<2xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x2xf32>
  return %p : tensor<1x16x8x2xf32>
}
