// RUN: not tinymo-opt --load-plugin %S/Inputs/plugin.py:UNIVERSE --stamp=min-gp=4 %s 2>&1 | filecheck %s --check-prefix=OPTION
// RUN: not tinymo-opt --load-plugin %S/Inputs/plugin.py:UNIVERSE --stamp=min-gap=many %s 2>&1 | filecheck %s --check-prefix=INTEGER
// RUN: not tinymo-opt --load-plugin %S/Inputs/plugin.py:UNIVERSE --stamp=order=name %s 2>&1 | filecheck %s --check-prefix=CHOICE
// RUN: not tinymo-opt --load-plugin %S/Inputs/plugin.py:UNIVERSE --fail %s 2>&1 | filecheck %s --check-prefix=REQUIRED
// RUN: not tinymo-opt --canonicalise %s 2>&1 | filecheck %s --check-prefix=FLAG
// RUN: not tinymo-opt -p cse,canonicalise %s 2>&1 | filecheck %s --check-prefix=PASS
// RUN: not tinymo-opt -p "cse{x" %s 2>&1 | filecheck %s --check-prefix=LIST
// RUN: not tinymo-opt --target llmv %s 2>&1 | filecheck %s --check-prefix=TARGET
// RUN: not tinymo-opt --load-plugin %S/Inputs/plugin.py:NOWHERE %s 2>&1 | filecheck %s --check-prefix=PLUGIN

// A wrong name is answered with the nearest right one, a wrong value with what is expected.
// OPTION: tinymo-opt: error: pass 'stamp' has no option 'min-gp'; did you mean 'min-gap'?
// INTEGER: tinymo-opt: error: option 'min-gap' of pass 'stamp' takes an integer, not 'many'
// CHOICE: tinymo-opt: error: option 'order' of pass 'stamp' takes size or time, not 'name'
// REQUIRED: tinymo-opt: error: pass 'fail' needs the option 'how', refuse or break or crash
// FLAG: tinymo-opt: error: unknown option '--canonicalise'; did you mean '--canonicalize'?
// PASS: tinymo-opt: error: there is no pass 'canonicalise'; did you mean 'canonicalize'?
// LIST: tinymo-opt: error: cannot read the pass list 'cse{x': Expected equals, space or end of arguments here
// TARGET: tinymo-opt: error: there is no target 'llmv'; did you mean 'llvm'?
// PLUGIN: has no xDSL Universe named NOWHERE
func.func private @f()
