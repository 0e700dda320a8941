// RUN: tinymo-opt --split-input-file --verify-semantics --fold-pad %s | filecheck %s

// A pad with the convolution's own zero point becomes its pads: nobody sees the padded image any more.

// CHECK-LABEL: @fold
// CHECK-NOT: tosa.pad
// CHECK: tosa.conv2d %x, {{.*}}pad = array<i64: 1, 1, 2, 0>
func.func @fold(%x: tensor<1x4x4x1xi8>, %w: tensor<2x3x3x1xi8>, %b: tensor<2xi32>) -> tensor<1x4x4x2xi32> {
  %pads = tosa.const_shape {values = dense<[0, 0, 1, 1, 2, 0, 0, 0]> : tensor<8xindex>} : () -> !tosa.shape<8>
  %z = "tosa.const"() <{values = dense<-3> : tensor<1xi8>}> : () -> tensor<1xi8>
  %wz = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %p = tosa.pad %x, %pads, %z : (tensor<1x4x4x1xi8>, !tosa.shape<8>, tensor<1xi8>) -> tensor<1x6x6x1xi8>
  %y = tosa.conv2d %p, %w, %b, %z, %wz {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<1x6x6x1xi8>, tensor<2x3x3x1xi8>, tensor<2xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x4x4x2xi32>
  return %y : tensor<1x4x4x2xi32>
}

// -----

// Pads add up, and each convolution that reads the padded image gets its own; one is depthwise.

// CHECK-LABEL: @two_readers
// CHECK-NOT: tosa.pad
// CHECK: tosa.conv2d %x, {{.*}}pad = array<i64: 1, 1, 1, 1>
// CHECK: tosa.depthwise_conv2d %x, {{.*}}pad = array<i64: 2, 1, 1, 1>
func.func @two_readers(%x: tensor<1x4x4x1xi8>, %w: tensor<1x3x3x1xi8>, %d: tensor<3x3x1x1xi8>, %b: tensor<1xi32>) -> (tensor<1x4x4x1xi32>, tensor<1x5x4x1xi32>) {
  %pads = tosa.const_shape {values = dense<[0, 0, 1, 1, 1, 1, 0, 0]> : tensor<8xindex>} : () -> !tosa.shape<8>
  %z = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %p = tosa.pad %x, %pads, %z : (tensor<1x4x4x1xi8>, !tosa.shape<8>, tensor<1xi8>) -> tensor<1x6x6x1xi8>
  %a = tosa.conv2d %p, %w, %b, %z, %z {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<1x6x6x1xi8>, tensor<1x3x3x1xi8>, tensor<1xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x4x4x1xi32>
  %c = tosa.depthwise_conv2d %p, %d, %b, %z, %z {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 1, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<1x6x6x1xi8>, tensor<3x3x1x1xi8>, tensor<1xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x5x4x1xi32>
  return %a, %c : tensor<1x4x4x1xi32>, tensor<1x5x4x1xi32>
}

// -----

// With stride 2 the last row and column of the padded image were cut off, since no window reads them. Those were pads,
// so now there is nothing to cut off: SAME padding of a .tflite.

// CHECK-LABEL: @unread
// CHECK-NOT: tosa.pad
// CHECK-NOT: tosa.slice
// CHECK: tosa.conv2d %x, {{.*}}pad = array<i64: 1, 0, 1, 0>
func.func @unread(%x: tensor<1x4x4x1xi8>, %w: tensor<1x3x3x1xi8>, %b: tensor<1xi32>) -> tensor<1x2x2x1xi32> {
  %pads = tosa.const_shape {values = dense<[0, 0, 1, 1, 1, 1, 0, 0]> : tensor<8xindex>} : () -> !tosa.shape<8>
  %start = tosa.const_shape {values = dense<0> : tensor<4xindex>} : () -> !tosa.shape<4>
  %size = tosa.const_shape {values = dense<[1, 5, 5, 1]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %z = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %p = tosa.pad %x, %pads, %z : (tensor<1x4x4x1xi8>, !tosa.shape<8>, tensor<1xi8>) -> tensor<1x6x6x1xi8>
  %cut = tosa.slice %p, %start, %size : (tensor<1x6x6x1xi8>, !tosa.shape<4>, !tosa.shape<4>) -> tensor<1x5x5x1xi8>
  %y = tosa.conv2d %cut, %w, %b, %z, %z {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>} : (tensor<1x5x5x1xi8>, tensor<1x3x3x1xi8>, tensor<1xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x2x2x1xi32>
  return %y : tensor<1x2x2x1xi32>
}

// -----

// A slice that takes off what windows do read is the model's own, and stays between pad and convolution.

// CHECK-LABEL: @read
// CHECK: tosa.pad
// CHECK: tosa.slice
func.func @read(%x: tensor<1x4x4x1xi8>, %w: tensor<1x3x3x1xi8>, %b: tensor<1xi32>) -> tensor<1x3x3x1xi32> {
  %pads = tosa.const_shape {values = dense<[0, 0, 1, 1, 1, 1, 0, 0]> : tensor<8xindex>} : () -> !tosa.shape<8>
  %start = tosa.const_shape {values = dense<0> : tensor<4xindex>} : () -> !tosa.shape<4>
  %size = tosa.const_shape {values = dense<[1, 5, 5, 1]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %z = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %p = tosa.pad %x, %pads, %z : (tensor<1x4x4x1xi8>, !tosa.shape<8>, tensor<1xi8>) -> tensor<1x6x6x1xi8>
  %cut = tosa.slice %p, %start, %size : (tensor<1x6x6x1xi8>, !tosa.shape<4>, !tosa.shape<4>) -> tensor<1x5x5x1xi8>
  %y = tosa.conv2d %cut, %w, %b, %z, %z {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<1x5x5x1xi8>, tensor<1x3x3x1xi8>, tensor<1xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x3x3x1xi32>
  return %y : tensor<1x3x3x1xi32>
}

// -----

// Another number in the frame is no pad of the convolution: its pads are its zero point.

// CHECK-LABEL: @other_number
// CHECK: tosa.pad
func.func @other_number(%x: tensor<1x4x4x1xi8>, %w: tensor<1x3x3x1xi8>, %b: tensor<1xi32>) -> tensor<1x4x4x1xi32> {
  %pads = tosa.const_shape {values = dense<[0, 0, 1, 1, 1, 1, 0, 0]> : tensor<8xindex>} : () -> !tosa.shape<8>
  %z = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %one = "tosa.const"() <{values = dense<1> : tensor<1xi8>}> : () -> tensor<1xi8>
  %p = tosa.pad %x, %pads, %one : (tensor<1x4x4x1xi8>, !tosa.shape<8>, tensor<1xi8>) -> tensor<1x6x6x1xi8>
  %y = tosa.conv2d %p, %w, %b, %z, %z {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<1x6x6x1xi8>, tensor<1x3x3x1xi8>, tensor<1xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x4x4x1xi32>
  return %y : tensor<1x4x4x1xi32>
}

// -----

// More channels are no pads of a convolution.

// CHECK-LABEL: @channels
// CHECK: tosa.pad
func.func @channels(%x: tensor<1x4x4x1xi8>, %w: tensor<1x1x1x2xi8>, %b: tensor<1xi32>) -> tensor<1x4x4x1xi32> {
  %pads = tosa.const_shape {values = dense<[0, 0, 0, 0, 0, 0, 0, 1]> : tensor<8xindex>} : () -> !tosa.shape<8>
  %z = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %p = tosa.pad %x, %pads, %z : (tensor<1x4x4x1xi8>, !tosa.shape<8>, tensor<1xi8>) -> tensor<1x4x4x2xi8>
  %y = tosa.conv2d %p, %w, %b, %z, %z {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<1x4x4x2xi8>, tensor<1x1x1x2xi8>, tensor<1xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x4x4x1xi32>
  return %y : tensor<1x4x4x1xi32>
}

// -----

// What something else reads too, here the caller, is padded anyhow.

// CHECK-LABEL: @read_elsewhere
// CHECK: tosa.conv2d %p, {{.*}}pad = array<i64: 0, 0, 0, 0>
func.func @read_elsewhere(%x: tensor<1x4x4x1xi8>, %w: tensor<1x3x3x1xi8>, %b: tensor<1xi32>) -> (tensor<1x6x6x1xi8>, tensor<1x4x4x1xi32>) {
  %pads = tosa.const_shape {values = dense<[0, 0, 1, 1, 1, 1, 0, 0]> : tensor<8xindex>} : () -> !tosa.shape<8>
  %z = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %p = tosa.pad %x, %pads, %z : (tensor<1x4x4x1xi8>, !tosa.shape<8>, tensor<1xi8>) -> tensor<1x6x6x1xi8>
  %y = tosa.conv2d %p, %w, %b, %z, %z {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<1x6x6x1xi8>, tensor<1x3x3x1xi8>, tensor<1xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x4x4x1xi32>
  return %p, %y : tensor<1x6x6x1xi8>, tensor<1x4x4x1xi32>
}

// -----

// The padded image as weights: it is the image that has pads.

// CHECK-LABEL: @weights
// CHECK: tosa.pad
func.func @weights(%x: tensor<1x6x6x1xi8>, %w: tensor<1x4x4x1xi8>, %b: tensor<1xi32>) -> tensor<1x1x1x1xi32> {
  %pads = tosa.const_shape {values = dense<[0, 0, 1, 1, 1, 1, 0, 0]> : tensor<8xindex>} : () -> !tosa.shape<8>
  %z = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %p = tosa.pad %w, %pads, %z : (tensor<1x4x4x1xi8>, !tosa.shape<8>, tensor<1xi8>) -> tensor<1x6x6x1xi8>
  %y = tosa.conv2d %x, %p, %b, %z, %z {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<1x6x6x1xi8>, tensor<1x6x6x1xi8>, tensor<1xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x1x1x1xi32>
  return %y : tensor<1x1x1x1xi32>
}

// -----

// A PAD of a file that changes the scale on the way does more than pad. One of nothing is dropped, unless the function
// returns its tensor.

// CHECK-LABEL: @facts
// CHECK: tosa.pad %x, {{.*}}"scaled"
// CHECK-NOT: "nothing"
// CHECK: tosa.pad %x, {{.*}}"returned"
func.func @facts(%x: tensor<1x4x4x1xi8> {tinymo.tensor = {name = "x", scale = array<f32: 0.5>}}, %w: tensor<1x3x3x1xi8> {tinymo.tensor = {name = "w"}}, %b: tensor<1xi32> {tinymo.tensor = {name = "b"}}) -> (tensor<1x4x4x1xi32>, tensor<1x4x4x1xi8>, tensor<1x4x4x1xi8>) {
  %pads = tosa.const_shape {values = dense<[0, 0, 1, 1, 1, 1, 0, 0]> : tensor<8xindex>} : () -> !tosa.shape<8>
  %none = tosa.const_shape {values = dense<0> : tensor<8xindex>} : () -> !tosa.shape<8>
  %z = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %p = tosa.pad %x, %pads, %z {tinymo.tensor = {name = "scaled", scale = array<f32: 0.25>}} : (tensor<1x4x4x1xi8>, !tosa.shape<8>, tensor<1xi8>) -> tensor<1x6x6x1xi8>
  %y = tosa.conv2d %p, %w, %b, %z, %z {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>, tinymo.tensor = {name = "y"}} : (tensor<1x6x6x1xi8>, tensor<1x3x3x1xi8>, tensor<1xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x4x4x1xi32>
  %q = tosa.pad %x, %none, %z {tinymo.tensor = {name = "nothing", scale = array<f32: 0.5>}} : (tensor<1x4x4x1xi8>, !tosa.shape<8>, tensor<1xi8>) -> tensor<1x4x4x1xi8>
  %a = tosa.abs %q {tinymo.tensor = {name = "a"}} : (tensor<1x4x4x1xi8>) -> tensor<1x4x4x1xi8>
  %r = tosa.pad %x, %none, %z {tinymo.tensor = {name = "returned", scale = array<f32: 0.5>}} : (tensor<1x4x4x1xi8>, !tosa.shape<8>, tensor<1xi8>) -> tensor<1x4x4x1xi8>
  return %y, %a, %r : tensor<1x4x4x1xi32>, tensor<1x4x4x1xi8>, tensor<1x4x4x1xi8>
}
