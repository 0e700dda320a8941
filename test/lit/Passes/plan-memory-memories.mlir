// RUN: tinymo-opt --verify-semantics --plan-memory=alignment=4 %s 2>&1 | filecheck %s --check-prefixes=CHECK,FREE
// RUN: tinymo-opt --verify-semantics --plan-memory=alignment=4,capacities=sram:32,psram:1K %s 2>&1 | filecheck %s --check-prefixes=CHECK,FREE
// RUN: tinymo-opt --verify-semantics --plan-memory=alignment=4,capacities=sram:28,psram:1K %s 2>&1 | filecheck %s --check-prefixes=CHECK,DOWN
// RUN: tinymo-opt --plan-memory=alignment=4,capacities=sram:28 %s 2>&1 | filecheck %s --check-prefixes=CHECK,DOWN
// RUN: not tinymo-opt --plan-memory=alignment=4,capacities=sram:28,psram:8 %s 2>&1 | filecheck %s --check-prefix=SMALL

// There is an arena a memory, and what is spilled lies in its own. If the fast memory is too small, the buffers go down
// that cost the least, with their views: their bytes times their reads and writes count. Without a limit, and where all
// fits, none does.

// FREE: arena of @main in sram: 32 bytes, lower bound 32 bytes, optimal
// FREE-NEXT: arena of @main in psram: 8 bytes, lower bound 8 bytes, optimal
// DOWN: arena of @main in sram: 28 bytes
// DOWN-NEXT: arena of @main in psram: 20 bytes
// FREE: func.func @main(%sram: memref<32xi8> {tinymo.arena = {{.+}}}, %psram: memref<8xi8, "psram"> {tinymo.arena = {{.+}}}) -> (memref<20xi8>, memref<8xi8>) {
// FREE: %x = memref.view %sram[%{{.+}}][] : memref<32xi8> to memref<12xi8>
// DOWN: %x = memref.view %psram[%{{.+}}][] : memref<20xi8, "psram"> to memref<12xi8, "psram">
// FREE: %part = memref.subview %x[0] [8] [1] : memref<12xi8> to memref<8xi8, strided<[1]>>
// DOWN: %part = memref.subview %x[0] [8] [1] : memref<12xi8, "psram"> to memref<8xi8, strided<[1]>, "psram">
// CHECK: %spilled = memref.view %psram[%{{.+}}][] : memref<{{8|20}}xi8, "psram"> to memref<8xi8, "psram">

// A slower memory that the module names but no capacity is given for takes what it needs; one that is too small is an
// error.
// SMALL: error: 1 buffers fit into no memory, '1: %x' among them; add a larger one
func.func @main() -> (memref<20xi8>, memref<8xi8>) {
  %image = memref.alloc() : memref<20xi8>
  tinymo.input %image {index = 0 : i64} : memref<20xi8>
  %head = memref.subview %image[0] [12] [1] : memref<20xi8> to memref<12xi8, strided<[1]>>
  %x = memref.alloc() : memref<12xi8>
  "memref.copy"(%head, %x) : (memref<12xi8, strided<[1]>>, memref<12xi8>) -> ()
  %part = memref.subview %x[0] [8] [1] : memref<12xi8> to memref<8xi8, strided<[1]>>
  %spilled = memref.alloc() : memref<8xi8, "psram">
  "memref.copy"(%part, %spilled) : (memref<8xi8, strided<[1]>>, memref<8xi8, "psram">) -> ()
  %last = memref.subview %x[11] [1] [1] : memref<12xi8> to memref<1xi8, strided<[1], offset: 11>>
  tinymo.kernel ins(%last : memref<1xi8, strided<[1], offset: 11>>) {
  ^bb0(%0: tensor<1xi8>):
    tinymo.yield
  }
  %y = memref.alloc() : memref<8xi8>
  "memref.copy"(%spilled, %y) : (memref<8xi8, "psram">, memref<8xi8>) -> ()
  return %image, %y : memref<20xi8>, memref<8xi8>
}
