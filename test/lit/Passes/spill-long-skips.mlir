// RUN: tinymo-opt --split-input-file --verify-semantics --spill-long-skips %s | filecheck %s
// RUN: tinymo-opt --split-input-file --spill-long-skips --spill-long-skips %s | filecheck %s

// A skip of 64 bytes rests while kernels of twice 128 bytes run. It is copied away behind its last early use and back in
// front of the late one, which reads the copy. The peak falls from 320 bytes to 260: a token of 4 bytes stays. A second
// time there is nothing left to do.

// CHECK-LABEL: @skip
// CHECK: %wide = tosa.concat %skip, %skip
// CHECK-NEXT: %[[HANDLE:.+]] = tinymo.spill %skip {memory = "psram"} : tensor<1x64xi8> -> !tinymo.spilled<tensor<1x64xi8>>
// CHECK-NEXT: %a = tosa.bitwise_not %wide
// CHECK: %narrow = tosa.reduce_max %c
// CHECK-NEXT: %[[AGAIN:.+]] = tinymo.reload %[[HANDLE]] {tinymo.tensor = {name = "skip/reloaded", scale = array<f32: 5.000000e-01>, zero_point = array<i64: 3>}} : !tinymo.spilled<tensor<1x64xi8>> -> tensor<1x64xi8>
// CHECK-NEXT: %y = tosa.maximum %narrow, %[[AGAIN]]
// CHECK-NOT: tinymo.spill
func.func @skip(%x: tensor<1x64xi8> {tinymo.tensor = {name = "x"}}) -> tensor<1x64xi8> {
  %skip = tosa.bitwise_not %x {tinymo.tensor = {name = "skip", scale = array<f32: 0.5>, zero_point = array<i64: 3>}} : (tensor<1x64xi8>) -> tensor<1x64xi8>
  %wide = tosa.concat %skip, %skip {axis = 0 : i32, tinymo.tensor = {name = "wide"}} : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<2x64xi8>
  %a = tosa.bitwise_not %wide {tinymo.tensor = {name = "a"}} : (tensor<2x64xi8>) -> tensor<2x64xi8>
  %b = tosa.bitwise_not %a {tinymo.tensor = {name = "b"}} : (tensor<2x64xi8>) -> tensor<2x64xi8>
  %c = tosa.bitwise_not %b {tinymo.tensor = {name = "c"}} : (tensor<2x64xi8>) -> tensor<2x64xi8>
  %narrow = tosa.reduce_max %c {axis = 0 : i32, tinymo.tensor = {name = "narrow"}} : (tensor<2x64xi8>) -> tensor<1x64xi8>
  %y = tosa.maximum %narrow, %skip {tinymo.tensor = {name = "y"}} : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<1x64xi8>
  return %y : tensor<1x64xi8>
}

// -----

// A tensor that rests at two peaks, both as high, is copied away once and back twice: bringing down one of them alone
// would not lower the peak. Each late use reads the copy in front of it; one that follows at once needs no copy more.

