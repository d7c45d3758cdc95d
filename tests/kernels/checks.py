"""What every kernel is held to, given nothing but arguments.

`check` runs one kernel on one set of arguments and asserts that

* it writes every number of its outputs and no other (outputs start as NaN, inputs stay as they
are); * it agrees with its numpy twin, computed in float64; * the twin works in the kernel's own
float type too; * its bits do not depend on the number of tasks; * it reads and writes nothing
outside its arrays, which are laid against protected pages.
"""

import importlib
from typing import Any

import numpy as np

from minikeras.kernels import FAMILY, SIGNATURES, TABLE, launch, run

from .guard import guarded

FLOATS = ("float32", "float64")
TOLERANCE = {"float32": 2e-6, "float64": 1e-14}
_DTYPES = {"i": np.int64, "I": np.int32, "u": np.uint8, "d": np.float64}


def missing(family: str, cases) -> list[str]:
    """Kernels of a family for which there is no case."""
    return sorted(set(TABLE[family]) - set(cases))


def twin(name: str):
    """The numpy twin of a kernel."""
    module = importlib.import_module(f"minikeras.kernels.reference.{FAMILY[name]}")
    return getattr(module, name)


def cast(name: str, arguments, floats: str) -> list:
    """The arguments as fresh contiguous arrays of the dtypes that the kernel takes."""
    result = []
    for kind, value in zip(SIGNATURES[name].values(), arguments, strict=True):
        if kind in ("int", "float"):
            result.append(value)
        else:
            letter = kind[-2]
            dtype = floats if letter == "F" else _DTYPES[letter]
            array = np.array(value, dtype, order="C")
            result.append(_canary(array) if kind.startswith("out ") else array)
    return result


def _canary(array: np.ndarray) -> np.ndarray:
    array.fill(np.nan if array.dtype.kind == "f" else 113)
    return array


def written(name: str, arguments) -> dict[str, np.ndarray]:
    """The arrays among the arguments that the kernel writes."""
    kinds = SIGNATURES[name].items()
    return {k: a for (k, kind), a in zip(kinds, arguments, strict=True) if " " in kind}


def result(name: str, arguments, tasks: int = 1) -> dict[str, np.ndarray]:
    """What the compiled kernel writes."""
    before = [np.copy(a) for a in arguments]
    run([launch(name, *arguments, tasks=tasks)])
    for (argument, kind), old, new in zip(SIGNATURES[name].items(), before, arguments, strict=True):
        if " " not in kind:
            assert np.array_equal(old, new, equal_nan=kind[-2] in "Fd"), f"{argument} was changed"
    return written(name, arguments)


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def expected(name: str, arguments, floats: str) -> dict[str, np.ndarray]:
    """What the twin makes, in float64, of arguments that are rounded to a float type."""
    rounded = cast(name, arguments, floats)
    exact = [
        a.astype(np.float64) if isinstance(a, np.ndarray) and a.dtype == floats else a
        for a in rounded
    ]
    with np.errstate(all="ignore"):
        twin(name)(*exact)
    return written(name, exact)


def check(
    name: str,
    floats: str,
    arguments: tuple[Any, ...],
    tolerance: float = 1.0,
    absolute: float | None = None,
) -> None:
    """Hold a kernel to all of the above.

    Args:
        name: the kernel.
        floats: working float type.
        arguments: arrays and numbers in the order of the signature; outputs give only their shape.
        tolerance: allowed difference from the twin, as a multiple of the type's usual one.
        absolute: size of the numbers that the tolerance is relative to at least, 1 by default.
    """
    limit = TOLERANCE[floats] * tolerance
    floor = limit * (1.0 if absolute is None else absolute)
    first = {k: a.copy() for k, a in result(name, cast(name, arguments, floats)).items()}
    wanted = expected(name, arguments, floats)
    native = cast(name, arguments, floats)
    with np.errstate(all="ignore"):
        twin(name)(*native)
    for argument, value in first.items():
        about = f"{argument} of {name} in {floats}"
        np.testing.assert_allclose(value, wanted[argument], limit, floor, err_msg=about)
        np.testing.assert_allclose(
            written(name, native)[argument], wanted[argument], limit * 4, floor * 4,
            err_msg=f"the twin's {about}",
        )  # fmt: skip
    for tasks in (2, 3, 8):
        for argument, value in result(name, cast(name, arguments, floats), tasks).items():
            assert same_bits(value, first[argument]), f"{argument} of {name} with {tasks} tasks"
    for side in ("before", "after"):
        walled = [
            guarded(a, side) if isinstance(a, np.ndarray) else a
            for a in cast(name, arguments, floats)
        ]
        for argument, value in result(name, walled, 2).items():
            assert same_bits(value, first[argument]), f"{argument} of {name} against a wall"
