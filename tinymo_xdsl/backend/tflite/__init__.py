"""
From the IR to a `.tflite` file.

The backend writes kernels one for one, in their order, and decides nothing. Each function becomes a subgraph.
"""

from tinymo_xdsl.backend.tflite.export import export_model

__all__ = ["export_model"]
