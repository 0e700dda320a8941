// RUN: tinymo-opt --split-input-file --verify-semantics --bufferize=sharing=views,alignment=4 %s 2> %t.txt | filecheck %s
// RUN: filecheck %s --check-prefix=REMARK < %t.txt

// Windows of columns are many runs of bytes in their source: they are copied, and the bytes are counted.

// REMARK: bufferize: @columns: 12 bytes are copied in one place
// CHECK-LABEL: @columns
// CHECK: %a = memref.alloc() : memref<1x3x4xi8>
// CHECK-NEXT: %[[W:.+]] = memref.subview %x[0, 0, 2] [1, 3, 4] [1, 1, 1] : memref<1x3x8xi8> to memref<1x3x4xi8, strided<[24, 8, 1], offset: 2>>
// CHECK-NEXT: "memref.copy"(%[[W]], %a)
// CHECK-NEXT: func.return %a
func.func @columns(%x: tensor<1x3x8xi8>) -> tensor<1x3x4xi8> {
  %a = tinymo.split %x {axis = 2, windows = [[2, 6]]} : tensor<1x3x8xi8> -> (tensor<1x3x4xi8>)
  return %a : tensor<1x3x4xi8>
}

// -----

// So are parts that are joined along the columns. A constant is put into a buffer first.

// REMARK-NEXT: bufferize: @channels: 14 bytes are copied in 3 places
// CHECK-LABEL: @channels
// CHECK: %y = memref.alloc() : memref<2x4xi8>
// CHECK-NEXT: %[[A:.+]] = memref.subview %y[0, 0] [2, 1] [1, 1]
// CHECK-NEXT: "memref.copy"(%x, %[[A]])
// CHECK: tinymo.yield %c
// CHECK: "memref.copy"
func.func @channels(%x: tensor<2x1xi8>) -> tensor<2x4xi8> {
  %c = "tosa.const"() <{values = dense<7> : tensor<2x3xi8>}> : () -> tensor<2x3xi8>
  %y = tinymo.join %x, %c {axis = 1 : i64} : (tensor<2x1xi8>, tensor<2x3xi8>) -> tensor<2x4xi8>
  return %y : tensor<2x4xi8>
}

// -----

// One tensor cannot lie in two places: the second part is copied by the kernel, which finds the first in place.

// REMARK-NEXT: bufferize: @twice: 8 bytes are copied in one place
// CHECK-LABEL: @twice
// CHECK: %x = memref.subview %y[0, 0] [2, 4] [1, 1]
// CHECK: tinymo.kernel ins(%x : {{.+}}) outs(%y : memref<4x4xi8>) {
// CHECK: tosa.concat
func.func @twice(%x: tensor<2x4xi8>) -> tensor<4x4xi8> {
  %y = tinymo.kernel -> tensor<4x4xi8> {
    %0 = tosa.concat %x, %x {axis = 0 : i32} : (tensor<2x4xi8>, tensor<2x4xi8>) -> tensor<4x4xi8>
    tinymo.yield %0 : tensor<4x4xi8>
  }
  return %y : tensor<4x4xi8>
}

// -----

// Rows of two bytes begin off the alignment that was asked for.

// REMARK-NEXT: bufferize: @unaligned: 2 bytes are copied in one place
// CHECK-LABEL: @unaligned
// CHECK: "memref.copy"
func.func @unaligned(%x: tensor<4x2xi8>) -> tensor<1x2xi8> {
  %a = tinymo.split %x {axis = 0, windows = [[1, 2]]} : tensor<4x2xi8> -> (tensor<1x2xi8>)
  return %a : tensor<1x2xi8>
}

// -----

// A SLICE that is no view is copied from where its window lies, so that only these bytes are read. Of a constant, which
// lies in no buffer, the kernel takes it.

// REMARK-NEXT: bufferize: @slices: 4 bytes are copied in 2 places
// CHECK-LABEL: @slices
// CHECK: %[[W:.+]] = memref.subview %x[0, 1] [2, 1] [1, 1]
// CHECK-NEXT: "memref.copy"(%[[W]], %a)
// CHECK: tinymo.kernel outs(%b : memref<2x1xi8>) {
// CHECK-NEXT: tosa.slice %c
func.func @slices(%x: tensor<2x2xi8>) -> (tensor<2x1xi8>, tensor<2x1xi8>) {
  %c = "tosa.const"() <{values = dense<[[1, 2], [3, 4]]> : tensor<2x2xi8>}> : () -> tensor<2x2xi8>
  %start = tosa.const_shape {values = dense<[0, 1]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %size = tosa.const_shape {values = dense<[2, 1]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %a = tinymo.kernel -> tensor<2x1xi8> {
    %0 = tosa.slice %x, %start, %size : (tensor<2x2xi8>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<2x1xi8>
    tinymo.yield %0 : tensor<2x1xi8>
  }
  %b = tinymo.kernel -> tensor<2x1xi8> {
    %0 = tosa.slice %c, %start, %size : (tensor<2x2xi8>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<2x1xi8>
    tinymo.yield %0 : tensor<2x1xi8>
  }
  return %a, %b : tensor<2x1xi8>, tensor<2x1xi8>
}

// -----

// What is spilled is copied to a buffer in its memory, and brought back to one of its own. That is no copy for want of a
// view.

// REMARK-NEXT: bufferize: @spill: nothing is copied; 32 bytes go between memories
// CHECK-LABEL: @spill
// CHECK: %h = memref.alloc() : memref<4x4xi8, "psram">
// CHECK-NEXT: "memref.copy"(%x, %h) : (memref<4x4xi8>, memref<4x4xi8, "psram">) -> ()
// CHECK-NEXT: %y = memref.alloc() : memref<4x4xi8>
// CHECK-NEXT: "memref.copy"(%h, %y)
func.func @spill(%x: tensor<4x4xi8>) -> tensor<4x4xi8> {
  %h = tinymo.spill %x {memory = "psram"} : tensor<4x4xi8> -> !tinymo.spilled<tensor<4x4xi8>>
  %y = tinymo.reload %h : !tinymo.spilled<tensor<4x4xi8>> -> tensor<4x4xi8>
  return %y : tensor<4x4xi8>
}
