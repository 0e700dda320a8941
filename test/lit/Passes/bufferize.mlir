// RUN: tinymo-opt --split-input-file --verify-semantics --bufferize=sharing=all,alignment=4 %s | filecheck %s
// RUN: tinymo-opt --split-input-file --bufferize=sharing=all,alignment=4 %s | tinymo-opt --split-input-file --bufferize | filecheck %s
// RUN: tinymo-opt --split-input-file --print-op-generic --bufferize=sharing=all,alignment=4 %s | tinymo-opt --split-input-file | filecheck %s

// A kernel reads the tensors that its block takes from buffers, and stores what it yields. The application fills the
// inputs; outputs are returned. Constants stay outside. A second time nothing is left to do.

// CHECK-LABEL: func.func @kernel() -> memref<1x4x4xi8> {
// CHECK-NEXT: %x = memref.alloc() {tinymo.tensor = {name = "x"}} : memref<1x4x4xi8>
// CHECK-NEXT: tinymo.input %x {index = 0 : i64} : memref<1x4x4xi8>
// CHECK-NEXT: %row = "tosa.const"()
// CHECK-NEXT: %y = memref.alloc() {tinymo.tensor = {name = "y"}} : memref<1x4x4xi8>
// CHECK-NEXT: tinymo.kernel ins(%x : memref<1x4x4xi8>) outs(%y : memref<1x4x4xi8>) {
// CHECK-NEXT: ^{{.+}}(%[[X:.+]]: tensor<1x4x4xi8>):
// CHECK-NEXT: %[[Y:.+]] = tosa.bitwise_xor %[[X]], %row {tinymo.tensor = {name = "y"}}
// CHECK-NEXT: tinymo.yield %[[Y]] : tensor<1x4x4xi8>
// CHECK-NEXT: }
// CHECK-NEXT: func.return %y : memref<1x4x4xi8>
func.func @kernel(%x: tensor<1x4x4xi8> {tinymo.tensor = {name = "x"}}) -> tensor<1x4x4xi8> {
  %row = "tosa.const"() <{values = dense<[[[1, 2, 3, 4]]]> : tensor<1x1x4xi8>}> : () -> tensor<1x1x4xi8>
  %y = tinymo.kernel -> tensor<1x4x4xi8> {
    %0 = tosa.bitwise_xor %x, %row {tinymo.tensor = {name = "y"}} : (tensor<1x4x4xi8>, tensor<1x1x4xi8>) -> tensor<1x4x4xi8>
    tinymo.yield %0 : tensor<1x4x4xi8>
  }
  return %y : tensor<1x4x4xi8>
}

// -----

// Windows of rows are one run of bytes in their source, so they are views of it: overlapping ones too. Nothing is
// copied, and a view needs no bytes.

// CHECK-LABEL: @windows
// CHECK: %x = memref.alloc()
// CHECK: %a = memref.subview %x[0, 0, 0] [1, 3, 4] [1, 1, 1] : memref<1x4x4xi8> to memref<1x3x4xi8, strided<[16, 4, 1]>>
// CHECK-NEXT: %b = memref.subview %x[0, 1, 0] [1, 3, 4] [1, 1, 1] : memref<1x4x4xi8> to memref<1x3x4xi8, strided<[16, 4, 1], offset: 4>>
// CHECK-NEXT: %y = memref.alloc()
// CHECK-NEXT: tinymo.kernel ins(%a, %b : {{.+}}) outs(%y : memref<1x3x4xi8>)
func.func @windows(%x: tensor<1x4x4xi8>) -> tensor<1x3x4xi8> {
  %a, %b = tinymo.split %x {axis = 1, windows = [[0, 3], [1, 4]]} : tensor<1x4x4xi8> -> (tensor<1x3x4xi8>, tensor<1x3x4xi8>)
  %y = tinymo.kernel -> tensor<1x3x4xi8> {
    %0 = tosa.bitwise_xor %a, %b : (tensor<1x3x4xi8>, tensor<1x3x4xi8>) -> tensor<1x3x4xi8>
    tinymo.yield %0 : tensor<1x3x4xi8>
  }
  return %y : tensor<1x3x4xi8>
}

// -----

// Parts are written where they lie in their join, whose buffer is there before the first of them.

