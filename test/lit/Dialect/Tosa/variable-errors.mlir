// RUN: tinymo-opt --verify-diagnostics --split-input-file %s | filecheck %s

// A variable that nobody declared.

// CHECK: error: 'tosa.variable_read' op no tosa.variable is named @state
func.func @undeclared() -> tensor<4xi8> {
  %x = tosa.variable_read @state : tensor<4xi8>
  return %x : tensor<4xi8>
}

// -----

// A value that is no variable.

// CHECK: error: 'tosa.variable_write' op no tosa.variable is named @function
func.func @function(%x: tensor<4xi8>) {
  tosa.variable_write @function, %x : tensor<4xi8>
  return
}

// -----

// A value of another shape.

// CHECK: error: 'tosa.variable_write' op expected shape 4 of the value, got 5
tosa.variable @state : tensor<4xi8>
func.func @shape(%x: tensor<5xi8>) {
  tosa.variable_write @state, %x : tensor<5xi8>
  return
}

// -----

// A value of another type.

// CHECK: error: 'tosa.variable_read' op expected a value of i8, got i16
tosa.variable @state : tensor<4xi8>
func.func @type() -> tensor<4xi16> {
  %x = tosa.variable_read @state : tensor<4xi16>
  return %x : tensor<4xi16>
}

// -----

// A first value that does not fill the variable.

// CHECK: error: 'tosa.variable' op expected an initial value of tensor<4xi8>, got tensor<2xi8>
"tosa.variable"() <{sym_name = "state", type = i8, var_shape = dense<4> : tensor<1xindex>, initial_value = dense<0> : tensor<2xi8>}> : () -> ()
