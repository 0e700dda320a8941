"""
What must hold of any network: random ones go through import, passes, `optimize` and export without a change of value,
and damaged files and texts of them are understood or refused by errors for people.

`tools/fuzz.py`, whose checks these are, tries more seeds.
"""

import importlib.util
from dataclasses import dataclass, replace
from random import Random
from types import ModuleType
from typing import ClassVar

import numpy as np
import pytest
from flatbuffer_models import PROJECT
from xdsl.context import Context
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, ModuleOp, i32
from xdsl.passes import ModulePass

from tinymo_xdsl.dialects import tosa
from tinymo_xdsl.errors import OutputsDifferError
from tinymo_xdsl.flatbuffer.reader import read_model
from tinymo_xdsl.flatbuffer.writer import write_model
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.numerics import dense
from tinymo_xdsl.text.module import module_text
from tinymo_xdsl.zoo.random_model import random_recipe

NETWORKS = 12
DAMAGES = 40


@pytest.fixture(scope="module")
def fuzz() -> ModuleType:
    """The script in `tools`, which is no package."""
    spec = importlib.util.spec_from_file_location("fuzz", PROJECT / "tools" / "fuzz.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("seed", range(NETWORKS))
def test_no_pass_changes_a_value_of_a_random_network(fuzz: ModuleType, seed: int) -> None:
    fuzz.check_network(random_recipe(seed, maximum_steps=5))


def test_random_networks_have_layers_of_all_kinds_in_graphs_of_all_shapes() -> None:
    """What the test above runs on is neither all alike nor all chains."""
    graphs = [random_recipe(seed, maximum_steps=5).model().subgraphs[0] for seed in range(NETWORKS)]
    names = {operator.name for graph in graphs for operator in graph.operators}
    assert names >= {"CONV_2D", "DEPTHWISE_CONV_2D", "PAD", "ADD", "CONCATENATION", "MAX_POOL_2D", "AVERAGE_POOL_2D"}
    assert max(len(graph.inputs) for graph in graphs) > 1
    assert max(len(graph.outputs) for graph in graphs) > 1
    readers = [[index for operator in graph.operators for index in set(operator.inputs)] for graph in graphs]
    assert any(len(set(indices)) < len(indices) for indices in readers)


def test_a_seed_is_one_network() -> None:
    assert write_model(random_recipe(7).model()) == write_model(random_recipe(7).model())
    assert write_model(random_recipe(7).model()) != write_model(random_recipe(8).model())


@dataclass(frozen=True)
class ForgetBiasesPass(ModulePass):
    """A pass that is wrong."""

    name: ClassVar[str] = "forget-biases"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for constant in op.walk():
            if isinstance(constant, tosa.ConstOp) and isinstance(constant.values, DenseIntOrFPElementsAttr):
                array = dense.to_numpy(constant.values)
                if constant.values.get_element_type() == i32 and array.size > 1:
                    constant.values = dense.from_numpy(np.zeros_like(array))


def test_a_wrong_pass_is_found_and_the_network_made_small(fuzz: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a network that fails, only what it takes to fail stays: here one convolution."""
    monkeypatch.setattr(fuzz, "PASSES", (ForgetBiasesPass(),))
    recipe = random_recipe(10, maximum_steps=5)
    assert len(recipe.steps) > 2
    with pytest.raises(OutputsDifferError, match="pass 'forget-biases' changes @main: tensor"):
        fuzz.check_network(recipe)
    smallest = fuzz.shrink(recipe, OutputsDifferError)
    (step,) = smallest.steps
    assert "conv" in step.kind or step.kind in ("pointwise", "depthwise", "separable", "residual", "concatenate")
    assert (len(smallest.images), smallest.classes) == (1, 0)


def test_a_network_can_be_built_without_any_of_its_parts() -> None:
    recipe = replace(random_recipe(4), classes=3)
    parts = len(recipe.steps) + (len(recipe.images) > 1) + 1
    assert len(recipe.smaller()) == parts
    for smaller in recipe.smaller():
        assert read_model(write_model(smaller.model())).subgraphs[0].outputs


def test_damaged_files_are_understood_or_refused(fuzz: ModuleType) -> None:
    """Any other error than a `TinymoError` fails the test."""
    understood = sum(fuzz.check_damaged_file(seed) for seed in range(DAMAGES))
    assert 0 < understood < DAMAGES


def test_damaged_texts_are_understood_or_refused(fuzz: ModuleType) -> None:
    """Any other error than a `TinymoError` fails the test."""
    understood = sum(fuzz.check_damaged_text(seed) for seed in range(DAMAGES))
    assert 0 < understood < DAMAGES


def test_damage_changes_the_file_and_the_text(fuzz: ModuleType) -> None:
    model = random_recipe(0).model()
    data, text = write_model(model), module_text(import_model(model))
    assert sum(fuzz.damaged_bytes(Random(seed), data) != data for seed in range(20)) > 15
    assert sum(fuzz.damaged_text(Random(seed), text) != text.rstrip() for seed in range(20)) > 15