// CHECK-LABEL: @twice
// CHECK: %[[HANDLE:.+]] = tinymo.spill %skip
// CHECK: %[[FIRST:.+]] = tinymo.reload %[[HANDLE]] {tinymo.tensor = {name = "skip/reloaded"}}
// CHECK-NEXT: %d = tosa.maximum %narrow, %[[FIRST]]
// CHECK-NEXT: %e = tosa.minimum %d, %[[FIRST]]
// CHECK: %[[SECOND:.+]] = tinymo.reload %[[HANDLE]] {tinymo.tensor = {name = "skip/reloaded_2"}}
// CHECK-NEXT: %y = tosa.minimum %slim, %[[SECOND]]
func.func @twice(%x: tensor<1x64xi8> {tinymo.tensor = {name = "x"}}) -> tensor<1x64xi8> {
  %skip = tosa.bitwise_not %x {tinymo.tensor = {name = "skip"}} : (tensor<1x64xi8>) -> tensor<1x64xi8>
  %wide = tosa.concat %skip, %skip {axis = 0 : i32, tinymo.tensor = {name = "wide"}} : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<2x64xi8>
  %a = tosa.bitwise_not %wide {tinymo.tensor = {name = "a"}} : (tensor<2x64xi8>) -> tensor<2x64xi8>
  %b = tosa.bitwise_not %a {tinymo.tensor = {name = "b"}} : (tensor<2x64xi8>) -> tensor<2x64xi8>
  %c = tosa.bitwise_not %b {tinymo.tensor = {name = "c"}} : (tensor<2x64xi8>) -> tensor<2x64xi8>
  %narrow = tosa.reduce_max %c {axis = 0 : i32, tinymo.tensor = {name = "narrow"}} : (tensor<2x64xi8>) -> tensor<1x64xi8>
  %d = tosa.maximum %narrow, %skip {tinymo.tensor = {name = "d"}} : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<1x64xi8>
  %e = tosa.minimum %d, %skip {tinymo.tensor = {name = "e"}} : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<1x64xi8>
  %broad = tosa.concat %e, %e {axis = 0 : i32, tinymo.tensor = {name = "broad"}} : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<2x64xi8>
  %f = tosa.bitwise_not %broad {tinymo.tensor = {name = "f"}} : (tensor<2x64xi8>) -> tensor<2x64xi8>
  %g = tosa.bitwise_not %f {tinymo.tensor = {name = "g"}} : (tensor<2x64xi8>) -> tensor<2x64xi8>
  %slim = tosa.reduce_max %g {axis = 0 : i32, tinymo.tensor = {name = "slim"}} : (tensor<2x64xi8>) -> tensor<1x64xi8>
  %y = tosa.minimum %slim, %skip {tinymo.tensor = {name = "y"}} : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<1x64xi8>
  return %y : tensor<1x64xi8>
}

// -----

// Two tensors rest at the peak and go together, each as long as it rests. One is the input: it has to be there at the
// start, so it goes behind its first use.

// CHECK-LABEL: @together
// CHECK-NEXT: %skip = tosa.bitwise_not %x
// CHECK-NEXT: %[[X:.+]] = tinymo.spill %x
// CHECK-NEXT: %wide = tosa.concat %skip, %skip
// CHECK-NEXT: %[[SKIP:.+]] = tinymo.spill %skip
// CHECK: %narrow = tosa.reduce_max
// CHECK-NEXT: %[[SKIP_AGAIN:.+]] = tinymo.reload %[[SKIP]]
// CHECK-NEXT: %d = tosa.maximum %narrow, %[[SKIP_AGAIN]]
// CHECK-NEXT: %[[X_AGAIN:.+]] = tinymo.reload %[[X]]
// CHECK-NEXT: %y = tosa.minimum %d, %[[X_AGAIN]]
func.func @together(%x: tensor<1x64xi8>) -> tensor<1x64xi8> {
  %skip = tosa.bitwise_not %x : (tensor<1x64xi8>) -> tensor<1x64xi8>
  %wide = tosa.concat %skip, %skip {axis = 0 : i32} : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<2x64xi8>
  %a = tosa.bitwise_not %wide : (tensor<2x64xi8>) -> tensor<2x64xi8>
  %b = tosa.bitwise_not %a : (tensor<2x64xi8>) -> tensor<2x64xi8>
  %c = tosa.bitwise_not %b : (tensor<2x64xi8>) -> tensor<2x64xi8>
  %narrow = tosa.reduce_max %c {axis = 0 : i32} : (tensor<2x64xi8>) -> tensor<1x64xi8>
  %d = tosa.maximum %narrow, %skip : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<1x64xi8>
  %y = tosa.minimum %d, %x : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<1x64xi8>
  return %y : tensor<1x64xi8>
}

// -----

// The peak of 384 bytes falls to 320 where the input is reduced, and to 324 where one of two tensors still rests, beside
// the token of the other. To spill that one, too, would cost 128 copied bytes for 4.

