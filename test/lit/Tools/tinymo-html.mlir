// RUN: tinymo-translate --mlir-to-tflite %s -o %t.tflite
// RUN: tinymo analyze %t.tflite --no-measure --html %t.html
// RUN: filecheck %s < %t.html
// RUN: tinymo optimize %t.tflite -o %t.small.tflite --no-verify --html %t.both.html
// RUN: filecheck %s --check-prefix=BOTH < %t.both.html
// RUN: not tinymo analyze %t.tflite --no-measure --html %t.tflite 2>&1 | filecheck %s --check-prefix=MODEL

// One page that is complete in itself: what the model is, and the picture of its memory, in which a tensor is a rectangle
// that tells its name, place and lifetime. A name that looks like markup is text.
// CHECK: <!DOCTYPE html>
// CHECK: Content-Security-Policy
// CHECK: <h1>tinymo-html.mlir.tmp.tflite</h1>
// CHECK: class="memory" role="img"
// CHECK: <title>&lt;script&gt;alert(1)&lt;/script&gt;
// CHECK-NEXT: tensor, 64 bytes at offset {{[0-9]+}}, operators 0 to 1</title><rect
// CHECK-NOT: <script>alert

// With an optimization there are two pictures.
// BOTH: <b>Before</b>
// BOTH: <b>After</b>

// A page is never written over the model.
// MODEL: this would overwrite the input; name another file
func.func @main(%x: tensor<1x4x4x2xi8> {tinymo.tensor = {name = "image", scale = array<f32: 0.5>, zero_point = array<i64: 0>}}) -> tensor<1x4x4x6xi8> {
  %doubled = tosa.concat %x, %x {axis = 3 : i32, tinymo.operator = {version = 2 : i64}, tinymo.tensor = {name = "<script>alert(1)</script>", scale = array<f32: 0.5>, zero_point = array<i64: 0>}} : (tensor<1x4x4x2xi8>, tensor<1x4x4x2xi8>) -> tensor<1x4x4x4xi8>
  %result = tosa.concat %doubled, %x {axis = 3 : i32, tinymo.operator = {version = 2 : i64}, tinymo.tensor = {name = "result", scale = array<f32: 0.5>, zero_point = array<i64: 0>}} : (tensor<1x4x4x4xi8>, tensor<1x4x4x2xi8>) -> tensor<1x4x4x6xi8>
  return %result : tensor<1x4x4x6xi8>
}
