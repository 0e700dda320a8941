// RUN: tinymo-opt --cse -p canonicalize,dce --constant-fold-interp %s | filecheck %s

// Passes run in the order of the command line, flags and lists mixed.

// CHECK-LABEL: func.func @twice
func.func @twice(%a: i32) -> i32 {
  // CHECK-NEXT: func.return %a : i32
  %unused = arith.addi %a, %a : i32
  return %a : i32
}
