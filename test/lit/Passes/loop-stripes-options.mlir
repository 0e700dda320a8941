// RUN: tinymo-opt --loop-stripes %s 2>&1 | filecheck %s --check-prefix=SMALL
// RUN: tinymo-opt --loop-stripes=region=0,2 %s 2>&1 | filecheck %s --check-prefix=SMALL
// RUN: tinymo-opt --loop-stripes=region=1,7,stripes=2 %s 2>&1 | filecheck %s --check-prefix=SMALL
// RUN: tinymo-opt --verify-semantics --loop-stripes=region=1,1,stripes=5 %s 2>&1 | filecheck %s --check-prefix=UNEVEN
// RUN: tinymo-opt --verify-semantics --loop-stripes=region=0,2,stripes=3 --loop-stripes=region=0,0,stripes=2 %s 2>&1 | filecheck %s --check-prefix=TWICE
// RUN: not tinymo-opt --loop-stripes=stripes=1 %s 2>&1 | filecheck %s --check-prefix=STRIPES
// RUN: not tinymo-opt --loop-stripes=region=3 %s 2>&1 | filecheck %s --check-prefix=REGION
// RUN: not tinymo-opt --loop-stripes=max-overhead=-5 %s 2>&1 | filecheck %s --check-prefix=OVERHEAD
// RUN: not tinymo-opt --form-kernels --loop-stripes %s 2>&1 | filecheck %s --check-prefix=LEVEL

// The operators that a loop adds take more than all tensors of this model. A region that there is not is no loop, either.
// SMALL: remark: loop-stripes: @main: left alone: no loop lowers the arena by more than it costs
// SMALL-NOT: WHILE

// Rounds of 3 rows do not divide 12 rows into 5: there are 4, and each runs on windows of five rows.
// UNEVEN: a loop of 4 from 'd' to 'd'
// UNEVEN: dense<[0, 0, 0, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0, 7, 0, 0]>

// What is a loop already is a layer that no other loop takes in.
// TWICE: remark: loop-stripes: @main: a loop of 3 from 'e' to 'p'
// TWICE: remark: loop-stripes: @main: left alone

// STRIPES: error: pass 'loop-stripes': stripes is 1, but must be 2 or more
// REGION: error: pass 'loop-stripes': region is 3, but must be a first and a last kernel
// OVERHEAD: error: pass 'loop-stripes': max-overhead is -5, but must be 0 or more percent
// LEVEL: error: pass 'loop-stripes' failed: loop-stripes runs on level 1: put it before form-kernels
func.func @main(%x: tensor<1x12x4x2xf32> {tinymo.tensor = {name = "x"}}) -> tensor<1x12x4x2xf32> {
  %zp = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %w1 = "tosa.const"() <{values = dense<0.5> : tensor<6x1x1x2xf32>}> {tinymo.tensor = {name = "w1"}} : () -> tensor<6x1x1x2xf32>
  %b6 = "tosa.const"() <{values = dense<0.1> : tensor<6xf32>}> {tinymo.tensor = {name = "b6"}} : () -> tensor<6xf32>
  %w3 = "tosa.const"() <{values = dense<0.5> : tensor<3x3x6x1xf32>}> {tinymo.tensor = {name = "w3"}} : () -> tensor<3x3x6x1xf32>
  %w4 = "tosa.const"() <{values = dense<0.5> : tensor<2x1x1x6xf32>}> {tinymo.tensor = {name = "w4"}} : () -> tensor<2x1x1x6xf32>
  %b2 = "tosa.const"() <{values = dense<0.1> : tensor<2xf32>}> {tinymo.tensor = {name = "b2"}} : () -> tensor<2xf32>
  %e = tosa.conv2d %x, %w1, %b6, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>,
      stride = array<i64: 1, 1>, tinymo.tensor = {name = "e"}}
    : (tensor<1x12x4x2xf32>, tensor<6x1x1x2xf32>, tensor<6xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x12x4x6xf32>
  %d = tosa.depthwise_conv2d %e, %w3, %b6, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>,
      stride = array<i64: 1, 1>, tinymo.tensor = {name = "d"}}
    : (tensor<1x12x4x6xf32>, tensor<3x3x6x1xf32>, tensor<6xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x12x4x6xf32>
  %p = tosa.conv2d %d, %w4, %b2, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>,
      stride = array<i64: 1, 1>, tinymo.tensor = {name = "p"}}
    : (tensor<1x12x4x6xf32>, tensor<2x1x1x6xf32>, tensor<2xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x12x4x2xf32>
  return %p : tensor<1x12x4x2xf32>
}
