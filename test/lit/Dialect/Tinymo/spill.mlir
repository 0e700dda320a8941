// RUN: tinymo-opt %s | tinymo-opt | filecheck %s
// RUN: tinymo-opt --print-op-generic %s | tinymo-opt | filecheck %s
// RUN: tinymo-opt --print-op-generic %s | filecheck %s --check-prefix=GENERIC
// RUN: xdsl-opt %s | filecheck %s
// RUN: tinymo-opt -p cse,dce,canonicalize %s | filecheck %s --check-prefix=CLEAN

// A tensor goes to a memory that has a name, and comes back. What the reload yields is a tensor of its own, with facts
// of its own.

// CHECK-LABEL: @there_and_back
// CHECK-NEXT: %h = tinymo.spill %t {memory = "psram"} : tensor<1x8x16xi8> -> !tinymo.spilled<tensor<1x8x16xi8>>
// CHECK-NEXT: %r = tinymo.reload %h {tinymo.tensor = {name = "t/reloaded"}} : !tinymo.spilled<tensor<1x8x16xi8>> -> tensor<1x8x16xi8>
// GENERIC: %h = "tinymo.spill"(%t) <{memory = "psram"}> : (tensor<1x8x16xi8>) -> !tinymo.spilled<tensor<1x8x16xi8>>
// GENERIC-NEXT: %r = "tinymo.reload"(%h) {tinymo.tensor = {name = "t/reloaded"}} : (!tinymo.spilled<tensor<1x8x16xi8>>) -> tensor<1x8x16xi8>
func.func @there_and_back(%t: tensor<1x8x16xi8>) -> tensor<1x8x16xi8> {
  %h = tinymo.spill %t {memory = "psram"} : tensor<1x8x16xi8> -> !tinymo.spilled<tensor<1x8x16xi8>>
  %r = tinymo.reload %h {tinymo.tensor = {name = "t/reloaded"}} : !tinymo.spilled<tensor<1x8x16xi8>> -> tensor<1x8x16xi8>
  return %r : tensor<1x8x16xi8>
}

// Two reloads of one handle are two buffers, alive at different times: making one of them would undo the spill.

// CLEAN-LABEL: @two_reloads
// CLEAN-NEXT: %h = tinymo.spill
// CLEAN-NEXT: %a = tinymo.reload %h
// CLEAN-NEXT: %b = tosa.bitwise_not %a
// CLEAN-NEXT: %c = tinymo.reload %h
// CLEAN-NEXT: %d = tosa.maximum %b, %c
func.func @two_reloads(%t: tensor<4xi8>) -> tensor<4xi8> {
  %h = tinymo.spill %t {memory = "psram"} : tensor<4xi8> -> !tinymo.spilled<tensor<4xi8>>
  %a = tinymo.reload %h : !tinymo.spilled<tensor<4xi8>> -> tensor<4xi8>
  %b = tosa.bitwise_not %a : (tensor<4xi8>) -> tensor<4xi8>
  %c = tinymo.reload %h : !tinymo.spilled<tensor<4xi8>> -> tensor<4xi8>
  %d = tosa.maximum %b, %c : (tensor<4xi8>, tensor<4xi8>) -> tensor<4xi8>
  return %d : tensor<4xi8>
}

// A spill writes to a memory: it stays though nothing here reads the handle, and two of them stay two.

// CLEAN-LABEL: @write
// CLEAN-NEXT: tinymo.spill %t {memory = "psram"}
// CLEAN-NEXT: tinymo.spill %t {memory = "psram"}
// CLEAN-NEXT: return
func.func @write(%t: tensor<4xi8>) {
  %h = tinymo.spill %t {memory = "psram"} : tensor<4xi8> -> !tinymo.spilled<tensor<4xi8>>
  %g = tinymo.spill %t {memory = "psram"} : tensor<4xi8> -> !tinymo.spilled<tensor<4xi8>>
  return
}
