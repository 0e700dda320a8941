"""TinyMo: a graph-level memory optimizer for tiny machine learning, built on xDSL."""

__version__ = "0.1.0"
