"""A kernel bound to its arguments: checked once, then executed any number of times."""

import ctypes
import functools
import struct
import sys
from array import array
from typing import Any, NamedTuple

import numpy as np

from .table import FAILURES, FAMILY, SIGNATURES

_DTYPES = {"i": np.dtype("int64"), "I": np.dtype("int32"), "u": np.dtype("uint8")}
_DTYPES["d"] = _DOUBLE = np.dtype("float64")
_SINGLE = np.dtype("float32")
ROW = 4  # words before the arguments: function, address of the arguments, tasks, 0


class KernelError(ValueError):
    """A kernel met a value that it cannot work with.

    Attributes:
        name: the kernel.
        code: its positive code for what was wrong; the kernel's own file lists them.
    """

    def __init__(self, name: str, code: int, message: str = ""):
        known = FAILURES.get((FAMILY.get(name, ""), code), message)
        super().__init__(f"{known or f'It failed with code {code}.'} (kernel '{name}')")
        self.name = name
        self.code = code


class _Argument(NamedTuple):
    """What a signature says about one argument."""

    name: str
    at: int  # of its first word
    number: str  # "int" or "float"; "" for an array
    dtype: np.dtype | None  # None for the working float type
    rank: int
    out: bool


@functools.cache
def _arguments(kernel: str) -> tuple[_Argument, ...]:
    """The signature of a kernel, taken apart."""
    result, at = [], ROW
    for name, kind in SIGNATURES[kernel].items():
        if kind in ("int", "float"):
            result.append(_Argument(name, at, kind, None, 0, False))
            at += 1
        else:
            rank = int(kind[-1])
            result.append(_Argument(name, at, "", _DTYPES.get(kind[-2]), rank, " " in kind))
            at += 1 + rank
    return tuple(result)


@functools.cache
def _working(kernel: str) -> int | None:
    """Position of the argument whose type is the working float type; None without such a one."""
    kinds = [not a.number and a.dtype is None for a in _arguments(kernel)]
    return kinds.index(True) if True in kinds else None


def works_on_floats(kernel: str) -> bool:
    """Whether a kernel has arrays of a float type that may be either."""
    return _working(kernel) is not None


def _slow_address(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def _fast_address(array: np.ndarray, head: int = object.__basicsize__) -> int:
    """Address of an array's data, a sixth of the time of `_slow_address`.

    It is the first field after the object's head. Extension modules are compiled to read it there,
    so numpy cannot move it; whether this interpreter's objects have such a head is checked below.
    """
    return ctypes.c_ssize_t.from_address(id(array) + head).value


def _is_fast_address_right() -> bool:
    if sys.implementation.name != "cpython":
        return False
    samples = np.zeros(3), np.zeros((4, 5), np.float32)[1:], np.zeros(8, np.int64)[5:]
    return all(_fast_address(x) == _slow_address(x) for x in samples)


_address = _fast_address if _is_fast_address_right() else _slow_address


class Launch:
    """One kernel with its arguments, to be executed as ``tasks`` parts.

    Attributes:
        name: the kernel's name in ``kernels.table``.
        arguments: arrays and numbers in the order of its signature.
        tasks: number of parts; results do not depend on it.
        floats: working float type, ``"float32"`` or ``"float64"``.
        words: what native code reads: int64 words, a row for the thread pool and then the arguments
            (arrays as address and shape).
    """

    __slots__ = ("arguments", "floats", "name", "tasks", "words")

    def __init__(self, name: str, arguments: tuple, tasks: int = 1):
        if name not in SIGNATURES:
            raise ValueError(f"Unknown kernel '{name}'; see minikeras.kernels.table.")
        signature = _arguments(name)
        if len(arguments) != len(signature):
            raise TypeError(
                f"Kernel '{name}' takes {len(signature)} arguments "
                f"({', '.join(SIGNATURES[name])}). Received: {len(arguments)}."
            )
        if tasks < 1:
            raise ValueError(f"A launch needs at least one task. Received: tasks={tasks}.")
        self.name = name
        self.arguments = arguments
        self.tasks = int(tasks)
        working, first = _SINGLE, _working(name)
        if first is not None and getattr(arguments[first], "dtype", _SINGLE) == _DOUBLE:
            working = _DOUBLE
        self.floats = "float64" if working is _DOUBLE else "float32"  # dtype.name is slow
        words = [0, 0, self.tasks, 0]
        for argument, value in zip(signature, arguments, strict=True):
            if argument.number:
                words.append(_bits(value) if argument.number == "float" else int(value))
                continue
            dtype = argument.dtype or working
            if not _fits(value, dtype, argument):
                raise TypeError(_complaint(name, argument, value, dtype))
            words.append(_address(value))
            words += value.shape
        self.words = array("q", words)
        self.words[1] = self.address + 8 * ROW

    @property
    def address(self) -> int:
        """Address of the words."""
        return self.words.buffer_info()[0]

    def word(self, argument: str) -> np.ndarray:
        """One-element view of a number among the arguments: what is written there is used next.

        int64 for an ``int`` argument, float64 for a ``float``.
        """
        found = next(a for a in _arguments(self.name) if a.name == argument)
        if not found.number:
            raise ValueError(
                f"Argument '{argument}' of kernel '{self.name}' is an array, not a number."
            )
        dtype = np.float64 if found.number == "float" else np.int64
        return np.frombuffer(self.words, dtype, 1, 8 * found.at)

    def current_arguments(self) -> list:
        """The arguments with the numbers that the words hold now."""
        return [
            self.word(argument.name)[0].item() if argument.number else value
            for argument, value in zip(_arguments(self.name), self.arguments, strict=True)
        ]

    def __repr__(self) -> str:
        return f"<launch {self.name} {self.floats} x{self.tasks}>"


def _bits(number: float) -> int:
    """The bits of a float64 as an integer."""
    return struct.unpack("=q", struct.pack("=d", number))[0]


def _fits(value: Any, dtype: np.dtype, argument: _Argument) -> bool:
    if not isinstance(value, np.ndarray) or value.dtype != dtype or value.ndim != argument.rank:
        return False
    flags = value.flags
    return flags.c_contiguous and (flags.writeable or not argument.out)


def _complaint(kernel: str, argument: _Argument, value: Any, dtype: np.dtype) -> str:
    """What is wrong with an array."""
    received = repr(type(value))
    if isinstance(value, np.ndarray):
        received = f"{value.dtype} array of shape {value.shape}"
        received += "" if value.flags.c_contiguous else ", not contiguous"
        received += ", read-only" if argument.out and not value.flags.writeable else ""
    wanted = f"contiguous{' writeable' * argument.out} {dtype} array"
    return (
        f"Argument '{argument.name}' of kernel '{kernel}' must be a {wanted} "
        f"with {argument.rank} dimensions. Received: {received}."
    )
