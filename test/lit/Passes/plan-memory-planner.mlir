// RUN: tinymo-opt --plan-memory=planner=own %s | filecheck %s
// RUN: not tinymo-opt --plan-memory=planner=best %s 2>&1 | filecheck %s --check-prefix=WRONG

// Who plans is an option; a planner that does not exist is refused with those that do.
// CHECK: func.func @main(%sram: memref<16xi8> {tinymo.arena
// WRONG: 'best'
func.func @main() -> memref<16xi8> {
  %a = memref.alloc() : memref<16xi8>
  tinymo.input %a {index = 0 : i64} : memref<16xi8>
  return %a : memref<16xi8>
}
