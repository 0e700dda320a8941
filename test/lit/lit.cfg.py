"""Configuration of the textual tests for lit itself: `lit test/lit`. pytest runs the same files in process."""

import os
import sys
from pathlib import Path

import lit.formats

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import lit_in_process

config.name = "TinyMo"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir"]
config.excludes = ["Inputs"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(lit_in_process.ROOT, "build", "lit")
config.available_features |= lit_in_process.available_features()
config.substitutions.append(("%models", str(lit_in_process.models_folder() or "")))
config.environment["PATH"] = os.pathsep.join([os.path.join(sys.prefix, "bin"), config.environment["PATH"]])
if "TINYMO_MODELS" in os.environ:
    config.environment["TINYMO_MODELS"] = os.environ["TINYMO_MODELS"]
