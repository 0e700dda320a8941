// RUN: tinymo-opt %s | tinymo-opt | filecheck %s
// RUN: tinymo-opt --print-op-generic %s | tinymo-opt | filecheck %s

// Twice as large: the result begins and ends where the input does, so that (4 - 1) * 2 - 0 + 1 = 7 steps make 8 rows.

// CHECK-LABEL: @nearest
// CHECK: tosa.resize %x, %scale, %offset, %border {mode = NEAREST_NEIGHBOR} : (tensor<1x4x4x2xi8>, !tosa.shape<4>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<1x8x8x2xi8>
func.func @nearest(%x: tensor<1x4x4x2xi8>) -> tensor<1x8x8x2xi8> {
  %scale = tosa.const_shape {values = dense<[2, 1, 2, 1]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %offset = tosa.const_shape {values = dense<0> : tensor<2xindex>} : () -> !tosa.shape<2>
  %border = tosa.const_shape {values = dense<1> : tensor<2xindex>} : () -> !tosa.shape<2>
  %y = tosa.resize %x, %scale, %offset, %border {mode = NEAREST_NEIGHBOR} : (tensor<1x4x4x2xi8>, !tosa.shape<4>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<1x8x8x2xi8>
  return %y : tensor<1x8x8x2xi8>
}

// Centers of elements on centers of elements: a scale of 4/2, half an element before. Products of 8 bits are of i32.

// CHECK-LABEL: @bilinear
// CHECK: tosa.resize %x, %scale, %offset, %border {mode = BILINEAR} : (tensor<1x4x4x2xi8>, !tosa.shape<4>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<1x8x8x2xi32>
func.func @bilinear(%x: tensor<1x4x4x2xi8>) -> tensor<1x8x8x2xi32> {
  %scale = tosa.const_shape {values = dense<[4, 2, 4, 2]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %offset = tosa.const_shape {values = dense<-1> : tensor<2xindex>} : () -> !tosa.shape<2>
  %border = tosa.const_shape {values = dense<1> : tensor<2xindex>} : () -> !tosa.shape<2>
  %y = tosa.resize %x, %scale, %offset, %border {mode = BILINEAR} : (tensor<1x4x4x2xi8>, !tosa.shape<4>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<1x8x8x2xi32>
  return %y : tensor<1x8x8x2xi32>
}

// Products of 16 bits are of i48.

// CHECK-LABEL: @bilinear16
// CHECK: tosa.resize %x, %scale, %offset, %border {mode = BILINEAR} : (tensor<1x4x4x2xi16>, !tosa.shape<4>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<1x8x8x2xi48>
func.func @bilinear16(%x: tensor<1x4x4x2xi16>) -> tensor<1x8x8x2xi48> {
  %scale = tosa.const_shape {values = dense<[4, 2, 4, 2]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %offset = tosa.const_shape {values = dense<-1> : tensor<2xindex>} : () -> !tosa.shape<2>
  %border = tosa.const_shape {values = dense<1> : tensor<2xindex>} : () -> !tosa.shape<2>
  %y = tosa.resize %x, %scale, %offset, %border {mode = BILINEAR} : (tensor<1x4x4x2xi16>, !tosa.shape<4>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<1x8x8x2xi48>
  return %y : tensor<1x8x8x2xi48>
}

// Floats stay floats. Rows and columns have scales of their own: 7 rows, and every other column.

// CHECK-LABEL: @bilinear_float
// CHECK: tosa.resize %x, %scale, %offset, %border {mode = BILINEAR} : (tensor<1x4x5x2xf32>, !tosa.shape<4>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<1x7x3x2xf32>
func.func @bilinear_float(%x: tensor<1x4x5x2xf32>) -> tensor<1x7x3x2xf32> {
  %scale = tosa.const_shape {values = dense<[2, 1, 1, 2]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %offset = tosa.const_shape {values = dense<0> : tensor<2xindex>} : () -> !tosa.shape<2>
  %border = tosa.const_shape {values = dense<0> : tensor<2xindex>} : () -> !tosa.shape<2>
  %y = tosa.resize %x, %scale, %offset, %border {mode = BILINEAR} : (tensor<1x4x5x2xf32>, !tosa.shape<4>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<1x7x3x2xf32>
  return %y : tensor<1x7x3x2xf32>
}

// Without constants nothing about the size of the result is known.

// CHECK-LABEL: @not_constant
// CHECK: tosa.resize %x, %scale, %offset, %border {mode = BILINEAR} : (tensor<1x4x5x2xf32>, !tosa.shape<4>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<1x7x3x2xf32>
func.func @not_constant(%x: tensor<1x4x5x2xf32>, %scale: !tosa.shape<4>, %offset: !tosa.shape<2>, %border: !tosa.shape<2>) -> tensor<1x7x3x2xf32> {
  %y = tosa.resize %x, %scale, %offset, %border {mode = BILINEAR} : (tensor<1x4x5x2xf32>, !tosa.shape<4>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<1x7x3x2xf32>
  return %y : tensor<1x7x3x2xf32>
}
