from . import encode as encode
from . import number_types as number_types
from . import packer as packer
from . import table as table
from . import util as util
from .builder import Builder as Builder
from .table import Table as Table
