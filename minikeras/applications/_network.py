"""What the networks of this room have in common: images, classifier, weights."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any, NamedTuple

from .. import layers
from ..core import settings
from ..core.validate import boolean, one_of, positive_int
from ..datasets._download import DownloadError, get_file
from ..graph.graph import inputs_of
from ..graph.symbol import Symbol
from ..models import Model

HOST = "https://storage.googleapis.com/tensorflow/keras-applications/"
CLASSES = 1000  # of ImageNet
CACHE = "models"


class Hosted(NamedTuple):
    """The weights of ImageNet that Keras hosts: files with and without the classifier.

    Attributes:
        folder: Below `HOST`.
        whole, headless: Names of the files.
        sums: Their md5 sums, None where none is published.
    """

    folder: str
    whole: str
    headless: str
    sums: tuple[str | None, str | None]

    def fetch(self, include_top: bool) -> Path:
        """The file, downloaded to Keras's cache if need be.

        Raises:
            DownloadError: it is neither there nor to be had.
        """
        name, checksum = (
            (self.whole, self.sums[0]) if include_top else (self.headless, self.sums[1])
        )
        try:
            return get_file(name, f"{HOST}{self.folder}/{name}", checksum, CACHE)
        except DownloadError as error:
            raise DownloadError(
                f"{error} Without a network: fetch the file elsewhere and pass its path as "
                "`weights`; weights=None starts from random ones."
            ) from error


def hosted(folder: str, stem: str, *sums: str | None) -> Hosted:
    """Files under the names that Keras gives most of them."""
    name = f"{stem}_weights_tf_dim_ordering_tf_kernels"
    return Hosted(folder, f"{name}.h5", f"{name}_notop.h5", (sums[0], sums[1]))


class Network:
    """A network in the making: its arguments, checked, and the symbol of its images.

    Args:
        owner: Who is named in messages.
        size: Height and width of the images that it was made for.
        least: The smallest that it can take.
        include_top, weights, input_tensor, input_shape, pooling, classes: The user's.
        files: Weights to be downloaded for 'imagenet'; None where there are none.
        channels: Of the images that it was made for.

    Attributes:
        images: The symbol that the first layer is called on.
        axis: Where the channels are.
    """

    def __init__(
        self,
        owner: str,
        size: int,
        least: int,
        include_top: Any,
        weights: Any,
        input_tensor: Any,
        input_shape: Any,
        pooling: Any,
        classes: Any,
        files: Hosted | None,
        channels: int = 3,
    ):
        self.owner = owner
        self.include_top = boolean(include_top, "include_top", owner)
        self.pooling = one_of(pooling, (None, "avg", "max"), "pooling", owner)
        self.classes = positive_int(classes, "classes", owner)
        self.files = files
        self.axis = 3 if settings.image_data_format() == "channels_last" else 1
        self.weights = self._checked_weights(weights)
        if self.pooling and self.include_top:
            raise ValueError(
                f"{owner}: `pooling` is for features, without the classifier. "
                f"Received: pooling={pooling!r} with include_top=True."
            )
        self._size, self._least, self._channels = size, least, channels
        self.images, self._inputs = self._opened(input_tensor, input_shape)

    def _checked_weights(self, weights: Any) -> Any:
        """None, 'imagenet' or the path of a file that exists."""
        if weights is None:
            return None
        if weights == "imagenet":
            if self.files is None:
                raise ValueError(
                    f"{self.owner}: Keras hosts no weights for this network. Use weights=None, or "
                    "the path of a weights file. Received: weights='imagenet'."
                )
            if self.include_top and self.classes != CLASSES:
                raise ValueError(
                    f"{self.owner}: weights='imagenet' with include_top=True are for "
                    f"{CLASSES} classes. Received: classes={self.classes}."
                )
            return weights
        if isinstance(weights, str | os.PathLike) and Path(weights).expanduser().is_file():
            return Path(weights).expanduser()
        raise ValueError(
            f"{self.owner}: `weights` must be None (random ones), 'imagenet' or the path of a "
            f"weights file. Received: weights={weights!r}"
            + (", which does not exist." if isinstance(weights, str | os.PathLike) else ".")
        )

    # ------------------------------------------------------------------ images

    def _opened(self, tensor: Any, shape: Any) -> tuple[Symbol, list[Symbol]]:
        """The symbol of the images, and the inputs that it depends on."""
        if tensor is None:
            images = layers.Input(self._checked(self._default() if shape is None else shape))
            return images, [images]
        if not isinstance(tensor, Symbol):
            raise ValueError(
                f"{self.owner}: `input_tensor` must be a symbol, made by `Input` or by calling "
                f"layers on one. Received: {type(tensor).__name__}."
            )
        own = tuple(tensor.shape[1:])
        if shape is not None and not _agree(own, tuple(shape)):
            raise ValueError(
                f"{self.owner}: `input_tensor` and `input_shape` say different things. "
                f"Received: shapes {tuple(tensor.shape)} and {tuple(shape)}."
            )
        self._checked(own)
        return tensor, _sources(tensor)

    def _default(self) -> tuple[int | None, ...]:
        side = self._size if self.include_top else None
        return self._ordered(side, side, self._channels)

    def _ordered(self, rows: Any, columns: Any, channels: Any) -> tuple[int | None, ...]:
        return (rows, columns, channels) if self.axis == 3 else (channels, rows, columns)

    def _checked(self, shape: Any) -> tuple[int | None, ...]:
        """The shape of one image, when this network can take it."""
        shape = tuple(shape) if isinstance(shape, list | tuple) else (shape,)
        if len(shape) != 3:
            raise ValueError(
                f"{self.owner}: `input_shape` must be {self._ordered('rows', 'columns', 3)}. "
                f"Received: {shape}."
            )
        channels = shape[self.axis - 1]
        sides = [n for place, n in enumerate(shape) if place != self.axis - 1]
        if any(n is not None and n < self._least for n in sides):
            raise ValueError(
                f"{self.owner}: images must be at least {self._least} x {self._least}. "
                f"Received: input_shape={shape}."
            )
        if self.include_top and None in sides:
            raise ValueError(
                f"{self.owner}: include_top=True needs images of a known size. "
                f"Received: input_shape={shape}."
            )
        self._check_published(shape, channels)
        return shape

    def _check_published(self, shape: tuple, channels: Any) -> None:
        """What the weights of ImageNet were trained for."""
        if self.weights == "imagenet":
            published = self._ordered(self._size, self._size, 3)
            if channels != 3 or (self.include_top and shape != published):
                wanted = published if self.include_top else "3 channels"
                raise ValueError(
                    f"{self.owner}: weights='imagenet' with include_top={self.include_top} are for "
                    f"images of {wanted}. Received: input_shape={shape}."
                )
        elif channels not in (1, 3):
            warnings.warn(
                f"{self.owner} is for images of 1 or 3 channels. Received: {channels} channels.",
                stacklevel=6,
            )

    # ------------------------------------------------------------------ end

    def top(self, x: Any, activation: Any, name: str | None = None) -> Any:
        """Means over each channel and the classifier, or the pooling that was asked for.

        Args:
            x: Maps of features.
            activation: Of the classifier.
            name: Of the layer of means, 'avg_pool'; of that of maxima it is 'max_pool' then.
        """
        if self.include_top:
            x = layers.GlobalAveragePooling2D(name=name)(x)
            return self.classifier(x, activation)
        return self.pooled(x, name)

    def classifier(self, x: Any, activation: Any) -> Any:
        """The layer that says the class."""
        if self.weights == "imagenet" and activation not in (None, "softmax"):
            raise ValueError(
                f"{self.owner}: with weights='imagenet' the classifier's activation is 'softmax' "
                f"or None. Received: classifier_activation={activation!r}."
            )
        return layers.Dense(self.classes, activation=activation, name="predictions")(x)

    def pooled(self, x: Any, name: str | None = None) -> Any:
        """Features as `pooling` says: as they are, or the mean or maximum of each channel."""
        if self.pooling == "avg":
            return layers.GlobalAveragePooling2D(name=name)(x)
        if self.pooling == "max":
            return layers.GlobalMaxPooling2D(name=name and name.replace("avg", "max"))(x)
        return x

    def model(self, outputs: Any, name: str | None) -> Model:
        """The model, with its weights."""
        inputs = self._inputs if len(self._inputs) > 1 else self._inputs[0]
        model = Model(inputs, outputs, name=name)
        if self.weights == "imagenet" and self.files is not None:
            model.load_weights(self.files.fetch(self.include_top))
        elif self.weights is not None:
            model.load_weights(self.weights)
        return model


def _agree(shape: tuple, given: tuple) -> bool:
    return len(shape) == len(given) and all(
        a == b or a is None or b is None for a, b in zip(shape, given, strict=True)
    )


def _sources(symbol: Symbol) -> list[Symbol]:
    """The inputs that a symbol was made from, in order."""
    found: dict[int, Symbol] = {}
    seen: set[int] = set()
    waiting = [symbol]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if one.node is None:
            found[id(one)] = one
        else:
            waiting.extend(reversed(inputs_of(one.node)))
    return list(found.values())
