"""Run: one call of `fit`, from its first epoch to its last, or from where another one ended."""

from __future__ import annotations

from typing import Any

from ..callbacks import CallbackList
from ..data import ArrayData
from . import preparation, run_state
from .batches import Batches
from .divergence import warn_if_diverged
from .feeding import Feeder
from .interrupts import Interrupts
from .results import Results
from .validation import Validation


class Run:
    """Training under way; callbacks find it as ``model.training_run``.

    Attributes:
        model: The model.
        epoch: The epoch under way, counted from 0.
        batch: Batches finished in it.
        epochs: The number of the last epoch.
        interrupted: Whether training ends by an error or Ctrl-C, which `on_train_end` can ask.
    """

    def __init__(
        self,
        model: Any,
        batches: Batches,
        feeder: Feeder,
        validation: Validation,
        hooks: CallbackList,
        epochs: int,
        initial_epoch: int,
    ):
        self.model, self.batches, self.feeder = model, batches, feeder
        self.validation, self.hooks = validation, hooks
        self.epochs, self.epoch, self.batch = epochs, initial_epoch, 0
        self.results = Results(model, "train", feeder)
        self.logs: dict[str, Any] = {}
        self.interrupted = False
        self._diverged = False
        self._to_save: list[tuple[str, str | None]] = []
        self._resume_paths: tuple[str, ...] = ()

    @property
    def steps(self) -> int | None:
        """Batches per epoch; None as long as nobody knows."""
        return self.batches.steps

    @property
    def validation_data(self) -> Any:
        """(x, y, sample_weight) that `fit` validates on, or None."""
        return self.validation.arrays

    def prepared(self, x: Any, y: Any, sample_weight: Any = None) -> tuple[Any, Any, Any]:
        """Data of a callback's own as steps take them: arrays in the model's ranks and dtypes."""
        x, y = preparation.prepare(self.model, x, y)
        data = ArrayData(x, y, sample_weight)
        return data.x, data.y, data.sample_weight

    def train(self) -> None:
        """Epoch after epoch; `on_train_end` is called however training ends."""
        self.model.stop_training = False
        outer, self.model.training_run = self.model.training_run, self
        try:
            self.hooks.on_train_begin()
            try:
                self._resume()
                with Interrupts() as interrupts:
                    self._train_epochs(interrupts)
                self._take_averages()
            except BaseException:
                self.interrupted = True
                raise
            finally:
                self.hooks.on_train_end(self.logs)
        finally:
            self.model.training_run = outer  # that of a `fit` whose callback called this one

    def _take_averages(self) -> None:
        """Averages that the optimizer keeps of the weights take their place, where they do not yet.

        Keras does this before `on_train_end`, in which callbacks may set other weights.
        """
        optimizer = self.model.optimizer
        there = any(getattr(c, "averages_in_model", False) for c in self.hooks.callbacks)
        if getattr(optimizer, "averages", None) and int(optimizer.iterations) > 0 and not there:
            optimizer.finalize_variable_values(self.model.trainable_variables)

    def _train_epochs(self, interrupts: Interrupts) -> None:
        while self._goes_on():
            self._train_epoch(interrupts)

    def _goes_on(self) -> bool:
        """Whether there is an epoch to train, or to end because it was stopped half way."""
        if self.epoch >= self.epochs or (self.model.stop_training and not self.batch):
            return False
        return self.batches.has_more(self.epoch, self.epochs)

    def _train_epoch(self, interrupts: Interrupts) -> None:
        epoch = self.epoch
        if self.batch:  # resumed within the epoch, which its callbacks have begun already
            self.hooks.resume_epoch(epoch, self.batch)
        else:
            self.hooks.on_epoch_begin(epoch)
            self.model.reset_metrics()
        if not self.model.stop_training:
            self._train_batches(interrupts)
        self._finish_epoch(self.results(), interrupts)

    def _finish_epoch(self, logs: dict[str, Any], interrupts: Interrupts) -> None:
        epoch = self.epoch
        if self.validation.due(epoch):
            logs = {**logs, **self.validation.run(self.model, self.hooks, interrupts)}
        self.logs = logs
        self._diverged = self._diverged or warn_if_diverged(
            epoch, logs, self.model, self.batches.arrays
        )
        self.hooks.on_epoch_end(epoch, logs)
        self.epoch, self.batch = epoch + 1, 0
        self._save_now()

    def _train_batches(self, interrupts: Interrupts) -> None:
        """The batches of this epoch, from number `batch` on."""
        model, hooks, results = self.model, self.hooks, self.results
        quiet, run, end = not hooks.has_batch_hooks, results.run, hooks.on_train_batch_end
        places = self.batches.epoch(self.epoch, self.batch)
        try:
            for batch, place in enumerate(places, self.batch):
                if not quiet:
                    hooks.on_train_batch_begin(batch)
                run(place)
                self.batch = batch + 1
                end(batch, results)
                if self._to_save:
                    self._save_now()
                if interrupts.seen:
                    raise KeyboardInterrupt
                if model.stop_training:
                    break
        finally:
            self.batches.close()

    # --- files ---

    def save(self, path: str, previous: str | None = None) -> None:
        """Write all that is needed to go on from here to a `.weights.h5` file, which Keras reads.

        It is done as soon as the hooks of this moment have run, so that the state of every callback
        is that after it: training resumed from the file ends in the same bits.

        Args:
            path: The file; an older one is replaced at once or, on any error, not at all.
            previous: Where to keep the older file.
        """
        self._to_save.append((path, previous))

    def resume_from(self, *paths: str) -> None:
        """Go on where the run that wrote a file stood; for use in `on_train_begin`.

        Args:
            paths: The file, and those to fall back on, with a warning, if it cannot be read.

        Raises:
            ValueError: When training starts: the file is damaged, or fits neither model nor data.
        """
        self._resume_paths = paths

    def _save_now(self) -> None:
        waiting, self._to_save = self._to_save, []
        for path, previous in waiting:
            run_state.save(self, path, previous)

    def _resume(self) -> None:
        paths, self._resume_paths = self._resume_paths, ()
        if paths:
            run_state.load_first(self, paths)
