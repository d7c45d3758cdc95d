"""Values from a file into variables: all of them are checked before the first one is changed."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from .hdf5 import Stored

__all__ = ["Plan", "mismatch"]


class Plan:
    """Assignments that are collected and checked first, and carried out together.

    `source` is what messages call the file. With `lenient`, objects that do not fit are left as
    they are, with a warning; otherwise one ValueError lists them and nothing is assigned.
    """

    def __init__(self, source: str, lenient: bool = False):
        self.source, self.lenient = source, lenient
        self.pairs: list[tuple[Any, Stored]] = []
        self.actions: list[Callable[[], Any]] = []
        self.problems: dict[str, str] = {}
        self.remarks: list[str] = []  # to be made as warnings once everything is loaded

    def add(self, owner: str, variables: list[Any], stored: list[Stored]) -> None:
        """Give `stored` to `variables`, one each, if they all fit; `owner` names their layer."""
        problem = mismatch(variables, stored)
        if problem is None:
            self.pairs += zip(variables, stored, strict=True)
        else:
            self.problems[owner] = problem

    def carry_out(self) -> None:
        """Read everything, then assign everything; or raise with the list of what does not fit."""
        if self.problems:
            self._report()
        arrays = [stored.read() for _, stored in self.pairs]
        for (variable, _), array in zip(self.pairs, arrays, strict=True):
            variable.assign(array.astype(variable.dtype, copy=False))
        for action in self.actions:
            action()
        for remark in self.remarks:
            warnings.warn(remark, stacklevel=4)

    def _report(self) -> None:
        owner, problem = next(iter(self.problems.items()))
        many = f" In all {len(self.problems)} could not be loaded: {', '.join(self.problems)}."
        message = f"{self.source} does not fit the model: {owner} {problem}"
        message += many if len(self.problems) > 1 else ""
        if not self.lenient:
            raise ValueError(
                f"{message} Nothing was loaded. Build the model as it was when the file was saved, "
                "or pass `skip_mismatch=True` to load what fits."
            )
        warnings.warn(f"{message} What does not fit was skipped.", stacklevel=4)


def mismatch(variables: list[Any], stored: list[Stored]) -> str | None:
    """What is wrong with giving these numbers to these variables, or None."""
    if len(variables) != len(stored):
        names = [variable.name for variable in variables]
        return f"expected {len(variables)} variables {names}, found {len(stored)} in the file."
    for variable, found in zip(variables, stored, strict=True):
        if tuple(variable.shape) != found.shape:
            return (
                f"variable {variable.name!r}: expected shape {tuple(variable.shape)}, "
                f"found {found.shape} in the file."
            )
        if not np.can_cast(found.dtype, np.dtype(variable.dtype), "same_kind"):
            return f"variable {variable.name!r}: expected {variable.dtype}, found {found.dtype}."
    return None
