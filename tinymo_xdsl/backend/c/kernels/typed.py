"""What row kernels share that say the types of their elements in the same way."""

from tinymo_xdsl.backend.c.arithmetic import Sums
from tinymo_xdsl.backend.c.layer import Helper
from tinymo_xdsl.backend.c.text import C_TYPES


class TypedRow:
    """Elements of `dtype` become elements of `result`."""

    dtype: str
    result: str

    @property
    def element_in(self) -> str:
        return C_TYPES[self.dtype]

    @property
    def element_out(self) -> str:
        return C_TYPES[self.result]


class SumsRow:
    """Sums of products, which say their types and what helps to compute them."""

    sums: Sums

    @property
    def element_in(self) -> str:
        return C_TYPES[self.sums.data]

    @property
    def element_out(self) -> str:
        return C_TYPES[self.sums.result]

    @property
    def helpers(self) -> tuple[Helper, ...]:
        return self.sums.helpers
