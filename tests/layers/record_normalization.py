"""Writes recorded_normalization.npz: what Keras's normalisation layers compute.

``KERAS_BACKEND=jax PYTHONPATH=. python tests/layers/record_normalization.py`` where Keras 3 is.
"""

from pathlib import Path
from typing import Any

import numpy as np

from tests.layers.normalization_cases import CASES, mask_of, numbers, spectral_kernel, values_of


def of_case(case: Any) -> dict[str, Any]:
    """Output, gradients and states of a training call, and the output at inference."""
    import jax
    import keras

    layer = getattr(keras.layers, case.kind)(**case.arguments)
    x, cotangent = numbers(case.shape, 1), numbers(case.shape, 2)
    layer.build(x.shape)
    layer.set_weights(values_of([w.shape for w in layer.weights]))
    more = {"mask": jax.numpy.asarray(mask_of(case.shape))} if case.masked else {}
    learned = [v.value for v in layer.trainable_variables]
    others = [v.value for v in layer.non_trainable_variables]
    states = case.kind == "BatchNormalization"

    def total(learned, x, training=True):
        given = {**more, "training": training} if states else more
        y, after = layer.stateless_call(learned, others, x, **given)
        return (y * cotangent).sum(), (y, after)

    both = jax.value_and_grad(total, (0, 1), has_aux=True)
    (_, (y, after)), (dw, dx) = both(learned, jax.numpy.asarray(x))
    found = {"y": y, "dx": dx, "inference": total(learned, jax.numpy.asarray(x), False)[1][0]}
    found.update({f"dw{k}": d for k, d in enumerate(dw)})
    found.update({f"after{k}": value for k, value in enumerate(after)})
    return found


def of_spectral_normalization() -> dict[str, Any]:
    import keras

    layer = keras.layers.SpectralNormalization(keras.layers.Dense(4), power_iterations=2)
    layer.build((5, 3))
    layer.set_weights(spectral_kernel())
    x = numbers((5, 3), 4)
    found: dict[str, Any] = {f"y{call}": layer(x, training=True) for call in range(2)}
    found.update({f"after{k}": value for k, value in enumerate(layer.get_weights())})
    return {**found, "inference": layer(x), "names": [w.path for w in layer.weights]}


def main() -> None:
    found = {name: of_case(case) for name, case in CASES.items()}
    found["spectral"] = of_spectral_normalization()
    arrays = {f"{n}/{k}": np.asarray(v) for n, content in found.items() for k, v in content.items()}
    np.savez_compressed(Path(__file__).with_name("recorded_normalization.npz"), **arrays)


if __name__ == "__main__":
    main()