// CHECK-LABEL: @parts
// CHECK: %y = memref.alloc() {tinymo.tensor = {name = "y"}} : memref<1x5x4xi8>
// CHECK-NEXT: %a = memref.subview %y[0, 0, 0] [1, 3, 4] [1, 1, 1] :
// CHECK-NEXT: tinymo.kernel ins(%x : {{.+}}) outs(%a : {{.+}})
// CHECK: %b = memref.subview %y[0, 3, 0] [1, 2, 4] [1, 1, 1] :
// CHECK-NEXT: tinymo.kernel ins(%z : {{.+}}) outs(%b : {{.+}})
// CHECK: func.return %y
func.func @parts(%x: tensor<1x3x4xi8>, %z: tensor<1x2x4xi8>) -> tensor<1x5x4xi8> {
  %a = tinymo.kernel -> tensor<1x3x4xi8> {
    %0 = tosa.bitwise_not %x : (tensor<1x3x4xi8>) -> tensor<1x3x4xi8>
    tinymo.yield %0 : tensor<1x3x4xi8>
  }
  %b = tinymo.kernel -> tensor<1x2x4xi8> {
    %0 = tosa.bitwise_not %z : (tensor<1x2x4xi8>) -> tensor<1x2x4xi8>
    tinymo.yield %0 : tensor<1x2x4xi8>
  }
  %y = tinymo.join %a, %b {axis = 1 : i64, tinymo.tensor = {name = "y"}} : (tensor<1x3x4xi8>, tensor<1x2x4xi8>) -> tensor<1x5x4xi8>
  return %y : tensor<1x5x4xi8>
}

// -----

// The operators of a .tflite that only copy are gone where nothing need be copied: SLICE, CONCATENATION and RESHAPE. An
// input may lie in a result: where it is no buffer of its own, the application fills a part of one.

// CHECK-LABEL: @operators
// CHECK: %joined = memref.alloc()
// CHECK-NEXT: %x = memref.subview %joined[0, 0, 0] [1, 4, 4] [1, 1, 1]
// CHECK-NEXT: tinymo.input %x {index = 0 : i64} : memref<1x4x4xi8, strided<[28, 4, 1]>>
// CHECK: %z = memref.subview %joined[0, 4, 0] [1, 3, 4] [1, 1, 1]
// CHECK-NEXT: tinymo.input %z {index = 1 : i64}
// CHECK-NOT: tinymo.kernel
// CHECK: %rows = memref.subview %joined[0, 2, 0] [1, 2, 4] [1, 1, 1]
// CHECK: %flat = memref.reinterpret_cast %joined to offset: [0], sizes: [28], strides: [1] : memref<1x7x4xi8> to memref<28xi8>
// CHECK: func.return %rows, %flat
func.func @operators(%x: tensor<1x4x4xi8>, %z: tensor<1x3x4xi8>) -> (tensor<1x2x4xi8>, tensor<28xi8>) {
  %start = tosa.const_shape {values = dense<[0, 2, 0]> : tensor<3xindex>} : () -> !tosa.shape<3>
  %size = tosa.const_shape {values = dense<[1, 2, 4]> : tensor<3xindex>} : () -> !tosa.shape<3>
  %shape = tosa.const_shape {values = dense<28> : tensor<1xindex>} : () -> !tosa.shape<1>
  %rows = tinymo.kernel -> tensor<1x2x4xi8> {
    %0 = tosa.slice %x, %start, %size : (tensor<1x4x4xi8>, !tosa.shape<3>, !tosa.shape<3>) -> tensor<1x2x4xi8>
    tinymo.yield %0 : tensor<1x2x4xi8>
  }
  %joined = tinymo.kernel -> tensor<1x7x4xi8> {
    %0 = tosa.concat %x, %z {axis = 1 : i32} : (tensor<1x4x4xi8>, tensor<1x3x4xi8>) -> tensor<1x7x4xi8>
    tinymo.yield %0 : tensor<1x7x4xi8>
  }
  %flat = tinymo.kernel -> tensor<28xi8> {
    %0 = tosa.reshape %joined, %shape : (tensor<1x7x4xi8>, !tosa.shape<1>) -> tensor<28xi8>
    tinymo.yield %0 : tensor<28xi8>
  }
  return %rows, %flat : tensor<1x2x4xi8>, tensor<28xi8>
}

// -----

// An elementwise result may lie on an operand that dies: the same bytes as another tensor, with facts of its own. RELU
// is an operator that allows it.

// CHECK-LABEL: @in_place
// CHECK: %x = memref.alloc() {tinymo.tensor = {name = "x"}} : memref<4x4xi8>
// CHECK: %y = memref.reinterpret_cast %x to offset: [0], sizes: [4, 4], strides: [4, 1] {tinymo.tensor = {name = "y"}} : memref<4x4xi8> to memref<4x4xi8>
// CHECK-NEXT: tinymo.kernel ins(%x : memref<4x4xi8>) outs(%y : memref<4x4xi8>)
func.func @in_place(%x: tensor<4x4xi8> {tinymo.tensor = {name = "x"}}) -> tensor<4x4xi8> {
  %y = tinymo.kernel -> tensor<4x4xi8> {
    %0 = tosa.clamp %x {max_val = 127 : i8, min_val = 0 : i8, tinymo.tensor = {name = "y"}, tinymo.operator = {name = "RELU"}} : (tensor<4x4xi8>) -> tensor<4x4xi8>
    tinymo.yield %0 : tensor<4x4xi8>
  }
  return %y : tensor<4x4xi8>
}

