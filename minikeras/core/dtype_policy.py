"""Dtype policies: in which type a layer keeps its weights and in which it computes."""

from __future__ import annotations

from typing import Any

from . import settings
from .catalog import register

SUPPORTED = ("float32", "float64")
INTEGERS = ("int32", "int64")  # of layers whose output is numbers of categories


@register("dtype_policies", module="keras")
class DTypePolicy:
    """The dtype of a layer's computation and variables.

    Args:
        name: 'float32' or 'float64'; `floatx()` by default. Of layers that give numbers of
            categories also 'int32' or 'int64'.

    Example:

    >>> DTypePolicy("float64").compute_dtype
    'float64'
    """

    def __init__(self, name: str | None = None):
        name = settings.floatx() if name is None else settings.standardize_dtype(name)
        if name not in (*SUPPORTED, *INTEGERS):
            raise ValueError(
                f"The dtype of a layer must be one of {list(SUPPORTED)}. Received: {name!r}."
            )
        self.name = name

    @property
    def compute_dtype(self) -> str:
        return self.name

    @property
    def variable_dtype(self) -> str:
        return self.name

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DTypePolicy:
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self.name}">'


def get(spec: Any, integers: bool = False) -> DTypePolicy:
    """The policy that a name, a config record or a policy stands for.

    Raises ValueError for one of integers, unless `integers` are allowed.
    """
    if isinstance(spec, dict):
        spec = spec.get("config", spec).get("name")
    policy = spec if isinstance(spec, DTypePolicy) else DTypePolicy(spec)
    if policy.name in INTEGERS and not integers:
        raise ValueError(
            f"The dtype of a layer must be one of {list(SUPPORTED)}. Received: {policy.name!r}."
        )
    return policy
