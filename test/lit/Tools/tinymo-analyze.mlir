// RUN: tinymo-translate --mlir-to-tflite %s -o %t.tflite
// RUN: tinymo analyze %t.tflite --no-measure | filecheck %s
// RUN: tinymo ops %t.tflite | filecheck %s --check-prefix=OPS

// The screen of `tinymo analyze`: what the model is, where its peak is and what is in memory there, and the bytes at each
// operator. The image is not read any more at the peak, so it is not there.
// CHECK: 3 operators, 0 MACs, file of
// CHECK-NEXT: input INT8 1x4x4x2 image
// CHECK-NEXT: output INT8 1x4x4x10 result
// CHECK: live peak 320 bytes
// CHECK-NEXT: lower bound 320 bytes
// CHECK-NEXT: arena 320 bytes with the best plan, and no plan takes less
// CHECK-NEXT: peak at operator 2, CONCATENATION, while these are in memory:
// CHECK-NEXT: 160 result
// CHECK-NEXT: 96 wide
// CHECK-NEXT: 64 doubled
// CHECK: arena of TFLite Micro{{.*}}: absent, not asked for
// CHECK: operators and the bytes
// CHECK-NEXT: 0 CONCATENATION 96 ####### doubled
// CHECK-NEXT: 1 CONCATENATION 192 ############## wide
// CHECK-NEXT: 2 CONCATENATION 320 ######################## result

// The operators, and what an application has to register for them.
// OPS: operator count version types
// OPS-NEXT: CONCATENATION 3 2 INT8
// OPS: tflite::MicroMutableOpResolver<1> resolver;
// OPS-NEXT: resolver.AddConcatenation();
func.func @main(%x: tensor<1x4x4x2xi8> {tinymo.tensor = {name = "image", scale = array<f32: 0.5>, zero_point = array<i64: 0>}}) -> tensor<1x4x4x10xi8> {
  %doubled = tosa.concat %x, %x {axis = 3 : i32, tinymo.operator = {version = 2 : i64}, tinymo.tensor = {name = "doubled", scale = array<f32: 0.5>, zero_point = array<i64: 0>}} : (tensor<1x4x4x2xi8>, tensor<1x4x4x2xi8>) -> tensor<1x4x4x4xi8>
  %wide = tosa.concat %doubled, %x {axis = 3 : i32, tinymo.operator = {version = 2 : i64}, tinymo.tensor = {name = "wide", scale = array<f32: 0.5>, zero_point = array<i64: 0>}} : (tensor<1x4x4x4xi8>, tensor<1x4x4x2xi8>) -> tensor<1x4x4x6xi8>
  %result = tosa.concat %doubled, %wide {axis = 3 : i32, tinymo.operator = {version = 2 : i64}, tinymo.tensor = {name = "result", scale = array<f32: 0.5>, zero_point = array<i64: 0>}} : (tensor<1x4x4x4xi8>, tensor<1x4x4x6xi8>) -> tensor<1x4x4x10xi8>
  return %result : tensor<1x4x4x10xi8>
}
