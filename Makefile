# Everything runs in a virtual environment of its own: `make demo` and `make test` need only Python 3.11 or newer.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed

.PHONY: demo test check format docs lit clean

demo: $(INSTALLED)
	mkdir -p build
	$(BIN)/tinymo zoo mobilenet-v2 --width 0.35 --resolution 96 -o build/demo.tflite
	$(BIN)/tinymo optimize build/demo.tflite -o build/demo.opt.tflite

test: $(INSTALLED)
	@$(BIN)/pytest

check: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/basedpyright --pythonpath $(BIN)/python
	$(BIN)/python tools/gen_docs.py --check

format: $(INSTALLED)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# The pages of docs/ that are made from the code.
docs: $(INSTALLED)
	$(BIN)/python tools/gen_docs.py

# The textual tests by lit itself, each tool in a process of its own. `make test` runs the same files faster.
lit: $(INSTALLED)
	$(BIN)/lit -v test/lit

clean:
	rm -rf $(VENV) build

$(INSTALLED): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[verify,test,dev]'
	touch $@
