// RUN: tinymo-opt --verify-diagnostics --split-input-file --bufferize %s | filecheck %s
// RUN: not tinymo-opt --split-input-file --form-kernels %s 2>&1 | filecheck %s --check-prefix=BEFORE
// RUN: not tinymo-opt --split-input-file --report-memory %s 2>&1 | filecheck %s --check-prefix=BEFORE

// Which values are in memory is known once kernels are formed.

// CHECK: error: pass 'bufferize' failed: 'tosa.abs' stands outside of a tinymo.kernel: run form-kernels first
func.func @loose(%x: tensor<4xi8>) -> tensor<4xi8> {
  %y = tosa.abs %x : (tensor<4xi8>) -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// -----

// A buffer has a size.

// CHECK: error: pass 'bufferize' failed: 'x' is tensor<?x4xi8>: a buffer needs a static shape
func.func @dynamic(%x: tensor<?x4xi8> {tinymo.tensor = {name = "x"}}) -> tensor<?x4xi8> {
  return %x : tensor<?x4xi8>
}

// -----

// Accumulators of 48 bits are never in memory by themselves.

// CHECK: error: pass 'bufferize' failed: '%x': elements of type i48 have no bytes in memory
func.func @width(%x: tensor<4xi48>) -> tensor<4xi48> {
  return %x : tensor<4xi48>
}

// -----

// Only tensors are in memory.

// CHECK: error: pass 'bufferize' failed: '%x' is no tensor but i32: only tensors become buffers
func.func @scalar(%x: i32) -> i32 {
  return %x : i32
}

// -----

// A branch would read what its kernel does not take.

// CHECK: error: pass 'bufferize' failed: 'y': 'tosa.cond_if' in a kernel cannot read buffers
func.func @branch(%c: tensor<i1>, %x: tensor<4xi8>) -> tensor<4xi8> {
  %y = tinymo.kernel -> tensor<4xi8> {
    %0 = "tosa.cond_if"(%c) ({
      "tosa.yield"(%x) : (tensor<4xi8>) -> ()
    }, {
      "tosa.yield"(%x) : (tensor<4xi8>) -> ()
    }) {tinymo.tensor = {name = "y"}} : (tensor<i1>) -> tensor<4xi8>
    tinymo.yield %0 : tensor<4xi8>
  }
  return %y : tensor<4xi8>
}

// -----

// What works on kernels of tensors comes before.

// BEFORE: error: @buffers works on buffers: this is possible before bufferize only
// CHECK: func.func @buffers
func.func @buffers() {
  %x = memref.alloc() : memref<4xi8>
  return
}
