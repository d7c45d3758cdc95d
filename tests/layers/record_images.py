"""Writes recorded_images.npz: what Keras's layers on images compute.

``KERAS_BACKEND=jax PYTHONPATH=. python tests/layers/record_images.py`` where Keras 3 is.
"""

from pathlib import Path

import numpy as np

from tests.layers.image_cases import CASES, numbers


def main() -> None:
    import keras

    found = {}
    for name, case in CASES.items():
        layer = getattr(keras.layers, case.kind)(**case.arguments)
        x = numbers(case.shape, case.dtype)
        if case.adapts:
            layer.adapt(x)
        more = {"training": True} if case.kind.startswith("Random") else {}
        found[name] = np.asarray(layer(x, **more))
    contrast = keras.layers.RandomContrast(0.5)
    factors = np.float32([0.7, 1.4]).reshape(2, 1, 1, 1)
    x = numbers((2, 5, 7, 3), "float32")
    found["contrast"] = contrast.transform_images(x, {"contrast_factor": factors})
    np.savez_compressed(
        Path(__file__).with_name("recorded_images.npz"), allow_pickle=False, **found
    )


if __name__ == "__main__":
    main()
