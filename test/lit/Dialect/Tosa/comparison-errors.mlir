// RUN: tinymo-opt --verify-diagnostics --split-input-file %s | filecheck %s

// The result of a comparison is a boolean.

// CHECK: error: 'tosa.greater' op result 'output' at position 0 does not verify:
func.func @boolean(%a: tensor<4xi8>, %b: tensor<4xi8>) -> tensor<4xi8> {
  %y = tosa.greater %a, %b : (tensor<4xi8>, tensor<4xi8>) -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// -----

// Elements of two types do not compare.

// CHECK: error: 'tosa.greater' op expected operands of one element type, got i8 and i16
func.func @types(%a: tensor<4xi8>, %b: tensor<4xi16>) -> tensor<4xi1> {
  %y = tosa.greater %a, %b : (tensor<4xi8>, tensor<4xi16>) -> tensor<4xi1>
  return %y : tensor<4xi1>
}

// -----

// One boolean for each pair.

// CHECK: error: 'tosa.equal' op expected shape 4x6 of the result, got 4x1
func.func @shape(%a: tensor<4x1xi8>, %b: tensor<1x6xi8>) -> tensor<4x1xi1> {
  %y = tosa.equal %a, %b : (tensor<4x1xi8>, tensor<1x6xi8>) -> tensor<4x1xi1>
  return %y : tensor<4x1xi1>
}

// -----

// Both choices are of the type of the result.

// CHECK: error: 'tosa.select' op expected values and result of one element type, got i8, i16, i8
func.func @select_types(%condition: tensor<4xi1>, %a: tensor<4xi8>, %b: tensor<4xi16>) -> tensor<4xi8> {
  %y = tosa.select %condition, %a, %b : (tensor<4xi1>, tensor<4xi8>, tensor<4xi16>) -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// -----

// Conditions for other rows.

// CHECK: error: 'tosa.select' op cannot broadcast shapes 3x1, 4x6, 4x6
func.func @select_shape(%condition: tensor<3x1xi1>, %a: tensor<4x6xi8>, %b: tensor<4x6xi8>) -> tensor<4x6xi8> {
  %y = tosa.select %condition, %a, %b : (tensor<3x1xi1>, tensor<4x6xi8>, tensor<4x6xi8>) -> tensor<4x6xi8>
  return %y : tensor<4x6xi8>
}

// -----

// A choice for each condition.

// CHECK: error: 'tosa.select' op expected shape 4x6 of the result, got 4x1
func.func @select_result(%condition: tensor<4x1xi1>, %a: tensor<4x6xi8>, %b: tensor<4x6xi8>) -> tensor<4x1xi8> {
  %y = tosa.select %condition, %a, %b : (tensor<4x1xi1>, tensor<4x6xi8>, tensor<4x6xi8>) -> tensor<4x1xi8>
  return %y : tensor<4x1xi8>
}
