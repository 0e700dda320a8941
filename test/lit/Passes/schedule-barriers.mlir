// RUN: tinymo-opt --split-input-file --schedule %s -o %t.mlir 2>&1 | filecheck %s --check-prefix=REMARK
// RUN: filecheck %s < %t.mlir
// RUN: tinymo-opt --split-input-file --form-kernels --schedule %s -o %t.mlir 2>&1 | filecheck %s --check-prefix=REMARK

// An operator that nobody knows may have effects: nothing crosses it, though that would take less memory.

// REMARK: schedule: @unknown: the peak of 640 bytes stays, proven optimal
// CHECK-LABEL: @unknown
// CHECK-NEXT: %a = tosa.concat
// CHECK-NEXT: %b = tosa.concat
// CHECK-NEXT: %seen = tosa.custom
func.func @unknown(%x: tensor<1x64xi8>) -> tensor<1x64xi8> {
  %a = tosa.concat %x, %x, %x, %x {axis = 0 : i32} : (tensor<1x64xi8>, tensor<1x64xi8>, tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<4x64xi8>
  %b = tosa.concat %x, %x, %x, %x {axis = 0 : i32} : (tensor<1x64xi8>, tensor<1x64xi8>, tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<4x64xi8>
  %seen = tosa.custom %x {domain_name = "TFL", implementation_attrs = "", operator_name = "UNHEARD_OF"} : (tensor<1x64xi8>) -> tensor<1x64xi8>
  %low_b = tosa.reduce_max %b {axis = 0 : i32} : (tensor<4x64xi8>) -> tensor<1x64xi8>
  %low_a = tosa.reduce_max %a {axis = 0 : i32} : (tensor<4x64xi8>) -> tensor<1x64xi8>
  %both = tosa.maximum %low_a, %low_b : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<1x64xi8>
  %y = tosa.minimum %both, %seen : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<1x64xi8>
  return %y : tensor<1x64xi8>
}

// -----

// On either side of it kernels move as they like.

// REMARK: schedule: @sides: the peak falls from 576 to 384 bytes, proven optimal
// CHECK-LABEL: @sides
// CHECK-NEXT: %a = tosa.concat
// CHECK-NEXT: %low_a = tosa.reduce_max
// CHECK-NEXT: %b = tosa.concat
// CHECK-NEXT: %low_b = tosa.reduce_max
// CHECK-NEXT: %both = tosa.maximum
// CHECK-NEXT: %seen = tosa.custom
// CHECK-NEXT: %c = tosa.concat
// CHECK-NEXT: %low_c = tosa.reduce_max
// CHECK-NEXT: %d = tosa.concat
func.func @sides(%x: tensor<1x64xi8>) -> tensor<1x64xi8> {
  %a = tosa.concat %x, %x, %x, %x {axis = 0 : i32} : (tensor<1x64xi8>, tensor<1x64xi8>, tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<4x64xi8>
  %b = tosa.concat %x, %x, %x, %x {axis = 0 : i32} : (tensor<1x64xi8>, tensor<1x64xi8>, tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<4x64xi8>
  %low_b = tosa.reduce_max %b {axis = 0 : i32} : (tensor<4x64xi8>) -> tensor<1x64xi8>
  %low_a = tosa.reduce_max %a {axis = 0 : i32} : (tensor<4x64xi8>) -> tensor<1x64xi8>
  %both = tosa.maximum %low_a, %low_b : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<1x64xi8>
  %seen = tosa.custom %both {domain_name = "TFL", implementation_attrs = "", operator_name = "UNHEARD_OF"} : (tensor<1x64xi8>) -> tensor<1x64xi8>
  %c = tosa.concat %seen, %seen, %seen, %seen {axis = 0 : i32} : (tensor<1x64xi8>, tensor<1x64xi8>, tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<4x64xi8>
  %d = tosa.concat %seen, %seen, %seen, %seen {axis = 0 : i32} : (tensor<1x64xi8>, tensor<1x64xi8>, tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<4x64xi8>
  %low_d = tosa.reduce_max %d {axis = 0 : i32} : (tensor<4x64xi8>) -> tensor<1x64xi8>
  %low_c = tosa.reduce_max %c {axis = 0 : i32} : (tensor<4x64xi8>) -> tensor<1x64xi8>
  %y = tosa.minimum %low_c, %low_d : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<1x64xi8>
  return %y : tensor<1x64xi8>
}

// -----

// An operator of the schema that only computes is no barrier. It stays where it is all the same: it need not move.

// REMARK: schedule: @known: the peak falls from 640 to 448 bytes, proven optimal
// CHECK-LABEL: @known
// CHECK-NEXT: %a = tosa.concat
// CHECK-NEXT: %low_a = tosa.reduce_max
// CHECK-NEXT: %b = tosa.concat
// CHECK-NEXT: %seen = tosa.custom
func.func @known(%x: tensor<1x64xi8>) -> tensor<1x64xi8> {
  %a = tosa.concat %x, %x, %x, %x {axis = 0 : i32} : (tensor<1x64xi8>, tensor<1x64xi8>, tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<4x64xi8>
  %b = tosa.concat %x, %x, %x, %x {axis = 0 : i32} : (tensor<1x64xi8>, tensor<1x64xi8>, tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<4x64xi8>
  %seen = tosa.custom %x {domain_name = "TFL", implementation_attrs = "", operator_name = "SOFTMAX"} : (tensor<1x64xi8>) -> tensor<1x64xi8>
  %low_b = tosa.reduce_max %b {axis = 0 : i32} : (tensor<4x64xi8>) -> tensor<1x64xi8>
  %low_a = tosa.reduce_max %a {axis = 0 : i32} : (tensor<4x64xi8>) -> tensor<1x64xi8>
  %both = tosa.maximum %low_a, %low_b : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<1x64xi8>
  %y = tosa.minimum %both, %seen : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<1x64xi8>
  return %y : tensor<1x64xi8>
}

// -----

// What reads a variable reads what the last run left, or what something else in this run has made of it.

// REMARK: schedule: @variable: the peak of 704 bytes stays, proven optimal
// CHECK-LABEL: @variable
// CHECK-NEXT: %state = tosa.custom
// CHECK-NEXT: %a = tosa.concat
// CHECK-NEXT: %b = tosa.concat
// CHECK-NEXT: %seen = tosa.maximum %x, %state
func.func @variable(%x: tensor<1x64xi8>) -> tensor<1x64xi8> {
  %state = tosa.custom {domain_name = "TFL", implementation_attrs = "", operator_name = "VARIABLE"} : () -> tensor<1x64xi8>
  %a = tosa.concat %x, %x, %x, %x {axis = 0 : i32} : (tensor<1x64xi8>, tensor<1x64xi8>, tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<4x64xi8>
  %b = tosa.concat %x, %x, %x, %x {axis = 0 : i32} : (tensor<1x64xi8>, tensor<1x64xi8>, tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<4x64xi8>
  %seen = tosa.maximum %x, %state : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<1x64xi8>
  %low_b = tosa.reduce_max %b {axis = 0 : i32} : (tensor<4x64xi8>) -> tensor<1x64xi8>
  %low_a = tosa.reduce_max %a {axis = 0 : i32} : (tensor<4x64xi8>) -> tensor<1x64xi8>
  %both = tosa.maximum %low_a, %low_b : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<1x64xi8>
  %y = tosa.minimum %both, %seen : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<1x64xi8>
  return %y : tensor<1x64xi8>
}

// -----

// Spills and reloads are no barriers, but the secondary memory sees them in the order of the text. So the branch of %b
// goes first: its copy comes back first.

// REMARK: schedule: @spills: the peak falls from 704 to 388 bytes, proven optimal
// CHECK-LABEL: @spills
// CHECK: tinymo.spill %p
// CHECK: tinymo.spill %q
// CHECK: tinymo.reload %second
// CHECK: tinymo.reload %first
func.func @spills(%x: tensor<1x64xi8>) -> tensor<1x64xi8> {
  %p = tosa.bitwise_not %x : (tensor<1x64xi8>) -> tensor<1x64xi8>
  %first = tinymo.spill %p {memory = "psram"} : tensor<1x64xi8> -> !tinymo.spilled<tensor<1x64xi8>>
  %q = tosa.bitwise_not %x : (tensor<1x64xi8>) -> tensor<1x64xi8>
  %second = tinymo.spill %q {memory = "psram"} : tensor<1x64xi8> -> !tinymo.spilled<tensor<1x64xi8>>
  %a = tosa.concat %x, %x, %x, %x {axis = 0 : i32} : (tensor<1x64xi8>, tensor<1x64xi8>, tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<4x64xi8>
  %b = tosa.concat %x, %x, %x, %x {axis = 0 : i32} : (tensor<1x64xi8>, tensor<1x64xi8>, tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<4x64xi8>
  %late_q = tinymo.reload %second : !tinymo.spilled<tensor<1x64xi8>> -> tensor<1x64xi8>
  %late_p = tinymo.reload %first : !tinymo.spilled<tensor<1x64xi8>> -> tensor<1x64xi8>
  %low_b = tosa.reduce_max %b {axis = 0 : i32} : (tensor<4x64xi8>) -> tensor<1x64xi8>
  %low_a = tosa.reduce_max %a {axis = 0 : i32} : (tensor<4x64xi8>) -> tensor<1x64xi8>
  %with_a = tosa.maximum %low_a, %late_p : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<1x64xi8>
  %with_b = tosa.maximum %low_b, %late_q : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<1x64xi8>
  %y = tosa.minimum %with_a, %with_b : (tensor<1x64xi8>, tensor<1x64xi8>) -> tensor<1x64xi8>
  return %y : tensor<1x64xi8>
}
