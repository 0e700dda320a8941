// RUN: tinymo-opt --verify-diagnostics --split-input-file %s | filecheck %s

// What is reloaded is what was spilled.

// CHECK: error: attribute tensor<4xi8> expected from variable 'T', but got tensor<5xi8>
func.func @reload(%h: !tinymo.spilled<tensor<4xi8>>) -> tensor<5xi8> {
  %r = tinymo.reload %h : !tinymo.spilled<tensor<4xi8>> -> tensor<5xi8>
  return %r : tensor<5xi8>
}

// -----

// A handle is for the tensor that was spilled, element type included.

// CHECK: error: attribute tensor<4xi8> expected from variable 'T', but got tensor<4xi16>
func.func @spill(%t: tensor<4xi8>) {
  %h = tinymo.spill %t {memory = "psram"} : tensor<4xi8> -> !tinymo.spilled<tensor<4xi16>>
  return
}

// -----

// A spill says where to.

// CHECK: error: 'tinymo.spill' op property 'memory' expected in operation 'tinymo.spill'
func.func @memory(%t: tensor<4xi8>) {
  %h = tinymo.spill %t : tensor<4xi8> -> !tinymo.spilled<tensor<4xi8>>
  return
}

// -----

// Memories have names, not numbers.

// CHECK: error: 3 : i32 should be of base attribute string
func.func @memory_type(%t: tensor<4xi8>) {
  %h = tinymo.spill %t {memory = 3 : i32} : tensor<4xi8> -> !tinymo.spilled<tensor<4xi8>>
  return
}

// -----

// Only tensors are spilled.

// CHECK: error: 'tinymo.spill' op operand 'source' at position 0 does not verify: i32 should be of base attribute tensor
func.func @scalar(%t: i32) {
  %h = "tinymo.spill"(%t) <{memory = "psram"}> : (i32) -> !tinymo.spilled<tensor<4xi8>>
  return
}

// -----

// A tensor is not its handle.

// CHECK: error: 'tinymo.reload' op operand 'handle' at position 0 does not verify: tensor<4xi8> should be of base attribute tinymo.spilled
func.func @handle(%t: tensor<4xi8>) -> tensor<4xi8> {
  %r = "tinymo.reload"(%t) : (tensor<4xi8>) -> tensor<4xi8>
  return %r : tensor<4xi8>
}

// -----

// Neither is there a handle for anything but a tensor.

// CHECK: error: parameter 'tensor' does not verify: i32 should be of base attribute tensor
func.func @spilled_scalar(%t: !tinymo.spilled<i32>) {
  return
}
