// RUN: tinymo-opt --split-input-file --verify-semantics --fold-constants %s | filecheck %s
// RUN: tinymo-opt --split-input-file --verify-semantics --fold-constants=casts=true %s | filecheck %s --check-prefix=CASTS

// A chain of moves of a constant is a constant, and what only they read is gone.

// CHECK-LABEL: @chain
// CHECK-NEXT: %[[C:.+]] = "tosa.const"() <{values = dense<{{\[}}[7, 7, 7], [7, 1, 4]]> : tensor<2x3xi8>}>
// CHECK-NEXT: tosa.add %x, %[[C]]
func.func @chain(%x: tensor<2x3xi8>) -> tensor<2x3xi8> {
  %c = "tosa.const"() <{values = dense<[1, 2, 3, 4, 5, 6]> : tensor<6xi8>}> : () -> tensor<6xi8>
  %shape = tosa.const_shape {values = dense<[2, 3]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %a = tosa.reshape %c, %shape : (tensor<6xi8>, !tosa.shape<2>) -> tensor<2x3xi8>
  %b = tosa.transpose %a {perms = array<i32: 1, 0>} : (tensor<2x3xi8>) -> tensor<3x2xi8>
  %start = tosa.const_shape {values = dense<0> : tensor<2xindex>} : () -> !tosa.shape<2>
  %size = tosa.const_shape {values = dense<[1, 2]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %d = tosa.slice %b, %start, %size : (tensor<3x2xi8>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<1x2xi8>
  %reversed = tosa.transpose %d {perms = array<i32: 1, 0>} : (tensor<1x2xi8>) -> tensor<2x1xi8>
  %row = tosa.const_shape {values = dense<[1, 2]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %e = tosa.reshape %reversed, %row : (tensor<2x1xi8>, !tosa.shape<2>) -> tensor<1x2xi8>
  %pads = tosa.const_shape {values = dense<[1, 0, 1, 0]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %seven = "tosa.const"() <{values = dense<7> : tensor<1xi8>}> : () -> tensor<1xi8>
  %f = tosa.pad %e, %pads, %seven : (tensor<1x2xi8>, !tosa.shape<4>, tensor<1xi8>) -> tensor<2x3xi8>
  %y = tosa.add %x, %f : (tensor<2x3xi8>, tensor<2x3xi8>) -> tensor<2x3xi8>
  return %y : tensor<2x3xi8>
}

// -----

// An operator of the file over a constant: its result becomes the constant of that name. The constant that something
// else reads too stays.

// CHECK-LABEL: @operator
// CHECK-NEXT: %c = "tosa.const"() {{.*}}{tinymo.tensor = {name = "c"}}
// CHECK-NOT: tosa.reshape
// CHECK: %[[R:.+]] = "tosa.const"() <{values = dense<{{\[}}[1], [2]]> : tensor<2x1xi8>}> {tinymo.tensor = {name = "column"}}
// CHECK-NEXT: tosa.add %c, %[[R]]
func.func @operator() -> tensor<2x2xi8> {
  %c = "tosa.const"() <{values = dense<[[1, 2]]> : tensor<1x2xi8>}> {tinymo.tensor = {name = "c"}} : () -> tensor<1x2xi8>
  %shape = tosa.const_shape {values = dense<[2, 1]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %r = tosa.reshape %c, %shape {tinymo.operator = {name = "RESHAPE", version = 2 : i64}, tinymo.tensor = {name = "column"}} : (tensor<1x2xi8>, !tosa.shape<2>) -> tensor<2x1xi8>
  %y = tosa.add %c, %r {tinymo.tensor = {name = "y"}} : (tensor<1x2xi8>, tensor<2x1xi8>) -> tensor<2x2xi8>
  return %y : tensor<2x2xi8>
}

// -----

// Weights in the shape of the file, reshaped for the op inside of the operator: the facts stay with the bytes.

// CHECK-LABEL: @weights
// CHECK: "tosa.const"() <{values = dense<{{.*}}> : tensor<2x2x1x1xi8>}> {tinymo.tensor = {name = "w", scale = array<f32: 5.000000e-01>}}
// CHECK-NOT: tosa.reshape
func.func @weights(%x: tensor<1x3x3x1xi8> {tinymo.tensor = {name = "x"}}) -> tensor<1x2x2x1xi32> {
  %w = "tosa.const"() <{values = dense<[[[[1], [2]], [[3], [4]]]]> : tensor<1x2x2x1xi8>}> {tinymo.tensor = {name = "w", scale = array<f32: 0.5>}} : () -> tensor<1x2x2x1xi8>
  %shape = tosa.const_shape {values = dense<[2, 2, 1, 1]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %k = tosa.reshape %w, %shape : (tensor<1x2x2x1xi8>, !tosa.shape<4>) -> tensor<2x2x1x1xi8>
  %b = "tosa.const"() <{values = dense<0> : tensor<1xi32>}> : () -> tensor<1xi32>
  %z = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %y = tosa.depthwise_conv2d %x, %k, %b, %z, %z {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>, tinymo.tensor = {name = "y"}} : (tensor<1x3x3x1xi8>, tensor<2x2x1x1xi8>, tensor<1xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x2x2x1xi32>
  return %y : tensor<1x2x2x1xi32>
}

// -----

// Any other op inside of an operator is what makes the operator: here the two parts of an unpacked constant.

// CHECK-LABEL: @part
// CHECK: tosa.slice
func.func @part(%x: tensor<2xi8> {tinymo.tensor = {name = "x"}}) -> tensor<2xi8> {
  %c = "tosa.const"() <{values = dense<[[1, 2], [3, 4]]> : tensor<2x2xi8>}> {tinymo.tensor = {name = "c"}} : () -> tensor<2x2xi8>
  %start = tosa.const_shape {values = dense<[1, 0]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %size = tosa.const_shape {values = dense<[1, 2]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %cut = tosa.slice %c, %start, %size : (tensor<2x2xi8>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<1x2xi8>
  %shape = tosa.const_shape {values = dense<2> : tensor<1xindex>} : () -> !tosa.shape<1>
  %r = tosa.reshape %cut, %shape {tinymo.tensor = {name = "second"}} : (tensor<1x2xi8>, !tosa.shape<1>) -> tensor<2xi8>
  %y = tosa.add %x, %r {tinymo.tensor = {name = "y"}} : (tensor<2xi8>, tensor<2xi8>) -> tensor<2xi8>
  return %y : tensor<2xi8>
}

// -----

// What the function returns is computed, as an application expects it of an output.

// CHECK-LABEL: @returned
// CHECK: tosa.reshape
func.func @returned() -> tensor<2x1xi8> {
  %c = "tosa.const"() <{values = dense<[[1, 2]]> : tensor<1x2xi8>}> {tinymo.tensor = {name = "c"}} : () -> tensor<1x2xi8>
  %shape = tosa.const_shape {values = dense<[2, 1]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %r = tosa.reshape %c, %shape {tinymo.tensor = {name = "r"}} : (tensor<1x2xi8>, !tosa.shape<2>) -> tensor<2x1xi8>
  return %r : tensor<2x1xi8>
}

// -----

// Two numbers of 4 bits in a byte are not the byte's number.

// CHECK-LABEL: @packed
// CHECK: tosa.reshape
func.func @packed(%x: tensor<2x1xi8> {tinymo.tensor = {name = "x"}}) -> tensor<2x1xi8> {
  %c = "tosa.const"() <{values = dense<[1, 2]> : tensor<2xi8>}> {tinymo.tensor = {name = "c", dtype = "INT4", shape = array<i64: 4>}} : () -> tensor<2xi8>
  %shape = tosa.const_shape {values = dense<[2, 1]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %r = tosa.reshape %c, %shape {tinymo.tensor = {name = "r"}} : (tensor<2xi8>, !tosa.shape<2>) -> tensor<2x1xi8>
  %y = tosa.add %x, %r {tinymo.tensor = {name = "y"}} : (tensor<2x1xi8>, tensor<2x1xi8>) -> tensor<2x1xi8>
  return %y : tensor<2x1xi8>
}

// -----

// Weights of half precision stay as they are, since they would take twice the flash; on request they are written in
// single precision, and no RAM is needed for them any more. The name is that of the result of the cast.

// CHECK-LABEL: @half
// CHECK: "tosa.const"() <{values = dense<{{.*}}> : tensor<2xf16>}>
// CHECK-NEXT: tosa.cast
// CASTS-LABEL: @half
// CASTS: %[[C:.+]] = "tosa.const"() <{values = dense<[1.000000e+00, 2.500000e-01]> : tensor<2xf32>}> {tinymo.tensor = {name = "w"}}
// CASTS-NEXT: tosa.add %x, %[[C]]
func.func @half(%x: tensor<2xf32> {tinymo.tensor = {name = "x"}}) -> tensor<2xf32> {
  %c = "tosa.const"() <{values = dense<[1.0, 0.25]> : tensor<2xf16>}> {tinymo.tensor = {name = "w_f16"}} : () -> tensor<2xf16>
  %w = tosa.cast %c {tinymo.operator = {name = "DEQUANTIZE"}, tinymo.tensor = {name = "w"}} : (tensor<2xf16>) -> tensor<2xf32>
  %y = tosa.add %x, %w {tinymo.tensor = {name = "y"}} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// -----

// A cast that rounds is never done ahead: whose rounding it is, the target decides.

// CASTS-LABEL: @rounding
// CASTS: tosa.cast
func.func @rounding(%x: tensor<2xi8>) -> tensor<2xi8> {
  %c = "tosa.const"() <{values = dense<[1.5, 2.5]> : tensor<2xf32>}> : () -> tensor<2xf32>
  %w = tosa.cast %c : (tensor<2xf32>) -> tensor<2xi8>
  %y = tosa.add %x, %w : (tensor<2xi8>, tensor<2xi8>) -> tensor<2xi8>
  return %y : tensor<2xi8>
}
