// RUN: tinymo-opt --verify-diagnostics --split-input-file %s | filecheck %s

// There is a result for each window.

// CHECK: error: 'tinymo.split' op has 2 windows but 1 results
func.func @count(%t: tensor<1x9xi8>) {
  %a = tinymo.split %t {axis = 1, windows = [[0, 5], [5, 9]]} : tensor<1x9xi8> -> (tensor<1x5xi8>)
  return
}

// -----

// A result is as long as its window.

// CHECK: error: 'tinymo.split' op window [0, 5] of tensor<1x9xi8> is tensor<1x5xi8>, not tensor<1x4xi8>
func.func @shape(%t: tensor<1x9xi8>) {
  %a = tinymo.split %t {axis = 1, windows = [[0, 5]]} : tensor<1x9xi8> -> (tensor<1x4xi8>)
  return
}

// -----

// Its elements are those of the source.

// CHECK: error: 'tinymo.split' op window [0, 5] of tensor<1x9xi8> is tensor<1x5xi8>, not tensor<1x5xi16>
func.func @type(%t: tensor<1x9xi8>) {
  %a = tinymo.split %t {axis = 1, windows = [[0, 5]]} : tensor<1x9xi8> -> (tensor<1x5xi16>)
  return
}

// -----

// A window ends in the tensor.

// CHECK: error: 'tinymo.split' op window [5, 10] does not lie in axis 1 of extent 9
func.func @beyond(%t: tensor<1x9xi8>) {
  %a = tinymo.split %t {axis = 1, windows = [[5, 10]]} : tensor<1x9xi8> -> (tensor<1x5xi8>)
  return
}

// -----

// It begins there, too.

// CHECK: error: 'tinymo.split' op window [-1, 4] does not lie in axis 1 of extent 9
func.func @before(%t: tensor<1x9xi8>) {
  %a = tinymo.split %t {axis = 1, windows = [[-1, 4]]} : tensor<1x9xi8> -> (tensor<1x5xi8>)
  return
}

// -----

// It is not empty.

// CHECK: error: 'tinymo.split' op window [4, 4] does not lie in axis 1 of extent 9
func.func @empty(%t: tensor<1x9xi8>) {
  %a = tinymo.split %t {axis = 1, windows = [[4, 4]]} : tensor<1x9xi8> -> (tensor<1x0xi8>)
  return
}

// -----

// It has a beginning and an end, and nothing else.

// CHECK: error: 'tinymo.split' op each window is a pair [low, high]
func.func @pair(%t: tensor<1x9xi8>) {
  %a = tinymo.split %t {axis = 1, windows = [[0, 4, 5]]} : tensor<1x9xi8> -> (tensor<1x4xi8>)
  return
}

// -----

// The axis is one of the tensor's.

// CHECK: error: 'tinymo.split' op axis 2 does not exist in tensor<1x9xi8>
func.func @axis(%t: tensor<1x9xi8>) {
  %a = tinymo.split %t {axis = 2, windows = [[0, 5]]} : tensor<1x9xi8> -> (tensor<1x5xi8>)
  return
}

// -----

// Axes do not count from behind.

// CHECK: error: 'tinymo.split' op axis -1 does not exist in tensor<1x9xi8>
func.func @negative_axis(%t: tensor<1x9xi8>) {
  %a = tinymo.split %t {axis = -1, windows = [[0, 5]]} : tensor<1x9xi8> -> (tensor<1x5xi8>)
  return
}

// -----

// Without windows there is nothing to do.

// CHECK: error: 'tinymo.split' op property 'windows' expected in operation 'tinymo.split'
func.func @missing(%t: tensor<1x9xi8>) {
  %a = tinymo.split %t {axis = 1} : tensor<1x9xi8> -> (tensor<1x5xi8>)
  return
}

// -----

// Parts add up to the whole.

// CHECK: error: 'tinymo.join' op the parts hold 10 along axis 1, the result 9
func.func @parts(%a: tensor<1x5xi8>) -> tensor<1x9xi8> {
  %y = tinymo.join %a, %a {axis = 1 : i64} : (tensor<1x5xi8>, tensor<1x5xi8>) -> tensor<1x9xi8>
  return %y : tensor<1x9xi8>
}

// -----

// Parts agree along the other axes.

// CHECK: error: 'tinymo.join' op a part of tensor<1x9xi8> along axis 1 is tensor<1x4xi8>, not tensor<2x4xi8>
func.func @other(%a: tensor<1x5xi8>, %b: tensor<2x4xi8>) -> tensor<1x9xi8> {
  %y = tinymo.join %a, %b {axis = 1 : i64} : (tensor<1x5xi8>, tensor<2x4xi8>) -> tensor<1x9xi8>
  return %y : tensor<1x9xi8>
}

// -----

// A part has the axis.

// CHECK: error: 'tinymo.join' op axis 1 does not exist in tensor<5xi8>
func.func @rank(%a: tensor<5xi8>) -> tensor<1x5xi8> {
  %y = tinymo.join %a {axis = 1 : i64} : (tensor<5xi8>) -> tensor<1x5xi8>
  return %y : tensor<1x5xi8>
}

// -----

// Something has to be joined.

// CHECK: error: 'tinymo.join' op joins at least one part
func.func @nothing() -> tensor<0xi8> {
  %y = tinymo.join {axis = 0 : i64} : () -> tensor<0xi8>
  return %y : tensor<0xi8>
}

// -----

// The result has the axis.

// CHECK: error: 'tinymo.join' op axis 7 does not exist in tensor<1x5xi8>
func.func @join_axis(%a: tensor<1x5xi8>) -> tensor<1x5xi8> {
  %y = tinymo.join %a {axis = 7 : i64} : (tensor<1x5xi8>) -> tensor<1x5xi8>
  return %y : tensor<1x5xi8>
}
