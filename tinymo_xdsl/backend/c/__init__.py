"""
From a module to a C library: C99 that needs no heap and no operating system.

`layer` is what a kernel of the IR becomes: a row function, its parameters, and which rows it reads. `kernels` holds
the families of row functions, `lowering` finds the one that computes a kernel, `library` puts layers and buffers
together, and `emit`, `header`, `selftest` and `project` write the files.
"""
