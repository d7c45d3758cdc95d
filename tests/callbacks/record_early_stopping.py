"""Writes early_stopping_table.py: what Keras's EarlyStopping decides on given sequences of values.

Run with an interpreter that has Keras 3, any backend.
"""

import warnings
from pathlib import Path

import numpy as np

nan = float("nan")
SEQUENCES = {
    "falls": [1.0, 0.8, 0.6, 0.5, 0.4, 0.3],
    "rises": [0.3, 0.4, 0.5, 0.6, 0.8, 1.0],
    "flat": [0.5, 0.5, 0.5, 0.5, 0.5, 0.5],
    "dips twice": [1.0, 0.5, 0.75, 0.4, 0.6, 0.7, 0.3, 0.9, 0.2],
    "creeps": [1.0, 0.96, 0.92, 0.88, 0.84, 0.8, 0.76],
    "late gain": [0.5, 0.6, 0.7, 0.8, 0.1, 0.2, 0.3, 0.4],
    "breaks": [1.0, nan, 0.5, 0.6, nan, 0.4, nan, nan, nan],
    "wanders": [3.0, 2.5, 2.75, 2.25, 2.5, 2.25, 2.0, 2.125, 2.0, 1.5],
}
ARGUMENTS = [
    {},
    {"patience": 1},
    {"patience": 2},
    {"patience": 3},
    {"patience": 2, "min_delta": 0.125},
    {"patience": 1, "min_delta": -0.25},
    {"patience": 2, "mode": "max"},
    {"patience": 1, "mode": "max", "min_delta": 0.125},
    {"patience": 2, "baseline": 0.45},
    {"patience": 1, "baseline": 0.2, "mode": "max"},
    {"patience": 1, "start_from_epoch": 3},
    {"patience": 2, "start_from_epoch": 2, "baseline": 0.55},
    {"start_from_epoch": 20},
]
COLUMNS = "sequence, arguments, epochs run, stopped_epoch, best_epoch, wait, epoch of the weights"


class Model:
    """Its only weight is the number of the epoch that set it."""

    stop_training = False

    def get_weights(self) -> list[np.ndarray]:
        return [np.array(self.epoch)]

    def set_weights(self, weights: list[np.ndarray]) -> None:
        self.epoch = int(weights[0])


def drive(callback, values: list[float]) -> tuple[int, int, int, int, int]:
    """Feed values to a callback as `val_loss` of successive epochs, until it stops the model."""
    model = Model()
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        model.epoch = epoch
        callback.on_epoch_end(epoch, {"val_loss": value})
        if model.stop_training:
            break
    callback.on_train_end()
    return epoch + 1, callback.stopped_epoch, callback.best_epoch, callback.wait, model.epoch


def record() -> None:
    from keras.callbacks import EarlyStopping

    rows = []
    for name, values in SEQUENCES.items():
        for arguments in ARGUMENTS:
            given = {"mode": "min", "restore_best_weights": True, **arguments}
            rows.append((name, arguments, *drive(EarlyStopping(**given), values)))
    lines = "\n".join(f"    {row!r}," for row in rows).replace("'", '"')
    path = Path(__file__).with_name("early_stopping_table.py")
    path.write_text(
        '"""Decisions of EarlyStopping of Keras 3.15, written by record_early_stopping.py."""\n\n'
        f"# {COLUMNS}\nROWS = [\n{lines}\n]\n"
    )


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    record()
