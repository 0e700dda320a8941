// RUN: tinymo-opt --verify-diagnostics --split-input-file %s | filecheck %s

// The last element read has to be whole: half an element is left.

// CHECK: error: 'tosa.resize' op expected a multiple of 2, got (size 4 - 1) * 3 - offset 0 + border 0 = 9
func.func @whole(%x: tensor<1x4x4x2xi8>) -> tensor<1x5x5x2xi8> {
  %scale = tosa.const_shape {values = dense<[3, 2, 3, 2]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %offset = tosa.const_shape {values = dense<0> : tensor<2xindex>} : () -> !tosa.shape<2>
  %border = tosa.const_shape {values = dense<0> : tensor<2xindex>} : () -> !tosa.shape<2>
  %y = tosa.resize %x, %scale, %offset, %border {mode = NEAREST_NEIGHBOR} : (tensor<1x4x4x2xi8>, !tosa.shape<4>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<1x5x5x2xi8>
  return %y : tensor<1x5x5x2xi8>
}

// -----

// The result of another size.

// CHECK: error: 'tosa.resize' op expected shape 1x8x8x2 of the result, got 1x8x7x2
func.func @shape(%x: tensor<1x4x4x2xi8>) -> tensor<1x8x7x2xi8> {
  %scale = tosa.const_shape {values = dense<[2, 1, 2, 1]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %offset = tosa.const_shape {values = dense<0> : tensor<2xindex>} : () -> !tosa.shape<2>
  %border = tosa.const_shape {values = dense<1> : tensor<2xindex>} : () -> !tosa.shape<2>
  %y = tosa.resize %x, %scale, %offset, %border {mode = NEAREST_NEIGHBOR} : (tensor<1x4x4x2xi8>, !tosa.shape<4>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<1x8x7x2xi8>
  return %y : tensor<1x8x7x2xi8>
}

// -----

// Values between elements of 8 bits are of 32.

// CHECK: error: 'tosa.resize' op expected a result of i32, got i8
func.func @type(%x: tensor<1x4x4x2xi8>) -> tensor<1x8x8x2xi8> {
  %scale = tosa.const_shape {values = dense<[2, 1, 2, 1]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %offset = tosa.const_shape {values = dense<0> : tensor<2xindex>} : () -> !tosa.shape<2>
  %border = tosa.const_shape {values = dense<1> : tensor<2xindex>} : () -> !tosa.shape<2>
  %y = tosa.resize %x, %scale, %offset, %border {mode = BILINEAR} : (tensor<1x4x4x2xi8>, !tosa.shape<4>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<1x8x8x2xi8>
  return %y : tensor<1x8x8x2xi8>
}

// -----

// A scale is positive.

// CHECK: error: 'tosa.resize' op expected a positive scale, got 0/1
func.func @scale(%x: tensor<1x4x4x2xi8>) -> tensor<1x1x4x2xi8> {
  %scale = tosa.const_shape {values = dense<[0, 1, 1, 1]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %offset = tosa.const_shape {values = dense<0> : tensor<2xindex>} : () -> !tosa.shape<2>
  %border = tosa.const_shape {values = dense<0> : tensor<2xindex>} : () -> !tosa.shape<2>
  %y = tosa.resize %x, %scale, %offset, %border {mode = NEAREST_NEIGHBOR} : (tensor<1x4x4x2xi8>, !tosa.shape<4>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<1x1x4x2xi8>
  return %y : tensor<1x1x4x2xi8>
}

// -----

// An image shrinks to less than a sixteenth.

// CHECK: error: 'tosa.resize' op expected a numerator <= 2048 and a scale > 1/16, got 1/16
func.func @small(%x: tensor<1x4x4x2xi8>) -> tensor<1x2x4x2xi8> {
  %scale = tosa.const_shape {values = dense<[1, 16, 1, 1]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %offset = tosa.const_shape {values = dense<0> : tensor<2xindex>} : () -> !tosa.shape<2>
  %border = tosa.const_shape {values = dense<[13, 0]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %y = tosa.resize %x, %scale, %offset, %border {mode = NEAREST_NEIGHBOR} : (tensor<1x4x4x2xi8>, !tosa.shape<4>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<1x2x4x2xi8>
  return %y : tensor<1x2x4x2xi8>
}

// -----

// TOSA computes positions in 16 bits.

// CHECK: error: 'tosa.resize' op expected a numerator <= 2048 and a scale > 1/16, got 2049/1
func.func @large(%x: tensor<1x4x4x2xi8>) -> tensor<1x6148x4x2xi8> {
  %scale = tosa.const_shape {values = dense<[2049, 1, 1, 1]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %offset = tosa.const_shape {values = dense<0> : tensor<2xindex>} : () -> !tosa.shape<2>
  %border = tosa.const_shape {values = dense<0> : tensor<2xindex>} : () -> !tosa.shape<2>
  %y = tosa.resize %x, %scale, %offset, %border {mode = NEAREST_NEIGHBOR} : (tensor<1x4x4x2xi8>, !tosa.shape<4>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<1x6148x4x2xi8>
  return %y : tensor<1x6148x4x2xi8>
}

// -----

// The result begins within an element of the input.

// CHECK: error: 'tosa.resize' op expected an offset of -2 to 31, got -3
func.func @offset(%x: tensor<1x4x4x2xi8>) -> tensor<1x11x8x2xi8> {
  %scale = tosa.const_shape {values = dense<[2, 1, 2, 1]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %offset = tosa.const_shape {values = dense<[-3, 0]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %border = tosa.const_shape {values = dense<1> : tensor<2xindex>} : () -> !tosa.shape<2>
  %y = tosa.resize %x, %scale, %offset, %border {mode = NEAREST_NEIGHBOR} : (tensor<1x4x4x2xi8>, !tosa.shape<4>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<1x11x8x2xi8>
  return %y : tensor<1x11x8x2xi8>
}

// -----

// And ends within one.

// CHECK: error: 'tosa.resize' op expected a border of -32 to 1, got 2
func.func @border(%x: tensor<1x4x4x2xi8>) -> tensor<1x8x9x2xi8> {
  %scale = tosa.const_shape {values = dense<[2, 1, 2, 1]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %offset = tosa.const_shape {values = dense<0> : tensor<2xindex>} : () -> !tosa.shape<2>
  %border = tosa.const_shape {values = dense<[1, 2]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %y = tosa.resize %x, %scale, %offset, %border {mode = NEAREST_NEIGHBOR} : (tensor<1x4x4x2xi8>, !tosa.shape<4>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<1x8x9x2xi8>
  return %y : tensor<1x8x9x2xi8>
}

// -----

// An image has four dimensions.

// CHECK: error: 'tosa.resize' op expected an input of rank 4, got shape 4x4x2
func.func @rank(%x: tensor<4x4x2xi8>) -> tensor<8x8x2xi8> {
  %scale = tosa.const_shape {values = dense<[2, 1, 2, 1]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %offset = tosa.const_shape {values = dense<0> : tensor<2xindex>} : () -> !tosa.shape<2>
  %border = tosa.const_shape {values = dense<1> : tensor<2xindex>} : () -> !tosa.shape<2>
  %y = tosa.resize %x, %scale, %offset, %border {mode = NEAREST_NEIGHBOR} : (tensor<4x4x2xi8>, !tosa.shape<4>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<8x8x2xi8>
  return %y : tensor<8x8x2xi8>
}

// -----

// Four numbers of scale.

// CHECK: error: 'tosa.resize' op operand 'scale' at position 1 does not verify:
func.func @parameters(%x: tensor<1x4x4x2xi8>) -> tensor<1x8x8x2xi8> {
  %scale = tosa.const_shape {values = dense<[2, 1]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %offset = tosa.const_shape {values = dense<0> : tensor<2xindex>} : () -> !tosa.shape<2>
  %border = tosa.const_shape {values = dense<1> : tensor<2xindex>} : () -> !tosa.shape<2>
  %y = tosa.resize %x, %scale, %offset, %border {mode = NEAREST_NEIGHBOR} : (tensor<1x4x4x2xi8>, !tosa.shape<2>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<1x8x8x2xi8>
  return %y : tensor<1x8x8x2xi8>
}
