"""One rise and fall of the learning rate over a whole run."""

import math
from typing import Any

from ..core import validate
from ..core.catalog import register
from .callback import Callback, Logs

__all__ = ["OneCycle"]

_MOMENTUM = (0.95, 0.85)


@register("callbacks")
class OneCycle(Callback):
    """Let the rate rise and then fall, batch by batch, over the whole run; momentum the other way.

    With T batches in all and U = `rise` T, the rate goes from `max_rate` / `divide` to `max_rate`
    in the first U batches, and in the others down to `max_rate` / (`divide` `final_divide`).

    Args:
        max_rate: The greatest rate; `LearningRateFinder` helps to find it.
        steps: Batches in all (T); by default those that `fit` is to run.
        rise: Share of the batches in which the rate rises, between 0 and 1.
        divide: `max_rate` over the first rate.
        final_divide: The first rate over the last.
        momentum: Its greatest value (at the ends) and its least (at `max_rate`), for `momentum` or
            `beta_1` of the optimizer; None leaves it alone; "auto" takes (0.95, 0.85) where the
            optimizer has momentum. When training ends it is again what it was.
        shape: "cosine" or "linear".

    The rate of the last batch of an epoch appears in its logs as "learning_rate".

    Raises:
        ValueError: Before the first epoch: the rate follows a schedule, the optimizer has no
            momentum to change, or the number of batches is unknown or too large.

    Source: L. N. Smith, "A disciplined approach to neural network hyper-parameters", 2018; the
    defaults and the two phases are those of PyTorch's OneCycleLR.

    >>> cycle = OneCycle(0.1, steps=10, rise=0.5, shape="linear", momentum=None)
    >>> [round(cycle.rate_at(batch), 4) for batch in (0, 2, 4, 9)]
    [0.004, 0.052, 0.1, 0.0]
    """

    learning_rate_use = "overwrites"
    log_names = ("learning_rate",)
    state_names = ("_done",)

    def __init__(
        self,
        max_rate: float,
        steps: int | None = None,
        rise: float = 0.3,
        divide: float = 25.0,
        final_divide: float = 1e4,
        momentum: Any = "auto",
        shape: str = "cosine",
    ):
        owner = type(self).__name__
        self.max_rate = _positive(max_rate, "max_rate", owner)
        self.steps = None if steps is None else validate.positive_int(steps, "steps", owner)
        self.rise = validate.fraction(rise, "rise", owner)
        if not 0 < self.rise < 1:
            raise ValueError(f"{owner}: `rise` must lie between 0 and 1. Received: {rise!r}.")
        self.divide = _positive(divide, "divide", owner)
        self.final_divide = _positive(final_divide, "final_divide", owner)
        self.momentum = _momentum(momentum, owner)
        self.shape = validate.one_of(shape, ("cosine", "linear"), "shape", owner)
        self._total = self.steps or 0
        self._done = 0
        self._number: str | None = None  # the optimizer's name of its momentum
        self._momentum_before = 0.0

    def rate_at(self, batch: int) -> float:
        """The rate of a batch of the run, counted from 0."""
        first = self.max_rate / self.divide
        return self._cycle(batch, first, self.max_rate, first / self.final_divide)

    def momentum_at(self, batch: int) -> float:
        """The momentum of a batch of the run, counted from 0."""
        high, low = _MOMENTUM if self.momentum in ("auto", None) else self.momentum
        return self._cycle(batch, high, low, high)

    def on_train_begin(self, logs: Logs = None) -> None:
        self._total, self._done = self._find_total(), 0
        self._number = self._momentum_name()
        if self._number is not None:
            self._momentum_before = getattr(self.model.optimizer, self._number)

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        optimizer, at = self.model.optimizer, min(self._done, self._total - 1)
        optimizer.learning_rate = self.rate_at(at)
        if self._number is not None:
            optimizer.set_number(self._number, self.momentum_at(at))
        self._done += 1

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)

    def on_train_end(self, logs: Logs = None) -> None:
        if self._number is not None:
            self.model.optimizer.set_number(self._number, self._momentum_before)

    def _cycle(self, batch: int, first: float, middle: float, last: float) -> float:
        """From `first` to `middle` and on to `last`: the value for a batch."""
        top, end = self.rise * self._total - 1, self._total - 1
        if top > 0 and batch <= top:
            return self._between(first, middle, batch / top)
        return self._between(middle, last, (batch - top) / (end - top))

    def _between(self, start: float, end: float, share: float) -> float:
        if self.shape == "linear":
            return start + (end - start) * share
        return end + (start - end) * (1 + math.cos(math.pi * share)) / 2

    def _find_total(self) -> int:
        params = self.params or {}
        per_epoch = params.get("steps")
        run = getattr(self.model, "training_run", None)
        epochs = params.get("epochs", 1) - getattr(run, "epoch", 0)
        total = None if per_epoch is None else per_epoch * epochs
        if self.steps is None:
            if total is None:
                raise ValueError(
                    "OneCycle must know how many batches training has: pass `steps`, or "
                    "steps_per_epoch to `fit`. Received: data of unknown length."
                )
            return total
        if total is not None and total > self.steps:
            raise ValueError(
                f"OneCycle ends after {self.steps} batches, and `fit` is to run {total}. Leave "
                f"`steps` out to let it span the run. Received: steps={self.steps}."
            )
        return self.steps

    def _momentum_name(self) -> str | None:
        """The number of the optimizer that is its momentum; None where none is to be changed."""
        if self.momentum is None:
            return None
        optimizer = self.model.optimizer
        for name in ("momentum", "beta_1"):
            if getattr(optimizer, name, 0) and hasattr(optimizer, "set_number"):
                return name
        if self.momentum == "auto":
            return None
        raise ValueError(
            f"OneCycle cannot change the momentum of {type(optimizer).__name__}, which has none. "
            "Compile with SGD(momentum=0.9) or an optimizer with beta_1, or pass momentum=None. "
            f"Received: momentum={self.momentum!r}."
        )


def _positive(value: Any, name: str, owner: str) -> float:
    number = validate.number(value, name, owner)
    if not 0 < number < math.inf:
        raise ValueError(f"{owner}: `{name}` must be more than 0. Received: {value!r}.")
    return number


def _momentum(value: Any, owner: str) -> Any:
    if value is None or value == "auto":
        return value
    if isinstance(value, tuple | list) and len(value) == 2:
        high, low = (validate.fraction(v, "momentum", owner) for v in value)
        if 0 < low <= high < 1:
            return high, low
    raise ValueError(
        f"{owner}: `momentum` must be 'auto', None, or two numbers between 0 and 1, the greater "
        f"first. Received: {value!r}."
    )
