"""Logs for TensorBoard."""

import os
import time
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..core import settings, validate
from ..core.catalog import register
from ..core.serialize import serialize
from .callback import Callback, Logs
from .event_log import BUCKETS, IMAGES, EventLog

__all__ = ["TensorBoard"]

_BATCH_HOOKS = ("on_train_batch_begin", "on_train_batch_end")


@register("callbacks")
class TensorBoard(Callback):
    """Write what TensorBoard shows: learning curves, the model's layers, weights, embeddings.

    Needs the package `tensorboard` or `tensorboardX` (``pip install "minikeras[tensorboard]"``).
    Look at the logs with ``tensorboard --logdir logs``.

    Args:
        log_dir: Folder of the logs. Training goes to its subfolder "train", validation and
            `evaluate` to "validation".
        histogram_freq: Every so many epochs the distribution of each weight; 0 for never.
        write_graph: Show the layers of a `Sequential` or functional model; other models have no
            graph to show.
        write_images: Show weights as images, too, in the epochs of `histogram_freq`: 1-dimensional
            ones as a column, 2-dimensional ones as they are, the filters of a convolution of one
            channel one by one. Black is the least and white the greatest entry.
        write_steps_per_second: Log the speed.
        update_freq: "epoch", or "batch" or a number to log the averages of the epoch so far after
            each batch, or after every so many.
        profile_batch: Profiling; not available, so anything but 0 is an error.
        embeddings_freq: Every so many epochs the weights of `Embedding` layers, for the projector;
            0 for never.
        embeddings_metadata: A file (as seen from `log_dir`) that names the rows of the embedding,
            or a dict from the names of embedding layers to such files.

    The names are those of Keras: "epoch_loss" and "epoch_learning_rate" by epoch, "batch_loss" by
    the number of updates that the model has had, "evaluation_loss_vs_iterations". So a run that is
    resumed, or goes on with `initial_epoch`, continues the curves.

    `summary` writes numbers, images and text of your own::

        board = TensorBoard("logs")
        board.summary.scalar("temperature", 0.5)  # by default at the step of the last update

    >>> import tempfile, minikeras as keras
    >>> board = keras.callbacks.TensorBoard(tempfile.mkdtemp(), histogram_freq=1)
    >>> board.update_freq
    'epoch'
    """

    state_names = ("_batches",)

    def __init__(
        self,
        log_dir: str | os.PathLike = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: int | str = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: str | Mapping[str, str] | None = None,
    ):
        owner = "TensorBoard"
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = validate.non_negative_int(histogram_freq, "histogram_freq", owner)
        self.write_graph = validate.boolean(write_graph, "write_graph", owner)
        self.write_images = validate.boolean(write_images, "write_images", owner)
        self.write_steps_per_second = validate.boolean(
            write_steps_per_second, "write_steps_per_second", owner
        )
        self.update_freq = _update_frequency(update_freq)
        self.embeddings_freq = validate.non_negative_int(embeddings_freq, "embeddings_freq", owner)
        self.embeddings_metadata = embeddings_metadata
        self._refuse_unused(profile_batch)
        self.summary = Summary(self)
        self._train = EventLog(os.path.join(self.log_dir, "train"))
        self._validation = EventLog(os.path.join(self.log_dir, "validation"))
        self._in_fit = False
        self._batches = 0  # updates so far
        self._batch_start = self._epoch_start = 0.0
        self._epoch_first = 0  # updates before the epoch

    @property
    def idle_hooks(self) -> tuple[str, ...]:  # type: ignore[override]
        """The hooks of batches, unless something is logged in them, or a subclass uses them."""
        if self.update_freq != "epoch":
            return ()
        cls = type(self)
        return tuple(h for h in _BATCH_HOOKS if getattr(cls, h) is getattr(TensorBoard, h))

    def on_train_begin(self, logs: Logs = None) -> None:
        self._in_fit = True
        self._batches = self._iterations() or 0
        self._begin_epoch()
        if self.write_graph:
            self._write_graph()
        if self.embeddings_freq:
            self._metadata_of(self._embedding_layers())  # wrong names are told before training

    def on_train_end(self, logs: Logs = None) -> None:
        self._in_fit = False
        self._train.close()
        self._validation.close()

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._batch_start = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._batches += 1
        if isinstance(self.update_freq, str) or self._batches % self.update_freq:
            return
        if self.write_steps_per_second:
            speed = 1 / max(time.perf_counter() - self._batch_start, 1e-9)
            self._train.scalar("batch_steps_per_second", speed, self._batches)
        self._write(self._train, "batch_{}", logs or {}, self._batches)

    def on_test_end(self, logs: Logs = None) -> None:
        iterations = self._iterations()
        if iterations is not None:
            self._write(self._validation, "evaluation_{}_vs_iterations", logs or {}, iterations)
        if not self._in_fit:
            self._validation.close()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._begin_epoch()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        logs = logs or {}
        of_training = {n: v for n, v in logs.items() if not n.startswith("val_")}
        of_validation = {n[4:]: v for n, v in logs.items() if n.startswith("val_")}
        rate = getattr(self.model.optimizer, "learning_rate", None)
        if rate is not None:
            of_training["learning_rate"] = float(rate)
        if self.write_steps_per_second:
            of_training["steps_per_second"] = self._speed()
        self._write(self._train, "epoch_{}", of_training, epoch)
        self._write(self._validation, "epoch_{}", of_validation, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            self._write_embeddings()
        self._train.flush()
        self._validation.flush()

    def _refuse_unused(self, profile_batch: Any) -> None:
        """Errors for arguments that would have no effect."""
        if profile_batch not in (0, "0"):
            raise ValueError(
                "TensorBoard cannot profile batches here: profile_batch must be 0. For the speed "
                "pass write_steps_per_second=True, for the time that Python takes use cProfile. "
                f"Received: profile_batch={profile_batch!r}."
            )
        if self.write_images and not self.histogram_freq:
            raise ValueError(
                "TensorBoard writes images of weights in the epochs of `histogram_freq`, which is "
                "0. Pass histogram_freq=1 as well. Received: write_images=True."
            )
        if self.embeddings_metadata is not None and not self.embeddings_freq:
            raise ValueError(
                "TensorBoard: `embeddings_metadata` needs embeddings_freq of at least 1. "
                f"Received: embeddings_metadata={self.embeddings_metadata!r}, embeddings_freq=0."
            )

    def _iterations(self) -> int | None:
        """Updates that the model has had; None where no optimizer counts them."""
        iterations = getattr(getattr(self.model, "optimizer", None), "iterations", None)
        return None if iterations is None else int(iterations)

    def _begin_epoch(self) -> None:
        self._epoch_start, self._epoch_first = time.perf_counter(), self._iterations() or 0

    def _speed(self) -> float:
        """Updates per second in this epoch."""
        seconds = time.perf_counter() - self._epoch_start
        return ((self._iterations() or 0) - self._epoch_first) / max(seconds, 1e-9)

    def _write(self, log: EventLog, form: str, values: Mapping[str, Any], step: int) -> None:
        """Numbers under their names; arrays entry by entry, with the index in the name."""
        for name, value in values.items():
            array = np.asarray(value)
            if array.ndim == 0:
                log.scalar(form.format(name), array, step)
                continue
            for index, entry in np.ndenumerate(array):
                log.scalar("/".join([form.format(name), *map(str, index)]), entry, step)

    def _write_graph(self) -> None:
        try:
            record = serialize(self.model)
        except (TypeError, ValueError, NotImplementedError) as error:
            warnings.warn(
                f"TensorBoard cannot show the layers of a model that no file can hold: {error} "
                "Pass write_graph=False to leave them out.",
                stacklevel=2,
            )
            return
        if record["config"].get("layers"):
            self._train.graph(record)

    def _write_weights(self, epoch: int) -> None:
        for layer in self.model.layers:
            for weight in layer.weights:
                name, values = self._name_of(weight), weight.numpy()
                self._train.histogram(f"{name}/histogram", values, epoch)
                images = _as_images(values) if self.write_images else None
                if images is not None:
                    self._train.image(f"{name}/image", images, epoch)

    def _name_of(self, weight: Any) -> str:
        """The path of a weight as Keras has it: below the model, except in functional models."""
        path = weight.path.replace(":", "_")
        inside = type(self.model).__name__ not in ("Functional", "Model")
        name = f"{self.model.name}/"
        return f"{name}{path}" if inside and not path.startswith(name) else path

    def _embedding_layers(self) -> list[Any]:
        found = [
            layer
            for layer in self.model.layers
            if getattr(getattr(layer, "embeddings", None), "ndim", 0) == 2
        ]
        if not found:
            raise ValueError(
                f"The model '{self.model.name}' has no Embedding layer. Received: "
                f"embeddings_freq={self.embeddings_freq}. Leave it at 0."
            )
        return found

    def _metadata_of(self, layers: list[Any]) -> dict[str, str]:
        """File of the names of rows, by layer."""
        given, names = self.embeddings_metadata, [layer.name for layer in layers]
        if given is None:
            return {}
        if not isinstance(given, Mapping):
            return dict.fromkeys(names, os.fspath(given))
        for name in given:
            if name not in names:
                hint = validate.suggest(name, names)
                raise ValueError(
                    f"`embeddings_metadata` names no Embedding layer.{hint} The model has: "
                    f"{', '.join(names)}. Received: {name!r}."
                )
        return {name: os.fspath(path) for name, path in given.items()}

    def _write_embeddings(self) -> None:
        """The table of each layer as text, and the projector's list of them."""
        layers = self._embedding_layers()
        metadata = self._metadata_of(layers)
        lines = []
        os.makedirs(os.path.join(self.log_dir, "train"), exist_ok=True)
        for layer in layers:
            path = f"train/keras_embedding.{layer.name}.tsv"
            table = layer.embeddings.numpy()
            np.savetxt(os.path.join(self.log_dir, path), table, "%.6g", delimiter="\t")
            entries = {"tensor_name": layer.embeddings.path, "tensor_path": path}
            if layer.name in metadata:
                entries["metadata_path"] = metadata[layer.name]
            text = "\n".join(f'  {key}: "{value}"' for key, value in entries.items())
            lines.append(f"embeddings {{\n{text}\n}}\n")
        with open(os.path.join(self.log_dir, "projector_config.pbtxt"), "w") as file:
            file.write("".join(lines))


class Summary:
    """Writes to the training log of a `TensorBoard` callback, as `tf.summary` does.

    `step` is the number of updates that the model has had, unless it is given.
    """

    def __init__(self, board: TensorBoard):
        self._board = board

    def scalar(self, name: str, data: Any, step: int | None = None) -> None:
        """A number."""
        self._board._train.scalar(name, data, self._step(step))

    def histogram(
        self, name: str, data: Any, step: int | None = None, buckets: int = BUCKETS
    ) -> None:
        """The distribution of many numbers."""
        self._board._train.histogram(name, data, self._step(step), buckets)

    def image(
        self, name: str, data: Any, step: int | None = None, max_outputs: int = IMAGES
    ) -> None:
        """The first images of an array of shape (images, height, width, channels)."""
        self._board._train.image(name, data, self._step(step), max_outputs)

    def text(self, name: str, data: str, step: int | None = None) -> None:
        """Text, in Markdown."""
        self._board._train.text(name, data, self._step(step))

    def flush(self) -> None:
        """Bring what was written to disk."""
        self._board._train.flush()

    def close(self) -> None:
        """End the file, as the end of training does; what is written later goes to a new one."""
        self._board._train.close()

    def _step(self, step: int | None) -> int:
        return (self._board._iterations() or 0) if step is None else int(step)


def _update_frequency(given: int | str) -> int | str:
    if given == "epoch":
        return given
    if given == "batch":
        return 1
    if isinstance(given, str):
        return validate.one_of(given, ("epoch", "batch"), "update_freq", "TensorBoard")
    return validate.positive_int(given, "update_freq", "TensorBoard")


def _as_images(weight: np.ndarray) -> np.ndarray | None:
    """A weight as images of shape (images, height, width, channels); None for those that are none.

    Which axis becomes what is as in Keras; the entries are scaled to run from 0 to 1.
    """
    image = np.squeeze(weight)
    if image.ndim == 1:
        image = image[None, :, None, None]
    elif image.ndim == 2:
        image = (image.T if image.shape[0] > image.shape[1] else image)[None, :, :, None]
    elif image.ndim == 3:
        if settings.image_data_format() == "channels_last":
            image = np.moveaxis(image, -1, 0)
        image = image[..., None]
    if image.ndim != 4 or image.shape[-1] not in (1, 3, 4) or not np.all(np.isfinite(image)):
        return None
    low, high = image.min(), image.max()
    return (image - low) / (high - low) if high > low else np.zeros_like(image)
