// RUN: tinymo-opt --canonicalize %s | filecheck %s

// A copy of a variable holds what the variable was: here an operator changes its state, and the old one is added to the
// new one.

// CHECK-LABEL: @state
// CHECK: %old = tosa.identity %state
// CHECK: tosa.add %old, %state
func.func @state(%x: tensor<4xi32> {tinymo.tensor = {name = "x"}}) -> tensor<4xi32> {
  %state = tosa.custom {domain_name = "TFL", implementation_attrs = "", operator_name = "VARIABLE", tinymo.tensor = {name = "state"}} : () -> tensor<4xi32>
  %old = tosa.identity %state {tinymo.tensor = {name = "old"}} : (tensor<4xi32>) -> tensor<4xi32>
  tosa.custom %x, %state {domain_name = "TFL", implementation_attrs = "", operator_name = "ACCUMULATE", tinymo.operator = {custom, mutating_variable_inputs = array<i64: 1>}} : (tensor<4xi32>, tensor<4xi32>) -> ()
  %y = tosa.add %old, %state {tinymo.tensor = {name = "y"}} : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi32>
  return %y : tensor<4xi32>
}
