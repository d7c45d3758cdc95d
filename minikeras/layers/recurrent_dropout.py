"""Dropout in recurrent cells: one mask for all steps of a sequence (Gal and Ghahramani 2016)."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..autodiff.context import context
from ..core.validate import fraction
from ..random import SeedGenerator, dropout

_INPUT, _STATE = "_dropout_mask", "_recurrent_dropout_mask"


class DropoutMasks:
    """What a cell with `dropout` and `recurrent_dropout` knows of its masks.

    A mask is drawn when it is first asked for and stays until it is reset, as the layers around
    cells do after each sequence. Who calls a cell in a loop of his own resets them himself.

    Attributes:
        dropout_mask_count: Number of masks of the input, and of the state; None for a single one.
    """

    name: str
    compute_dtype: str
    dropout_mask_count: Any = None

    def _set_dropout(self, rate: float, recurrent_rate: float, seed: Any) -> None:
        owner = type(self).__name__
        self.dropout = fraction(rate, "dropout", owner)
        self.recurrent_dropout = fraction(recurrent_rate, "recurrent_dropout", owner)
        for name in ("dropout", "recurrent_dropout"):
            if getattr(self, name) == 1:
                raise ValueError(
                    f"{owner}: {name} must be below 1, or nothing is left. Received: {name}=1."
                )
        self.seed = seed
        drops = self.dropout or self.recurrent_dropout
        self.seed_generator = SeedGenerator(seed) if drops else None

    def __getstate__(self) -> dict[str, Any]:
        """What copies and pickles hold: not the masks."""
        state: Any = super().__getstate__()
        return {key: value for key, value in state.items() if key not in (_INPUT, _STATE, "_run")}

    # --- masks ---

    def get_dropout_mask(self, step_input: Any) -> Any:
        """The mask (or list of masks) of the input; None without dropout."""
        return self._mask(_INPUT, tuple(step_input.shape), self.dropout)

    def get_recurrent_dropout_mask(self, step_input: Any) -> Any:
        """The mask (or list of masks) of the state; None without recurrent dropout."""
        return self._mask(_STATE, tuple(step_input.shape), self.recurrent_dropout)

    def reset_dropout_mask(self) -> None:
        self.__dict__.pop(_INPUT, None)

    def reset_recurrent_dropout_mask(self) -> None:
        self.__dict__.pop(_STATE, None)

    def _input_masks(self, x: Any, training: Any) -> Any:
        """Masks for a step (batch, ...) or a sequence of such steps, with one axis more."""
        if not training or not self.dropout:
            return None
        return self._mask(_INPUT, (x.shape[0], *x.shape[1 - self._step_rank :]), self.dropout)

    _step_rank = 2  # axes of one step, the batch among them

    def _state_masks(self, h: Any, training: Any) -> Any:
        if not training or not self.recurrent_dropout:
            return None
        return self._mask(_STATE, tuple(h.shape), self.recurrent_dropout)

    def _mask(self, name: str, shape: tuple, rate: float) -> Any:
        if not rate:
            return None
        here = None if context.recorder is None else weakref.ref(context.recorder)
        held = self.__dict__.get(name)
        if held is None or held[:2] != (here, shape):
            held = self.__dict__[name] = (here, shape, self._drawn(shape, rate))
        return held[2]

    def _drawn(self, shape: tuple, rate: float) -> Any:
        def draw() -> Any:
            return dropout(np.ones(shape, self.compute_dtype), rate, seed=self.seed_generator)

        count = self.dropout_mask_count
        return draw() if count is None else [draw() for _ in range(count)]

    # --- what is computed once for all steps ---

    @contextmanager
    def _one_run(self) -> Iterator[None]:
        """Within the block masks, and what `_once` makes, are those of one batch of sequences."""
        before = {name: self.__dict__.pop(name, None) for name in (_INPUT, _STATE)}
        self.__dict__["_run"] = {}
        try:
            yield
        finally:
            self.__dict__.pop("_run", None)
            for name, value in before.items():
                self.__dict__.pop(name, None)
                if value is not None:
                    self.__dict__[name] = value

    def _once(self, name: str, make: Callable[[], Any]) -> Any:
        """What `make` gives, made at the first step of a run; outside of runs, each time."""
        made = self.__dict__.get("_run")
        if made is None:
            return make()
        if name not in made:
            made[name] = make()
        return made[name]
