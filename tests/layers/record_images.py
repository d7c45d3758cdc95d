"""Writes recorded_images.npz: what Keras's layers on images compute.

``KERAS_BACKEND=jax PYTHONPATH=. python tests/layers/record_images.py`` where Keras 3 is.
"""

from pathlib import Path

import numpy as np

from tests.layers.image_cases import CASES, DRAWN, LABELS, colours, numbers


def main() -> None:
    import keras

    found = {}
    for name, case in CASES.items():
        layer = getattr(keras.layers, case.kind)(**case.arguments)
        x = numbers(case.shape, case.dtype)
        if case.adapts:
            layer.adapt(x)
        found[name] = np.asarray(layer(x))
    for name, case in DRAWN.items():
        layer = getattr(keras.layers, case.kind)(**case.arguments)
        found[name] = np.asarray(layer.transform_images(colours(), case.theirs, training=True))
        found[f"{name}_labels"] = np.asarray(
            layer.transform_labels(LABELS, case.theirs, training=True)
        )
    np.savez_compressed(
        Path(__file__).with_name("recorded_images.npz"), allow_pickle=False, **found
    )


if __name__ == "__main__":
    main()
