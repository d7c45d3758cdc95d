"""Saving the model while it trains."""

import os
import re
import string
import warnings
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from ..core import validate
from ..core.catalog import register
from .callback import Logs
from .monitor import Monitor, missing_hint
from .output import say

__all__ = ["ModelCheckpoint"]

_WEIGHTS = ".weights.h5"
_MODELS = (".keras", ".h5", ".hdf5")


@register("callbacks")
class ModelCheckpoint(Monitor):
    """Save the model, or its weights, after every epoch or every so many batches.

    Args:
        filepath: Where to save: a name ending in `.keras` or `.h5`, or in `.weights.h5` with
            `save_weights_only`. It may hold fields for "epoch" (counted from 1), "batch" (likewise,
            with a number as `save_freq`) and every name in the logs, as in
            "{epoch:02d}-{val_loss:.2f}.keras". Missing folders are created.
        monitor: Name in the logs that tells which model is best; a name that does not occur is an
            error, raised before the first epoch.
        verbose: 1 tells what is saved, and why not.
        save_best_only: Save only when the monitored number is better than ever before.
        save_weights_only: Save weights and optimizer state, without the architecture.
        mode: "min", "max", or "auto" (by the name of the number).
        save_freq: "epoch", or a number of batches, which are counted over the whole run.
        initial_value_threshold: The monitored number must be better than this from the start.

    An existing file is replaced in one step: whenever the process ends, the old file or the new one
    is there, whole. With `save_best_only` an epoch without validation saves nothing when the number
    comes from it. The best value stays known while the same model goes on training, over several
    calls of `fit`; another model starts anew.

    >>> keep_best = ModelCheckpoint("best.keras", monitor="val_accuracy", save_best_only=True)
    >>> weights = ModelCheckpoint("{epoch:03d}.weights.h5", save_weights_only=True)
    """

    state_names = ("best", "_rising", "_epoch", "_batches")

    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: Any = "epoch",
        initial_value_threshold: float | None = None,
    ):
        super().__init__(monitor, mode)
        owner = "ModelCheckpoint"
        self.verbose = verbose
        self.save_best_only = validate.boolean(save_best_only, "save_best_only", owner)
        self.save_weights_only = validate.boolean(save_weights_only, "save_weights_only", owner)
        self.filepath = _checked_path(filepath, self.save_weights_only)
        self.save_freq = read_save_freq(save_freq, owner)
        self.initial_value_threshold = (
            None
            if initial_value_threshold is None
            else validate.number(initial_value_threshold, "initial_value_threshold", owner)
        )
        self._fields = _fields(self.filepath)
        self._refuse_what_batches_lack()
        self._epoch = self._batches = 0
        self.best = self.initial_value_threshold
        if self.save_freq == "epoch":
            self.idle_hooks = ("on_train_batch_end", "on_epoch_begin")

    def set_model(self, model: Any) -> None:
        if model is not self._model:
            self.best = self.initial_value_threshold
        super().set_model(model)

    def require(self, names: Collection[str]) -> None:
        """Raise a ValueError unless `names` hold the monitor and what the file name asks for."""
        if self.save_best_only:
            super().require(names)
        known = [*names, "epoch", *(["batch"] if self.save_freq != "epoch" else [])]
        for field in self._fields:
            if field not in known:
                raise ValueError(
                    f"ModelCheckpoint cannot fill in {{{field}}} in the name of the file."
                    f"{missing_hint(field, known)} Choose among: {', '.join(known)}. "
                    f"Received: filepath={self.filepath!r}."
                )

    def on_train_begin(self, logs: Logs = None) -> None:
        self._epoch = self._batches = 0
        _require_writable(self.filepath)
        if self.save_best_only:
            self.settle_direction()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if self.save_freq == "epoch":
            return
        self._batches += 1
        if self._batches % self.save_freq == 0:
            self._save_if_due(self._epoch, {"batch": batch + 1, **(logs or {})})

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.save_freq == "epoch":
            self._save_if_due(epoch, logs or {})

    def _save_if_due(self, epoch: int, logs: Mapping[str, Any]) -> None:
        if not self.save_best_only:
            self._save(epoch, logs, "saved")
            return
        value = self.get_monitor_value(logs)
        if value is None:
            return
        if np.ndim(value) > 0:
            warnings.warn(
                f"ModelCheckpoint can tell the best model by a single number only, so every model "
                f"is saved. Received: {self.monitor}={value!r}.",
                stacklevel=2,
            )
            self._save(epoch, logs, "saved")
        elif self.improved(value, self.best):
            before = "" if self.best is None else f" from {self.best:.5f}"
            self._save(epoch, logs, f"{self.monitor} improved{before} to {value:.5f}, saved")
            self.best = value
        elif self.verbose:
            say(f"Epoch {epoch + 1}: {self.monitor} did not improve from {self.best:.5f}.")

    def _save(self, epoch: int, logs: Mapping[str, Any], what: str) -> None:
        try:
            path = self.filepath.format_map({**logs, "epoch": epoch + 1})
        except KeyError as error:
            self._cannot_name(error.args[0], epoch, logs)
            return
        save = self.model.save_weights if self.save_weights_only else self.model.save
        save(path, overwrite=True)
        if self.verbose:
            say(f"Epoch {epoch + 1}: {what} to {path}")

    def _cannot_name(self, field: str, epoch: int, logs: Mapping[str, Any]) -> None:
        """An epoch without validation gets a warning; a name that no epoch has, an error."""
        if field not in ((self.params or {}).get("metrics") or ()):
            self.require(list(logs))
        warnings.warn(
            f"ModelCheckpoint saved nothing after epoch {epoch + 1}, which has no {field!r} to "
            f"name the file by. Received: filepath={self.filepath!r}.",
            stacklevel=2,
        )

    def _refuse_what_batches_lack(self) -> None:
        """Numbers of validation are not there yet when a model is saved within an epoch."""
        if self.save_freq == "epoch":
            return
        asked = [*self._fields, *([self.monitor] if self.save_best_only else [])]
        for name in asked:
            if name.startswith("val_"):
                raise ValueError(
                    f"ModelCheckpoint with save_freq={self.save_freq} looks at the numbers within "
                    f"an epoch, where there is no {name!r} yet. Use save_freq='epoch', or "
                    f"{name.removeprefix('val_')!r}. Received: monitor={self.monitor!r}, "
                    f"filepath={self.filepath!r}."
                )


