// RUN: tinymo-opt --print-debuginfo %s | filecheck %s
// RUN: tinymo-opt --print-debuginfo %s | tinymo-opt --print-debuginfo | filecheck %s
// RUN: tinymo-opt --print-debuginfo --print-op-generic %s | tinymo-opt --print-debuginfo | filecheck %s

// An op without a location gets the place of its name in the file; one with a location keeps it.
func.func @f(%a: i32) -> i32 {
  // CHECK: arith.addi %a, %a : i32 loc("{{.*}}locations.mlir":[[# @LINE + 1]]:8)
  %b = arith.addi %a, %a : i32
  // CHECK: arith.subi %b, %a : i32 loc("conv_1"("model.tflite":3:0))
  %c = arith.subi %b, %a : i32 loc("conv_1"("model.tflite":3:0))
  // CHECK: arith.muli %c, %c : i32 loc("{{.*}}locations.mlir":[[# @LINE + 1]]:8)
  %d = "arith.muli"(%c, %c) <{overflowFlags = #arith.overflow<none>}> : (i32, i32) -> i32
  // CHECK: tosa.maximum %e, %e : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32> loc("{{.*}}locations.mlir":[[# @LINE + 2]]:8){{$}}
  %e = "test.op"() : () -> tensor<2xf32> loc("x")
  %f = tosa.maximum %e, %e : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %d : i32
}
