"""
Well-known networks as int8 `.tflite` models with weights from a seed.

They stand in for trained models in demonstrations and tests: shapes, operators and scales are real, what the networks
say is not. `build` leads through frontend and backend, so that every model of the zoo is a test of both.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, cast

from tinymo_xdsl.flatbuffer.model import Model
from tinymo_xdsl.zoo.architecture import Architecture, Number, Parameter, ZooError
from tinymo_xdsl.zoo.mobilenet_v2 import MobileNetV2
from tinymo_xdsl.zoo.small import DsCnn, LeNet5, ResNet8, TinyPyramid
from tinymo_xdsl.zoo.tiny_unet import TinyUNet

__all__ = ["ARCHITECTURES", "Architecture", "Number", "Parameter", "ZooError", "build"]

ARCHITECTURES: Final[Mapping[str, type[Architecture]]] = MappingProxyType(
    {network.name: network for network in (MobileNetV2, TinyUNet, ResNet8, DsCnn, LeNet5, TinyPyramid)}
)
"""The networks by name."""


def build(name: str, **parameters: Number) -> Model:
    """
    The network `name`; parameters that are not given have their defaults.

    Raises `ZooError` for a name or a parameter that does not exist, and for a value that is out of range.
    """
    network = ARCHITECTURES.get(name)
    if network is None:
        raise ZooError(f"the zoo has no '{name}'; it has {', '.join(ARCHITECTURES)}")
    known = [entry.name for entry in network.parameters()]
    for parameter in parameters:
        if parameter not in known:
            raise ZooError(f"{name} has no parameter '{parameter}'; it has {', '.join(known)}")
    return cast(Callable[..., Architecture], network)(**parameters).build()