// CHECK-LABEL: @token
// CHECK-NOT: tinymo.spill %other
// CHECK: tinymo.spill %skip
// CHECK-NOT: tinymo.spill %other
func.func @token(%x: tensor<4x64xi8>) -> tensor<1x64xi8> {
  %skip = tosa.reduce_max %x {axis = 0 : i32} : (tensor<4x64xi8>) -> tensor<1x64xi8>
  %other = tosa.bitwise_not %skip : (tensor<1x64xi8>) -> tensor<1x64xi8>
  %wide = tosa.concat %skip, %other {axis = 0 : i32} : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<2x64xi8>
  %a = tosa.bitwise_not %wide : (tensor<2x64xi8>) -> tensor<2x64xi8>
  %b = tosa.bitwise_not %a : (tensor<2x64xi8>) -> tensor<2x64xi8>
  %c = tosa.bitwise_not %b : (tensor<2x64xi8>) -> tensor<2x64xi8>
  %narrow = tosa.reduce_max %c {axis = 0 : i32} : (tensor<2x64xi8>) -> tensor<1x64xi8>
  %d = tosa.maximum %narrow, %skip : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<1x64xi8>
  %y = tosa.minimum %d, %other : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<1x64xi8>
  return %y : tensor<1x64xi8>
}

// -----

// At the second peak, of the kernels behind %wider, the input rests as well as %skip. One of them is enough, and %skip
// is: it waits outside since the first peak, where nothing else rests long enough, and has to come back only.

// CHECK-LABEL: @again
// CHECK-NOT: tinymo.spill %x
// CHECK: %[[HANDLE:.+]] = tinymo.spill %skip
// CHECK-NOT: tinymo.spill %x
// CHECK: %wider = tosa.concat
// CHECK: %[[AGAIN:.+]] = tinymo.reload %[[HANDLE]]
// CHECK-NEXT: %y = tosa.minimum %p, %[[AGAIN]]
func.func @again(%x: tensor<1x64xi8>) -> tensor<1x64xi8> {
  %skip = tosa.bitwise_not %x : (tensor<1x64xi8>) -> tensor<1x64xi8>
  %wide = tosa.concat %skip, %skip {axis = 0 : i32} : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<2x64xi8>
  %a = tosa.bitwise_not %wide : (tensor<2x64xi8>) -> tensor<2x64xi8>
  %b = tosa.maximum %a, %x : (tensor<2x64xi8>, tensor<1x64xi8>) -> tensor<2x64xi8>
  %c = tosa.bitwise_not %b : (tensor<2x64xi8>) -> tensor<2x64xi8>
  %d = tosa.maximum %c, %x : (tensor<2x64xi8>, tensor<1x64xi8>) -> tensor<2x64xi8>
  %narrow = tosa.reduce_max %d {axis = 0 : i32} : (tensor<2x64xi8>) -> tensor<1x64xi8>
  %e = tosa.maximum %narrow, %skip : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<1x64xi8>
  %f = tosa.minimum %e, %x : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<1x64xi8>
  %g = tosa.minimum %f, %skip : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<1x64xi8>
  %wider = tosa.concat %g, %g {axis = 0 : i32} : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<2x64xi8>
  %h = tosa.bitwise_not %wider : (tensor<2x64xi8>) -> tensor<2x64xi8>
  %i = tosa.bitwise_not %h : (tensor<2x64xi8>) -> tensor<2x64xi8>
  %j = tosa.bitwise_not %i : (tensor<2x64xi8>) -> tensor<2x64xi8>
  %slim = tosa.reduce_max %j {axis = 0 : i32} : (tensor<2x64xi8>) -> tensor<1x64xi8>
  %p = tosa.maximum %slim, %x : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<1x64xi8>
  %y = tosa.minimum %p, %skip : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<1x64xi8>
  return %y : tensor<1x64xi8>
}

// -----

// On level 2 the copies stand between kernels, and it is inside of a kernel that the copy is read.

