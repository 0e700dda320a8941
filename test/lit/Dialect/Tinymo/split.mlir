// RUN: tinymo-opt %s | tinymo-opt | filecheck %s
// RUN: tinymo-opt --print-op-generic %s | tinymo-opt | filecheck %s
// RUN: tinymo-opt --print-op-generic %s | filecheck %s --check-prefix=GENERIC
// RUN: tinymo-opt -p cse,dce %s | filecheck %s --check-prefix=CLEAN

// Windows of rows, which overlap by two, and rows put together again.

// CHECK-LABEL: @rows
// CHECK-NEXT: %a, %b = tinymo.split %t {axis = 1, windows = [[0, 5], [3, 9]]} : tensor<1x9x8xi8> -> (tensor<1x5x8xi8>, tensor<1x6x8xi8>)
// CHECK-NEXT: %y = tinymo.join %a, %b {axis = 1 : i64} : (tensor<1x5x8xi8>, tensor<1x6x8xi8>) -> tensor<1x11x8xi8>
// GENERIC: %a, %b = "tinymo.split"(%t) <{axis = 1 : i64, windows = [array<i64: 0, 5>, array<i64: 3, 9>]}> : (tensor<1x9x8xi8>) -> (tensor<1x5x8xi8>, tensor<1x6x8xi8>)
// GENERIC-NEXT: %y = "tinymo.join"(%a, %b) <{axis = 1 : i64}> : (tensor<1x5x8xi8>, tensor<1x6x8xi8>) -> tensor<1x11x8xi8>
func.func @rows(%t: tensor<1x9x8xi8>) -> tensor<1x11x8xi8> {
  %a, %b = tinymo.split %t {axis = 1, windows = [[0, 5], [3, 9]]} : tensor<1x9x8xi8> -> (tensor<1x5x8xi8>, tensor<1x6x8xi8>)
  %y = tinymo.join %a, %b {axis = 1 : i64} : (tensor<1x5x8xi8>, tensor<1x6x8xi8>) -> tensor<1x11x8xi8>
  return %y : tensor<1x11x8xi8>
}

// Facts stand in the same braces; there is one for each window. Entries come in any order, and names may be quoted.

// CHECK-LABEL: @facts
// CHECK-NEXT: tinymo.split %t {axis = 0, windows = [[0, 1], [1, 4]], tinymo.tensor = [{name = "t/0"}, {name = "t/1"}]} : tensor<4xi8> -> (tensor<1xi8>, tensor<3xi8>)
func.func @facts(%t: tensor<4xi8>) -> tensor<3xi8> {
  %a, %b = tinymo.split %t {tinymo.tensor = [{name = "t/0"}, {name = "t/1"}], "windows" = [[0, 1], [1, 4]], axis = 0} : tensor<4xi8> -> (tensor<1xi8>, tensor<3xi8>)
  return %b : tensor<3xi8>
}

// Both are pure: of two alike one is enough, and those that nothing reads go.

// CLEAN-LABEL: @pure
// CLEAN-NEXT: %a = tinymo.split %t
// CLEAN-NEXT: %j = tinymo.join %a, %a
// CLEAN-NEXT: return %j, %j
func.func @pure(%t: tensor<4xi8>) -> (tensor<4xi8>, tensor<4xi8>) {
  %a = tinymo.split %t {axis = 0, windows = [[0, 2]]} : tensor<4xi8> -> (tensor<2xi8>)
  %b = tinymo.split %t {axis = 0, windows = [[0, 2]]} : tensor<4xi8> -> (tensor<2xi8>)
  %unused = tinymo.split %t {axis = 0, windows = [[1, 2]]} : tensor<4xi8> -> (tensor<1xi8>)
  %j = tinymo.join %a, %b {axis = 0 : i64} : (tensor<2xi8>, tensor<2xi8>) -> tensor<4xi8>
  %k = tinymo.join %b, %a {axis = 0 : i64} : (tensor<2xi8>, tensor<2xi8>) -> tensor<4xi8>
  return %j, %k : tensor<4xi8>, tensor<4xi8>
}
