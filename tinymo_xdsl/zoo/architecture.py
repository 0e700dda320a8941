"""What a network of the zoo is: parameters and layers."""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias, TypeVar

from tinymo_xdsl.backend.tflite import export_model
from tinymo_xdsl.errors import TinymoError
from tinymo_xdsl.flatbuffer.model import Model
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.zoo.builder import Layer, ModelBuilder

Number: TypeAlias = int | float
_N = TypeVar("_N", int, float)


class ZooError(TinymoError):
    """A network that is not in the zoo, or that cannot be built with these parameters."""


@dataclass(frozen=True)
class Parameter:
    """One number that the user may choose."""

    name: str
    type: type[int] | type[float]
    default: Number
    least: Number
    most: Number
    help: str

    def check(self, value: Number) -> None:
        """Raise `ZooError` for a value that is out of range, or no integer where one is needed."""
        kind = "an integer" if self.type is int else "a number"
        fits = isinstance(value, int) or self.type is float
        if not fits or not self.least <= value <= self.most:
            raise ZooError(f"parameter '{self.name}' is {value}, but must be {kind} from {self.least} to {self.most}")


def parameter(default: _N, least: _N, most: _N, text: str) -> _N:
    """A field of an `Architecture`; `text` is the help on the parameter."""
    return dataclasses.field(default=default, metadata={"least": least, "most": most, "help": text})


@dataclass(frozen=True, kw_only=True)
class Architecture(ABC):
    """A network with its parameters, which are the fields. Making one raises `ZooError` for bad parameters."""

    name: ClassVar[str]
    summary: ClassVar[str]
    """One line that says what it is."""

    seed: int = parameter(0, 0, 2**63 - 1, "seed of the weights")

    def __post_init__(self) -> None:
        for entry in self.parameters():
            entry.check(getattr(self, entry.name))

    @classmethod
    def parameters(cls) -> tuple[Parameter, ...]:
        """The parameters, those of the network itself first."""
        fields = (_parameter(field) for field in dataclasses.fields(cls))
        return tuple(sorted(fields, key=lambda entry: entry.name == "seed"))

    @abstractmethod
    def layers(self, build: ModelBuilder) -> Sequence[Layer]:
        """Add all layers; return the outputs."""

    def build(self) -> Model:
        """The model, as it leaves the backend. The same parameters give the same model."""
        build = ModelBuilder(self.seed)
        outputs = self.layers(build)
        chosen = ", ".join(f"{entry.name} {entry.type(getattr(self, entry.name))}" for entry in self.parameters())
        return export_model(import_model(build.model(outputs, f"{self.name}: {chosen}")))


def _parameter(field: "dataclasses.Field[Any]") -> Parameter:
    default, metadata = field.default, field.metadata
    assert isinstance(default, int | float)
    return Parameter(field.name, type(default), default, metadata["least"], metadata["most"], metadata["help"])
