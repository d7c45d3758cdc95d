"""Training that survives the end of its process."""

import os
from glob import escape, glob
from typing import Any

from ..core import validate
from ..core.catalog import register
from .callback import Callback, Logs
from .model_checkpoint import read_save_freq

__all__ = ["BackupAndRestore"]


@register("callbacks")
class BackupAndRestore(Callback):
    """Keep a backup of the whole run; `fit`, called again, goes on where the backup was made.

    Args:
        backup_dir: Folder of the backup. It belongs to one run: no other may use it.
        save_freq: "epoch", or a number of batches, which are counted over the whole run.
        double_checkpoint: Keep the backup before the last one, too, and take it up when the last
            one cannot be read.
        delete_checkpoint: Delete the backup when training has come to its end. It stays when an
            error or Ctrl-C ended it.

    The backup holds weights, optimizer, random generators, the place in the data, metrics, history,
    what stateful layers carry from batch to batch, and the state of all callbacks: a run that was
    killed at any moment and started again, with the same model, data and callbacks, ends in the
    same bits as one that was not. It is a file named "latest.weights.h5", whose weights Keras loads
    too. The model need not be built before `fit`.

    Raises ValueError before the first epoch when the backup is damaged, or of another run.

    >>> backup = BackupAndRestore("backup", save_freq=100)
    """

    state_names = ("_batches",)

    def __init__(
        self,
        backup_dir: Any,
        save_freq: Any = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ):
        owner = "BackupAndRestore"
        if not isinstance(backup_dir, str | bytes | os.PathLike) or not os.fspath(backup_dir):
            raise ValueError(
                f"{owner}: `backup_dir` must be the path of a folder. Received: {backup_dir!r}."
            )
        self.backup_dir = os.fsdecode(backup_dir)
        self.save_freq = read_save_freq(save_freq, owner)
        self.double_checkpoint = validate.boolean(double_checkpoint, "double_checkpoint", owner)
        self.delete_checkpoint = validate.boolean(delete_checkpoint, "delete_checkpoint", owner)
        self.latest = os.path.join(self.backup_dir, "latest.weights.h5")
        self.previous = os.path.join(self.backup_dir, "previous.weights.h5")
        self._batches = 0
        self.idle_hooks = ("on_epoch_end" if self.save_freq != "epoch" else "on_train_batch_end",)

    def on_train_begin(self, logs: Logs = None) -> None:
        self._batches = 0
        if getattr(self.model, "training_run", None) is None:
            raise ValueError("BackupAndRestore works in `fit`. Received: another loop.")
        os.makedirs(self.backup_dir, exist_ok=True)  # now, that the first backup cannot fail by it
        self._remove_unfinished()
        files = [self.latest, *([self.previous] if self.double_checkpoint else [])]
        files = [file for file in files if os.path.exists(file)]
        if files:
            self.model.training_run.resume_from(*files)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._batches += 1
        if self.save_freq != "epoch" and self._batches % self.save_freq == 0:
            self._save()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.save_freq == "epoch":
            self._save()

    def on_train_end(self, logs: Logs = None) -> None:
        if not self.delete_checkpoint or self.model.training_run.interrupted:
            return
        self._remove_unfinished()
        for file in (self.latest, self.previous):
            if os.path.exists(file):
                os.remove(file)
        if not os.listdir(self.backup_dir):  # files of somebody else stay
            os.rmdir(self.backup_dir)

    def _save(self) -> None:
        self.model.training_run.save(self.latest, self.previous if self.double_checkpoint else None)

    def _remove_unfinished(self) -> None:
        """Remove what a process left that was killed while it wrote."""
        for file in (self.latest, self.previous):
            name = os.path.join(escape(self.backup_dir), f".{os.path.basename(file)}.*.tmp")
            for unfinished in glob(name):
                os.remove(unfinished)
