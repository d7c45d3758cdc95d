"""What a library offers to be timed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


class Unsupported(Exception):
    """The library cannot do this work."""


@dataclass(frozen=True)
class Runner:
    """One epoch of training (gives the loss), predictions of many rows and of one.

    `epoch` is None where the library only predicts. `predict` gives the predictions of all rows, or
    of those that are given; `predict_one` is the library's call for that, `call_one` the shortest.
    """

    epoch: Callable[[], float] | None
    predict: Callable[..., np.ndarray]
    predict_one: Callable[[], Any]
    call_one: Callable[[], Any]
