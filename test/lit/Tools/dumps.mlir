// RUN: tinymo-opt --cse --canonicalize --print-ir-after-all %s -o %t 2>&1 | filecheck %s --check-prefix=ALL
// RUN: filecheck %s --check-prefix=OUTPUT < %t
// RUN: tinymo-opt --cse --canonicalize --print-ir-after-change %s -o %t 2>&1 | filecheck %s --check-prefix=CHANGE
// RUN: tinymo-opt --cse --canonicalize --print-ir-before=canonicalize %s -o %t 2>&1 | filecheck %s --check-prefix=BEFORE
// RUN: tinymo-opt --cse --timing %s -o %t 2>&1 | filecheck %s --check-prefix=TIMING
// RUN: filecheck %s --check-prefix=OUTPUT < %t

// Dumps go to standard error, without weights; the output is as without dumps.
// ALL: // -----// IR Dump After cse //----- //
// ALL: dense_resource<__elided__> : tensor<20xi8>
// ALL: // -----// IR Dump After canonicalize //----- //
// ALL: dense_resource<__elided__> : tensor<20xi8>
// OUTPUT-NOT: Dump
// OUTPUT: dense<[1, 2, 3,

// Only cse changes this module.
// CHANGE: IR Dump After cse
// CHANGE-NOT: IR Dump After canonicalize

// BEFORE-NOT: IR Dump Before cse
// BEFORE: IR Dump Before canonicalize
// BEFORE-NOT: IR Dump

// TIMING: wall-clock time of each step:
// TIMING-NEXT: s {{.*}}% read
// TIMING-NEXT: verify
// TIMING-NEXT: cse
// TIMING-NEXT: verify
// TIMING-NEXT: print
// TIMING-NEXT: total
func.func @f(%a: i32) -> (i32, i32) attributes {weights = dense<[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]> : tensor<20xi8>} {
  %x = arith.addi %a, %a : i32
  %y = arith.addi %a, %a : i32
  return %x, %y : i32, i32
}
