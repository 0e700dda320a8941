// RUN: tinymo-translate --mlir-to-tflite %s -o %t.tflite
// RUN: tinymo analyze %t.tflite --no-measure | filecheck %s
// RUN: tinymo analyze %t.tflite --no-measure --json | filecheck %s --check-prefix=JSON
// RUN: tinymo ops %t.tflite | filecheck %s --check-prefix=OPS

// The screen of `tinymo analyze`: what the model is, the arena part by part beside its lower bound, where its peak is and
// what is in memory there, the bytes at each operator with the peak marked, what would help, and what an application
// registers. The image is not read any more at the peak, so it is not there.
// CHECK: 3 operators, 0 MACs,
// CHECK-NEXT: input INT8 1x4x4x2 image
// CHECK-NEXT: output INT8 1x4x4x10 result
// CHECK: arena of TFLite Micro, bytes 32-bit target, modelled this machine, modelled
// CHECK-NEXT: head: activations and scratch 320 320
// CHECK-NEXT: lower bound: for the head, any plan 320 320
// CHECK-NEXT: tail: structures that last
// CHECK-NEXT: temporary: while it plans
// CHECK-NEXT: arena: the smallest that works
// CHECK: peak: 320 bytes at operator 2, CONCATENATION
// CHECK-NEXT: 160 result
// CHECK-NEXT: 96 wide
// CHECK-NEXT: 64 doubled
// CHECK: bytes in use while each operator runs (> the peak)
// CHECK-NEXT: 0 CONCATENATION 96 ###### doubled
// CHECK-NEXT: 1 CONCATENATION 192 ############ wide
// CHECK-NEXT: > 2 CONCATENATION 320 #################### result
// CHECK: what would help
// CHECK: - plan-memory the head is 320 bytes as it is: no plan makes it smaller
// CHECK-NEXT: tflite::MicroMutableOpResolver<1> resolver;
// CHECK-NEXT: resolver.AddConcatenation();

// The same for programs: every buffer with its place and its lifetime, too.
// JSON: "live_peak": 320,
// JSON: "peak_op": "result",
// JSON-NEXT: "peak_step": 2,
// JSON: "buffers": [
// JSON: "name": "doubled",
// JSON-NEXT: "kind": "tensor",
// JSON-NEXT: "offset": {{[0-9]+}},
// JSON-NEXT: "size": 64,
// JSON-NEXT: "first": 0,
// JSON-NEXT: "last": 2

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
