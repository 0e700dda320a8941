// RUN: tinymo-opt --split-input-file --verify-semantics --split-sepconv=chains=any,stripes=2,max-overhead=100 %s | filecheck %s
// RUN: tinymo-opt --split-input-file --split-sepconv=chains=any,stripes=2,max-overhead=100 %s 2>&1 >/dev/null | filecheck %s --check-prefix=REMARK

// From the input on, over the first convolution with stride 2 and two blocks. Rows 0 to 7 of the result need rows 0 to 8 of
// the first block's, and those rows 0 to 9 of `s`: a row of halo for each kernel of three rows. Those read rows 0 to 20 of
// the image; its window ends a row later, as SAME of stride 2 wants an even number of them. Rows 8 to 15 need rows 7 to 15,
// those rows 6 to 15 of `s`, and those rows 12 to 31 of the image.

// CHECK-LABEL: @blocks
// CHECK-DAG: %[[X0:.+]] = tinymo.split %x {axis = 1, windows = {{\[\[}}0, 22]]}
// CHECK-DAG: tosa.conv2d %[[X0]], {{.+}} stride = array<i64: 2, 2>
// CHECK-DAG: %[[X1:.+]] = tinymo.split %x {axis = 1, windows = {{\[\[}}12, 32]]}
// CHECK-DAG: tosa.conv2d %[[X1]], {{.+}} stride = array<i64: 2, 2>
// CHECK: %bp = tinymo.join
// CHECK-NOT: tinymo.join
// REMARK: @blocks: 2 stripes from '%s' to '%bp'
func.func @blocks(%x: tensor<1x32x16x1xf32>) -> tensor<1x16x8x2xf32> {
  %zp = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %w1 = "tosa.const"() <{values = dense<0.5> : tensor<8x3x3x1xf32>}> : () -> tensor<8x3x3x1xf32>
  %b8 = "tosa.const"() <{values = dense<0.1> : tensor<8xf32>}> : () -> tensor<8xf32>
  %w3 = "tosa.const"() <{values = dense<0.5> : tensor<16x1x1x8xf32>}> : () -> tensor<16x1x1x8xf32>
  %b16 = "tosa.const"() <{values = dense<0.1> : tensor<16xf32>}> : () -> tensor<16xf32>
  %w5 = "tosa.const"() <{values = dense<0.5> : tensor<3x3x16x1xf32>}> : () -> tensor<3x3x16x1xf32>
  %w6 = "tosa.const"() <{values = dense<0.5> : tensor<8x1x1x16xf32>}> : () -> tensor<8x1x1x16xf32>
  %w7 = "tosa.const"() <{values = dense<0.5> : tensor<2x1x1x16xf32>}> : () -> tensor<2x1x1x16xf32>
  %b2 = "tosa.const"() <{values = dense<0.1> : tensor<2xf32>}> : () -> tensor<2xf32>
  %s = tosa.conv2d %x, %w1, %b8, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 1, 0, 1>,
      stride = array<i64: 2, 2>}
    : (tensor<1x32x16x1xf32>, tensor<8x3x3x1xf32>, tensor<8xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x8xf32>
  %ae = tosa.conv2d %s, %w3, %b16, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x8xf32>, tensor<16x1x1x8xf32>, tensor<16xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x16xf32>
  %ad = tosa.depthwise_conv2d %ae, %w5, %b16, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x16xf32>, tensor<3x3x16x1xf32>, tensor<16xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x16xf32>
  %ap = tosa.conv2d %ad, %w6, %b8, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x16xf32>, tensor<8x1x1x16xf32>, tensor<8xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x8xf32>
  %be = tosa.conv2d %ap, %w3, %b16, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x8xf32>, tensor<16x1x1x8xf32>, tensor<16xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x16xf32>
  %bd = tosa.depthwise_conv2d %be, %w5, %b16, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x16xf32>, tensor<3x3x16x1xf32>, tensor<16xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x16xf32>
  %bp = tosa.conv2d %bd, %w7, %b2, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x16xf32>, tensor<2x1x1x16xf32>, tensor<2xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x2xf32>
  return %bp : tensor<1x16x8x2xf32>
}

// -----

// Each row is repeated: rows 0 to 8 of the enlarged image come from rows 0 to 4, rows 7 to 15 from rows 3 to 7. Ten rows
// come out of five, one more than is needed.

