"""Training with a full-batch optimizer: one epoch is one iteration over the whole training set.

`batch_size` says how many rows are computed at a time, and cannot change the result. Callbacks see
each iteration as an epoch of one batch. Loss and metrics of an epoch are those of its iterate, the
weights that the model has when the epoch ends. An epoch in which no better point is found ends with
the weights unchanged, and training with it.

The curvature that a search has learned is not saved: `fit` called again, a run that is resumed, and
training after a callback has changed the weights begin a new search from the weights at hand.
"""

from __future__ import annotations

import warnings
from contextlib import closing
from typing import Any

from ..core import tree
from ..core.output import say
from ..core.validate import positive_int
from ..optimizers.search import Point
from .feeding import RowFeeder
from .interrupts import Interrupts
from .objective import Objective, why_whole
from .run import Run

CHUNK = 1024  # rows at a time, unless `batch_size` says otherwise


def is_full_batch(optimizer: Any) -> bool:
    """Whether an optimizer takes over the loop of `fit`."""
    return getattr(optimizer, "full_batch", False)


def chunk_size(model: Any, x: Any, batch_size: int | None, steps: int | None) -> int:
    """How many rows are computed at a time.

    Raises:
        ValueError: The loss of this model over all samples is not made of the losses of chunks; or
            `steps_per_epoch`, which leaves out samples.
    """
    owner = type(model.optimizer).__name__
    if steps is not None:
        raise ValueError(
            f"{owner} takes the whole training set in every epoch. Received: "
            f"steps_per_epoch={steps}. Leave it out."
        )
    if batch_size is not None:
        positive_int(batch_size, "batch_size", "fit")
    rows = len(tree.flatten(x)[0])
    obstacle = why_whole(model)
    if obstacle is None:
        return min(rows, CHUNK) if batch_size is None else batch_size
    if batch_size is not None and batch_size < rows:
        raise ValueError(
            f"{owner} needs the loss of all samples, which cannot be put together from parts: "
            f"{obstacle}. Received: batch_size={batch_size} for {rows} samples. "
            "Leave batch_size out."
        )
    return rows


class FullBatchRun(Run):
    """A run whose epochs are the iterations of a minimiser; callbacks see each as one batch."""

    objective: Objective

    @property
    def steps(self) -> int:
        return 1

    def train(self) -> None:
        if not isinstance(self.feeder, RowFeeder):
            raise TypeError(
                f"{type(self.model.optimizer).__name__} passes over all samples several times in "
                "an epoch and needs them in memory. Received: data that are read part by part. "
                "Read them into arrays first, as in x[:]."
            )
        places = list(self.batches.epoch(self.epoch))
        self.objective = Objective(self.model, self.feeder, places)
        with closing(self.objective):
            self.model.optimizer.check(self.objective.size)
            self.objective.check()
            super().train()

    def _train_epochs(self, interrupts: Interrupts) -> None:
        objective, optimizer = self.objective, self.model.optimizer
        objective.interrupts = self._interrupts = interrupts
        self._begun = False  # whether an epoch is under way
        if self.batch:  # resumed from a file written after an iteration but within its epoch
            self.hooks.resume_epoch(self.epoch, self.batch)
            loss, _ = objective.evaluate(objective.read())
            self._finish_epoch(self._logs(loss), interrupts)
        while self.epoch < self.epochs and not self.model.stop_training:
            if not self._begun:
                self._begin_iteration()
            self._iterate = objective.read()
            try:
                found = optimizer.minimise(
                    objective.evaluate,
                    self._iterate,
                    self.epochs - self.epoch,
                    product=objective.product,
                    after=self._after,
                    precision=objective.precision,
                )
                if self._begun and found.reason != "stopped":
                    self._finish_iteration(Point(found.x, found.loss, found.gradient))
            except BaseException:
                objective.write(self._iterate)  # not of a point on trial
                raise
            if found.reason != "stopped":
                self._tell(found)
                return

    def _begin_iteration(self) -> None:
        self._begun = True
        self.hooks.on_epoch_begin(self.epoch)
        self.hooks.on_train_batch_begin(0)

    def _after(self, point: Point, last: bool) -> bool:
        """End an epoch and begin the next; true where the search must not go on from here."""
        self._iterate = point.x
        count = self.model.optimizer.iterations
        count.assign(int(count) + 1)
        self._finish_iteration(point)
        if last or self.model.stop_training:
            return True
        self._begin_iteration()
        return not self.objective.holds(point.x)

    def _finish_iteration(self, point: Point) -> None:
        self._begun = False
        self.objective.settle(point.x)
        self.batch = 1
        logs = self._logs(point.loss)
        self.hooks.on_train_batch_end(0, lambda: logs)
        self._save_now()
        self._finish_epoch(logs, self._interrupts)

    def _logs(self, loss: float) -> dict[str, Any]:
        if self.model.metrics_names == ["loss"]:
            return {"loss": loss}
        return {**self.model.get_metrics_result(), "loss": loss}

    def _tell(self, found: Any) -> None:
        """Say once why training ends before the last epoch."""
        name = type(self.model.optimizer).__name__
        if found.reason == "line search":
            warnings.warn(
                f"{name} ended after {found.iterations} iterations without having converged: "
                f"{found.message}.",
                stacklevel=7,
            )
        elif found.converged and self.epoch < self.epochs and self.hooks.progress is not None:
            say(
                f"{name} has converged after {self.epoch} of {self.epochs} epochs: {found.message}."
            )
