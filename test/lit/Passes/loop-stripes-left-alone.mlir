// RUN: tinymo-opt --split-input-file --loop-stripes=region=0,0,stripes=2 %s 2>&1 | filecheck %s

// A loop is an operator of a .tflite file, for which the tensors need names.
// CHECK: remark: loop-stripes: @no_facts: left alone: there are no TFLite facts, and a loop is an operator of a .tflite file
func.func @no_facts(%x: tensor<1x8x4x2xf32>) -> tensor<1x8x4x2xf32> {
  %y = tosa.clamp %x {min_val = 0.0 : f32, max_val = 6.0 : f32} : (tensor<1x8x4x2xf32>) -> tensor<1x8x4x2xf32>
  return %y : tensor<1x8x4x2xf32>
}

// -----

// Where a model runs subgraphs of its own, only TFLite Micro can place its tensors, and a loop needs a plan.
// CHECK: remark: loop-stripes: @other_subgraphs: left alone: the model runs other subgraphs, so that only TFLite Micro can place its tensors
func.func @other_subgraphs(%x: tensor<1x8x4x2xf32> {tinymo.tensor = {name = "x"}}) -> tensor<1x8x4x2xf32> {
  tosa.custom {domain_name = "TFL", implementation_attrs = "", operator_name = "CALL_ONCE",
      tinymo.operator = {options = {init_subgraph_index = 1 : i64}, options_type = "CallOnceOptions"}} : () -> ()
  %y = tosa.clamp %x {min_val = 0.0 : f32, max_val = 6.0 : f32, tinymo.tensor = {name = "y"}} : (tensor<1x8x4x2xf32>) -> tensor<1x8x4x2xf32>
  return %y : tensor<1x8x4x2xf32>
}
func.func @once() {
  return
}

// -----

// FILL of TFLite Micro, which begins the result of a loop, takes no 16-bit integers.
// CHECK: remark: loop-stripes: @int16: left alone
// CHECK-NOT: WHILE
func.func @int16(%x: tensor<1x8x4x2xi16> {tinymo.tensor = {name = "x"}}) -> tensor<1x8x4x2xi16> {
  %y = tosa.clamp %x {min_val = 0 : i16, max_val = 600 : i16, tinymo.tensor = {name = "y"}} : (tensor<1x8x4x2xi16>) -> tensor<1x8x4x2xi16>
  return %y : tensor<1x8x4x2xi16>
}
