// RUN: tinymo-opt --split-input-file --verify-semantics --split-sepconv=stripes=2,max-overhead=100 %s | filecheck %s
// RUN: tinymo-opt --split-input-file --split-sepconv=stripes=2,max-overhead=100 %s 2>&1 >/dev/null | filecheck %s --check-prefix=REMARK

// Rows 0 to 7 of the result read rows -1 to 8 of the expanded image, of which row -1 is padding: the first stripe takes
// rows 0 to 8 of the input. Rows 8 to 15 read rows 7 to 16, of which row 16 is padding: the second takes rows 7 to 15.
// Rows 7 and 8 are the halo. Both stripes are padded as SAME pads them. So row 8 of the first stripe's result reads padding
// where the image goes on, and so does row 7 of the second's, which is its row 0: they are wrong, and are cut off.
// No tensor of 12 channels has more than 9 of 16 rows: 2 x 9 x 8 x 12 floats and those of a stripe of the input, 9 x 8 x 2.

// CHECK-LABEL: @expand_filter_project
// CHECK-DAG: %[[X0:.+]] = tinymo.split %x {axis = 1, windows = {{\[\[}}0, 9]]}
// CHECK-DAG: %[[E0:.+]] = tosa.conv2d %[[X0]], {{.+}} -> tensor<1x9x8x12xf32>
// CHECK-DAG: %[[D0:.+]] = tosa.depthwise_conv2d %[[E0]], {{.+}} pad = array<i64: 1, 1, 1, 1>, {{.+}} -> tensor<1x9x8x12xf32>
// CHECK-DAG: %[[G0:.+]] = tinymo.split %[[D0]] {axis = 1, windows = {{\[\[}}0, 8]]}
// CHECK-DAG: %[[P0:.+]] = tosa.conv2d %[[G0]], {{.+}} -> tensor<1x8x8x2xf32>
// CHECK-DAG: %[[X1:.+]] = tinymo.split %x {axis = 1, windows = {{\[\[}}7, 16]]}
// CHECK-DAG: %[[E1:.+]] = tosa.conv2d %[[X1]], {{.+}} -> tensor<1x9x8x12xf32>
// CHECK-DAG: %[[D1:.+]] = tosa.depthwise_conv2d %[[E1]], {{.+}} pad = array<i64: 1, 1, 1, 1>, {{.+}} -> tensor<1x9x8x12xf32>
// CHECK-DAG: %[[G1:.+]] = tinymo.split %[[D1]] {axis = 1, windows = {{\[\[}}1, 9]]}
// CHECK-DAG: %[[P1:.+]] = tosa.conv2d %[[G1]], {{.+}} -> tensor<1x8x8x2xf32>
// CHECK: %p = tinymo.join %[[P0]], %[[P1]] {axis = 1 : i64}
// CHECK-NEXT: return %p
// REMARK: remark: split-sepconv: @expand_filter_project: 2 stripes from '%e' to '%p'; the peak falls from 12,288 to 7,488 bytes
func.func @expand_filter_project(%x: tensor<1x16x8x2xf32>) -> tensor<1x16x8x2xf32> {
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

// -----

// With stride 2, rows 0 to 3 of the result read rows 0 to 8, and rows 4 to 7 read rows 8 to 16, the last of which is
// padding. SAME pads an even number of rows by one, at the bottom: the first stripe takes row 9 as well, and the row that
// comes out below the others is cut off. The second stripe is padded as the whole image is.

// CHECK-LABEL: @stride_2
// CHECK-DAG: %[[X0:.+]] = tinymo.split %x {axis = 1, windows = {{\[\[}}0, 10]]}
// CHECK-DAG: %[[E0:.+]] = tosa.conv2d %[[X0]], {{.+}} -> tensor<1x10x8x12xf32>
// CHECK-DAG: %[[D0:.+]] = tosa.depthwise_conv2d %[[E0]], {{.+}} pad = array<i64: 0, 1, 0, 1>, {{.+}} -> tensor<1x5x4x12xf32>
// CHECK-DAG: %[[G0:.+]] = tinymo.split %[[D0]] {axis = 1, windows = {{\[\[}}0, 4]]}
// CHECK-DAG: %[[P0:.+]] = tosa.conv2d %[[G0]], {{.+}} -> tensor<1x4x4x3xf32>
// CHECK-DAG: %[[X1:.+]] = tinymo.split %x {axis = 1, windows = {{\[\[}}8, 16]]}
// CHECK-DAG: %[[E1:.+]] = tosa.conv2d %[[X1]], {{.+}} -> tensor<1x8x8x12xf32>
// CHECK-DAG: %[[D1:.+]] = tosa.depthwise_conv2d %[[E1]], {{.+}} pad = array<i64: 0, 1, 0, 1>, {{.+}} -> tensor<1x4x4x12xf32>
// CHECK-DAG: %[[P1:.+]] = tosa.conv2d %[[D1]], {{.+}} -> tensor<1x4x4x3xf32>
// CHECK: %p = tinymo.join %[[P0]], %[[P1]]
func.func @stride_2(%x: tensor<1x16x8x2xf32>) -> tensor<1x8x4x3xf32> {
  %zp = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %w1 = "tosa.const"() <{values = dense<0.5> : tensor<12x1x1x2xf32>}> : () -> tensor<12x1x1x2xf32>
  %b12 = "tosa.const"() <{values = dense<0.1> : tensor<12xf32>}> : () -> tensor<12xf32>
  %w3 = "tosa.const"() <{values = dense<0.5> : tensor<3x3x12x1xf32>}> : () -> tensor<3x3x12x1xf32>
  %w4 = "tosa.const"() <{values = dense<0.5> : tensor<3x1x1x12xf32>}> : () -> tensor<3x1x1x12xf32>
  %b3 = "tosa.const"() <{values = dense<0.1> : tensor<3xf32>}> : () -> tensor<3xf32>
  %e = tosa.conv2d %x, %w1, %b12, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x2xf32>, tensor<12x1x1x2xf32>, tensor<12xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x12xf32>
  %d = tosa.depthwise_conv2d %e, %w3, %b12, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 1, 0, 1>,
      stride = array<i64: 2, 2>}
    : (tensor<1x16x8x12xf32>, tensor<3x3x12x1xf32>, tensor<12xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x8x4x12xf32>
  %p = tosa.conv2d %d, %w4, %b3, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>,
      stride = array<i64: 1, 1>}
    : (tensor<1x8x4x12xf32>, tensor<3x1x1x12xf32>, tensor<3xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x8x4x3xf32>
  return %p : tensor<1x8x4x3xf32>
}

// -----

// Dilation spreads three taps over five rows: the halo is two rows on either side of the cut, and two rows are cut off.

// CHECK-LABEL: @dilation_2
// CHECK-DAG: %[[X0:.+]] = tinymo.split %x {axis = 1, windows = {{\[\[}}0, 10]]}
// CHECK-DAG: %[[E0:.+]] = tosa.conv2d %[[X0]]
// CHECK-DAG: %[[D0:.+]] = tosa.depthwise_conv2d %[[E0]], {{.+}} dilation = array<i64: 2, 2>, pad = array<i64: 2, 2, 2, 2>, {{.+}} -> tensor<1x10x8x12xf32>
// CHECK-DAG: tinymo.split %[[D0]] {axis = 1, windows = {{\[\[}}0, 8]]}
// CHECK-DAG: %[[X1:.+]] = tinymo.split %x {axis = 1, windows = {{\[\[}}6, 16]]}
// CHECK-DAG: %[[E1:.+]] = tosa.conv2d %[[X1]]
// CHECK-DAG: %[[D1:.+]] = tosa.depthwise_conv2d %[[E1]], {{.+}} dilation = array<i64: 2, 2>, pad = array<i64: 2, 2, 2, 2>, {{.+}} -> tensor<1x10x8x12xf32>
// CHECK-DAG: tinymo.split %[[D1]] {axis = 1, windows = {{\[\[}}2, 10]]}
func.func @dilation_2(%x: tensor<1x16x8x2xf32>) -> tensor<1x16x8x2xf32> {
  %zp = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %w1 = "tosa.const"() <{values = dense<0.5> : tensor<12x1x1x2xf32>}> : () -> tensor<12x1x1x2xf32>
  %b12 = "tosa.const"() <{values = dense<0.1> : tensor<12xf32>}> : () -> tensor<12xf32>
  %w3 = "tosa.const"() <{values = dense<0.5> : tensor<3x3x12x1xf32>}> : () -> tensor<3x3x12x1xf32>
  %w4 = "tosa.const"() <{values = dense<0.5> : tensor<2x1x1x12xf32>}> : () -> tensor<2x1x1x12xf32>
  %b2 = "tosa.const"() <{values = dense<0.1> : tensor<2xf32>}> : () -> tensor<2xf32>
  %e = tosa.conv2d %x, %w1, %b12, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x2xf32>, tensor<12x1x1x2xf32>, tensor<12xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x12xf32>
  %d = tosa.depthwise_conv2d %e, %w3, %b12, %zp, %zp {acc_type = f32, dilation = array<i64: 2, 2>, pad = array<i64: 2, 2, 2, 2>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x12xf32>, tensor<3x3x12x1xf32>, tensor<12xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x12xf32>
  %p = tosa.conv2d %d, %w4, %b2, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x12xf32>, tensor<2x1x1x12xf32>, tensor<2xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x2xf32>
  return %p : tensor<1x16x8x2xf32>
}

// -----

// A kernel of five rows has the same halo.

// CHECK-LABEL: @kernel_5
// CHECK-DAG: %[[X0:.+]] = tinymo.split %x {axis = 1, windows = {{\[\[}}0, 10]]}
// CHECK-DAG: %[[E0:.+]] = tosa.conv2d %[[X0]]
// CHECK-DAG: %[[D0:.+]] = tosa.depthwise_conv2d %[[E0]], {{.+}} pad = array<i64: 2, 2, 2, 2>, {{.+}} -> tensor<1x10x8x12xf32>
// CHECK-DAG: tinymo.split %[[D0]] {axis = 1, windows = {{\[\[}}0, 8]]}
// CHECK-DAG: %[[X1:.+]] = tinymo.split %x {axis = 1, windows = {{\[\[}}6, 16]]}
// CHECK-DAG: %[[E1:.+]] = tosa.conv2d %[[X1]]
// CHECK-DAG: %[[D1:.+]] = tosa.depthwise_conv2d %[[E1]], {{.+}} pad = array<i64: 2, 2, 2, 2>, {{.+}} -> tensor<1x10x8x12xf32>
// CHECK-DAG: tinymo.split %[[D1]] {axis = 1, windows = {{\[\[}}2, 10]]}
func.func @kernel_5(%x: tensor<1x16x8x2xf32>) -> tensor<1x16x8x2xf32> {
  %zp = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %w1 = "tosa.const"() <{values = dense<0.5> : tensor<12x1x1x2xf32>}> : () -> tensor<12x1x1x2xf32>
  %b12 = "tosa.const"() <{values = dense<0.1> : tensor<12xf32>}> : () -> tensor<12xf32>
  %w3 = "tosa.const"() <{values = dense<0.5> : tensor<5x5x12x1xf32>}> : () -> tensor<5x5x12x1xf32>
  %w4 = "tosa.const"() <{values = dense<0.5> : tensor<2x1x1x12xf32>}> : () -> tensor<2x1x1x12xf32>
  %b2 = "tosa.const"() <{values = dense<0.1> : tensor<2xf32>}> : () -> tensor<2xf32>
  %e = tosa.conv2d %x, %w1, %b12, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x2xf32>, tensor<12x1x1x2xf32>, tensor<12xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x12xf32>
  %d = tosa.depthwise_conv2d %e, %w3, %b12, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 2, 2, 2, 2>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x12xf32>, tensor<5x5x12x1xf32>, tensor<12xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x12xf32>
  %p = tosa.conv2d %d, %w4, %b2, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x12xf32>, tensor<2x1x1x12xf32>, tensor<2xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x2xf32>
  return %p : tensor<1x16x8x2xf32>
}

// -----

// A kernel of four rows reads one row above its own and two below: rows 0 to 7 read rows -1 to 9, rows 8 to 15 read rows 7
// to 17. Each side of the cut has a halo of its own height.

// CHECK-LABEL: @kernel_4
// CHECK-DAG: %[[X0:.+]] = tinymo.split %x {axis = 1, windows = {{\[\[}}0, 10]]}
// CHECK-DAG: %[[E0:.+]] = tosa.conv2d %[[X0]]
// CHECK-DAG: %[[D0:.+]] = tosa.depthwise_conv2d %[[E0]], {{.+}} pad = array<i64: 1, 2, 1, 1>, {{.+}} -> tensor<1x10x8x12xf32>
// CHECK-DAG: tinymo.split %[[D0]] {axis = 1, windows = {{\[\[}}0, 8]]}
// CHECK-DAG: %[[X1:.+]] = tinymo.split %x {axis = 1, windows = {{\[\[}}7, 16]]}
// CHECK-DAG: %[[E1:.+]] = tosa.conv2d %[[X1]]
// CHECK-DAG: %[[D1:.+]] = tosa.depthwise_conv2d %[[E1]], {{.+}} pad = array<i64: 1, 2, 1, 1>, {{.+}} -> tensor<1x9x8x12xf32>
// CHECK-DAG: tinymo.split %[[D1]] {axis = 1, windows = {{\[\[}}1, 9]]}
func.func @kernel_4(%x: tensor<1x16x8x2xf32>) -> tensor<1x16x8x2xf32> {
  %zp = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %w1 = "tosa.const"() <{values = dense<0.5> : tensor<12x1x1x2xf32>}> : () -> tensor<12x1x1x2xf32>
  %b12 = "tosa.const"() <{values = dense<0.1> : tensor<12xf32>}> : () -> tensor<12xf32>
  %w3 = "tosa.const"() <{values = dense<0.5> : tensor<4x3x12x1xf32>}> : () -> tensor<4x3x12x1xf32>
  %w4 = "tosa.const"() <{values = dense<0.5> : tensor<2x1x1x12xf32>}> : () -> tensor<2x1x1x12xf32>
  %b2 = "tosa.const"() <{values = dense<0.1> : tensor<2xf32>}> : () -> tensor<2xf32>
  %e = tosa.conv2d %x, %w1, %b12, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x2xf32>, tensor<12x1x1x2xf32>, tensor<12xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x12xf32>
  %d = tosa.depthwise_conv2d %e, %w3, %b12, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 1, 2, 1, 1>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x12xf32>, tensor<4x3x12x1xf32>, tensor<12xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x12xf32>
  %p = tosa.conv2d %d, %w4, %b2, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x12xf32>, tensor<2x1x1x12xf32>, tensor<2xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x2xf32>
  return %p : tensor<1x16x8x2xf32>
}

// -----

// Without padding 14 rows come out of 16. Rows 0 to 6 read rows 0 to 8, rows 7 to 13 read rows 7 to 15, and there is
// nothing to cut off.

// CHECK-LABEL: @valid_padding
// CHECK-DAG: %[[X0:.+]] = tinymo.split %x {axis = 1, windows = {{\[\[}}0, 9]]}
// CHECK-DAG: %[[E0:.+]] = tosa.conv2d %[[X0]]
// CHECK-DAG: %[[D0:.+]] = tosa.depthwise_conv2d %[[E0]], {{.+}} -> tensor<1x7x6x12xf32>
// CHECK-DAG: %[[P0:.+]] = tosa.conv2d %[[D0]]
// CHECK-DAG: %[[X1:.+]] = tinymo.split %x {axis = 1, windows = {{\[\[}}7, 16]]}
// CHECK-DAG: %[[E1:.+]] = tosa.conv2d %[[X1]]
// CHECK-DAG: %[[D1:.+]] = tosa.depthwise_conv2d %[[E1]], {{.+}} -> tensor<1x7x6x12xf32>
// CHECK-DAG: %[[P1:.+]] = tosa.conv2d %[[D1]]
// CHECK: tinymo.join %[[P0]], %[[P1]] {{.+}} -> tensor<1x14x6x2xf32>
func.func @valid_padding(%x: tensor<1x16x8x2xf32>) -> tensor<1x14x6x2xf32> {
  %zp = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %w1 = "tosa.const"() <{values = dense<0.5> : tensor<12x1x1x2xf32>}> : () -> tensor<12x1x1x2xf32>
  %b12 = "tosa.const"() <{values = dense<0.1> : tensor<12xf32>}> : () -> tensor<12xf32>
  %w3 = "tosa.const"() <{values = dense<0.5> : tensor<3x3x12x1xf32>}> : () -> tensor<3x3x12x1xf32>
  %w4 = "tosa.const"() <{values = dense<0.5> : tensor<2x1x1x12xf32>}> : () -> tensor<2x1x1x12xf32>
  %b2 = "tosa.const"() <{values = dense<0.1> : tensor<2xf32>}> : () -> tensor<2xf32>
  %e = tosa.conv2d %x, %w1, %b12, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x2xf32>, tensor<12x1x1x2xf32>, tensor<12xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x12xf32>
  %d = tosa.depthwise_conv2d %e, %w3, %b12, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x12xf32>, tensor<3x3x12x1xf32>, tensor<12xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x14x6x12xf32>
  %p = tosa.conv2d %d, %w4, %b2, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>,
      stride = array<i64: 1, 1>}
    : (tensor<1x14x6x12xf32>, tensor<2x1x1x12xf32>, tensor<2xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x14x6x2xf32>
  return %p : tensor<1x14x6x2xf32>
}

// -----

// The residual add runs in stripes too, each on its rows of `x`: rows 0 to 7, then rows 8 to 15. They are windows of `x`
// beside those with a halo. Neither `p` nor, at the end, `x` is there whole.

// CHECK-LABEL: @residual_add
// CHECK-DAG: %[[X0:.+]] = tinymo.split %x {axis = 1, windows = {{\[\[}}0, 9]]}
// CHECK-DAG: %[[R0:.+]] = tinymo.split %x {axis = 1, windows = {{\[\[}}0, 8]]}
// CHECK-DAG: %[[X1:.+]] = tinymo.split %x {axis = 1, windows = {{\[\[}}7, 16]]}
// CHECK-DAG: %[[R1:.+]] = tinymo.split %x {axis = 1, windows = {{\[\[}}8, 16]]}
// CHECK-DAG: tosa.conv2d %[[X0]], {{.+}} -> tensor<1x9x8x10xf32>
// CHECK-DAG: %[[Y0:.+]] = tosa.add %{{.+}}, %[[R0]] : {{.+}} -> tensor<1x8x8x8xf32>
// CHECK-DAG: tosa.conv2d %[[X1]], {{.+}} -> tensor<1x9x8x10xf32>
// CHECK-DAG: %[[Y1:.+]] = tosa.add %{{.+}}, %[[R1]] : {{.+}} -> tensor<1x8x8x8xf32>
// CHECK: %y = tinymo.join %[[Y0]], %[[Y1]]
func.func @residual_add(%x: tensor<1x16x8x8xf32>) -> tensor<1x16x8x8xf32> {
  %zp = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %w1 = "tosa.const"() <{values = dense<0.5> : tensor<10x1x1x8xf32>}> : () -> tensor<10x1x1x8xf32>
  %b10 = "tosa.const"() <{values = dense<0.1> : tensor<10xf32>}> : () -> tensor<10xf32>
  %w3 = "tosa.const"() <{values = dense<0.5> : tensor<3x3x10x1xf32>}> : () -> tensor<3x3x10x1xf32>
  %w4 = "tosa.const"() <{values = dense<0.5> : tensor<8x1x1x10xf32>}> : () -> tensor<8x1x1x10xf32>
  %b8 = "tosa.const"() <{values = dense<0.1> : tensor<8xf32>}> : () -> tensor<8xf32>
  %e = tosa.conv2d %x, %w1, %b10, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x8xf32>, tensor<10x1x1x8xf32>, tensor<10xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x10xf32>
  %d = tosa.depthwise_conv2d %e, %w3, %b10, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x10xf32>, tensor<3x3x10x1xf32>, tensor<10xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x10xf32>
  %p = tosa.conv2d %d, %w4, %b8, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x10xf32>, tensor<8x1x1x10xf32>, tensor<8xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x8xf32>
  %y = tosa.add %p, %x : (tensor<1x16x8x8xf32>, tensor<1x16x8x8xf32>) -> tensor<1x16x8x8xf32>
  return %y : tensor<1x16x8x8xf32>
}

// -----

// A depthwise and a pointwise convolution alone; the depthwise one makes two channels of each. Here the stripes run on
// exactly the rows that they need, padded only where the whole image is: the first at the top, the second at the bottom. A
// `.tflite` cannot say that, and will pad a copy, but a copy of few channels; nothing is computed in vain.

// CHECK-LABEL: @without_expansion
// CHECK-DAG: %[[X0:.+]] = tinymo.split %x {axis = 1, windows = {{\[\[}}0, 9]]}
// CHECK-DAG: %[[D0:.+]] = tosa.depthwise_conv2d %[[X0]], {{.+}} pad = array<i64: 1, 0, 1, 1>, {{.+}} -> tensor<1x8x8x12xf32>
// CHECK-DAG: %[[P0:.+]] = tosa.conv2d %[[D0]]
// CHECK-DAG: %[[X1:.+]] = tinymo.split %x {axis = 1, windows = {{\[\[}}7, 16]]}
// CHECK-DAG: %[[D1:.+]] = tosa.depthwise_conv2d %[[X1]], {{.+}} pad = array<i64: 0, 1, 1, 1>, {{.+}} -> tensor<1x8x8x12xf32>
// CHECK-DAG: %[[P1:.+]] = tosa.conv2d %[[D1]]
// CHECK: tinymo.join %[[P0]], %[[P1]]
func.func @without_expansion(%x: tensor<1x16x8x6xf32>) -> tensor<1x16x8x2xf32> {
  %zp = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %w1 = "tosa.const"() <{values = dense<0.5> : tensor<3x3x6x2xf32>}> : () -> tensor<3x3x6x2xf32>
  %b12 = "tosa.const"() <{values = dense<0.1> : tensor<12xf32>}> : () -> tensor<12xf32>
  %w3 = "tosa.const"() <{values = dense<0.5> : tensor<2x1x1x12xf32>}> : () -> tensor<2x1x1x12xf32>
  %b2 = "tosa.const"() <{values = dense<0.1> : tensor<2xf32>}> : () -> tensor<2xf32>
  %d = tosa.depthwise_conv2d %x, %w1, %b12, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x6xf32>, tensor<3x3x6x2xf32>, tensor<12xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x12xf32>
  %p = tosa.conv2d %d, %w3, %b2, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x12xf32>, tensor<2x1x1x12xf32>, tensor<2xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x2xf32>
  return %p : tensor<1x16x8x2xf32>
}

// -----

// Elementwise kernels between the convolutions belong to the chain. They have the rows of their operands, a wrong one too.

// CHECK-LABEL: @activations
// CHECK-DAG: %[[X0:.+]] = tinymo.split %x {axis = 1, windows = {{\[\[}}0, 9]]}
// CHECK-DAG: %[[E0:.+]] = tosa.conv2d %[[X0]]
// CHECK-DAG: %[[A0:.+]] = tosa.add %[[E0]], %[[E0]] : {{.+}} -> tensor<1x9x8x12xf32>
// CHECK-DAG: tosa.depthwise_conv2d %[[A0]]
// CHECK-DAG: tinymo.split %x {axis = 1, windows = {{\[\[}}7, 16]]}
// CHECK: %p = tinymo.join
func.func @activations(%x: tensor<1x16x8x2xf32>) -> tensor<1x16x8x2xf32> {
  %zp = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %w1 = "tosa.const"() <{values = dense<0.5> : tensor<12x1x1x2xf32>}> : () -> tensor<12x1x1x2xf32>
  %b12 = "tosa.const"() <{values = dense<0.1> : tensor<12xf32>}> : () -> tensor<12xf32>
  %w3 = "tosa.const"() <{values = dense<0.5> : tensor<3x3x12x1xf32>}> : () -> tensor<3x3x12x1xf32>
  %w4 = "tosa.const"() <{values = dense<0.5> : tensor<2x1x1x12xf32>}> : () -> tensor<2x1x1x12xf32>
  %b2 = "tosa.const"() <{values = dense<0.1> : tensor<2xf32>}> : () -> tensor<2xf32>
  %e = tosa.conv2d %x, %w1, %b12, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x2xf32>, tensor<12x1x1x2xf32>, tensor<12xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x12xf32>
  %ea = tosa.add %e, %e : (tensor<1x16x8x12xf32>, tensor<1x16x8x12xf32>) -> tensor<1x16x8x12xf32>
  %d = tosa.depthwise_conv2d %ea, %w3, %b12, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x12xf32>, tensor<3x3x12x1xf32>, tensor<12xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x12xf32>
  %da = tosa.add %d, %d : (tensor<1x16x8x12xf32>, tensor<1x16x8x12xf32>) -> tensor<1x16x8x12xf32>
  %p = tosa.conv2d %da, %w4, %b2, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x12xf32>, tensor<2x1x1x12xf32>, tensor<2xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x2xf32>
  return %p : tensor<1x16x8x2xf32>
}

// -----

// Two regions of one model. The reshape between them mixes rows, and nothing moves across it: it reads what the one region
// joins, and the other splits what it yields.

// CHECK-LABEL: @two_regions
// CHECK: tinymo.split %x
// CHECK: %ap = tinymo.join {{.+}} -> tensor<1x16x8x2xf32>
// CHECK-NOT: tinymo
// CHECK: %m = tosa.reshape %ap
// CHECK-DAG: tinymo.split %m {axis = 1, windows = {{\[\[}}0, 5]]}
// CHECK-DAG: tinymo.split %m {axis = 1, windows = {{\[\[}}3, 8]]}
// CHECK: %bp = tinymo.join {{.+}} -> tensor<1x8x16x2xf32>
// CHECK-NEXT: return %bp
// REMARK: @two_regions: 2 stripes from '%ae' to '%ap'; 2 stripes from '%be' to '%bp'; the peak falls
func.func @two_regions(%x: tensor<1x16x8x2xf32>) -> tensor<1x8x16x2xf32> {
  %zp = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %w1 = "tosa.const"() <{values = dense<0.5> : tensor<16x1x1x2xf32>}> : () -> tensor<16x1x1x2xf32>
  %b16 = "tosa.const"() <{values = dense<0.1> : tensor<16xf32>}> : () -> tensor<16xf32>
  %w3 = "tosa.const"() <{values = dense<0.5> : tensor<3x3x16x1xf32>}> : () -> tensor<3x3x16x1xf32>
  %w4 = "tosa.const"() <{values = dense<0.5> : tensor<2x1x1x16xf32>}> : () -> tensor<2x1x1x16xf32>
  %b2 = "tosa.const"() <{values = dense<0.1> : tensor<2xf32>}> : () -> tensor<2xf32>
  %ae = tosa.conv2d %x, %w1, %b16, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x2xf32>, tensor<16x1x1x2xf32>, tensor<16xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x16xf32>
  %ad = tosa.depthwise_conv2d %ae, %w3, %b16, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x16xf32>, tensor<3x3x16x1xf32>, tensor<16xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x16xf32>
  %ap = tosa.conv2d %ad, %w4, %b2, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>,
      stride = array<i64: 1, 1>}
    : (tensor<1x16x8x16xf32>, tensor<2x1x1x16xf32>, tensor<2xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x8x2xf32>
  %shape = tosa.const_shape {values = dense<[1, 8, 16, 2]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %m = tosa.reshape %ap, %shape : (tensor<1x16x8x2xf32>, !tosa.shape<4>) -> tensor<1x8x16x2xf32>
  %be = tosa.conv2d %m, %w1, %b16, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>,
      stride = array<i64: 1, 1>}
    : (tensor<1x8x16x2xf32>, tensor<16x1x1x2xf32>, tensor<16xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x8x16x16xf32>
  %bd = tosa.depthwise_conv2d %be, %w3, %b16, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>,
      stride = array<i64: 1, 1>}
    : (tensor<1x8x16x16xf32>, tensor<3x3x16x1xf32>, tensor<16xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x8x16x16xf32>
  %bp = tosa.conv2d %bd, %w4, %b2, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>,
      stride = array<i64: 1, 1>}
    : (tensor<1x8x16x16xf32>, tensor<2x1x1x16xf32>, tensor<2xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x8x16x2xf32>
  return %bp : tensor<1x8x16x2xf32>
}

// -----

// The first function is the one that applications call; the other is left alone. A declaration is no function of a model.

// CHECK: func.func private @declared
// CHECK: @main
// CHECK: tinymo.split %x
// CHECK: @helper
// CHECK-NOT: tinymo
// REMARK: @main: 2 stripes
// REMARK-NOT: @helper
func.func private @declared()
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
func.func @helper(%x: tensor<1x16x8x2xf32>) -> tensor<1x16x8x2xf32> {
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
