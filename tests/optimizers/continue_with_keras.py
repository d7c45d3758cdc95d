"""Go on with Keras where minikeras stopped: ``python continue_with_keras.py FOLDER``.

For every `<case>.keras` in the folder, trained for some steps, Keras trains for `STEPS` more on
`batches.npz` and writes weights and the optimizer's variables to `<case>.npz`, and the model to
`<case>.later.keras`.
"""

import sys
from pathlib import Path

import numpy as np

STEPS = 2


def numbers(model):
    """All that training has changed, as a list of arrays."""
    return [np.asarray(v) for v in (*model.get_weights(), *model.optimizer.variables)]


def go_on(folder: Path) -> None:
    import keras  # where this module is only collected, Keras may be missing

    with np.load(folder / "batches.npz") as content:
        x, y = content["x"], content["y"]
    for path in sorted(folder.glob("*.keras")):
        model = keras.models.load_model(path)
        for step in range(STEPS):
            model.train_on_batch(x[step], y[step])
        arrays = {f"{k:03d}": array for k, array in enumerate(numbers(model))}
        np.savez(path.with_suffix(".npz"), allow_pickle=False, **arrays)
        model.save(path.with_suffix(".later.keras"))


if __name__ == "__main__":
    go_on(Path(sys.argv[1]))
