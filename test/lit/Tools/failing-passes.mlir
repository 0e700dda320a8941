// RUN: not tinymo-opt --load-plugin %S/Inputs/plugin.py:UNIVERSE --fail=how=refuse %s 2>&1 | filecheck %s --check-prefix=REFUSE
// RUN: not tinymo-opt --load-plugin %S/Inputs/plugin.py:UNIVERSE --fail=how=break --cse %s 2>&1 | filecheck %s --check-prefix=BREAK
// RUN: not tinymo-opt --load-plugin %S/Inputs/plugin.py:UNIVERSE --fail=how=crash %s 2>&1 | filecheck %s --check-prefix=CRASH
// RUN: tinymo-opt --load-plugin %S/Inputs/plugin.py:UNIVERSE --fail=how=refuse --verify-diagnostics %s | filecheck %s --check-prefix=REFUSE

// A pass that refuses is named, with the reason.
// REFUSE: failing-passes.mlir: error: pass 'fail' failed: the module is not to its taste

// The module is verified after each pass, and the error names the pass that broke it.
// BREAK: failing-passes.mlir:[[# @LINE + 7]]:8: error: after pass 'fail': 'arith.constant' op property 'value' expected
// BREAK-NEXT: note: see current operation: %x = "arith.constant"() : () -> i32
// BREAK-NOT: error

// What nobody foresaw is one line too; --debug shows the traceback.
// CRASH: tinymo-opt: error: internal error, please report it: KeyError: 'lost' (in pass 'fail'; --debug shows where)
func.func @f() -> i32 {
  %x = arith.constant 1 : i32
  return %x : i32
}
