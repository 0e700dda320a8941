// RUN: tinymo-opt --version | filecheck %s --check-prefix=VERSION
// RUN: tinymo-opt --show-dialects | filecheck %s --check-prefix=DIALECTS
// RUN: tinymo-opt --load-plugin %S/Inputs/plugin.py:UNIVERSE --list-passes | filecheck %s --check-prefix=PASSES
// RUN: tinymo-opt --load-plugin %S/Inputs/plugin.py:UNIVERSE --help-all | filecheck %s --check-prefix=HELP

// VERSION: tinymo-opt {{[0-9.]+}}
// VERSION-NEXT: xDSL 0.74
// VERSION-NEXT: TFLite schema 3

// DIALECTS: Available Dialects: {{.*}}builtin, {{.*}}func, {{.*}}tinymo, tosa

// PASSES: passes of plug-ins:
// PASSES-NEXT: fail
// PASSES-NEXT: stamp
// PASSES: passes of xDSL:
// PASSES: canonicalize

// A pass is described by the first paragraph of its documentation, an option by the text below it.
// HELP: usage: tinymo-opt [OPTION ...]
// HELP: --canonicalize
// HELP: --fail
// HELP-NEXT: Fails, or leaves a module that does not verify.
// HELP-NEXT: how=... refuse or break or crash (required).
// HELP: --stamp
// HELP-NEXT: Writes its options on the module.
// HELP-NEXT: min-gap=... an integer (default: 1). The smallest gap, in operators.
// HELP-NEXT: ratio=... a number (default: 0.5).
// HELP-NEXT: sizes=... a list of an integer (default: none).
// HELP-NEXT: memory=... a word (default: none).
// HELP-NEXT: order=... size or time (default: size).
// HELP-NEXT: verbose=... true or false (default: false).