// CHECK-LABEL: @kernels
// CHECK: tosa.concat
// CHECK-NEXT: tinymo.yield
// CHECK-NEXT: }
// CHECK-NEXT: %[[HANDLE:.+]] = tinymo.spill %skip
// CHECK-NEXT: %a = tinymo.kernel
// CHECK: tosa.reduce_max
// CHECK-NEXT: tinymo.yield
// CHECK-NEXT: }
// CHECK-NEXT: %[[AGAIN:.+]] = tinymo.reload %[[HANDLE]] {tinymo.tensor = {name = "s/reloaded"}}
// CHECK-NEXT: %y = tinymo.kernel
// CHECK-NEXT: tosa.maximum %narrow, %[[AGAIN]]
func.func @kernels(%x: tensor<1x64xi8> {tinymo.tensor = {name = "x"}}) -> tensor<1x64xi8> {
  %skip = tinymo.kernel -> tensor<1x64xi8> {
    %0 = tosa.bitwise_not %x {tinymo.tensor = {name = "s"}} : (tensor<1x64xi8>) -> tensor<1x64xi8>
    tinymo.yield %0 : tensor<1x64xi8>
  }
  %wide = tinymo.kernel -> tensor<2x64xi8> {
    %0 = tosa.concat %skip, %skip {axis = 0 : i32, tinymo.tensor = {name = "w"}} : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<2x64xi8>
    tinymo.yield %0 : tensor<2x64xi8>
  }
  %a = tinymo.kernel -> tensor<2x64xi8> {
    %0 = tosa.bitwise_not %wide {tinymo.tensor = {name = "a"}} : (tensor<2x64xi8>) -> tensor<2x64xi8>
    tinymo.yield %0 : tensor<2x64xi8>
  }
  %b = tinymo.kernel -> tensor<2x64xi8> {
    %0 = tosa.bitwise_not %a {tinymo.tensor = {name = "b"}} : (tensor<2x64xi8>) -> tensor<2x64xi8>
    tinymo.yield %0 : tensor<2x64xi8>
  }
  %c = tinymo.kernel -> tensor<2x64xi8> {
    %0 = tosa.bitwise_not %b {tinymo.tensor = {name = "c"}} : (tensor<2x64xi8>) -> tensor<2x64xi8>
    tinymo.yield %0 : tensor<2x64xi8>
  }
  %narrow = tinymo.kernel -> tensor<1x64xi8> {
    %0 = tosa.reduce_max %c {axis = 0 : i32, tinymo.tensor = {name = "n"}} : (tensor<2x64xi8>) -> tensor<1x64xi8>
    tinymo.yield %0 : tensor<1x64xi8>
  }
  %y = tinymo.kernel -> tensor<1x64xi8> {
    %0 = tosa.maximum %narrow, %skip {tinymo.tensor = {name = "y"}} : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<1x64xi8>
    tinymo.yield %0 : tensor<1x64xi8>
  }
  return %y : tensor<1x64xi8>
}

// -----

// Three kernels are too few to be worth a copy.

// CHECK-LABEL: @short
// CHECK-NOT: tinymo
func.func @short(%x: tensor<1x64xi8>) -> tensor<1x64xi8> {
  %skip = tosa.bitwise_not %x : (tensor<1x64xi8>) -> tensor<1x64xi8>
  %wide = tosa.concat %skip, %skip {axis = 0 : i32} : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<2x64xi8>
  %a = tosa.bitwise_not %wide : (tensor<2x64xi8>) -> tensor<2x64xi8>
  %b = tosa.bitwise_not %a : (tensor<2x64xi8>) -> tensor<2x64xi8>
  %narrow = tosa.reduce_max %b {axis = 0 : i32} : (tensor<2x64xi8>) -> tensor<1x64xi8>
  %y = tosa.maximum %narrow, %skip : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<1x64xi8>
  return %y : tensor<1x64xi8>
}

// -----

// The tensor is used on the way: neither half of its rest is long enough.

// CHECK-LABEL: @used
// CHECK-NOT: tinymo
func.func @used(%x: tensor<1x64xi8>) -> tensor<1x64xi8> {
  %skip = tosa.bitwise_not %x : (tensor<1x64xi8>) -> tensor<1x64xi8>
  %wide = tosa.concat %skip, %skip {axis = 0 : i32} : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<2x64xi8>
  %a = tosa.bitwise_not %wide : (tensor<2x64xi8>) -> tensor<2x64xi8>
  %b = tosa.maximum %a, %skip : (tensor<2x64xi8>, tensor<1x64xi8>) -> tensor<2x64xi8>
  %c = tosa.bitwise_not %b : (tensor<2x64xi8>) -> tensor<2x64xi8>
  %narrow = tosa.reduce_max %c {axis = 0 : i32} : (tensor<2x64xi8>) -> tensor<1x64xi8>
  %y = tosa.maximum %narrow, %skip : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<1x64xi8>
  return %y : tensor<1x64xi8>
}

