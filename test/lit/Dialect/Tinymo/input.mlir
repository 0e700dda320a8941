// RUN: tinymo-opt %s | tinymo-opt | filecheck %s
// RUN: tinymo-opt --print-op-generic %s | tinymo-opt | filecheck %s
// RUN: tinymo-opt -p dce,cse %s | filecheck %s

// The application writes to the buffer: that stays, even if nothing reads it.

// CHECK: tinymo.input %x {index = 1 : i64} : memref<4xi8>
func.func @main() {
  %x = memref.alloc() : memref<4xi8>
  tinymo.input %x {index = 1 : i64} : memref<4xi8>
  return
}
