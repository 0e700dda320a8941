// RUN: tinymo-opt --verify-diagnostics --split-input-file --plan-memory %s 2> %t | filecheck %s
// RUN: not tinymo-opt --plan-memory=alignment=0 %s 2>&1 | filecheck %s --check-prefix=ALIGNMENT
// RUN: not tinymo-opt --plan-memory=effort=-1 %s 2>&1 | filecheck %s --check-prefix=EFFORT
// RUN: not tinymo-opt --plan-memory=capacities=sram %s 2>&1 | filecheck %s --check-prefix=CAPACITY

// ALIGNMENT: pass 'plan-memory': alignment is 0, but must be at least 1
// EFFORT: pass 'plan-memory': effort is -1, but must not be negative
// CAPACITY: pass 'plan-memory': 'sram' is no capacity; write a memory and its size, sram:64K

// Tensors have no places.

// CHECK: error: pass 'plan-memory' failed: @tensors works on tensors, which have no places: run bufferize first
func.func @tensors(%x: tensor<4xi8>) -> tensor<4xi8> {
  return %x : tensor<4xi8>
}

// -----

// Buffers beside an arena would have been planned as if it were not there.

// CHECK: error: pass 'plan-memory' failed: @both has arenas and buffers outside of them: plan all of them at once
func.func @both(%sram: memref<4xi8>) {
  %0 = arith.constant 0 : index
  %x = memref.view %sram[%0][] : memref<4xi8> to memref<4xi8>
  %y = memref.alloc() : memref<4xi8>
  return
}

// -----

// A function that has no tensors at all has nothing to plan.

// CHECK: func.func @empty
func.func @empty() {
  return
}
