// RUN: tinymo-opt --bufferize=sharing=none %s 2>&1 | filecheck %s --check-prefixes=CHECK,NONE
// RUN: tinymo-opt --bufferize=kernels=unknown %s 2>&1 | filecheck %s --check-prefixes=CHECK,NONE
// RUN: tinymo-opt --bufferize=sharing=views %s 2>&1 | filecheck %s --check-prefixes=CHECK,VIEWS
// RUN: tinymo-opt --bufferize %s 2>&1 | filecheck %s --check-prefixes=CHECK,ALL
// RUN: tinymo-opt --bufferize=sharing=all %s 2>&1 | filecheck %s --check-prefixes=CHECK,ALL
// RUN: tinymo-opt --bufferize=sharing=all,kernels=cmsis-nn %s 2>&1 | filecheck %s --check-prefixes=CHECK,VIEWS
// RUN: not tinymo-opt --bufferize=alignment=0 %s 2>&1 | filecheck %s --check-prefix=ALIGNMENT
// RUN: not tinymo-opt --bufferize=sharing=some %s 2>&1 | filecheck %s --check-prefix=SHARING

// Views need not be copied, and leave results bytes of their own. By default results lie on their operands where that
// lowers the peak, as it does here, and the kernels must allow it: those of CMSIS-NN have no MAXIMUM in place. Nothing
// is known of unknown kernels.

// ALIGNMENT: pass 'bufferize': alignment is 0, but must be at least 1
// SHARING: option 'sharing' of pass 'bufferize' takes none or views or at-peaks or all, not 'some'

// NONE: 16 bytes are copied in one place
// VIEWS: nothing is copied
// ALL: nothing is copied
// CHECK: %x = memref.alloc()
// VIEWS: %flat = memref.reinterpret_cast %x
// VIEWS-NEXT: %y = memref.alloc()
// NONE: %flat = memref.alloc()
// NONE: tosa.reshape
// NONE: %y = memref.alloc()
// ALL: %flat = memref.reinterpret_cast %x
// ALL-NEXT: %y = memref.reinterpret_cast %x
// CHECK: tosa.maximum
func.func @main(%x: tensor<4x4xi8>) -> tensor<16xi8> {
  %shape = tosa.const_shape {values = dense<16> : tensor<1xindex>} : () -> !tosa.shape<1>
  %c = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %flat = tinymo.kernel -> tensor<16xi8> {
    %0 = tosa.reshape %x, %shape : (tensor<4x4xi8>, !tosa.shape<1>) -> tensor<16xi8>
    tinymo.yield %0 : tensor<16xi8>
  }
  %y = tinymo.kernel -> tensor<16xi8> {
    %0 = tosa.maximum %flat, %c {tinymo.operator = {name = "MAXIMUM"}} : (tensor<16xi8>, tensor<1xi8>) -> tensor<16xi8>
    tinymo.yield %0 : tensor<16xi8>
  }
  return %y : tensor<16xi8>
}
