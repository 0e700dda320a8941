// RUN: tinymo-opt --split-input-file --verify-semantics --form-kernels --legalize-for-tflite %s | filecheck %s
// RUN: tinymo-opt --split-input-file --form-kernels --legalize-for-tflite --legalize-for-tflite %s | filecheck %s

// A split is a SLICE for each window, at its place and in the scale of the whole. A second time nothing is left to do.

// CHECK-LABEL: @split
// CHECK: tinymo.kernel -> tensor<1x3x2xi8> {
// CHECK-NEXT: tosa.slice %x, {{.*}}tinymo.operator = {version = 2 : i64}, tinymo.tensor = {name = "x/0_3", scale = array<f32: 5.000000e-01>, zero_point = array<i64: 4>}
// CHECK: tosa.const_shape {values = dense<[0, 1, 0]>
// CHECK: tinymo.kernel -> tensor<1x3x2xi8> {
// CHECK-NEXT: tosa.slice %x, {{.*}}name = "x/1_4"
// CHECK-NOT: tinymo.split
func.func @split(%x: tensor<1x4x2xi8> {tinymo.tensor = {name = "x", scale = array<f32: 0.5>, zero_point = array<i64: 4>, shape_signature = array<i64: -1, 4, 2>}}) -> tensor<1x3x2xi8> {
  %a, %b = tinymo.split %x {axis = 1, windows = [[0, 3], [1, 4]]} : tensor<1x4x2xi8> -> (tensor<1x3x2xi8>, tensor<1x3x2xi8>)
  %y = tosa.maximum %a, %b {tinymo.tensor = {name = "y", scale = array<f32: 0.5>, zero_point = array<i64: 4>}} : (tensor<1x3x2xi8>, tensor<1x3x2xi8>) -> tensor<1x3x2xi8>
  return %y : tensor<1x3x2xi8>
}

// -----

// A join is a CONCATENATION, which keeps the name that the join has.

// CHECK-LABEL: @join
// CHECK: tinymo.kernel -> tensor<1x5x2xi8> {
// CHECK-NEXT: tosa.concat %a, %b {tinymo.tensor = {name = "y"}, tinymo.operator = {version = 2 : i64}, axis = 1 : i32}
// CHECK-NOT: tinymo.join
func.func @join(%a: tensor<1x4x2xi8> {tinymo.tensor = {name = "a"}}, %b: tensor<1x1x2xi8> {tinymo.tensor = {name = "b"}}) -> tensor<1x5x2xi8> {
  %y = tinymo.join %a, %b {axis = 1 : i64, tinymo.tensor = {name = "y"}} : (tensor<1x4x2xi8>, tensor<1x1x2xi8>) -> tensor<1x5x2xi8>
  return %y : tensor<1x5x2xi8>
}

// -----

// TFLite Micro takes ten inputs at most: of twelve, ten and two are put together first. The last of eleven needs no
// step of its own.

// CHECK-LABEL: @twelve
// CHECK: tosa.concat {{.*}}name = "y/join_0_0"{{.*}} -> tensor<10xi8>
// CHECK: tosa.concat {{.*}}name = "y/join_0_1"{{.*}} -> tensor<2xi8>
// CHECK: tosa.concat {{.*}}name = "y"{{.*}} : (tensor<10xi8>, tensor<2xi8>) -> tensor<12xi8>
func.func @twelve(%x: tensor<1xi8> {tinymo.tensor = {name = "x"}}) -> tensor<12xi8> {
  %y = tinymo.join %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x {axis = 0 : i64, tinymo.tensor = {name = "y"}} : (tensor<1xi8>, tensor<1xi8>, tensor<1xi8>, tensor<1xi8>, tensor<1xi8>, tensor<1xi8>, tensor<1xi8>, tensor<1xi8>, tensor<1xi8>, tensor<1xi8>, tensor<1xi8>, tensor<1xi8>) -> tensor<12xi8>
  return %y : tensor<12xi8>
}

// CHECK-LABEL: @eleven
// CHECK-COUNT-2: tosa.concat
// CHECK-SAME: : (tensor<10xi8>, tensor<1xi8>) -> tensor<11xi8>
// CHECK-NOT: tosa.concat
func.func @eleven(%x: tensor<1xi8> {tinymo.tensor = {name = "x"}}) -> tensor<11xi8> {
  %y = tinymo.join %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x {axis = 0 : i64, tinymo.tensor = {name = "y"}} : (tensor<1xi8>, tensor<1xi8>, tensor<1xi8>, tensor<1xi8>, tensor<1xi8>, tensor<1xi8>, tensor<1xi8>, tensor<1xi8>, tensor<1xi8>, tensor<1xi8>, tensor<1xi8>) -> tensor<11xi8>
  return %y : tensor<11xi8>
}

// -----

// Pads that are SAME for the image stay where they are, whatever else they could be.

