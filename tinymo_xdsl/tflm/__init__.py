"""
What TFLite Micro does with the memory of a `.tflite` file, modelled without running it.

Its arena is one block. The head grows from the start: planned activations and the scratch of kernels. The tail grows
from the end: structures that last as long as the interpreter. In between lies what planning needs for a moment.
"""
