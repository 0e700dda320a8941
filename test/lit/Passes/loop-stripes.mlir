// RUN: tinymo-opt --verify-semantics --loop-stripes=region=0,2,stripes=3 %s | filecheck %s
// RUN: tinymo-opt --loop-stripes=region=0,2,stripes=3 %s 2>&1 >/dev/null | filecheck %s --check-prefix=REMARK

// Three kernels run as one loop of three rounds, which keep rows 0 to 3, 4 to 7 and 8 to 11 of the result. The function
// holds an empty result and the WHILE, which carries the place in the tables, the input and the result.
// CHECK-LABEL: func.func @main
// CHECK: %[[SHAPE:.+]] = "tosa.const"() <{values = dense<[1, 12, 4, 2]>
// CHECK: %[[EMPTY:.+]] = tosa.custom %[[SHAPE]], %{{.+}} {{.+}} operator_name = "FILL"
// CHECK: %[[START:.+]] = "tosa.const"() <{values = dense<0> : tensor<1xi32>}>
// CHECK: %{{.+}}, %{{.+}}, %p = tosa.custom %[[START]], %x, %[[EMPTY]] {{.+}} operator_name = "WHILE"
// CHECK-SAME: {cond_subgraph_index = 1 : i64, body_subgraph_index = 2 : i64}
// CHECK-NOT: tosa
// CHECK: return %p

// There are rounds left as long as the place is in the tables, which have four numbers for each round.
// CHECK-LABEL: func.func @loop_1_condition(%0: tensor<1xi32>
// CHECK: %[[END:.+]] = "tosa.const"() <{values = dense<12> : tensor<1xi32>}>
// CHECK: tosa.custom %0, %[[END]] {{.+}} operator_name = "LESS"

// A round needs a row of halo above and below its four. At the edges of the image the window is moved inwards, so that
// all windows are of six rows: from row 0, 3 and 6 on. The depthwise convolution pads them as it padded the image.
// CHECK-LABEL: func.func @loop_1_body(%0: tensor<1xi32>
// CHECK: %[[TABLE:.+]] = "tosa.const"() <{values = dense<[0, 0, 0, 0, 0, 3, 0, 0, 0, 6, 0, 0]>
// CHECK: %[[FOUR:.+]] = "tosa.const"() <{values = dense<4> : tensor<1xi32>}>
// CHECK: %[[FROM:.+]] = tosa.custom %[[TABLE]], %0, %[[FOUR]] {{.+}} operator_name = "SLICE"
// CHECK: %[[WINDOW:.+]] = tosa.custom %1, %[[FROM]], {{.+}} operator_name = "SLICE"
// CHECK: %[[E:.+]] = tosa.conv2d %[[WINDOW]], {{.+}} -> tensor<1x6x4x6xf32>
// CHECK: %[[D:.+]] = tosa.depthwise_conv2d %[[E]], {{.+}} pad = array<i64: 1, 1, 1, 1>, {{.+}} -> tensor<1x6x4x6xf32>
// CHECK: %[[P:.+]] = tosa.conv2d %[[D]], {{.+}} -> tensor<1x6x4x2xf32>

// What was computed at an edge of the window where the image goes on is wrong. The four good rows are those from row 0,
// 1 and 2 of the window on. They take their place in the result, and the place in the tables moves on.
// CHECK: %[[TABLE:.+]] = "tosa.const"() <{values = dense<[0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0]>
// CHECK: %[[FROM:.+]] = tosa.custom %[[TABLE]], %0, %[[FOUR]] {{.+}} operator_name = "SLICE"
// CHECK: %[[KEPT:.+]] = tosa.custom %[[P]], %[[FROM]], {{.+}} -> tensor<1x4x4x2xf32>
// CHECK: %[[TABLE:.+]] = "tosa.const"() <{values = dense<[0, 0, 0, 0, 0, 4, 0, 0, 0, 8, 0, 0]>
// CHECK: %[[AT:.+]] = tosa.custom %[[TABLE]], %0, %[[FOUR]] {{.+}} operator_name = "SLICE"
// CHECK: %[[Y:.+]] = tosa.custom %2, %[[KEPT]], %[[AT]] {{.+}} operator_name = "DYNAMIC_UPDATE_SLICE"
// CHECK: %[[NEXT:.+]] = tosa.custom %0, %[[FOUR]] {{.+}} operator_name = "ADD"
// CHECK: return %[[NEXT]], %1, %[[Y]]

// A region and a number of rounds are an order: the loop is made although so small a model would not gain by it.
// REMARK: remark: loop-stripes: @main: a loop of 3 from 'e' to 'p'; activations and operators take 4,168 bytes, not 3,052
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
