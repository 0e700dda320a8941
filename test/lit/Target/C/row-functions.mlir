// RUN: tinymo-translate --mlir-to-tflite %s -o %t.tflite
// RUN: tinymo codegen %t.tflite -o %t.lib --prefix twice
// RUN: filecheck %s < %t.lib/twice.c

// Both layers have one shape, so they share one function, whose text has all sizes as numbers. What differs are their
// parameters. Each pair of pixels and of output channels is one block, where each element that is loaded is used twice.
// CHECK: static void conv_1x1s1_4x2_4x2_pair(int8_t *out, const int8_t *const *rows, int32_t left, const convolution *p)
// CHECK: for (int32_t o = 0; o < 2; o += 2) {
// CHECK: int32_t a00 = p->bias[o];
// CHECK-NEXT: int32_t a01 = p->bias[o + 1];
// CHECK-NEXT: int32_t a10 = p->bias[o];
// CHECK-NEXT: int32_t a11 = p->bias[o + 1];
// CHECK: const int8_t *x = rows[ky] + left * 2;
// CHECK: out[o] = (int8_t)clamp(requantize(a00, p->multiplier, p->shift) + p->zero_point, p->low, p->high);
// CHECK: static void conv_1x1s1_4x2_4x2(int8_t *out, const int8_t *const *rows, const convolution *p)
// CHECK-NOT: static void conv_
// CHECK: static void layer_0(uint8_t *arena)
// CHECK: .weights = layer_0_weights,
// CHECK: conv_1x1s1_4x2_4x2(out, rows, &parameters);
// CHECK: static void layer_1(uint8_t *arena)
// CHECK: .weights = layer_1_weights,
// CHECK: conv_1x1s1_4x2_4x2(out, rows, &parameters);
func.func @main(%x: tensor<1x4x4x2xi8> {tinymo.tensor = {name = "x", scale = array<f32: 0.5>, zero_point = array<i64: 0>}}) -> tensor<1x4x4x2xi8> {
  %w = "tosa.const"() <{values = dense<[[[[1, 2]]], [[[3, 4]]]]> : tensor<2x1x1x2xi8>}> {tinymo.tensor = {name = "w", scale = array<f32: 0.25>, zero_point = array<i64: 0>}} : () -> tensor<2x1x1x2xi8>
  %v = "tosa.const"() <{values = dense<[[[[5, 6]]], [[[7, 8]]]]> : tensor<2x1x1x2xi8>}> {tinymo.tensor = {name = "v", scale = array<f32: 0.25>, zero_point = array<i64: 0>}} : () -> tensor<2x1x1x2xi8>
  %b = "tosa.const"() <{values = dense<0> : tensor<2xi32>}> : () -> tensor<2xi32>
  %zp = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %zp32 = "tosa.const"() <{values = dense<0> : tensor<1xi32>}> : () -> tensor<1xi32>
  %m = "tosa.const"() <{values = dense<1073741824> : tensor<1xi32>}> : () -> tensor<1xi32>
  %s = "tosa.const"() <{values = dense<33> : tensor<1xi8>}> : () -> tensor<1xi8>
  %a = tosa.conv2d %x, %w, %b, %zp, %zp {acc_type = i32, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>, dilation = array<i64: 1, 1>} : (tensor<1x4x4x2xi8>, tensor<2x1x1x2xi8>, tensor<2xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x4x4x2xi32>
  %y = tosa.rescale %a, %m, %s, %zp32, %zp {scale32 = true, rounding_mode = DOUBLE_ROUND, per_channel = false, input_unsigned = false, output_unsigned = false, tinymo.tensor = {name = "y", scale = array<f32: 1.0>, zero_point = array<i64: 0>}} : (tensor<1x4x4x2xi32>, tensor<1xi32>, tensor<1xi8>, tensor<1xi32>, tensor<1xi8>) -> tensor<1x4x4x2xi8>
  %c = tosa.conv2d %y, %v, %b, %zp, %zp {acc_type = i32, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>, dilation = array<i64: 1, 1>} : (tensor<1x4x4x2xi8>, tensor<2x1x1x2xi8>, tensor<2xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x4x4x2xi32>
  %z = tosa.rescale %c, %m, %s, %zp32, %zp {scale32 = true, rounding_mode = DOUBLE_ROUND, per_channel = false, input_unsigned = false, output_unsigned = false, tinymo.tensor = {name = "z", scale = array<f32: 2.0>, zero_point = array<i64: 0>}} : (tensor<1x4x4x2xi32>, tensor<1xi32>, tensor<1xi8>, tensor<1xi32>, tensor<1xi8>) -> tensor<1x4x4x2xi8>
  return %z : tensor<1x4x4x2xi8>
}
