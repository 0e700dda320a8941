// RUN: tinymo-opt %s | tinymo-opt | filecheck %s
// RUN: tinymo-opt --print-op-generic %s | tinymo-opt | filecheck %s
// RUN: tinymo-opt --print-op-generic %s | filecheck %s --check-prefix=GENERIC
// RUN: tinymo-opt -p dce %s | filecheck %s --check-prefix=CLEAN

// One call at run time: what it reads comes from outside, what it yields is in memory.

// CHECK-LABEL: @one_result
// CHECK-NEXT: %y = tinymo.kernel -> tensor<4xi8> {
// CHECK-NEXT: %[[INNER:.+]] = tosa.bitwise_not %x : (tensor<4xi8>) -> tensor<4xi8>
// CHECK-NEXT: tinymo.yield %[[INNER]] : tensor<4xi8>
// CHECK-NEXT: }
// GENERIC: %y = "tinymo.kernel"() <{operandSegmentSizes = array<i32: 0, 0>}> ({
// GENERIC: "tinymo.yield"(%{{.+}}) : (tensor<4xi8>) -> ()
// GENERIC-NEXT: }) : () -> tensor<4xi8>
func.func @one_result(%x: tensor<4xi8>) -> tensor<4xi8> {
  %y = tinymo.kernel -> tensor<4xi8> {
    %0 = tosa.bitwise_not %x : (tensor<4xi8>) -> tensor<4xi8>
    tinymo.yield %0 : tensor<4xi8>
  }
  return %y : tensor<4xi8>
}

// Several results, and attributes of the kernel itself.

// CHECK-LABEL: @two_results
// CHECK-NEXT: %a, %b = tinymo.kernel -> tensor<4xi8>, tensor<4xi8> {
// CHECK: tinymo.yield %{{.+}}, %{{.+}} : tensor<4xi8>, tensor<4xi8>
// CHECK-NEXT: } {test.note = "two"}
func.func @two_results(%x: tensor<4xi8>) -> (tensor<4xi8>, tensor<4xi8>) {
  %a, %b = tinymo.kernel -> tensor<4xi8>, tensor<4xi8> {
    %0 = tosa.bitwise_not %x : (tensor<4xi8>) -> tensor<4xi8>
    %1 = tosa.abs %x : (tensor<4xi8>) -> tensor<4xi8>
    tinymo.yield %0, %1 : tensor<4xi8>, tensor<4xi8>
  } {test.note = "two"}
  return %a, %b : tensor<4xi8>, tensor<4xi8>
}

// A kernel may yield nothing: then it is there for the side effect inside, and stays.

// CHECK-LABEL: @no_result
// CHECK: tinymo.kernel {
// CHECK: tinymo.yield
// CHECK-NEXT: }
// CLEAN-LABEL: @no_result
// CLEAN-NEXT: tinymo.kernel {
// CLEAN-NEXT: tosa.custom
// CLEAN-NEXT: tinymo.yield
// CLEAN-NEXT: }
// CLEAN-NEXT: return
func.func @no_result(%x: tensor<4xi8>) {
  tinymo.kernel {
    tosa.custom %x {domain_name = "TFL", implementation_attrs = "", operator_name = "ASSIGN_VARIABLE"} : (tensor<4xi8>) -> ()
    tinymo.yield
  }
  return
}

// On buffers a kernel reads what its block takes and stores what it yields. That is an effect: it stays, although
// nothing reads the buffer.

// CHECK-LABEL: @buffers
// CHECK: tinymo.kernel ins(%x : memref<4xi8>) outs(%y : memref<4xi8>) {
// CHECK-NEXT: ^{{.+}}(%{{.+}}: tensor<4xi8>):
// CHECK: tinymo.yield
// CLEAN-LABEL: @buffers
// CLEAN: tinymo.input %x {index = 0 : i64} : memref<4xi8>
// CLEAN: tinymo.kernel ins
func.func @buffers() {
  %x = memref.alloc() : memref<4xi8>
  tinymo.input %x {index = 0 : i64} : memref<4xi8>
  %y = memref.alloc() : memref<4xi8>
  tinymo.kernel ins(%x : memref<4xi8>) outs(%y : memref<4xi8>) {
  ^bb0(%t: tensor<4xi8>):
    %0 = tosa.bitwise_not %t : (tensor<4xi8>) -> tensor<4xi8>
    tinymo.yield %0 : tensor<4xi8>
  }
  return
}