// -----

// The peak lies elsewhere: 384 bytes while the skip is made. What rests later does not matter.

// CHECK-LABEL: @elsewhere
// CHECK-NOT: tinymo
func.func @elsewhere(%x: tensor<5x64xi8>) -> tensor<1x64xi8> {
  %skip = tosa.reduce_max %x {axis = 0 : i32} : (tensor<5x64xi8>) -> tensor<1x64xi8>
  %wide = tosa.concat %skip, %skip {axis = 0 : i32} : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<2x64xi8>
  %a = tosa.bitwise_not %wide : (tensor<2x64xi8>) -> tensor<2x64xi8>
  %b = tosa.bitwise_not %a : (tensor<2x64xi8>) -> tensor<2x64xi8>
  %c = tosa.bitwise_not %b : (tensor<2x64xi8>) -> tensor<2x64xi8>
  %narrow = tosa.reduce_max %c {axis = 0 : i32} : (tensor<2x64xi8>) -> tensor<1x64xi8>
  %y = tosa.maximum %narrow, %skip : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<1x64xi8>
  return %y : tensor<1x64xi8>
}

// -----

// What the function returns stays as it is, for its name and its place among the results.

// CHECK-LABEL: @returned
// CHECK-NOT: tinymo.spill
func.func @returned(%x: tensor<1x64xi8>) -> (tensor<1x64xi8>, tensor<1x64xi8>) {
  %skip = tosa.bitwise_not %x : (tensor<1x64xi8>) -> tensor<1x64xi8>
  %wide = tosa.concat %skip, %skip {axis = 0 : i32} : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<2x64xi8>
  %a = tosa.bitwise_not %wide : (tensor<2x64xi8>) -> tensor<2x64xi8>
  %b = tosa.bitwise_not %a : (tensor<2x64xi8>) -> tensor<2x64xi8>
  %c = tosa.bitwise_not %b : (tensor<2x64xi8>) -> tensor<2x64xi8>
  %narrow = tosa.reduce_max %c {axis = 0 : i32} : (tensor<2x64xi8>) -> tensor<1x64xi8>
  %y = tosa.maximum %narrow, %skip : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<1x64xi8>
  return %skip, %y : tensor<1x64xi8>, tensor<1x64xi8>
}

// -----

// A variable is not a value but a place: a copy of it would miss what is written there.

// CHECK-LABEL: @variable
// CHECK-NOT: tinymo.spill
func.func @variable(%x: tensor<1x64xi8> {tinymo.tensor = {name = "x"}}) -> tensor<1x64xi8> {
  %skip = tosa.custom {domain_name = "TFL", implementation_attrs = "", operator_name = "VARIABLE", tinymo.tensor = {name = "state"}} : () -> tensor<1x64xi8>
  %wide = tosa.concat %skip, %x {axis = 0 : i32, tinymo.tensor = {name = "wide"}} : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<2x64xi8>
  %a = tosa.bitwise_not %wide {tinymo.tensor = {name = "a"}} : (tensor<2x64xi8>) -> tensor<2x64xi8>
  %b = tosa.bitwise_not %a {tinymo.tensor = {name = "b"}} : (tensor<2x64xi8>) -> tensor<2x64xi8>
  %c = tosa.bitwise_not %b {tinymo.tensor = {name = "c"}} : (tensor<2x64xi8>) -> tensor<2x64xi8>
  %narrow = tosa.reduce_max %c {axis = 0 : i32, tinymo.tensor = {name = "narrow"}} : (tensor<2x64xi8>) -> tensor<1x64xi8>
  %y = tosa.maximum %narrow, %skip {tinymo.tensor = {name = "y"}} : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<1x64xi8>
  return %y : tensor<1x64xi8>
}