// -----

// Here the operand lives on, because it is returned too: the result has bytes of its own.

// CHECK-LABEL: @read_again
// CHECK: %y = memref.alloc()
// CHECK-NEXT: tinymo.kernel ins(%x : memref<4x4xi8>) outs(%y : memref<4x4xi8>)
func.func @read_again(%x: tensor<4x4xi8>) -> (tensor<4x4xi8>, tensor<4x4xi8>) {
  %y = tinymo.kernel -> tensor<4x4xi8> {
    %0 = tosa.clamp %x {max_val = 127 : i8, min_val = 0 : i8, tinymo.operator = {name = "RELU"}} : (tensor<4x4xi8>) -> tensor<4x4xi8>
    tinymo.yield %0 : tensor<4x4xi8>
  }
  return %x, %y : tensor<4x4xi8>, tensor<4x4xi8>
}

// -----

// What is joined in two places at once fills no member of its group: the buffer is bytes, and tensors are views of it.

// CHECK-LABEL: @bytes
// CHECK-NEXT: %[[BASE:.+]] = memref.alloc() : memref<12xi8>
// CHECK-NEXT: %[[AT:.+]] = arith.constant 4 : index
// CHECK-NEXT: %x = memref.view %[[BASE]][%[[AT]]][] : memref<12xi8> to memref<1x2xi16>
// CHECK-NEXT: tinymo.input %x {index = 0 : i64}
// CHECK: func.return
func.func @bytes(%x: tensor<1x2xi16>, %a: tensor<1x2xi16>, %b: tensor<1x2xi16>) -> (tensor<2x2xi16>, tensor<2x2xi16>) {
  %first = tinymo.join %a, %x {axis = 0 : i64} : (tensor<1x2xi16>, tensor<1x2xi16>) -> tensor<2x2xi16>
  %second = tinymo.join %x, %b {axis = 0 : i64} : (tensor<1x2xi16>, tensor<1x2xi16>) -> tensor<2x2xi16>
  return %first, %second : tensor<2x2xi16>, tensor<2x2xi16>
}

// -----

// A returned constant is put into a buffer. An input may be an output, and one buffer two outputs.

// CHECK-LABEL: func.func @returned() -> (memref<2xi8>, memref<2xi8>, memref<2xi8>) {
// CHECK: tinymo.kernel outs(%[[C:.+]] : memref<2xi8>) {
// CHECK-NEXT: tinymo.yield %c : tensor<2xi8>
// CHECK: func.return %x, %[[C]], %x
func.func @returned(%x: tensor<2xi8>) -> (tensor<2xi8>, tensor<2xi8>, tensor<2xi8>) {
  %c = "tosa.const"() <{values = dense<[3, 4]> : tensor<2xi8>}> : () -> tensor<2xi8>
  return %x, %c, %x : tensor<2xi8>, tensor<2xi8>, tensor<2xi8>
}

// -----

// State stays outside of buffers: a variable, and a kernel that is there for its effect.

// CHECK-LABEL: @state
// CHECK: %v = tosa.custom {domain_name = "TFL", implementation_attrs = "", operator_name = "VARIABLE"
// CHECK: tinymo.kernel ins(%x : memref<2xi32>) outs(%y : memref<2xi32>) {
// CHECK-NEXT: ^{{.+}}(%[[X:.+]]: tensor<2xi32>):
// CHECK-NEXT: tosa.add %v, %[[X]]
// CHECK: tinymo.kernel ins(%{{.+}}, %y : memref<i32>, memref<2xi32>) {
// CHECK: operator_name = "ASSIGN_VARIABLE"
func.func @state(%x: tensor<2xi32>) -> tensor<2xi32> {
  %v = tosa.custom {domain_name = "TFL", implementation_attrs = "", operator_name = "VARIABLE", tinymo.tensor = {name = "v"}} : () -> tensor<2xi32>
  %y = tinymo.kernel -> tensor<2xi32> {
    %0 = tosa.add %v, %x : (tensor<2xi32>, tensor<2xi32>) -> tensor<2xi32>
    tinymo.yield %0 : tensor<2xi32>
  }
  %h = tinymo.kernel -> tensor<i32> {
    %0 = tosa.custom {domain_name = "TFL", implementation_attrs = "", operator_name = "VAR_HANDLE"} : () -> tensor<i32>
    tinymo.yield %0 : tensor<i32>
  }
  tinymo.kernel {
    tosa.custom %h, %y {domain_name = "TFL", implementation_attrs = "", operator_name = "ASSIGN_VARIABLE"} : (tensor<i32>, tensor<2xi32>) -> ()
    tinymo.yield
  }
  return %y : tensor<2xi32>
}
