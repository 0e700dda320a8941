// RUN: tinymo-opt --load-plugin %S/Inputs/plugin.py:UNIVERSE --stamp %s | filecheck %s --check-prefix=DEFAULT
// RUN: tinymo-opt --load-plugin %S/Inputs/plugin.py:UNIVERSE --stamp=min-gap=4,memory=psram %s | filecheck %s --check-prefix=COMMA
// RUN: tinymo-opt --load-plugin %S/Inputs/plugin.py:UNIVERSE "--stamp=min_gap=4 memory=psram" %s | filecheck %s --check-prefix=COMMA
// RUN: tinymo-opt --load-plugin %S/Inputs/plugin.py:UNIVERSE --stamp=sizes=1,2,3,verbose,ratio=2,memory=a/b.bin %s | filecheck %s --check-prefix=LIST
// RUN: tinymo-opt --load-plugin %S/Inputs/plugin.py:UNIVERSE -p "stamp{sizes=1,2,3 verbose ratio=2 memory=\"a/b.bin\"}" %s | filecheck %s --check-prefix=LIST

// The word after a bare flag is the input, not the flag's options.
// DEFAULT: stamp = "1 0.5 () None size False"

// Options follow the flag, separated by commas or spaces, with dashes or underscores.
// COMMA: stamp = "4 0.5 () psram size False"

// A comma before something that is not an option continues a list. A bare truth option is true, an integer is a number,
// and a path needs no quotes. In xDSL's form of a pass list the same values arrive, and there a path needs them.
// LIST: stamp = "1 2.0 (1, 2, 3) a/b.bin size True"
func.func private @f()
