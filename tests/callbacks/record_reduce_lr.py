"""Writes reduce_lr_table.py: what Keras's ReduceLROnPlateau decides on given sequences of values.

Run with an interpreter that has Keras 3, any backend.
"""

from pathlib import Path
from types import SimpleNamespace

import numpy as np

nan = float("nan")
SEQUENCES = {
    "falls": [1.0, 0.8, 0.6, 0.5, 0.4, 0.3, 0.2],
    "flat": [0.5] * 12,
    "rises": [0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0],
    "dips twice": [1.0, 0.5, 0.75, 0.4, 0.6, 0.7, 0.3, 0.9, 0.2, 0.5, 0.5, 0.5],
    "creeps": [1.0, 0.96, 0.92, 0.88, 0.84, 0.8, 0.76, 0.72, 0.68, 0.64],
    "improves while cooling": [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.25],
    "breaks": [1.0, nan, 0.5, 0.6, nan, 0.4, nan, nan, nan, nan],
}
ARGUMENTS = [
    {},
    {"patience": 0},
    {"patience": 1},
    {"patience": 2},
    {"patience": 3, "factor": 0.5},
    {"patience": 1, "cooldown": 1},
    {"patience": 1, "cooldown": 2, "factor": 0.5},
    {"patience": 2, "cooldown": 3},
    {"patience": 1, "min_delta": 0.125},
    {"patience": 2, "min_delta": -0.125, "factor": 0.5},
    {"patience": 1, "min_lr": 0.02},
    {"patience": 1, "factor": 0.25, "min_lr": 0.001, "cooldown": 1},
    {"patience": 2, "mode": "max"},
    {"patience": 1, "mode": "max", "min_delta": 0.125, "cooldown": 1},
]
COLUMNS = "sequence, arguments, new rate by epoch, and after each epoch: wait, cooldown_counter"


class Optimizer:
    """Keeps its rate in single precision."""

    def __init__(self, rate: float):
        self.learning_rate = rate

    @property
    def learning_rate(self) -> np.ndarray:
        return self._rate

    @learning_rate.setter
    def learning_rate(self, rate: float) -> None:
        self._rate = np.array(rate, "float32")


def drive(callback, values: list[float]) -> tuple[str, str, str]:
    """Feed values to a callback as `val_loss` of successive epochs."""
    model = SimpleNamespace(optimizer=Optimizer(0.1))
    callback.set_model(model)
    callback.on_train_begin()
    reductions, waits, cooldowns = [], "", ""
    for epoch, value in enumerate(values):
        before = float(model.optimizer.learning_rate)
        callback.on_epoch_end(epoch, {"val_loss": value})
        rate = float(model.optimizer.learning_rate)
        if rate != before:
            reductions.append(f"{epoch}:{rate:.6g}")
        waits += f"{callback.wait:x}"
        cooldowns += f"{callback.cooldown_counter:x}"
    return " ".join(reductions), waits, cooldowns


def record() -> None:
    from keras.callbacks import ReduceLROnPlateau

    rows = []
    for name, values in SEQUENCES.items():
        for arguments in ARGUMENTS:
            rows.append((name, arguments, *drive(make(ReduceLROnPlateau, arguments), values)))
    assert len(rows) == len(SEQUENCES) * len(ARGUMENTS)
    lines = "\n".join(f"    {row!r}," for row in rows).replace("'", '"')
    path = Path(__file__).with_name("reduce_lr_table.py")
    path.write_text(
        '"""Decisions of ReduceLROnPlateau of Keras 3.15, written by record_reduce_lr.py."""\n\n'
        f"# {COLUMNS}\nROWS = [\n{lines}\n]\n"
    )


def make(kind, arguments):
    return kind(**{"mode": "min", **arguments})


if __name__ == "__main__":
    record()
