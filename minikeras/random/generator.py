"""SeedGenerator: a seed and a counter, kept in a Variable so that recorded steps advance it."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import kernels
from ..autodiff.context import context
from ..autodiff.primitive import Primitive
from ..autodiff.spec import Spec
from ..autodiff.variable import Variable
from ..core.names import auto_name, path_of
from ..core.registry import register
from ..core.seeds import derive, next_seed
from ..core.validate import non_negative_int

next_key = Primitive(
    "next_key",
    lambda state: Spec((1,), "int64"),
    lambda ins, outs: [kernels.launch("next_key", ins[0], outs[0])],
    writes=(0,),
)


@register("operations", module="keras.random")
class SeedGenerator:
    """A stream of keys for random functions; each `next` gives another one.

    Args:
        seed: Start of the stream; by default drawn from the process-wide seed
            (`utils.set_random_seed`).

    Example:

    >>> from minikeras import random
    >>> generator = random.SeedGenerator(seed=1)
    >>> random.uniform((2,), seed=generator).shape
    (2,)
    """

    is_seed_generator = True

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any):
        if kwargs:
            raise TypeError(f"SeedGenerator has no argument {next(iter(kwargs))!r}.")
        given = next_seed() if seed is None else seed
        self._initial = non_negative_int(given, "seed", "SeedGenerator")
        self.name = name or auto_name("seed_generator")
        self.seed = seed
        start = np.array([derive("seed", self._initial) >> 1, 0], np.int64)
        self.state = Variable(start, dtype="int64", trainable=False, name="seed_generator_state")
        self.state.path = path_of(f"{self.name}/{self.state.name}")
        self.state.is_seed_state = True  # type: ignore[attr-defined]

    def next(self, ordered: bool = True) -> Any:
        """The next key: an int64 array (or tensor) of one element."""
        return next_key(self.state)

    def draw(self) -> int:
        """The next key as a number, for draws outside of any recorded step."""
        key = self.next()
        return int(np.asarray(key).view(np.uint64)[0])

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SeedGenerator:
        return cls(**config)


def key_of(seed: Any) -> Any:
    """The key for one random draw: from a generator, a number, or the process-wide seed."""
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if seed is None and context.recorder is not None:
        return _key_of_each_replay(context.recorder)
    number = next_seed() if seed is None else non_negative_int(seed, "seed")
    return _key(number)


def _key(number: int) -> np.ndarray:
    return np.array([derive("seed", number) >> 1], np.int64)


def _key_of_each_replay(recorder: Any) -> Any:
    """A key that is drawn anew whenever the step being recorded runs."""
    key = Variable(np.zeros(1, np.int64), dtype="int64", trainable=False, name="key")

    def draw() -> None:
        key._buffer[...] = _key(next_seed())

    if hasattr(recorder, "prologue"):  # not where only shapes are wanted
        recorder.prologue.append(draw)
    return key.value
