// RUN: tinymo-opt --spill-long-skips %s -o %t 2>&1 | filecheck %s --check-prefix=REMARK
// RUN: filecheck %s < %t

// A pass that leaves the module as it is says why, on standard error: the module on standard output stays a module.
// REMARK: remarks.mlir: remark: spill-long-skips: @main:
// CHECK-NOT: remark
// CHECK: func.func @main
func.func @main(%x: tensor<1x4xf32> {tinymo.tensor = {name = "x"}}) -> tensor<1x4xf32> {
  %y = tosa.add %x, %x {tinymo.tensor = {name = "y"}} : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
  return %y : tensor<1x4xf32>
}
