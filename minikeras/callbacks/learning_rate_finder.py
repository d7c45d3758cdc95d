"""A short trial that shows which learning rates a model bears."""

import math
from typing import Any

import numpy as np

from ..core import validate
from ..core.catalog import register
from .callback import Callback, Logs
from .figures import new_axes
from .learning_rate_scheduler import require_settable_rate
from .output import say

__all__ = ["LearningRateFinder"]

_WINDOWS = 8  # parts of the trial, of which the steepest is looked for


@register("callbacks")
class LearningRateFinder(Callback):
    """Raise the learning rate from batch to batch, and see at which the loss falls fastest.

    The rate grows by the same factor with each batch, from `start` to `stop`. Training ends as soon
    as all rates were tried, or when the smoothed loss is `diverge` times its best. Then weights
    and optimizer get back, bit for bit, what they had before, so the trial costs nothing but time.

    Args:
        start: First rate.
        stop: Last rate.
        steps: Batches to try; by default as many as `fit` is to run, at most 200.
        smoothing: Share of the past in the running mean of the loss, in [0, 1).
        diverge: How many times its best the smoothed loss may become.
        verbose: 1 prints the suggestion.

    Attributes:
        rates, losses, smoothed: What was tried, the loss of each batch, and its running mean.
        suggestion: The rate around which the loss fell fastest.

    Raises:
        ValueError: Before the first epoch: the rate follows a schedule, or `fit` has too few
            batches.

    Source: L. N. Smith, "Cyclical Learning Rates for Training Neural Networks", 2017, section 3.3.

    >>> import numpy as np, minikeras as keras
    >>> x = np.linspace(-1, 1, 640, dtype="float32")[:, None]
    >>> model = keras.Sequential([keras.layers.Dense(8, "relu"), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> finder = LearningRateFinder(start=1e-4)
    >>> history = model.fit(x, x**2, batch_size=16, epochs=2, callbacks=[finder], verbose=0)
    >>> 1e-4 < finder.suggestion < 10
    True
    """

    learning_rate_use = "overwrites"
    state_names = ("rates", "losses", "smoothed", "_mean", "_before")

    def __init__(
        self,
        start: float = 1e-7,
        stop: float = 10.0,
        steps: int | None = None,
        smoothing: float = 0.9,
        diverge: float = 4.0,
        verbose: int = 0,
    ):
        owner = type(self).__name__
        self.start = validate.number(start, "start", owner)
        self.stop = validate.number(stop, "stop", owner)
        if not 0 < self.start < self.stop < math.inf:
            raise ValueError(
                f"{owner}: the rates must rise from above 0, so 0 < start < stop. Received: "
                f"start={start!r}, stop={stop!r}."
            )
        self.steps = None if steps is None else validate.positive_int(steps, "steps", owner)
        self.smoothing = validate.fraction(smoothing, "smoothing", owner)
        if self.smoothing == 1:
            raise ValueError(f"{owner}: `smoothing` must be less than 1. Received: {smoothing!r}.")
        self.diverge = validate.number(diverge, "diverge", owner)
        if self.diverge <= 1:
            raise ValueError(f"{owner}: `diverge` must be more than 1. Received: {diverge!r}.")
        self.verbose = verbose
        self._reset()
        self._count = 0  # batches to try
        self._before: list[np.ndarray] = []  # values of all variables

    def _reset(self) -> None:
        self.rates: list[float] = []
        self.losses: list[float] = []
        self.smoothed: list[float] = []
        self._mean = 0.0

    @property
    def suggestion(self) -> float:
        """The rate around which the loss fell fastest.

        That is the middle of the eighth of the batches through which the straight line that fits
        best falls most steeply, before the smoothed loss is least.
        """
        self._require_trial()
        end = int(np.nanargmin(self.smoothed)) + 1
        width = min(end, max(2, len(self.losses) // _WINDOWS))
        places = np.arange(width) - (width - 1) / 2
        slopes = np.correlate(self.losses[:end], places)  # of all windows, up to a factor
        return self.rates[int(np.argmin(slopes)) + width // 2]

    @property
    def at_minimum(self) -> float:
        """A tenth of the rate with the least smoothed loss: the other common choice."""
        self._require_trial()
        return self.rates[int(np.nanargmin(self.smoothed))] / 10

    def on_train_begin(self, logs: Logs = None) -> None:
        optimizer = self.model.optimizer
        require_settable_rate(optimizer, type(self).__name__)
        self._reset()
        self._count = self._steps()
        optimizer.build(self.model.trainable_variables)
        self._before = [variable.numpy() for variable in self._variables()]

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        share = len(self.rates) / max(1, self._count - 1)
        self.rates.append(self.start * (self.stop / self.start) ** share)
        self.model.optimizer.learning_rate = self.rates[-1]
        self.model.reset_metrics()  # so that the logs are those of this batch alone

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        loss = float((logs or {})["loss"])
        self.losses.append(loss)
        self._mean = self.smoothing * self._mean + (1 - self.smoothing) * loss
        self.smoothed.append(self._mean / (1 - self.smoothing ** len(self.losses)))
        best = min(self.smoothed)
        within = self.smoothed[-1] <= best + (self.diverge - 1) * abs(best)  # not so for NaN
        if not within or len(self.losses) >= self._count:
            self.model.stop_training = True

    def on_train_end(self, logs: Logs = None) -> None:
        for variable, value in zip(self._variables(), self._before, strict=True):
            variable.assign(value)
        if self.verbose and len(self.rates) > 1:
            say(f"LearningRateFinder suggests a learning rate of {self.suggestion:.2g}.")

    def plot(self, axes: Any = None) -> Any:
        """Draw the loss over the rate, and the suggestion; returns the matplotlib axes."""
        suggestion = self.suggestion
        axes = new_axes()[0] if axes is None else axes
        count = len(self.smoothed)
        axes.plot(self.rates[:count], self.losses, color="0.8", label="loss of a batch")
        axes.plot(self.rates[:count], self.smoothed, label="smoothed")
        axes.axvline(suggestion, color="C1", linestyle="--", label=f"suggestion: {suggestion:.2g}")
        low, high = np.nanmin(self.smoothed), np.nanmax(self.smoothed[: max(2, count // 2)])
        if math.isfinite(high) and high > low:
            axes.set_ylim(low - 0.1 * (high - low), high + 0.5 * (high - low))
        axes.set_xscale("log")
        axes.set_xlabel("learning rate")
        axes.set_ylabel("loss")
        axes.legend()
        return axes

    def _variables(self) -> list[Any]:
        """All that training changes: weights, moving averages, seeds, the optimizer's state."""
        return [*self.model.variables, *self.model.optimizer.variables]

    def _steps(self) -> int:
        params = self.params or {}
        per_epoch = params.get("steps")
        total = None if per_epoch is None else per_epoch * params.get("epochs", 1)
        if self.steps is None:
            return 200 if total is None else min(200, total)
        if total is not None and total < self.steps:
            raise ValueError(
                f"LearningRateFinder needs {self.steps} batches, and `fit` is to run {total}. Pass "
                f"more epochs, or fewer steps. Received: steps={self.steps}."
            )
        return self.steps

    def _require_trial(self) -> None:
        if len(self.smoothed) < 2:
            raise ValueError(
                "LearningRateFinder has not seen two batches with a finite loss yet. Pass it to "
                "`fit` in `callbacks` first."
            )
