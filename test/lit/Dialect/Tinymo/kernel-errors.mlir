// RUN: tinymo-opt --verify-diagnostics --split-input-file %s | filecheck %s

// A kernel returns what is yielded, so the types are the same.

// CHECK: error: 'tinymo.kernel' op yields other types than it returns
func.func @type(%x: tensor<4xi8>) -> tensor<5xi8> {
  %y = tinymo.kernel -> tensor<5xi8> {
    tinymo.yield %x : tensor<4xi8>
  }
  return %y : tensor<5xi8>
}

// -----

// There are as many of them, too.

// CHECK: error: 'tinymo.kernel' op yields other types than it returns
func.func @count(%x: tensor<4xi8>) -> tensor<4xi8> {
  %y = tinymo.kernel -> tensor<4xi8> {
    tinymo.yield
  }
  return %y : tensor<4xi8>
}

// -----

// A body that ends with anything but a yield returns nothing.

// CHECK: error: 'tinymo.kernel' op does not end with a tinymo.yield
func.func @no_yield(%x: tensor<4xi8>) {
  tinymo.kernel {
    %0 = tosa.bitwise_not %x : (tensor<4xi8>) -> tensor<4xi8>
  }
  return
}

// -----

// The function's own return does not leave a kernel.

// CHECK: error: 'tinymo.kernel' op does not end with a tinymo.yield
func.func @other_terminator(%x: tensor<4xi8>) {
  tinymo.kernel {
    func.return
  }
  return
}

// -----

// A kernel without a body computes nothing.

// CHECK: error: 'tinymo.kernel' op Region 'body' at position 0 expected a single block, but got 0 blocks
func.func @empty(%x: tensor<4xi8>) {
  tinymo.kernel {
  }
  return
}

// -----

// A kernel is a straight line: it has no branches.

// CHECK: error: 'tinymo.kernel' op Region 'body' at position 0 expected a single block, but got 2 blocks
func.func @blocks(%x: tensor<4xi8>) {
  "tinymo.kernel"() <{operandSegmentSizes = array<i32: 0, 0>}> ({
  ^a:
    "tinymo.yield"() : () -> ()
  ^b:
    "tinymo.yield"() : () -> ()
  }) : () -> ()
  return
}

// -----

// A yield leaves a kernel, not a function.

// CHECK: error: 'tinymo.yield' op 'tinymo.yield' expects parent op 'tinymo.kernel'
func.func @yield(%x: tensor<4xi8>) {
  tinymo.yield %x : tensor<4xi8>
}

// -----

// Only tensors come out of a kernel.

// CHECK: error: i32 should be of base attribute tensor
func.func @scalar(%x: i32) -> i32 {
  %y = tinymo.kernel -> i32 {
    tinymo.yield %x : i32
  }
  return %y : i32
}

// -----

// What is stored has the types of the buffers.

// CHECK: error: 'tinymo.kernel' op yields other types than its outs are
func.func @stored(%x: tensor<4xi8>, %y: memref<5xi8>) {
  tinymo.kernel outs(%y : memref<5xi8>) {
    tinymo.yield %x : tensor<4xi8>
  }
  return
}

// -----

// What is read from buffers are the arguments of the block.

// CHECK: error: 'tinymo.kernel' op takes other types in its block than its ins are
func.func @read(%x: memref<4xi8>, %y: memref<4xi8>) {
  tinymo.kernel ins(%x : memref<4xi8>) outs(%y : memref<4xi8>) {
  ^bb0(%t: tensor<4xi16>):
    %0 = tosa.cast %t : (tensor<4xi16>) -> tensor<4xi8>
    tinymo.yield %0 : tensor<4xi8>
  }
  return
}

// -----

// Results are values or in buffers.

// CHECK: error: 'tinymo.kernel' op stores what it yields in buffers or returns it, not both
func.func @both(%x: tensor<4xi8>, %y: memref<4xi8>) -> tensor<4xi8> {
  %z = tinymo.kernel outs(%y : memref<4xi8>) -> tensor<4xi8> {
    tinymo.yield %x : tensor<4xi8>
  }
  return %z : tensor<4xi8>
}
