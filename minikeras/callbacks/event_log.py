"""Event files of TensorBoard: numbers, distributions, images and text by name and step.

The files are written by the package `tensorboard`, or by `tensorboardX` where that is installed
instead; TensorFlow is not needed. What is written, and how, is what TensorFlow's `tf.summary`
writes, so that TensorBoard and scripts read both alike.
"""

import functools
import itertools
import json
import os
import struct
import time
import zlib
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

__all__ = ["EventLog"]

_numbers = itertools.count()
BUCKETS = 30
IMAGES = 3


class EventLog:
    """An event file in a folder, made when something is first written to it.

    Raises:
        ImportError: When used, if neither `tensorboard` nor `tensorboardX` is installed.
    """

    def __init__(self, folder: str):
        self.folder = folder
        self._writer: Any = None

    def scalar(self, name: str, data: Any, step: int) -> None:
        """A number."""
        self._add(name, "scalars", _tensor(np.asarray(data, np.float32).reshape(())), step)

    def histogram(self, name: str, data: Any, step: int, buckets: int = BUCKETS) -> None:
        """The distribution of the finite ones of many numbers."""
        self._add(name, "histograms", _tensor(_histogram(np.asarray(data), buckets)), step)

    def image(self, name: str, data: Any, step: int, max_outputs: int = IMAGES) -> None:
        """Images of shape (images, height, width, channels), of which the first few are written.

        Channels are 1 (grey), 3 (red, green, blue) or 4 (and opacity); floats run from 0 to 1.
        """
        images = np.asarray(data)
        if images.ndim != 4 or images.shape[-1] not in (1, 3, 4):
            raise ValueError(
                f"Image {name!r} must have the shape (images, height, width, channels) with 1, 3 "
                f"or 4 channels. Received: {images.shape}."
            )
        if images.dtype != np.uint8:
            images = (np.clip(images, 0, 1) * 255.5).astype(np.uint8)  # rounded as TensorFlow does
        sizes = [str(images.shape[2]).encode(), str(images.shape[1]).encode()]
        content = [_png(image) for image in images[:max_outputs]]
        self._add(name, "images", _strings([*sizes, *content], (2 + len(content),)), step)

    def text(self, name: str, data: Any, step: int) -> None:
        """Text, in Markdown."""
        self._add(name, "text", _strings([str(data).encode()], ()), step)

    def graph(self, record: dict[str, Any]) -> None:
        """The layers of a model, from its record in files."""
        content = _strings([json.dumps(record).encode()], ())
        self._add("keras", "graph_keras_model", content, 0, b"1")
        nodes = _nodes(record)
        if nodes is not None:  # what the page of graphs shows first
            for node in nodes.node:
                node.op = node.attr["keras_class"].s.decode()
            self._event(graph_def=nodes.SerializeToString())

    def flush(self) -> None:
        """Bring everything to disk, so that a killed program loses nothing up to here."""
        if self._writer is not None:
            self._writer.flush()

    def close(self) -> None:
        """End the file; what is written later goes to a new one."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _add(self, name: str, plugin: str, tensor: Any, step: int, content: bytes = b"") -> None:
        kit = _kit()
        data = kit.SummaryMetadata.PluginData(plugin_name=plugin, content=content)
        metadata = kit.SummaryMetadata(plugin_data=data)
        value = kit.Summary.Value(tag=name, metadata=metadata, tensor=tensor)
        self._event(step=step, summary=kit.Summary(value=[value]))

    def _event(self, **content: Any) -> None:
        kit = _kit()
        if self._writer is None:
            self._writer = kit.open(self.folder)
        self._writer.add_event(kit.Event(wall_time=time.time(), **content))


@functools.cache
def _kit() -> Any:
    """The writer and the messages of whichever package is installed."""
    try:
        from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2
        from tensorboard.plugins.graph.keras_util import keras_model_to_graph_def
        from tensorboard.summary.writer.event_file_writer import EventFileWriter
    except ImportError:
        try:
            from tensorboardX.event_file_writer import (  # pyright: ignore[reportMissingImports]
                EventsWriter,
            )
            from tensorboardX.proto import (  # pyright: ignore[reportMissingImports]
                event_pb2,
                summary_pb2,
                tensor_pb2,
                tensor_shape_pb2,
            )

            keras_model_to_graph_def = None
            open_file = functools.partial(_open_directly, EventsWriter)
        except ImportError:
            raise ImportError(
                "The TensorBoard callback needs the package tensorboard (or tensorboardX) to write "
                'its files. Install it with: pip install "minikeras[tensorboard]".'
            ) from None
    else:
        open_file = functools.partial(EventFileWriter, filename_suffix=".v2")
    modules: list[Any] = [event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2]
    event, summary, tensor, shape = modules  # what they hold is made while they are imported
    return SimpleNamespace(
        open=open_file,
        Event=event.Event,
        Summary=summary.Summary,
        SummaryMetadata=summary.SummaryMetadata,
        Tensor=tensor.TensorProto,
        Shape=shape.TensorShapeProto,
        graph_of=keras_model_to_graph_def or (lambda record: None),
    )


def _open_directly(writer_class: Any, folder: str) -> Any:
    """A writer of tensorboardX without its queue, whose `flush` does not wait."""
    os.makedirs(folder, exist_ok=True)
    suffix = f".{os.getpid()}.{next(_numbers)}.v2"  # the name else tells whole seconds only
    writer = writer_class(os.path.join(folder, "events"), suffix)
    writer.add_event = writer.write_event
    return writer


def _nodes(record: dict[str, Any]) -> Any:
    """TensorBoard's own drawing of the layers; None where it cannot make one."""
    try:
        return _kit().graph_of(record)
    except (AssertionError, AttributeError, LookupError, TypeError, ValueError):
        return None  # an unusual model: the record remains