// CHECK-LABEL: @enlarged
// CHECK-DAG: %[[X0:.+]] = tinymo.split %x {axis = 1, windows = {{\[\[}}0, 5]]}
// CHECK-DAG: tosa.resize %[[X0]], {{.+}} -> tensor<1x10x8x12xf32>
// CHECK-DAG: %[[X1:.+]] = tinymo.split %x {axis = 1, windows = {{\[\[}}3, 8]]}
// CHECK-DAG: tosa.resize %[[X1]], {{.+}} -> tensor<1x10x8x12xf32>
// CHECK: %n = tinymo.join
func.func @enlarged(%x: tensor<1x8x4x12xf32>) -> tensor<1x16x8x2xf32> {
  %zp = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %w1 = "tosa.const"() <{values = dense<0.5> : tensor<2x3x3x12xf32>}> : () -> tensor<2x3x3x12xf32>
  %b2 = "tosa.const"() <{values = dense<0.1> : tensor<2xf32>}> : () -> tensor<2xf32>
  %scale = tosa.const_shape {values = dense<[4, 2, 4, 2]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %offset = tosa.const_shape {values = dense<-1> : tensor<2xindex>} : () -> !tosa.shape<2>
  %border = tosa.const_shape {values = dense<1> : tensor<2xindex>} : () -> !tosa.shape<2>
  %l = tosa.resize %x, %scale, %offset, %border {mode = NEAREST_NEIGHBOR}
    : (tensor<1x8x4x12xf32>, !tosa.shape<4>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<1x16x8x12xf32>
  %n = tosa.conv2d %l, %w1, %b2, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x12xf32>, tensor<2x3x3x12xf32>, tensor<2xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x2xf32>
  return %n : tensor<1x16x8x2xf32>
}

// -----

// A pool of two rows by two: rows 0 to 3 come from rows 0 to 7, and those from rows 0 to 8 of the image.

// CHECK-LABEL: @pooled
// CHECK-DAG: %[[X0:.+]] = tinymo.split %x {axis = 1, windows = {{\[\[}}0, 9]]}
// CHECK-DAG: %[[W0:.+]] = tosa.conv2d %[[X0]]
// CHECK-DAG: %[[X1:.+]] = tinymo.split %x {axis = 1, windows = {{\[\[}}7, 16]]}
// CHECK-DAG: %[[W1:.+]] = tosa.conv2d %[[X1]]
// CHECK-DAG: tosa.max_pool2d {{.+}} -> tensor<1x4x4x16xf32>
// CHECK: %m = tinymo.join
func.func @pooled(%x: tensor<1x16x8x2xf32>) -> tensor<1x8x4x16xf32> {
  %zp = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %w1 = "tosa.const"() <{values = dense<0.5> : tensor<16x3x3x2xf32>}> : () -> tensor<16x3x3x2xf32>
  %b16 = "tosa.const"() <{values = dense<0.1> : tensor<16xf32>}> : () -> tensor<16xf32>
  %w = tosa.conv2d %x, %w1, %b16, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x2xf32>, tensor<16x3x3x2xf32>, tensor<16xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x16xf32>
  %m = tosa.max_pool2d %w {kernel = array<i64: 2, 2>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>}
    : (tensor<1x16x8x16xf32>) -> tensor<1x8x4x16xf32>
  return %m : tensor<1x8x4x16xf32>
}

// -----

// Branches side by side, joined along the channels: each takes its own window of the image.

// CHECK-LABEL: @side_by_side
// CHECK-DAG: tinymo.split %x {axis = 1, windows = {{\[\[}}0, 9]]}
// CHECK-DAG: tinymo.split %x {axis = 1, windows = {{\[\[}}0, 10]]}
// CHECK-DAG: tinymo.split %x {axis = 1, windows = {{\[\[}}7, 16]]}
// CHECK-DAG: tinymo.split %x {axis = 1, windows = {{\[\[}}6, 16]]}
// CHECK-DAG: tosa.concat {{.+}} -> tensor<1x8x8x16xf32>
// CHECK: %n = tinymo.join
func.func @side_by_side(%x: tensor<1x16x8x2xf32>) -> tensor<1x16x8x2xf32> {
  %zp = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %w1 = "tosa.const"() <{values = dense<0.5> : tensor<8x3x3x2xf32>}> : () -> tensor<8x3x3x2xf32>
  %b8 = "tosa.const"() <{values = dense<0.1> : tensor<8xf32>}> : () -> tensor<8xf32>
  %w3 = "tosa.const"() <{values = dense<0.5> : tensor<8x5x5x2xf32>}> : () -> tensor<8x5x5x2xf32>
  %w4 = "tosa.const"() <{values = dense<0.5> : tensor<2x1x1x16xf32>}> : () -> tensor<2x1x1x16xf32>
  %b2 = "tosa.const"() <{values = dense<0.1> : tensor<2xf32>}> : () -> tensor<2xf32>
  %a = tosa.conv2d %x, %w1, %b8, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x2xf32>, tensor<8x3x3x2xf32>, tensor<8xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x8xf32>
  %b = tosa.conv2d %x, %w3, %b8, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 2, 2, 2, 2>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x2xf32>, tensor<8x5x5x2xf32>, tensor<8xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x8xf32>
  %c = tosa.concat %a, %b {axis = 3 : i32}
    : (tensor<1x16x8x8xf32>, tensor<1x16x8x8xf32>) -> tensor<1x16x8x16xf32>
  %n = tosa.conv2d %c, %w4, %b2, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x16xf32>, tensor<2x1x1x16xf32>, tensor<2xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x2xf32>
  return %n : tensor<1x16x8x2xf32>
}
