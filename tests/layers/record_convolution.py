"""Writes recorded_convolution.npz: outputs and gradients of Keras's convolutions and pooling.

``KERAS_BACKEND=jax PYTHONPATH=. python tests/layers/record_convolution.py`` where Keras 3 is.
"""

from pathlib import Path

import numpy as np

from tests.layers.convolution_cases import CASES, numbers, prepared, told


def main() -> None:
    import jax
    import keras

    found = {}
    for name, case in CASES.items():
        layer, x = prepared(getattr(keras.layers, case.kind)(**case.arguments), case)
        weights = [w.value for w in layer.weights]
        y = np.asarray(layer(x))

        def loss(weights, x, layer=layer, y=y):
            outputs, _ = layer.stateless_call(weights, [], x)
            return (outputs * numbers(*y.shape)).sum()

        of_weights, of_input = jax.grad(loss, (0, 1))(weights, x)
        found[name] = np.array([told(a) for a in (y, of_input, *of_weights)])
        found[f"{name} shape"] = np.array(y.shape)
        print(name, y.shape, flush=True)
    np.savez_compressed(
        Path(__file__).with_name("recorded_convolution.npz"), allow_pickle=False, **found
    )


if __name__ == "__main__":
    main()
