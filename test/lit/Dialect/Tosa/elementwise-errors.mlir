// RUN: tinymo-opt --verify-diagnostics --split-input-file %s | filecheck %s

// Sizes that are neither the same nor 1.

// CHECK: error: 'tosa.maximum' op cannot broadcast shapes 4x6, 2x6
func.func @broadcast(%a: tensor<4x6xi8>, %b: tensor<2x6xi8>) -> tensor<4x6xi8> {
  %y = tosa.maximum %a, %b : (tensor<4x6xi8>, tensor<2x6xi8>) -> tensor<4x6xi8>
  return %y : tensor<4x6xi8>
}

// -----

// TOSA adds no dimensions.

// CHECK: error: 'tosa.maximum' op expected operands of one rank, got shapes 4x6, 6
func.func @rank(%a: tensor<4x6xi8>, %b: tensor<6xi8>) -> tensor<4x6xi8> {
  %y = tosa.maximum %a, %b : (tensor<4x6xi8>, tensor<6xi8>) -> tensor<4x6xi8>
  return %y : tensor<4x6xi8>
}

// -----

// The result of a stretched operand is as large as the other.

// CHECK: error: 'tosa.maximum' op expected shape 4x6 of the result, got 4x1
func.func @result(%a: tensor<4x1xi8>, %b: tensor<1x6xi8>) -> tensor<4x1xi8> {
  %y = tosa.maximum %a, %b : (tensor<4x1xi8>, tensor<1x6xi8>) -> tensor<4x1xi8>
  return %y : tensor<4x1xi8>
}

// -----

// No operand is converted.

// CHECK: error: 'tosa.minimum' op expected operands and result of one element type, got i8, i16 and i8
func.func @types(%a: tensor<4x6xi8>, %b: tensor<4x6xi16>) -> tensor<4x6xi8> {
  %y = tosa.minimum %a, %b : (tensor<4x6xi8>, tensor<4x6xi16>) -> tensor<4x6xi8>
  return %y : tensor<4x6xi8>
}

// -----

// Nor is a result.

// CHECK: error: 'tosa.abs' op expected a result of i8, got i16
func.func @unary_type(%a: tensor<4x6xi8>) -> tensor<4x6xi16> {
  %y = tosa.abs %a : (tensor<4x6xi8>) -> tensor<4x6xi16>
  return %y : tensor<4x6xi16>
}

// -----

// One result for each element.

// CHECK: error: 'tosa.abs' op expected shape 4x6 of the result, got 4x5
func.func @unary_shape(%a: tensor<4x6xi8>) -> tensor<4x5xi8> {
  %y = tosa.abs %a : (tensor<4x6xi8>) -> tensor<4x5xi8>
  return %y : tensor<4x5xi8>
}

// -----

// Logic is of booleans.

// CHECK: error: 'tosa.logical_and' op operand 'input1' at position 0 does not verify:
func.func @logical(%a: tensor<4xi8>, %b: tensor<4xi8>) -> tensor<4xi8> {
  %y = tosa.logical_and %a, %b : (tensor<4xi8>, tensor<4xi8>) -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// -----

// The exponential is of floats.

// CHECK: error: 'tosa.exp' op operand 'input1' at position 0 does not verify:
func.func @float(%a: tensor<4xi8>) -> tensor<4xi8> {
  %y = tosa.exp %a : (tensor<4xi8>) -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// -----

// Leading zeros are those of 32 bits.

// CHECK: error: 'tosa.clz' op operand 'input1' at position 0 does not verify:
func.func @word(%a: tensor<4xi8>) -> tensor<4xi8> {
  %y = tosa.clz %a : (tensor<4xi8>) -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// -----

// A zero point is one number.

// CHECK: error: 'tosa.negate' op expected shape 1 of input1_zp, got 6
func.func @negate(%x: tensor<6xi8>, %zps: tensor<6xi8>) -> tensor<6xi8> {
  %y = tosa.negate %x, %zps, %zps : (tensor<6xi8>, tensor<6xi8>, tensor<6xi8>) -> tensor<6xi8>
  return %y : tensor<6xi8>
}

// -----

// A zero point is of the type of its tensor.

// CHECK: error: 'tosa.negate' op expected output_zp of i8, got i32
func.func @negate_type(%x: tensor<6xi8>, %zp: tensor<1xi8>, %zp2: tensor<1xi32>) -> tensor<6xi8> {
  %y = tosa.negate %x, %zp, %zp2 : (tensor<6xi8>, tensor<1xi8>, tensor<1xi32>) -> tensor<6xi8>
  return %y : tensor<6xi8>
}

// -----

// Negation converts nothing.

// CHECK: error: 'tosa.negate' op expected a result of i8, got i16
func.func @negate_result(%x: tensor<6xi8>, %zp: tensor<1xi8>) -> tensor<6xi16> {
  %y = tosa.negate %x, %zp, %zp : (tensor<6xi8>, tensor<1xi8>, tensor<1xi8>) -> tensor<6xi16>
  return %y : tensor<6xi16>
}