def read_save_freq(value: Any, owner: str) -> Any:
    """ "epoch" or a number of batches."""
    if value == "epoch":
        return value
    try:
        return validate.positive_int(value, "save_freq", owner)
    except ValueError:
        raise ValueError(
            f"{owner}: `save_freq` must be 'epoch' or a positive number of batches. "
            f"Received: {value!r}."
        ) from None


def _checked_path(filepath: Any, weights_only: bool) -> str:
    """The path as text, if its ending is that of what will be saved."""
    try:
        path = os.fsdecode(filepath)
    except TypeError:
        raise TypeError(
            f"ModelCheckpoint: `filepath` must be a path. Received: {filepath!r} "
            f"(of type {type(filepath).__name__})."
        ) from None
    problem = None
    if "://" in path:
        problem = "`filepath` must be a local path."
    elif weights_only and not path.endswith(_WEIGHTS):
        problem = f"with save_weights_only=True `filepath` must end in {_WEIGHTS!r}."
    elif not weights_only and path.endswith(_WEIGHTS):
        problem = (
            f"a `filepath` ending in {_WEIGHTS!r} is for weights alone. Pass "
            "save_weights_only=True, or end it in '.keras'."
        )
    elif not weights_only and not path.endswith(_MODELS):
        problem = "`filepath` must end in '.keras' (or '.h5', the older format)."
    if problem is not None:
        raise ValueError(f"ModelCheckpoint: {problem} Received: filepath={path!r}.")
    return path


def _require_writable(path: str) -> None:
    """Raise an OSError before training, not after, where no file can be written."""
    folder = os.path.abspath(os.path.dirname(path.partition("{")[0]))
    while not os.path.exists(folder):
        folder = os.path.dirname(folder)
    if not os.path.isdir(folder) or not os.access(folder, os.W_OK):
        raise OSError(
            f"ModelCheckpoint cannot write {path!r}: {folder!r} is not a folder that may be "
            "written to."
        )


def _fields(path: str) -> list[str]:
    """The names in braces in a file name."""
    try:
        parts = [field for _, field, _, _ in string.Formatter().parse(path) if field is not None]
    except ValueError as error:
        raise ValueError(
            f"ModelCheckpoint: the braces in `filepath` are not in order: {error}. Fields look "
            f"like {{epoch:02d}}. Received: filepath={path!r}."
        ) from None
    names = [re.split(r"[.\[]", field)[0] for field in parts]
    if not all(names) or any(name.isdigit() for name in names):
        raise ValueError(
            "ModelCheckpoint: fields in `filepath` need names, such as {epoch:02d} or "
            f"{{val_loss:.2f}}. Received: filepath={path!r}."
        )
    return names
