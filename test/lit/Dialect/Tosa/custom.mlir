// RUN: tinymo-opt %s | tinymo-opt | filecheck %s
// RUN: tinymo-opt --print-op-generic %s | tinymo-opt | filecheck %s
// RUN: tinymo-opt -p cse,dce %s | filecheck %s

// An operator that TOSA does not have: its name, the set that it is from, and its options in that set's encoding, which
// may be any bytes.

// CHECK-LABEL: @options
// CHECK: tosa.custom %x, %y {domain_name = "TFL", implementation_attrs = "\00\FF\22", operator_name = "SOFTMAX"} : (tensor<1x10xi8>, tensor<i32>) -> tensor<1x10xi8>
func.func @options(%x: tensor<1x10xi8>, %y: tensor<i32>) -> tensor<1x10xi8> {
  %z = tosa.custom %x, %y {domain_name = "TFL", implementation_attrs = "\00\FF\22", operator_name = "SOFTMAX"} : (tensor<1x10xi8>, tensor<i32>) -> tensor<1x10xi8>
  return %z : tensor<1x10xi8>
}

// What it does besides computing its results is not known. So neither of two alike is removed, used or not; and
// there are some with no operands, some with several results and some with none.

// CHECK-LABEL: @side_effects
// CHECK-NEXT: %a, %b = tosa.custom {{{.*}}operator_name = "VARIABLE"} : () -> (tensor<4xi8>, tensor<2xi8>)
// CHECK-NEXT: tosa.custom {{{.*}}operator_name = "VARIABLE"} : () -> (tensor<4xi8>, tensor<2xi8>)
// CHECK-NEXT: tosa.custom %a {{{.*}}operator_name = "ASSIGN"} : (tensor<4xi8>) -> ()
func.func @side_effects() {
  %a, %b = tosa.custom {domain_name = "TFL", implementation_attrs = "", operator_name = "VARIABLE"} : () -> (tensor<4xi8>, tensor<2xi8>)
  %c, %d = tosa.custom {domain_name = "TFL", implementation_attrs = "", operator_name = "VARIABLE"} : () -> (tensor<4xi8>, tensor<2xi8>)
  tosa.custom %a {domain_name = "TFL", implementation_attrs = "", operator_name = "ASSIGN"} : (tensor<4xi8>) -> ()
  return
}
