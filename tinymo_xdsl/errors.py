"""Errors that are written for the person who runs the tool."""

from enum import IntEnum


class ExitStatus(IntEnum):
    """What a TinyMo command line returns to the shell."""

    OK = 0
    BAD_INPUT = 1
    MISSING_TOOL = 2
    BUDGET_NOT_MET = 3
    OUTPUTS_DIFFER = 4


class TinymoError(Exception):
    """
    A failure that the user can act on.

    The message is one line: it names the file, operator or tensor, says what is wrong and what to do.
    Tools print it without a traceback and leave with `exit_status`.
    """

    exit_status: ExitStatus = ExitStatus.BAD_INPUT


class BadModelError(TinymoError):
    """A `.tflite` file or a module that cannot be understood, or cannot be expressed in the wanted format."""


class MissingToolError(TinymoError):
    """An optional dependency is not installed; the message says which extra brings it."""

    exit_status = ExitStatus.MISSING_TOOL


class BudgetError(TinymoError):
    """The model does not fit the memory that was asked for."""

    exit_status = ExitStatus.BUDGET_NOT_MET


class OutputsDifferError(TinymoError):
    """Two models, or a module before and after a pass, do not compute the same values."""

    exit_status = ExitStatus.OUTPUTS_DIFFER