// CHECK-LABEL: @same
// CHECK-NOT: tosa.pad
// CHECK: tosa.conv2d %x, {{.*}}pad = array<i64: 1, 1, 1, 1>
func.func @same(%x: tensor<1x4x4x1xi8> {tinymo.tensor = {name = "x"}}) -> tensor<1x4x4x1xi32> {
  %w = "tosa.const"() <{values = dense<1> : tensor<1x3x3x1xi8>}> : () -> tensor<1x3x3x1xi8>
  %b = "tosa.const"() <{values = dense<0> : tensor<1xi32>}> : () -> tensor<1xi32>
  %z = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %y = tosa.conv2d %x, %w, %b, %z, %z {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>, tinymo.tensor = {name = "y"}} : (tensor<1x4x4x1xi8>, tensor<1x3x3x1xi8>, tensor<1xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x4x4x1xi32>
  return %y : tensor<1x4x4x1xi32>
}

// -----

// Pads above only are no padding of a .tflite: a PAD with the zero point of the image, and a VALID convolution.

// CHECK-LABEL: @above
// CHECK: %z = "tosa.const"() <{values = dense<-3>
// CHECK: %[[PADS:.+]] = tosa.const_shape {values = dense<[0, 0, 1, 0, 0, 0, 0, 0]>
// CHECK: %[[P:.+]] = tinymo.kernel -> tensor<1x5x4x1xi8> {
// CHECK-NEXT: tosa.pad %x, %[[PADS]], %z {tinymo.operator = {version = 2 : i64}, tinymo.tensor = {name = "y/padded", scale = array<f32: 5.000000e-01>}}
// CHECK: tosa.conv2d %[[P]], {{.*}}pad = array<i64: 0, 0, 0, 0>
func.func @above(%x: tensor<1x4x4x1xi8> {tinymo.tensor = {name = "x", scale = array<f32: 0.5>}}) -> tensor<1x3x2x1xi32> {
  %w = "tosa.const"() <{values = dense<1> : tensor<1x3x3x1xi8>}> : () -> tensor<1x3x3x1xi8>
  %b = "tosa.const"() <{values = dense<0> : tensor<1xi32>}> : () -> tensor<1xi32>
  %z = "tosa.const"() <{values = dense<-3> : tensor<1xi8>}> : () -> tensor<1xi8>
  %wz = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %y = tosa.conv2d %x, %w, %b, %z, %wz {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 1, 0, 0, 0>, stride = array<i64: 1, 1>, tinymo.tensor = {name = "y"}} : (tensor<1x4x4x1xi8>, tensor<1x3x3x1xi8>, tensor<1xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x3x2x1xi32>
  return %y : tensor<1x3x2x1xi32>
}

// -----

// The same with a column that no window reads. It is cut off inside of the kernel, where it costs nothing, from the
// padded image now.

// CHECK-LABEL: @above_and_unread
// CHECK: tosa.pad %x, {{.*}} -> tensor<1x6x4x1xi8>
// CHECK: tinymo.kernel -> tensor<1x2x1x1xi32> {
// CHECK-NEXT: %[[CUT:.+]] = tosa.slice %{{.*}} -> tensor<1x5x3x1xi8>
// CHECK-NEXT: tosa.conv2d %[[CUT]]
func.func @above_and_unread(%x: tensor<1x4x4x1xi8> {tinymo.tensor = {name = "x"}}) -> tensor<1x2x1x1xi32> {
  %w = "tosa.const"() <{values = dense<1> : tensor<1x3x3x1xi8>}> : () -> tensor<1x3x3x1xi8>
  %b = "tosa.const"() <{values = dense<0> : tensor<1xi32>}> : () -> tensor<1xi32>
  %z = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %start = tosa.const_shape {values = dense<0> : tensor<4xindex>} : () -> !tosa.shape<4>
  %size = tosa.const_shape {values = dense<[1, 3, 3, 1]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %cut = tosa.slice %x, %start, %size : (tensor<1x4x4x1xi8>, !tosa.shape<4>, !tosa.shape<4>) -> tensor<1x3x3x1xi8>
  %y = tosa.conv2d %cut, %w, %b, %z, %z {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 2, 0, 0, 0>, stride = array<i64: 2, 2>, tinymo.tensor = {name = "y"}} : (tensor<1x3x3x1xi8>, tensor<1x3x3x1xi8>, tensor<1xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x2x1x1xi32>
  return %y : tensor<1x2x1x1xi32>
}

// -----

// Spilling is an operator of the file by itself.

// CHECK-LABEL: @spill
// CHECK-NEXT: tinymo.spill
// CHECK-NEXT: tinymo.reload
func.func @spill(%x: tensor<4xi8> {tinymo.tensor = {name = "x"}}) -> tensor<4xi8> {
  %h = tinymo.spill %x {memory = "psram"} : tensor<4xi8> -> !tinymo.spilled<tensor<4xi8>>
  %y = tinymo.reload %h {tinymo.tensor = {name = "y"}} : !tinymo.spilled<tensor<4xi8>> -> tensor<4xi8>
  return %y : tensor<4xi8>
}
