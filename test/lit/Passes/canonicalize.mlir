// RUN: tinymo-opt --split-input-file --verify-semantics --canonicalize %s | filecheck %s

// What does nothing goes: a clamp to all that its type holds, and moves that move nothing.

// CHECK-LABEL: @nothing
// CHECK-NEXT: return %x : tensor<2x3xi8>
func.func @nothing(%x: tensor<2x3xi8>) -> tensor<2x3xi8> {
  %a = tosa.clamp %x {max_val = 127 : i8, min_val = -128 : i8} : (tensor<2x3xi8>) -> tensor<2x3xi8>
  %shape = tosa.const_shape {values = dense<[2, 3]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %b = tosa.reshape %a, %shape : (tensor<2x3xi8>, !tosa.shape<2>) -> tensor<2x3xi8>
  %c = tosa.transpose %b {perms = array<i32: 0, 1>} : (tensor<2x3xi8>) -> tensor<2x3xi8>
  %start = tosa.const_shape {values = dense<0> : tensor<2xindex>} : () -> !tosa.shape<2>
  %d = tosa.slice %c, %start, %shape : (tensor<2x3xi8>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<2x3xi8>
  %none = tosa.const_shape {values = dense<0> : tensor<4xindex>} : () -> !tosa.shape<4>
  %zero = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %e = tosa.pad %d, %none, %zero : (tensor<2x3xi8>, !tosa.shape<4>, tensor<1xi8>) -> tensor<2x3xi8>
  %f = tosa.identity %e : (tensor<2x3xi8>) -> tensor<2x3xi8>
  return %f : tensor<2x3xi8>
}

// -----

// What does something stays: a clamp that cuts off one number, a transpose of equal sizes.

// CHECK-LABEL: @something
// CHECK-NEXT: tosa.clamp
// CHECK-NEXT: tosa.transpose
func.func @something(%x: tensor<2x2xi8>) -> tensor<2x2xi8> {
  %a = tosa.clamp %x {max_val = 127 : i8, min_val = -127 : i8} : (tensor<2x2xi8>) -> tensor<2x2xi8>
  %b = tosa.transpose %a {perms = array<i32: 1, 0>} : (tensor<2x2xi8>) -> tensor<2x2xi8>
  return %b : tensor<2x2xi8>
}

// -----

// Bounds depend on the type: 0 to 255 is all of ui8. Of i16 it is not.

// CHECK-LABEL: @unsigned
// CHECK-NEXT: return %x
func.func @unsigned(%x: tensor<4xui8>) -> tensor<4xui8> {
  %a = tosa.clamp %x {max_val = 255 : ui8, min_val = 0 : ui8} : (tensor<4xui8>) -> tensor<4xui8>
  return %a : tensor<4xui8>
}

// CHECK-LABEL: @wide
// CHECK-NEXT: tosa.clamp
func.func @wide(%x: tensor<4xi16>) -> tensor<4xi16> {
  %a = tosa.clamp %x {max_val = 255 : i16, min_val = 0 : i16} : (tensor<4xi16>) -> tensor<4xi16>
  return %a : tensor<4xi16>
}

// -----

// No float is beyond the infinities. A clamp to the largest finite numbers cuts these off, and one that ignores NaN
// makes a number of it.

// CHECK-LABEL: @floats
// CHECK-NEXT: %b = tosa.clamp
// CHECK-NEXT: %c = tosa.clamp
// CHECK-NEXT: return %b, %c, %x
func.func @floats(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %a = tosa.clamp %x {max_val = 0x7F800000 : f32, min_val = 0xFF800000 : f32} : (tensor<4xf32>) -> tensor<4xf32>
  %b = tosa.clamp %a {max_val = 3.40282347E+38 : f32, min_val = -3.40282347E+38 : f32} : (tensor<4xf32>) -> tensor<4xf32>
  %c = tosa.clamp %a {max_val = 0x7F800000 : f32, min_val = 0xFF800000 : f32, nan_mode = #tosa.nan_mode<IGNORE>} : (tensor<4xf32>) -> tensor<4xf32>
  return %b, %c, %a : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// -----

// Two moves become one, and the one in between goes: shapes, orders of dimensions, and starts, which add up.

// CHECK-LABEL: @twice
// CHECK: %[[R:.+]] = tosa.reshape %x, %{{.*}} : (tensor<4x6xi8>, !tosa.shape<3>) -> tensor<2x3x4xi8>
// CHECK-NEXT: %[[T:.+]] = tosa.transpose %[[R]] {perms = array<i32: 2, 1, 0>} : (tensor<2x3x4xi8>) -> tensor<4x3x2xi8>
// CHECK: %[[START:.+]] = tosa.const_shape {values = dense<[3, 1, 0]> : tensor<3xindex>}
// CHECK-NEXT: %[[S:.+]] = tosa.slice %[[T]], %[[START]], %{{.*}} -> tensor<1x2x2xi8>
// CHECK-NEXT: return %[[S]]
func.func @twice(%x: tensor<4x6xi8>) -> tensor<1x2x2xi8> {
  %flat = tosa.const_shape {values = dense<24> : tensor<1xindex>} : () -> !tosa.shape<1>
  %a = tosa.reshape %x, %flat : (tensor<4x6xi8>, !tosa.shape<1>) -> tensor<24xi8>
  %cube = tosa.const_shape {values = dense<[2, 3, 4]> : tensor<3xindex>} : () -> !tosa.shape<3>
  %b = tosa.reshape %a, %cube : (tensor<24xi8>, !tosa.shape<3>) -> tensor<2x3x4xi8>
  %c = tosa.transpose %b {perms = array<i32: 1, 2, 0>} : (tensor<2x3x4xi8>) -> tensor<3x4x2xi8>
  %d = tosa.transpose %c {perms = array<i32: 1, 0, 2>} : (tensor<3x4x2xi8>) -> tensor<4x3x2xi8>
  %one = tosa.const_shape {values = dense<[1, 0, 0]> : tensor<3xindex>} : () -> !tosa.shape<3>
  %size = tosa.const_shape {values = dense<[3, 3, 2]> : tensor<3xindex>} : () -> !tosa.shape<3>
  %e = tosa.slice %d, %one, %size : (tensor<4x3x2xi8>, !tosa.shape<3>, !tosa.shape<3>) -> tensor<3x3x2xi8>
  %two = tosa.const_shape {values = dense<[2, 1, 0]> : tensor<3xindex>} : () -> !tosa.shape<3>
  %less = tosa.const_shape {values = dense<[1, 2, 2]> : tensor<3xindex>} : () -> !tosa.shape<3>
  %f = tosa.slice %e, %two, %less : (tensor<3x3x2xi8>, !tosa.shape<3>, !tosa.shape<3>) -> tensor<1x2x2xi8>
  return %f : tensor<1x2x2xi8>
}

// -----

// A transpose and its inverse are nothing.

// CHECK-LABEL: @there_and_back
// CHECK-NEXT: return %x
func.func @there_and_back(%x: tensor<2x3x4xi8>) -> tensor<2x3x4xi8> {
  %a = tosa.transpose %x {perms = array<i32: 1, 2, 0>} : (tensor<2x3x4xi8>) -> tensor<3x4x2xi8>
  %b = tosa.transpose %a {perms = array<i32: 2, 0, 1>} : (tensor<3x4x2xi8>) -> tensor<2x3x4xi8>
  return %b : tensor<2x3x4xi8>
}

// -----

// What something else reads too is computed anyhow, so the second reshape goes on reading it.

// CHECK-LABEL: @read_twice
// CHECK: %a = tosa.reshape %x
// CHECK: %b = tosa.reshape %a
func.func @read_twice(%x: tensor<4x6xi8>) -> (tensor<24xi8>, tensor<6x4xi8>) {
  %flat = tosa.const_shape {values = dense<24> : tensor<1xindex>} : () -> !tosa.shape<1>
  %a = tosa.reshape %x, %flat : (tensor<4x6xi8>, !tosa.shape<1>) -> tensor<24xi8>
  %turned = tosa.const_shape {values = dense<[6, 4]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %b = tosa.reshape %a, %turned : (tensor<24xi8>, !tosa.shape<2>) -> tensor<6x4xi8>
  return %a, %b : tensor<24xi8>, tensor<6x4xi8>
}

// -----

// Tensors of a file: an operator that does nothing goes, and its tensor with it. Of two reshapes, both operators, the
// second keeps its name.

// CHECK-LABEL: @operators
// CHECK-NOT: "same"
// CHECK-NOT: "flat"
// CHECK: tosa.reshape %x, %{{.*}} {tinymo.operator = {name = "RESHAPE"}, tinymo.tensor = {name = "turned"}} : (tensor<4x6xi8>, !tosa.shape<2>) -> tensor<6x4xi8>
func.func @operators(%x: tensor<4x6xi8> {tinymo.tensor = {name = "x"}}) -> tensor<6x4xi8> {
  %shape = tosa.const_shape {values = dense<[4, 6]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %same = tosa.reshape %x, %shape {tinymo.tensor = {name = "same"}} : (tensor<4x6xi8>, !tosa.shape<2>) -> tensor<4x6xi8>
  %size = tosa.const_shape {values = dense<24> : tensor<1xindex>} : () -> !tosa.shape<1>
  %flat = tosa.reshape %same, %size {tinymo.tensor = {name = "flat"}} : (tensor<4x6xi8>, !tosa.shape<1>) -> tensor<24xi8>
  %back = tosa.const_shape {values = dense<[6, 4]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %turned = tosa.reshape %flat, %back {tinymo.operator = {name = "RESHAPE"}, tinymo.tensor = {name = "turned"}} : (tensor<24xi8>, !tosa.shape<2>) -> tensor<6x4xi8>
  return %turned : tensor<6x4xi8>
}

// -----

// A tensor that the function returns keeps its name, and so its operator.

// CHECK-LABEL: @returned
// CHECK: tosa.identity %x {tinymo.tensor = {name = "y"}}
func.func @returned(%x: tensor<4xi8> {tinymo.tensor = {name = "x"}}) -> tensor<4xi8> {
  %y = tosa.identity %x {tinymo.tensor = {name = "y"}} : (tensor<4xi8>) -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// -----

// The same bytes with another scale are other numbers: readers of the one cannot read the other.

// CHECK-LABEL: @scales
// CHECK: tosa.identity %x
func.func @scales(%x: tensor<4xi8> {tinymo.tensor = {name = "x", scale = array<f32: 0.5>}}) -> tensor<4xi8> {
  %same = tosa.identity %x {tinymo.tensor = {name = "same", scale = array<f32: 0.25>}} : (tensor<4xi8>) -> tensor<4xi8>
  %y = tosa.abs %same {tinymo.tensor = {name = "y", scale = array<f32: 0.25>}} : (tensor<4xi8>) -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// -----

// Inside of an operator, the tensor's facts move to the op that yields it now.

// CHECK-LABEL: @inside
// CHECK: %a = tosa.abs %x {tinymo.operator = {name = "ABS"}, tinymo.tensor = {name = "a"}}
// CHECK: tosa.negate %a
func.func @inside(%x: tensor<4xi8> {tinymo.tensor = {name = "x"}}) -> tensor<4xi8> {
  %a = tosa.abs %x : (tensor<4xi8>) -> tensor<4xi8>
  %clamped = tosa.clamp %a {max_val = 127 : i8, min_val = -128 : i8, tinymo.operator = {name = "ABS"}, tinymo.tensor = {name = "a"}} : (tensor<4xi8>) -> tensor<4xi8>
  %zero = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %y = tosa.negate %clamped, %zero, %zero {tinymo.tensor = {name = "y"}} : (tensor<4xi8>, tensor<1xi8>, tensor<1xi8>) -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// -----

// Part of an operator does not swallow another one: the slice without facts belongs to the kernel of the abs, the one
// before it is an operator by itself, and whether the two may be one is not to be seen from here.

// CHECK-LABEL: @parts
// CHECK: tosa.slice %x, {{.*}}tinymo.tensor = {name = "window"}
// CHECK: tosa.slice
func.func @parts(%x: tensor<6xi8> {tinymo.tensor = {name = "x"}}) -> tensor<2xi8> {
  %one = tosa.const_shape {values = dense<1> : tensor<1xindex>} : () -> !tosa.shape<1>
  %four = tosa.const_shape {values = dense<4> : tensor<1xindex>} : () -> !tosa.shape<1>
  %two = tosa.const_shape {values = dense<2> : tensor<1xindex>} : () -> !tosa.shape<1>
  %window = tosa.slice %x, %one, %four {tinymo.tensor = {name = "window"}} : (tensor<6xi8>, !tosa.shape<1>, !tosa.shape<1>) -> tensor<4xi8>
  %cut = tosa.slice %window, %one, %two : (tensor<4xi8>, !tosa.shape<1>, !tosa.shape<1>) -> tensor<2xi8>
  %y = tosa.abs %cut {tinymo.tensor = {name = "y"}} : (tensor<2xi8>) -> tensor<2xi8>
  return %y : tensor<2xi8>
}

// -----

// A kernel must hold the op that yields its tensor, even if it does nothing: it is a call at run time.

// CHECK-LABEL: @kernel
// CHECK: tinymo.kernel
// CHECK-NEXT: tosa.identity
func.func @kernel(%x: tensor<4xi8>) -> tensor<4xi8> {
  %k = tinymo.kernel -> tensor<4xi8> {
    %y = tosa.identity %x : (tensor<4xi8>) -> tensor<4xi8>
    tinymo.yield %y : tensor<4xi8>
  }
  return %k : tensor<4xi8>
}