_FLOAT, _DOUBLE, _STRING = 1, 2, 7  # the numbers of TensorFlow's dtypes


def _tensor(array: np.ndarray) -> Any:
    """The message of a float array."""
    dtype = _FLOAT if array.dtype == np.float32 else _DOUBLE
    content = array.astype(array.dtype.newbyteorder("<")).tobytes()
    return _kit().Tensor(dtype=dtype, tensor_shape=_shape(array.shape), tensor_content=content)


def _strings(values: list[bytes], shape: tuple[int, ...]) -> Any:
    """The message of an array of byte strings."""
    return _kit().Tensor(dtype=_STRING, tensor_shape=_shape(shape), string_val=values)


def _shape(sizes: Sequence[int]) -> Any:
    kit = _kit()
    return kit.Shape(dim=[kit.Shape.Dim(size=size) for size in sizes])


def _histogram(data: np.ndarray, buckets: int) -> np.ndarray:
    """Rows (left edge, right edge, count) of equally wide buckets from the least to the greatest.

    >>> _histogram(np.array([0.0, 1.0, 4.0]), 2)
    array([[0., 2., 2.],
           [2., 4., 1.]])
    """
    data = data.astype(np.float64).reshape(-1)
    data = data[np.isfinite(data)]
    rows = np.zeros((buckets, 3))
    if data.size == 0:
        return rows
    low, high = data.min(), data.max()
    if low == high:  # one value: buckets of no width, all of it in the last
        rows[:, :2] = low
        rows[-1, 2] = data.size
        return rows
    counts, edges = np.histogram(data, buckets, (low, high))
    rows[:, 0], rows[:, 1], rows[:, 2] = edges[:-1], edges[1:], counts
    return rows


def _png(image: np.ndarray) -> bytes:
    """An image of bytes, shape (height, width, channels), as a PNG file."""
    height, width, channels = image.shape
    colour = {1: 0, 3: 2, 4: 6}[channels]
    head = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    rows = np.zeros((height, 1 + width * channels), np.uint8)  # a 0 before each row: not filtered
    rows[:, 1:] = image.reshape(height, -1)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows.tobytes())), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
