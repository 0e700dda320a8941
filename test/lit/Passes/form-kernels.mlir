// RUN: tinymo-opt --split-input-file --verify-semantics --form-kernels %s | filecheck %s
// RUN: tinymo-opt --split-input-file --form-kernels --form-kernels %s | filecheck %s

// A convolution, its rescale and its clamp are one call at run time. Only what the kernel yields is a tensor in memory;
// constants stay outside. A second time there is nothing to form.

// CHECK-LABEL: @convolution
// CHECK: %wz = "tosa.const"
// CHECK: %[[K:.+]] = tinymo.kernel -> tensor<1x2x2x1xi8> {
// CHECK-NEXT: %acc = tosa.conv2d %x
// CHECK-NEXT: %narrow = tosa.rescale %acc
// CHECK-NEXT: %y = tosa.clamp %narrow {{.*}}name = "y"
// CHECK-NEXT: tinymo.yield %y : tensor<1x2x2x1xi8>
// CHECK-NEXT: }
// CHECK-NEXT: return %[[K]]
func.func @convolution(%x: tensor<1x2x2x1xi8> {tinymo.tensor = {name = "x"}}) -> tensor<1x2x2x1xi8> {
  %w = "tosa.const"() <{values = dense<3> : tensor<1x1x1x1xi8>}> {tinymo.tensor = {name = "w"}} : () -> tensor<1x1x1x1xi8>
  %b = "tosa.const"() <{values = dense<7> : tensor<1xi32>}> {tinymo.tensor = {name = "b"}} : () -> tensor<1xi32>
  %xz = "tosa.const"() <{values = dense<1> : tensor<1xi8>}> : () -> tensor<1xi8>
  %wz = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %acc = tosa.conv2d %x, %w, %b, %xz, %wz {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<1x2x2x1xi8>, tensor<1x1x1x1xi8>, tensor<1xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x2x2x1xi32>
  %m = "tosa.const"() <{values = dense<1073741824> : tensor<1xi32>}> : () -> tensor<1xi32>
  %s = "tosa.const"() <{values = dense<33> : tensor<1xi8>}> : () -> tensor<1xi8>
  %z = "tosa.const"() <{values = dense<0> : tensor<1xi32>}> : () -> tensor<1xi32>
  %narrow = tosa.rescale %acc, %m, %s, %z, %wz {input_unsigned = false, output_unsigned = false, per_channel = false, rounding_mode = DOUBLE_ROUND, scale32 = true} : (tensor<1x2x2x1xi32>, tensor<1xi32>, tensor<1xi8>, tensor<1xi32>, tensor<1xi8>) -> tensor<1x2x2x1xi8>
  %y = tosa.clamp %narrow {max_val = 127 : i8, min_val = 0 : i8, tinymo.tensor = {name = "y"}} : (tensor<1x2x2x1xi8>) -> tensor<1x2x2x1xi8>
  return %y : tensor<1x2x2x1xi8>
}

// -----

// The results of one operator are one call, at the place of the first; a constant that only a later one reads moves in
// front of it.

// CHECK-LABEL: @results
// CHECK: %middle = tosa.const_shape
// CHECK: %[[K:.+]], %[[L:.+]] = tinymo.kernel -> tensor<1x2xi8>, tensor<1x2xi8> {
// CHECK-NEXT: %a = tosa.slice %x, %start, %size
// CHECK-NEXT: %b = tosa.slice %x, %middle, %size
// CHECK-NEXT: tinymo.yield %a, %b
// CHECK: return %[[K]], %[[L]]
func.func @results(%x: tensor<1x4xi8> {tinymo.tensor = {name = "x"}}) -> (tensor<1x2xi8>, tensor<1x2xi8>) {
  %start = tosa.const_shape {values = dense<0> : tensor<2xindex>} : () -> !tosa.shape<2>
  %size = tosa.const_shape {values = dense<[1, 2]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %a = tosa.slice %x, %start, %size {tinymo.operator = {name = "SPLIT", result = array<i64: 0, 2>}, tinymo.tensor = {name = "a"}} : (tensor<1x4xi8>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<1x2xi8>
  %middle = tosa.const_shape {values = dense<[0, 2]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %b = tosa.slice %x, %middle, %size {tinymo.operator = {name = "SPLIT", result = array<i64: 1, 2>}, tinymo.tensor = {name = "b"}} : (tensor<1x4xi8>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<1x2xi8>
  return %a, %b : tensor<1x2xi8>, tensor<1x2xi8>
}

// -----

// One of three results is gone, so the others are no SPLIT any more: each is a call of its own.

// CHECK-LABEL: @incomplete
// CHECK-COUNT-2: tinymo.kernel -> tensor<1x2xi8> {
func.func @incomplete(%x: tensor<1x6xi8> {tinymo.tensor = {name = "x"}}) -> (tensor<1x2xi8>, tensor<1x2xi8>) {
  %start = tosa.const_shape {values = dense<0> : tensor<2xindex>} : () -> !tosa.shape<2>
  %middle = tosa.const_shape {values = dense<[0, 2]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %size = tosa.const_shape {values = dense<[1, 2]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %a = tosa.slice %x, %start, %size {tinymo.operator = {name = "SPLIT", result = array<i64: 0, 3>}, tinymo.tensor = {name = "a"}} : (tensor<1x6xi8>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<1x2xi8>
  %b = tosa.slice %x, %middle, %size {tinymo.operator = {name = "SPLIT", result = array<i64: 1, 3>}, tinymo.tensor = {name = "b"}} : (tensor<1x6xi8>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<1x2xi8>
  return %a, %b : tensor<1x2xi8>, tensor<1x2xi8>
}

// -----

// Without facts, accumulators and what only a clamp reads belong to the kernel of their reader; the rest is in memory.

// CHECK-LABEL: @no_facts
// CHECK: %[[A:.+]] = tinymo.kernel -> tensor<4xi8> {
// CHECK-NEXT: tosa.abs %x
// CHECK: tinymo.kernel -> tensor<4xi8> {
// CHECK-NEXT: %b = tosa.negate %[[A]]
// CHECK-NEXT: %c = tosa.clamp %b
func.func @no_facts(%x: tensor<4xi8>) -> tensor<4xi8> {
  %a = tosa.abs %x : (tensor<4xi8>) -> tensor<4xi8>
  %z = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %b = tosa.negate %a, %z, %z : (tensor<4xi8>, tensor<1xi8>, tensor<1xi8>) -> tensor<4xi8>
  %c = tosa.clamp %b {max_val = 127 : i8, min_val = 0 : i8} : (tensor<4xi8>) -> tensor<4xi8>
  return %c : tensor<4xi8>
}

// -----

// Two kernels read the same op between tensors, as `cse` leaves it: what it yields is never in memory, so each gets its
// own.

// CHECK-LABEL: @shared
// CHECK: tinymo.kernel
// CHECK-NEXT: %[[A:.+]] = tosa.abs %x
// CHECK-NEXT: tosa.add %[[A]], %x
// CHECK: tinymo.kernel
// CHECK-NEXT: %[[B:.+]] = tosa.abs %x
// CHECK-NEXT: tosa.sub %[[B]], %x
func.func @shared(%x: tensor<4xi8> {tinymo.tensor = {name = "x"}}) -> (tensor<4xi8>, tensor<4xi8>) {
  %a = tosa.abs %x : (tensor<4xi8>) -> tensor<4xi8>
  %y = tosa.add %a, %x {tinymo.tensor = {name = "y"}} : (tensor<4xi8>, tensor<4xi8>) -> tensor<4xi8>
  %z = tosa.sub %a, %x {tinymo.tensor = {name = "z"}} : (tensor<4xi8>, tensor<4xi8>) -> tensor<4xi8>
  return %y, %z : tensor<4xi8>, tensor<4xi8>
}

// -----

// Calls by themselves stay as they are.

// CHECK-LABEL: @alone
// CHECK-NEXT: tinymo.split
// CHECK-NEXT: tinymo.spill
// CHECK-NEXT: tinymo.reload
// CHECK-NEXT: tinymo.join
// CHECK-NEXT: return
func.func @alone(%x: tensor<1x4xi8> {tinymo.tensor = {name = "x"}}) -> tensor<1x4xi8> {
  %a, %b = tinymo.split %x {axis = 1, windows = [[0, 2], [2, 4]]} : tensor<1x4xi8> -> (tensor<1x2xi8>, tensor<1x2xi8>)
  %h = tinymo.spill %a {memory = "psram"} : tensor<1x2xi8> -> !tinymo.spilled<tensor<1x2xi8>>
  %c = tinymo.reload %h : !tinymo.spilled<tensor<1x2xi8>> -> tensor<1x2xi8>
  %y = tinymo.join %c, %b {axis = 1 : i64} : (tensor<1x2xi8>, tensor<1x2xi8>) -> tensor<1x4xi8>
  return %y : tensor<1x4xi8>
}
