"""The record of a training run."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core import validate
from ..core.catalog import register
from .callback import Callback, Logs
from .figures import new_axes

__all__ = ["History"]


@register("callbacks")
class History(Callback):
    """The logs of all epochs; `fit` adds one to each run and returns it.

    `history` maps each name to its values, one per epoch in which it was reported; `epoch` lists
    the epochs of the last run. A `History` given to several runs goes on collecting, as in Keras.
    """

    state_names = ("history", "epoch", "_count", "_epochs_of")

    def __init__(self) -> None:
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []
        self._count = 0  # epochs of all runs
        self._epochs_of: dict[str, list[int]] = {}  # when each value was reported, from 1

    def on_train_begin(self, logs: Logs = None) -> None:
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.epoch.append(epoch)
        self._count += 1
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
            self._epochs_of.setdefault(name, []).append(self._count)

    def plot(self, names: Sequence[str] | str | None = None, axes: Any = None) -> list[Any]:
        """Draw learning curves: for each name the training and, dashed, the validation values.

        Args:
            names: Names in `history`, without "val_"; by default the loss and the metrics of
                `compile`.
            axes: matplotlib axes to draw into, one for each name; a new figure by default.

        Returns:
            The axes, one for each name.

        Raises:
            ValueError: A name that was not recorded, or one that has no numbers to draw.
            ImportError: matplotlib is not installed (``pip install "minikeras[plot]"``).

        >>> history = History()
        >>> for epoch, loss in enumerate([0.9, 0.5]):
        ...     history.on_epoch_end(epoch, {"loss": loss, "val_loss": loss + 0.1})
        >>> (axes,) = history.plot()
        >>> axes.get_ylabel(), len(axes.lines)
        ('loss', 2)
        """
        names = self._chosen(names)
        axes = new_axes(len(names)) if axes is None else list(np.ravel(np.asarray(axes, object)))
        if len(axes) != len(names):
            raise ValueError(
                f"History.plot draws {len(names)} names ({', '.join(names)}) and needs as many "
                f"axes. Received: {len(axes)}."
            )
        for name, one in zip(names, axes, strict=True):
            self._draw(name, one)
        axes[-1].set_xlabel("epoch")
        return axes

    def _chosen(self, names: Sequence[str] | str | None) -> list[str]:
        known = list(dict.fromkeys(name.removeprefix("val_") for name in self.history))
        if not known:
            raise ValueError("There is nothing to draw yet: no epoch has ended.")
        if names is None:
            compiled = (self.params or {}).get("metrics") or known
            return [name for name in known if name in compiled] or known
        names = [names] if isinstance(names, str) else list(names)
        for name in names:
            if name not in known:
                raise ValueError(
                    f"No epoch reported {name!r}.{validate.suggest(name, known)} Choose from: "
                    f"{', '.join(known)}."
                )
        return names

    def _draw(self, name: str, axes: Any) -> None:
        for key, label, style in ((name, "training", "-"), (f"val_{name}", "validation", "--")):
            if key in self.history:
                values = np.asarray(self.history[key], dtype=float)
                if values.ndim != 1:
                    raise ValueError(
                        f"{key!r} has several numbers in each epoch, of shape {values.shape[1:]}: "
                        "draw it from `history` yourself."
                    )
                axes.plot(self._epochs(key), values, style, label=label)
        axes.set_ylabel(name)
        axes.legend()

    def _epochs(self, name: str) -> Sequence[int]:
        """When the values of a name were reported, counted from 1."""
        count, known = len(self.history[name]), self._epochs_of.get(name, ())
        return known if len(known) == count else range(1, count + 1)
