"""A budget on the number of values that variables may take while a model is rebuilt from a file.

A file of a few bytes may declare a layer of 700 million units. Whoever loads it knows how many
values its data hold, sets the budget accordingly, and variables claim their size before any memory
is allocated.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["claim", "value_budget"]

_budget: ContextVar[list[int] | None] = ContextVar("value_budget", default=None)


@contextmanager
def value_budget(values: int) -> Iterator[None]:
    """Within the block, variables may be created for at most `values` values together."""
    token = _budget.set([int(values)])
    try:
        yield
    finally:
        _budget.reset(token)


def claim(values: int, name: str = "variable") -> None:
    """Take `values` from the budget in force, if any; raises ValueError when it does not suffice.

    >>> with value_budget(10):
    ...     claim(8, "kernel")
    """
    left = _budget.get()
    if left is None:
        return
    if values > left[0]:
        raise ValueError(
            f"The configuration in the file asks for a {name!r} of {values} values, "
            f"but the file holds data for only {left[0]} more. "
            "The file is damaged or not to be trusted."
        )
    left[0] -= values
