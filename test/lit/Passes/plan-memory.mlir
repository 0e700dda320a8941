// RUN: tinymo-opt --split-input-file --verify-semantics --plan-memory %s 2> %t.txt | filecheck %s
// RUN: filecheck %s --check-prefix=REPORT < %t.txt
// RUN: tinymo-opt --split-input-file --plan-memory %s | tinymo-opt --split-input-file --plan-memory | filecheck %s

// Every buffer becomes a view of the arena, whose size is that of the argument. The first and the last of three buffers
// are not needed at once and share bytes. What the arena takes is said, and kept with the argument. A second time
// nothing is left to do.

// REPORT: arena of @chain in sram: 32 bytes, lower bound 32 bytes, optimal
// CHECK-LABEL: @chain(%sram: memref<32xi8> {tinymo.arena = {lower_bound = 32 : i64, alignment = 16 : i64, optimal}}) -> memref<16xi8> {
// CHECK-NEXT: %[[X:.+]] = arith.constant 0 : index
// CHECK-NEXT: %x = memref.view %sram[%[[X]]][] {tinymo.tensor = {name = "x"}} : memref<32xi8> to memref<16xi8>
// CHECK-NEXT: tinymo.input %x {index = 0 : i64}
// CHECK-NEXT: %[[Y:.+]] = arith.constant 16 : index
// CHECK-NEXT: %y = memref.view %sram[%[[Y]]][]
// CHECK-NEXT: "memref.copy"(%x, %y)
// CHECK-NEXT: %[[Z:.+]] = arith.constant 0 : index
// CHECK-NEXT: %z = memref.view %sram[%[[Z]]][]
// CHECK-NEXT: "memref.copy"(%y, %z)
// CHECK-NEXT: func.return %z : memref<16xi8>
func.func @chain() -> memref<16xi8> {
  %x = memref.alloc() {tinymo.tensor = {name = "x"}} : memref<16xi8>
  tinymo.input %x {index = 0 : i64} : memref<16xi8>
  %y = memref.alloc() : memref<16xi8>
  "memref.copy"(%x, %y) : (memref<16xi8>, memref<16xi8>) -> ()
  %z = memref.alloc() : memref<16xi8>
  "memref.copy"(%y, %z) : (memref<16xi8>, memref<16xi8>) -> ()
  return %z : memref<16xi8>
}

// -----

// The rows of a source die one by one: the result takes the place of the first row while the second is still read. If a
// buffer were needed as a whole for as long as it is used, this would take 64 bytes. Subviews stay what they are.

// REPORT-NEXT: arena of @rows in sram: 48 bytes, lower bound 48 bytes, optimal
// CHECK-LABEL: @rows(%sram: memref<48xi8>
// CHECK: %[[X:.+]] = arith.constant 0 : index
// CHECK-NEXT: %x = memref.view %sram[%[[X]]]
// CHECK: %second = memref.subview %x[1, 0]
// CHECK: %[[Y:.+]] = arith.constant 0 : index
// CHECK-NEXT: %y = memref.view %sram[%[[Y]]]
func.func @rows() -> memref<1x16xi8> {
  %x = memref.alloc() : memref<2x16xi8>
  tinymo.input %x {index = 0 : i64} : memref<2x16xi8>
  %first = memref.subview %x[0, 0] [1, 16] [1, 1] : memref<2x16xi8> to memref<1x16xi8, strided<[16, 1]>>
  %second = memref.subview %x[1, 0] [1, 16] [1, 1] : memref<2x16xi8> to memref<1x16xi8, strided<[16, 1], offset: 16>>
  %a = memref.alloc() : memref<1x16xi8>
  tinymo.kernel ins(%first : memref<1x16xi8, strided<[16, 1]>>) outs(%a : memref<1x16xi8>) {
  ^bb0(%0: tensor<1x16xi8>):
    %1 = tosa.reverse %0 {axis = 1 : i32} : (tensor<1x16xi8>) -> tensor<1x16xi8>
    tinymo.yield %1 : tensor<1x16xi8>
  }
  %y = memref.alloc() : memref<1x16xi8>
  tinymo.kernel ins(%a, %second : memref<1x16xi8>, memref<1x16xi8, strided<[16, 1], offset: 16>>) outs(%y : memref<1x16xi8>) {
  ^bb0(%0: tensor<1x16xi8>, %1: tensor<1x16xi8>):
    %2 = tosa.bitwise_xor %0, %1 : (tensor<1x16xi8>, tensor<1x16xi8>) -> tensor<1x16xi8>
    tinymo.yield %2 : tensor<1x16xi8>
  }
  return %y : memref<1x16xi8>
}

// -----

// What has no bytes and what nothing touches need no place.

// REPORT-NEXT: arena of @nothing in sram: 0 bytes, lower bound 0 bytes, optimal
// CHECK-LABEL: @nothing(%sram: memref<0xi8>
func.func @nothing() -> memref<0xi8> {
  %x = memref.alloc() : memref<0xi8>
  tinymo.input %x {index = 0 : i64} : memref<0xi8>
  return %x : memref<0xi8>
}
