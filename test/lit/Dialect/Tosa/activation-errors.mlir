// RUN: tinymo-opt --verify-diagnostics --split-input-file %s | filecheck %s

// The sigmoid of integers is a table.

// CHECK: error: 'tosa.sigmoid' op operand 'input' at position 0 does not verify:
func.func @sigmoid(%x: tensor<4xi8>) -> tensor<4xi8> {
  %y = tosa.sigmoid %x : (tensor<4xi8>) -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// -----

// An activation is as large as its input.

// CHECK: error: 'tosa.tanh' op expected shape 4 of the result, got 5
func.func @tanh(%x: tensor<4xf32>) -> tensor<5xf32> {
  %y = tosa.tanh %x : (tensor<4xf32>) -> tensor<5xf32>
  return %y : tensor<5xf32>
}

// -----

// An entry for each of 256 values.

// CHECK: error: 'tosa.table' op expected shape 256 of the table, got 255
func.func @entries8(%x: tensor<4xi8>, %t: tensor<255xi8>) -> tensor<4xi8> {
  %y = tosa.table %x, %t : (tensor<4xi8>, tensor<255xi8>) -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// -----

// Values of 16 bits lie between two of 513 entries.

// CHECK: error: 'tosa.table' op expected shape 513 of the table, got 256
func.func @entries16(%x: tensor<4xi16>, %t: tensor<256xi16>) -> tensor<4xi32> {
  %y = tosa.table %x, %t : (tensor<4xi16>, tensor<256xi16>) -> tensor<4xi32>
  return %y : tensor<4xi32>
}

// -----

// What is between two entries of 16 bits needs more of them.

// CHECK: error: 'tosa.table' op expected a result of i32, got i16
func.func @result16(%x: tensor<4xi16>, %t: tensor<513xi16>) -> tensor<4xi16> {
  %y = tosa.table %x, %t : (tensor<4xi16>, tensor<513xi16>) -> tensor<4xi16>
  return %y : tensor<4xi16>
}

// -----

// Entries are of the type of the input.

// CHECK: error: 'tosa.table' op expected a table of i8, got i16
func.func @entry_type(%x: tensor<4xi8>, %t: tensor<256xi16>) -> tensor<4xi8> {
  %y = tosa.table %x, %t : (tensor<4xi8>, tensor<256xi16>) -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// -----

// A table of 32 bits would be too large.

// CHECK: error: 'tosa.table' op expected an input of 8 or 16 bits, got i32
func.func @wide(%x: tensor<4xi32>, %t: tensor<256xi32>) -> tensor<4xi32> {
  %y = tosa.table %x, %t : (tensor<4xi32>, tensor<256xi32>) -> tensor<4xi32>
  return %y : tensor<4xi32>
}

// -----

// A table changes values, not shapes.

// CHECK: error: 'tosa.table' op expected shape 4x6 of the result, got 6x4
func.func @table_shape(%x: tensor<4x6xi8>, %t: tensor<256xi8>) -> tensor<6x4xi8> {
  %y = tosa.table %x, %t : (tensor<4x6xi8>, tensor<256xi8>) -> tensor<6x4xi8>
  return %y : tensor<6x4xi8>
}
