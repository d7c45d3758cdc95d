"""Writes exchange.tar.xz: files of Keras's own, and what Keras computes from them.

``KERAS_BACKEND=jax PYTHONPATH=. python tests/saving/record_exchange.py``, and the same with
``KERAS_BACKEND=tensorflow``, which alone has layers for text; each replaces its own models.
"""

import tarfile
import tempfile
from pathlib import Path

import numpy as np

from tests.saving.exchange_models import MODELS, NOT_IN_H5, OF_TEXT, inputs_of, outputs_of

ARCHIVE = Path(__file__).with_name("exchange.tar.xz")


def write(name: str, folder: Path, text=None) -> None:
    """One model: `NAME.keras`, `NAME.h5` where there can be one, outputs in `NAME.npz`."""
    import keras

    keras.utils.clear_session()
    model = MODELS[name](keras)
    model.save(folder / f"{name}.keras")
    if name not in NOT_IN_H5:
        model.save(folder / f"{name}.h5")
        keras.models.load_model(folder / f"{name}.h5", compile=False)
    outputs = outputs_of(model, inputs_of(model), text)
    np.savez(folder / f"{name}.npz", **{f"y{k}": y for k, y in enumerate(outputs)})
    print(name, flush=True)


def main() -> None:
    import keras

    text = None
    if keras.backend.backend() == "tensorflow":
        import tensorflow

        text = tensorflow.constant
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if ARCHIVE.exists():
            with tarfile.open(ARCHIVE) as archive:
                archive.extractall(folder, filter="data")
        for name in MODELS:
            if (name in OF_TEXT) == (text is not None):
                write(name, folder, text)
        with tarfile.open(ARCHIVE, "w:xz", preset=9) as archive:
            for path in sorted(folder.iterdir()):
                if path.name.split(".")[0] in MODELS:
                    archive.add(path, path.name)


if __name__ == "__main__":
    main()
