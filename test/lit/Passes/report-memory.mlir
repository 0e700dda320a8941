// RUN: tinymo-opt --report-memory %s > %t.mlir 2> %t.txt
// RUN: filecheck %s < %t.txt
// RUN: tinymo-opt %s -o %t.plain.mlir
// RUN: diff %t.mlir %t.plain.mlir
// RUN: tinymo-opt --report-memory=function=main,rows=1 %s -o %t.mlir 2>&1 | filecheck %s --check-prefix=ROWS
// RUN: tinymo-opt --form-kernels --report-memory=function=main %s -o %t.mlir 2>&1 | filecheck %s --check-prefix=KERNELS
// RUN: not tinymo-opt --report-memory=function=mian %s 2>&1 | filecheck %s --check-prefix=NAME
// RUN: not tinymo-opt --report-memory=rows=-1 %s 2>&1 | filecheck %s --check-prefix=NEGATIVE

// The table goes to standard error, and the module stays as it is. Only tensors count, neither weights nor the i32
// accumulator between the convolution and its rescale. The image is returned, so it is alive to the end.
// CHECK: memory of @main: live peak 416 bytes, lower bound 416 bytes
// CHECK-NEXT: with copies of split and joined parts 416 bytes
// CHECK-NEXT: peak at operator 2, tosa.concat, while these are in memory:
// CHECK-NEXT: 192 joined
// CHECK-NEXT: 128 wide
// CHECK-NEXT: 64 skip
// CHECK-NEXT: 32 image
// CHECK-NEXT: 0 tosa.concat 96 ##### skip
// CHECK-NEXT: 1 CONV_2D 224 ########### wide
// CHECK-NEXT: > 2 tosa.concat 416 #################### joined
func.func @main(%x: tensor<1x4x4x2xi8> {tinymo.tensor = {name = "image"}}) -> (tensor<1x4x4x12xi8>, tensor<1x4x4x2xi8>) {
  %one = "tosa.const"() <{values = dense<1> : tensor<8x1x1x2xi8>}> : () -> tensor<8x1x1x2xi8>
  %bias = "tosa.const"() <{values = dense<0> : tensor<8xi32>}> : () -> tensor<8xi32>
  %z = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %z32 = "tosa.const"() <{values = dense<0> : tensor<1xi32>}> : () -> tensor<1xi32>
  %multiplier = "tosa.const"() <{values = dense<1073741824> : tensor<1xi32>}> : () -> tensor<1xi32>
  %shift = "tosa.const"() <{values = dense<30> : tensor<1xi8>}> : () -> tensor<1xi8>
  %skip = tosa.concat %x, %x {axis = 3 : i32, tinymo.tensor = {name = "skip"}} : (tensor<1x4x4x2xi8>, tensor<1x4x4x2xi8>) -> tensor<1x4x4x4xi8>
  %sum = tosa.conv2d %x, %one, %bias, %z, %z {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>} : (tensor<1x4x4x2xi8>, tensor<8x1x1x2xi8>, tensor<8xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x4x4x8xi32>
  %wide = tosa.rescale %sum, %multiplier, %shift, %z32, %z {rounding_mode = DOUBLE_ROUND, scale32 = true, per_channel = false, input_unsigned = false, output_unsigned = false, tinymo.operator = {name = "CONV_2D"}, tinymo.tensor = {name = "wide"}} : (tensor<1x4x4x8xi32>, tensor<1xi32>, tensor<1xi8>, tensor<1xi32>, tensor<1xi8>) -> tensor<1x4x4x8xi8>
  %joined = tosa.concat %skip, %wide {axis = 3 : i32, tinymo.tensor = {name = "joined"}} : (tensor<1x4x4x4xi8>, tensor<1x4x4x8xi8>) -> tensor<1x4x4x12xi8>
  return %joined, %x : tensor<1x4x4x12xi8>, tensor<1x4x4x2xi8>
}

// Every function has a table.
// CHECK: memory of @other: live peak 8 bytes
// CHECK: > 0 tosa.bitwise_not 8 #################### inverted
func.func @other(%x: tensor<4xi8> {tinymo.tensor = {name = "x"}}) -> tensor<4xi8> {
  %inverted = tosa.bitwise_not %x {tinymo.tensor = {name = "inverted"}} : (tensor<4xi8>) -> tensor<4xi8>
  return %inverted : tensor<4xi8>
}

// The kernels with the most bytes are shown, and how many are not.
// ROWS-NOT: @other
// ROWS: ... 2 more
// ROWS-NEXT: > 2 tosa.concat

// At level 2 the figures are the same.
// KERNELS: live peak 416 bytes
// KERNELS: > 2 tosa.concat 416

// A function or a number that means nothing is an error.
// NAME: report-memory: there is no function @mian
// NEGATIVE: report-memory: rows is -1, but must not be negative
