"""Load with Keras itself what minikeras wrote: `python check_with_keras.py [--table] FOLDER`.

The folder holds `m.keras`, `m.h5` and `m.weights.h5` of one trained model, and `io.npz` with inputs
`x`, the outputs `y` that it predicts, and the optimizer's variables `o0`, `o1`, ...
With `--table` it holds `NAME.keras`, `NAME.weights.h5`, perhaps `NAME.h5`, and `NAME.npz` with
inputs `x0`, `x1`, ... and outputs `y0`, `y1`, ... of many models. TensorFlow, which alone has
text, crashes on some convolutions, so other backends take all the rest.
Prints the files that load and predict; fails otherwise.
"""

import os
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
            model = refilled(folder / "m.keras", folder / name)
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


def refilled(path: Path, weights: Path):
    """The model of a file, emptied, with the weights of another."""
    import keras

    model = keras.models.load_model(path, compile=False)
    model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
    model.load_weights(weights)
    return model


def check_table(folder: Path) -> None:
    with_text = os.environ.get("KERAS_BACKEND") == "tensorflow"
    failed = 0
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as content:
            xs = [content[key] for key in sorted(content) if key.startswith("x")]
            ys = [content[key] for key in sorted(content) if key.startswith("y")]
        if any(x.dtype.kind == "U" for x in xs) != with_text:
            print(path.stem, "left out: text, and only text, is for KERAS_BACKEND=tensorflow")
            continue
        for end in (".keras", ".h5", ".weights.h5"):
            file = path.with_suffix(end)
            if file.exists():
                failed += not agrees(file, xs, ys)
    assert not failed, f"{failed} files are not read as they were written"


def agrees(file: Path, xs: list[np.ndarray], ys: list[np.ndarray]) -> bool:
    """Whether Keras reads the file and predicts the same; says so."""
    import keras

    try:
        if file.name.endswith(".weights.h5"):
            model = refilled(file.with_name(file.name.replace(".weights.h5", ".keras")), file)
        else:
            model = keras.models.load_model(file, compile=False)
        tensors = [
            keras.ops.convert_to_tensor(x.tolist() if x.dtype.kind == "U" else x) for x in xs
        ]
        found = model(tensors if len(xs) > 1 else tensors[0], training=False)
        found = found if isinstance(found, list | tuple) else [found]
        for y, expected in zip(found, ys, strict=True):
            np.testing.assert_allclose(np.asarray(y), expected, atol=1e-5, rtol=1e-5)
    except Exception as error:  # the others are read nevertheless
        print(file.name, "FAILED", type(error).__name__, str(error)[-400:])
        return False
    print(file.name)
    return True


if __name__ == "__main__":
    if sys.argv[1] == "--table":
        check_table(Path(sys.argv[2]))
    else:
        check(Path(sys.argv[1]))
