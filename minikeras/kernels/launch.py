"""A kernel bound to its arguments: checked once, then executed any number of times."""

from typing import Any

import numpy as np

from .table import FAILURES, FAMILY, SIGNATURES

_DTYPES = {"i": np.int64, "I": np.int32, "u": np.uint8, "d": np.float64}


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


class Launch:
    """One kernel with its arguments, to be executed as ``tasks`` parts.

    Attributes:
        name: the kernel's name in ``kernels.table``.
        arguments: arrays and numbers in the order of its signature.
        tasks: number of parts; results do not depend on it.
        floats: working float type, ``"float32"`` or ``"float64"``.
        words: what native code reads: int64 array of addresses, shapes and numbers.
    """

    __slots__ = ("_at", "arguments", "floats", "name", "tasks", "words")

    def __init__(self, name: str, arguments: tuple, tasks: int = 1):
        signature = SIGNATURES.get(name)
        if signature is None:
            raise ValueError(f"Unknown kernel '{name}'; see minikeras.kernels.table.")
        if len(arguments) != len(signature):
            raise TypeError(
                f"Kernel '{name}' takes {len(signature)} arguments ({', '.join(signature)}). "
                f"Received: {len(arguments)}."
            )
        if tasks < 1:
            raise ValueError(f"A launch needs at least one task. Received: tasks={tasks}.")
        self.name = name
        self.tasks = int(tasks)
        self.floats = _working_type(signature, arguments)
        self._at: dict[str, int] = {}
        words: list[int] = []
        checked = []
        for (argument, kind), value in zip(signature.items(), arguments, strict=True):
            self._at[argument] = len(words)
            checked.append(self._append(words, argument, kind, value))
        self.arguments = tuple(checked)
        self.words = np.array(words, np.int64)

    def _append(self, words: list[int], argument: str, kind: str, value: Any) -> Any:
        """Check one argument and add its words."""
        if kind == "int":
            words.append(int(value))
            return int(value)
        if kind == "float":
            words.append(int(np.float64(value).view(np.int64)))
            return float(value)
        self._check_array(argument, kind, value)
        words.append(value.__array_interface__["data"][0])
        words.extend(value.shape)
        return value

    def _check_array(self, argument: str, kind: str, value: Any) -> None:
        out, letter, rank = " " in kind, kind[-2], int(kind[-1])  # "out" or "inout"
        dtype = np.dtype(self.floats if letter == "F" else _DTYPES[letter])
        if (
            isinstance(value, np.ndarray)
            and value.dtype == dtype
            and value.ndim == rank
            and value.flags.c_contiguous
            and (value.flags.writeable or not out)
        ):
            return
        if isinstance(value, np.ndarray):
            flags = "" if value.flags.c_contiguous else ", not contiguous"
            flags += ", read-only" if out and not value.flags.writeable else ""
            received = f"{value.dtype} array of shape {value.shape}{flags}"
        else:
            received = repr(type(value))
        raise TypeError(
            f"Argument '{argument}' of kernel '{self.name}' must be a contiguous{' writeable' * out} "
            f"{dtype} array with {rank} dimensions. Received: {received}."
        )

    def word(self, argument: str) -> np.ndarray:
        """One-element view of a number among the arguments: what is written there is used next.

        int64 for an ``int`` argument, float64 for a ``float``.
        """
        kind = SIGNATURES[self.name][argument]
        if kind not in ("int", "float"):
            raise ValueError(
                f"Argument '{argument}' of kernel '{self.name}' is an array, not a number."
            )
        view = self.words[self._at[argument] : self._at[argument] + 1]
        return view if kind == "int" else view.view(np.float64)

    def current_arguments(self) -> list:
        """The arguments with the numbers that the words hold now."""
        values = []
        for (argument, kind), value in zip(
            SIGNATURES[self.name].items(), self.arguments, strict=True
        ):
            values.append(self.word(argument)[0].item() if kind in ("int", "float") else value)
        return values

    def __repr__(self) -> str:
        return f"<launch {self.name} {self.floats} x{self.tasks}>"


def _working_type(signature: dict[str, str], arguments: tuple) -> str:
    """Type of the first float array (float32 when there is none)."""
    for kind, value in zip(signature.values(), arguments, strict=True):
        if "F" in kind:
            dtype = getattr(value, "dtype", None)
            return "float64" if dtype is not None and dtype == np.float64 else "float32"
    return "float32"
