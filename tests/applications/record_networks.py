"""Writes recorded_networks.npz: layers, counts and predictions of Keras's networks.

``KERAS_BACKEND=jax PYTHONPATH=. python tests/applications/record_networks.py`` where Keras 3 is.
"""

from pathlib import Path

import numpy as np

from tests.applications import networks


def main() -> None:
    import keras

    found = {}
    for name in networks.STRUCTURES:
        keras.backend.clear_session()
        model = getattr(keras.applications, name)(weights=None)
        found[f"{name} lines"] = np.array(networks.lines(model))
        found[f"{name} counts"] = np.array(
            [model.count_params(), sum(np.prod(w.shape) for w in model.trainable_weights)]
        )
        found[f"{name} weights"] = np.array([f"{w.path} {tuple(w.shape)}" for w in model.weights])
    for name in networks.PREDICTIONS:
        keras.backend.clear_session()
        model = getattr(keras.applications, name)(weights=None, **networks.OPEN)
        found[f"{name} open"] = np.array(networks.lines(model))
    for width in networks.WIDTHS:
        model = keras.applications.MobileNetV2(weights=None, alpha=width)
        found[f"MobileNetV2 {width}"] = np.array(model.count_params())
    for name, (arguments, shape) in networks.PREDICTIONS.items():
        model = getattr(keras.applications, name)(weights=None, **arguments)
        networks.fill(model)
        found[f"{name} predicts"] = np.asarray(model(networks.images(shape)))
    np.savez_compressed(
        Path(__file__).with_name("recorded_networks.npz"), allow_pickle=False, **found
    )


if __name__ == "__main__":
    main()
