"""Load with Keras itself what minikeras wrote: `python check_with_keras.py FOLDER`.

The folder holds `m.keras`, `m.h5` and `m.weights.h5` of one trained model, and `io.npz` with inputs
`x`, the outputs `y` that it predicts, and the optimizer's variables `o0`, `o1`, ...
Prints the files that load and predict; fails otherwise.
"""

import sys
from pathlib import Path

import numpy as np


def check(folder: Path) -> None:
    import keras  # where this module is only collected, Keras may be missing

    with np.load(folder / "io.npz") as content:
        x, y = content["x"], content["y"]
        state = [content[f"o{number}"] for number in range(len(content) - 2)]
    whole = keras.models.load_model(folder / "m.keras")
    for name in ("m.h5", "m.keras", "m.weights.h5"):
        if name == "m.weights.h5":
            model = keras.models.load_model(folder / "m.keras", compile=False)
            model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
            model.load_weights(folder / name)
        else:
            model = keras.models.load_model(folder / name)
        np.testing.assert_allclose(model.predict(x, verbose=0), y, atol=1e-5)
        print(name)
    assert len(state) == len(whole.optimizer.variables)
    for variable, expected in zip(whole.optimizer.variables, state, strict=True):
        np.testing.assert_array_equal(np.asarray(variable), expected)
    steps = int(whole.optimizer.iterations)
    whole.train_on_batch(x, np.zeros(len(x), "int32"))
    assert int(whole.optimizer.iterations) == steps + 1


if __name__ == "__main__":
    check(Path(sys.argv[1]))
