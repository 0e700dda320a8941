// RUN: tinymo-opt --verify-diagnostics --split-input-file %s | filecheck %s

// A shape of another number of elements.

// CHECK: error: 'tosa.reshape' op cannot reshape 4x6 to 5x5: other element count
func.func @reshape_count(%x: tensor<4x6xi8>) -> tensor<5x5xi8> {
  %shape = tosa.const_shape {values = dense<5> : tensor<2xindex>} : () -> !tosa.shape<2>
  %y = tosa.reshape %x, %shape : (tensor<4x6xi8>, !tosa.shape<2>) -> tensor<5x5xi8>
  return %y : tensor<5x5xi8>
}

// -----

// A result of another shape than the operand says.

// CHECK: error: 'tosa.reshape' op expected shape 2x12 of the result, got 3x8
func.func @reshape_shape(%x: tensor<4x6xi8>) -> tensor<3x8xi8> {
  %shape = tosa.const_shape {values = dense<[2, 12]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %y = tosa.reshape %x, %shape : (tensor<4x6xi8>, !tosa.shape<2>) -> tensor<3x8xi8>
  return %y : tensor<3x8xi8>
}

// -----

// A reshape does not convert.

// CHECK: error: 'tosa.reshape' op expected a result of i8, got i16
func.func @reshape_type(%x: tensor<4x6xi8>) -> tensor<2x12xi16> {
  %shape = tosa.const_shape {values = dense<[2, 12]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %y = tosa.reshape %x, %shape : (tensor<4x6xi8>, !tosa.shape<2>) -> tensor<2x12xi16>
  return %y : tensor<2x12xi16>
}

// -----

// A dimension named twice.

// CHECK: error: 'tosa.transpose' op expected perms to be a permutation of 2 dimensions, got [0, 0]
func.func @perms(%x: tensor<4x6xi8>) -> tensor<4x4xi8> {
  %y = tosa.transpose %x {perms = array<i32: 0, 0>} : (tensor<4x6xi8>) -> tensor<4x4xi8>
  return %y : tensor<4x4xi8>
}

// -----

// A transposition in name only.

// CHECK: error: 'tosa.transpose' op expected shape 6x4 of the result, got 4x6
func.func @transpose_shape(%x: tensor<4x6xi8>) -> tensor<4x6xi8> {
  %y = tosa.transpose %x {perms = array<i32: 1, 0>} : (tensor<4x6xi8>) -> tensor<4x6xi8>
  return %y : tensor<4x6xi8>
}

// -----

// A frame cannot cut.

// CHECK: error: 'tosa.pad' op expected padding >= 0, got [0, -2, 0, 0]
func.func @negative_padding(%x: tensor<4x6xi8>, %zero: tensor<1xi8>) -> tensor<2x6xi8> {
  %padding = tosa.const_shape {values = dense<[0, -2, 0, 0]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %y = tosa.pad %x, %padding, %zero : (tensor<4x6xi8>, !tosa.shape<4>, tensor<1xi8>) -> tensor<2x6xi8>
  return %y : tensor<2x6xi8>
}

// -----

// Two sizes for each dimension.

// CHECK: error: 'tosa.pad' op expected 4 values of padding for a tensor of rank 2, got 2
func.func @few_paddings(%x: tensor<4x6xi8>, %zero: tensor<1xi8>) -> tensor<6x6xi8> {
  %padding = tosa.const_shape {values = dense<1> : tensor<2xindex>} : () -> !tosa.shape<2>
  %y = tosa.pad %x, %padding, %zero : (tensor<4x6xi8>, !tosa.shape<2>, tensor<1xi8>) -> tensor<6x6xi8>
  return %y : tensor<6x6xi8>
}

// -----

// The frame is filled with elements of the tensor.

// CHECK: error: 'tosa.pad' op expected pad_const of i8, got i32
func.func @pad_type(%x: tensor<4x6xi8>, %zero: tensor<1xi32>) -> tensor<5x8xi8> {
  %padding = tosa.const_shape {values = dense<[1, 0, 0, 2]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %y = tosa.pad %x, %padding, %zero : (tensor<4x6xi8>, !tosa.shape<4>, tensor<1xi32>) -> tensor<5x8xi8>
  return %y : tensor<5x8xi8>
}

// -----

// The frame adds its sizes.

// CHECK: error: 'tosa.pad' op expected shape 5x8 of the result, got 5x7
func.func @pad_shape(%x: tensor<4x6xi8>, %zero: tensor<1xi8>) -> tensor<5x7xi8> {
  %padding = tosa.const_shape {values = dense<[1, 0, 0, 2]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %y = tosa.pad %x, %padding, %zero : (tensor<4x6xi8>, !tosa.shape<4>, tensor<1xi8>) -> tensor<5x7xi8>
  return %y : tensor<5x7xi8>
}

// -----

// Columns 4 to 7 of 6.

// CHECK: error: 'tosa.slice' op expected start + size <= 6 in dimension 1, got 4 + 3 = 7
func.func @slice_end(%x: tensor<4x6xi8>) -> tensor<4x3xi8> {
  %start = tosa.const_shape {values = dense<[0, 4]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %size = tosa.const_shape {values = dense<[4, 3]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %y = tosa.slice %x, %start, %size : (tensor<4x6xi8>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<4x3xi8>
  return %y : tensor<4x3xi8>
}

// -----

// A block before the tensor.

// CHECK: error: 'tosa.slice' op expected start >= 0 and size >= 1 in dimension 0, got -2 and 4
func.func @slice_start(%x: tensor<4x6xi8>) -> tensor<4x3xi8> {
  %start = tosa.const_shape {values = dense<[-2, 0]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %size = tosa.const_shape {values = dense<[4, 3]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %y = tosa.slice %x, %start, %size : (tensor<4x6xi8>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<4x3xi8>
  return %y : tensor<4x3xi8>
}

// -----

// A block without a row.

// CHECK: error: 'tosa.slice' op expected start >= 0 and size >= 1 in dimension 0, got 0 and 0
func.func @slice_empty(%x: tensor<4x6xi8>) -> tensor<0x3xi8> {
  %start = tosa.const_shape {values = dense<0> : tensor<2xindex>} : () -> !tosa.shape<2>
  %size = tosa.const_shape {values = dense<[0, 3]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %y = tosa.slice %x, %start, %size : (tensor<4x6xi8>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<0x3xi8>
  return %y : tensor<0x3xi8>
}

// -----

// A block of one dimension.

// CHECK: error: 'tosa.slice' op expected a start and a size for each of 2 dimensions
func.func @slice_rank(%x: tensor<4x6xi8>) -> tensor<2xi8> {
  %start = tosa.const_shape {values = dense<0> : tensor<1xindex>} : () -> !tosa.shape<1>
  %size = tosa.const_shape {values = dense<2> : tensor<1xindex>} : () -> !tosa.shape<1>
  %y = tosa.slice %x, %start, %size : (tensor<4x6xi8>, !tosa.shape<1>, !tosa.shape<1>) -> tensor<2xi8>
  return %y : tensor<2xi8>
}

// -----

// Rows that are not there.

// CHECK: error: 'tosa.tile' op expected shape 8x18 of the result, got 4x18
func.func @tile_shape(%x: tensor<4x6xi8>) -> tensor<4x18xi8> {
  %multiples = tosa.const_shape {values = dense<[2, 3]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %y = tosa.tile %x, %multiples : (tensor<4x6xi8>, !tosa.shape<2>) -> tensor<4x18xi8>
  return %y : tensor<4x18xi8>
}

// -----

// Not even once.

// CHECK: error: 'tosa.tile' op expected multiples >= 1, got [0, 1]
func.func @tile_zero(%x: tensor<4x6xi8>) -> tensor<0x6xi8> {
  %multiples = tosa.const_shape {values = dense<[0, 1]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %y = tosa.tile %x, %multiples : (tensor<4x6xi8>, !tosa.shape<2>) -> tensor<0x6xi8>
  return %y : tensor<0x6xi8>
}

// -----

// A multiple for each dimension.

// CHECK: error: 'tosa.tile' op expected 2 multiples, got 1
func.func @tile_rank(%x: tensor<4x6xi8>) -> tensor<8x6xi8> {
  %multiples = tosa.const_shape {values = dense<2> : tensor<1xindex>} : () -> !tosa.shape<1>
  %y = tosa.tile %x, %multiples : (tensor<4x6xi8>, !tosa.shape<1>) -> tensor<8x6xi8>
  return %y : tensor<8x6xi8>
}

// -----

// Dimensions count from 0.

// CHECK: error: 'tosa.reverse' op expected an axis of 0 to 1, got 2
func.func @reverse_axis(%x: tensor<4x6xi8>) -> tensor<4x6xi8> {
  %y = tosa.reverse %x {axis = 2 : i32} : (tensor<4x6xi8>) -> tensor<4x6xi8>
  return %y : tensor<4x6xi8>
}

// -----

// Indices for another batch.

// CHECK: error: 'tosa.gather' op expected shape 1x3 of indices, got 2x3
func.func @gather_batch(%values: tensor<1x5x2xi8>, %indices: tensor<2x3xi32>) -> tensor<2x3x2xi8> {
  %y = tosa.gather %values, %indices : (tensor<1x5x2xi8>, tensor<2x3xi32>) -> tensor<2x3x2xi8>
  return %y : tensor<2x3x2xi8>
}

// -----

// As many vectors as indices.

// CHECK: error: 'tosa.gather' op expected shape 1x3x2 of the result, got 1x5x2
func.func @gather_shape(%values: tensor<1x5x2xi8>, %indices: tensor<1x3xi32>) -> tensor<1x5x2xi8> {
  %y = tosa.gather %values, %indices : (tensor<1x5x2xi8>, tensor<1x3xi32>) -> tensor<1x5x2xi8>
  return %y : tensor<1x5x2xi8>
}

// -----

// Vectors of another length.

// CHECK: error: 'tosa.scatter' op expected shape 1x3x2 of input, got 1x3x4
func.func @scatter_input(%values: tensor<1x5x2xi8>, %indices: tensor<1x3xi32>, %input: tensor<1x3x4xi8>) -> tensor<1x5x2xi8> {
  %y = tosa.scatter %values, %indices, %input : (tensor<1x5x2xi8>, tensor<1x3xi32>, tensor<1x3x4xi8>) -> tensor<1x5x2xi8>
  return %y : tensor<1x5x2xi8>
}

// -----

// Operands of a shape that are no shape.

// CHECK: error: 'tosa.reshape' op operand 'shape' at position 1 does not verify:
func.func @no_shape(%x: tensor<4x6xi8>, %shape: tensor<2xi32>) -> tensor<2x12xi8> {
  %y = tosa.reshape %x, %shape : (tensor<4x6xi8>, tensor<2xi32>) -> tensor<2x12xi8>
  return %y : tensor<2x12xi8>
}

// -----

// What is done nothing with stays as it is.

// CHECK: error: 'tosa.identity' op expected shape 4x6 of the result, got 6x4
func.func @identity(%x: tensor<4x6xi8>) -> tensor<6x4xi8> {
  %y = tosa.identity %x : (tensor<4x6xi8>) -> tensor<6x4xi8>
  return %y : tensor<6x4xi8>
}

// -----

// A block of the size that was asked for.

// CHECK: error: 'tosa.slice' op expected shape 2x3 of the result, got 3x3
func.func @slice_shape(%x: tensor<4x6xi8>) -> tensor<3x3xi8> {
  %start = tosa.const_shape {values = dense<[1, 3]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %size = tosa.const_shape {values = dense<[2, 3]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %y = tosa.slice %x, %start, %size : (tensor<4x6xi8>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<3x3xi8>
  return %y : tensor<3x3xi8>
}

// -----

// Elements in reverse order are as many as before.

// CHECK: error: 'tosa.reverse' op expected shape 4x6 of the result, got 4x5
func.func @reverse_shape(%x: tensor<4x6xi8>) -> tensor<4x5xi8> {
  %y = tosa.reverse %x {axis = 1 : i32} : (tensor<4x6xi8>) -> tensor<4x5xi8>
  return %y : tensor<4x5xi8>
}

// -----

// Vectors come in batches.

// CHECK: error: 'tosa.gather' op expected values of rank 3, got shape 5x2
func.func @gather_values(%values: tensor<5x2xi8>, %indices: tensor<1x3xi32>) -> tensor<1x3x2xi8> {
  %y = tosa.gather %values, %indices : (tensor<5x2xi8>, tensor<1x3xi32>) -> tensor<1x3x2xi8>
  return %y : tensor<1x3x2xi8>
}

// -----

// So do indices.

// CHECK: error: 'tosa.gather' op expected indices of rank 2, got shape 3
func.func @gather_indices(%values: tensor<1x5x2xi8>, %indices: tensor<3xi32>) -> tensor<1x3x2xi8> {
  %y = tosa.gather %values, %indices : (tensor<1x5x2xi8>, tensor<3xi32>) -> tensor<1x3x2xi8>
  return %y : tensor<1x3x2xi8>
}

// -----

// Picking converts nothing.

// CHECK: error: 'tosa.gather' op expected a result of i8, got i16
func.func @gather_type(%values: tensor<1x5x2xi8>, %indices: tensor<1x3xi32>) -> tensor<1x3x2xi16> {
  %y = tosa.gather %values, %indices : (tensor<1x5x2xi8>, tensor<1x3xi32>) -> tensor<1x3x2xi16>
  return %y : tensor<1x3x2xi16>
}

// -----

// Vectors to replace come in batches.

// CHECK: error: 'tosa.scatter' op expected values_in of rank 3, got shape 5x2
func.func @scatter_values(%values: tensor<5x2xi8>, %indices: tensor<1x3xi32>, %input: tensor<1x3x2xi8>) -> tensor<5x2xi8> {
  %y = tosa.scatter %values, %indices, %input : (tensor<5x2xi8>, tensor<1x3xi32>, tensor<1x3x2xi8>) -> tensor<5x2xi8>
  return %y : tensor<5x2xi8>
}

// -----

// So do the indices of those.

// CHECK: error: 'tosa.scatter' op expected indices of rank 2, got shape 3
func.func @scatter_indices(%values: tensor<1x5x2xi8>, %indices: tensor<3xi32>, %input: tensor<1x3x2xi8>) -> tensor<1x5x2xi8> {
  %y = tosa.scatter %values, %indices, %input : (tensor<1x5x2xi8>, tensor<3xi32>, tensor<1x3x2xi8>) -> tensor<1x5x2xi8>
  return %y : tensor<1x5x2xi8>
}

// -----

// Indices for another batch than the vectors.

// CHECK: error: 'tosa.scatter' op expected shape 1x3 of indices, got 2x3
func.func @scatter_batch(%values: tensor<1x5x2xi8>, %indices: tensor<2x3xi32>, %input: tensor<1x3x2xi8>) -> tensor<1x5x2xi8> {
  %y = tosa.scatter %values, %indices, %input : (tensor<1x5x2xi8>, tensor<2x3xi32>, tensor<1x3x2xi8>) -> tensor<1x5x2xi8>
  return %y : tensor<1x5x2xi8>
}

// -----

// Vectors of another type.

// CHECK: error: 'tosa.scatter' op expected input of i8, got i16
func.func @scatter_type(%values: tensor<1x5x2xi8>, %indices: tensor<1x3xi32>, %input: tensor<1x3x2xi16>) -> tensor<1x5x2xi8> {
  %y = tosa.scatter %values, %indices, %input : (tensor<1x5x2xi8>, tensor<1x3xi32>, tensor<1x3x2xi16>) -> tensor<1x5x2xi8>
  return %y : tensor<1x5x2xi8>
}

// -----

// As many vectors as before.

// CHECK: error: 'tosa.scatter' op expected shape 1x5x2 of the result, got 1x3x2
func.func @scatter_result(%values: tensor<1x5x2xi8>, %indices: tensor<1x3xi32>, %input: tensor<1x3x2xi8>) -> tensor<1x3x2xi8> {
  %y = tosa.scatter %values, %indices, %input : (tensor<1x5x2xi8>, tensor<1x3xi32>, tensor<1x3x2xi8>) -> tensor<1x3x2xi8>
  return %y : tensor<1x3x2xi8>
}
