"""Writes recorded.npz: where Keras's optimizers arrive.

``KERAS_BACKEND=jax PYTHONPATH=. python tests/optimizers/record_walks.py`` where Keras 3 is.
"""

from pathlib import Path

import numpy as np

from tests.optimizers.recorded_cases import CASES, walk


def main() -> None:
    import keras

    found = {}
    for name in CASES:
        keras.utils.clear_session()
        found[name], layout = walk(keras, name)
        found[f"{name}/layout"] = np.array(layout)
    np.savez_compressed(Path(__file__).with_name("recorded.npz"), allow_pickle=False, **found)


if __name__ == "__main__":
    main()
