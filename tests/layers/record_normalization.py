"""Writes recorded_normalization.npz: run with real Keras 3.15, ``KERAS_BACKEND=jax``."""

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import keras
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.layers.normalization_cases import CASES, mask_of, numbers, spectral_kernel, values_of

out: dict[str, np.ndarray] = {}


def record(name, case):
    layer = getattr(keras.layers, case.kind)(**case.arguments)
    x, cotangent = numbers(case.shape, 1), numbers(case.shape, 2)
    layer.build(x.shape)
    layer.set_weights(values_of([w.shape for w in layer.weights]))
    more = {"mask": jnp.asarray(mask_of(case.shape))} if case.masked else {}
    learned = [v.value for v in layer.trainable_variables]
    others = [v.value for v in layer.non_trainable_variables]
    states = case.kind == "BatchNormalization"

    def total(learned, x, training=True):
        given = {**more, "training": training} if states else more
        y, after = layer.stateless_call(learned, others, x, **given)
        return (y * cotangent).sum(), (y, after)

    both = jax.value_and_grad(total, (0, 1), has_aux=True)
    (_, (y, after)), (dw, dx) = both(learned, jnp.asarray(x))
    out[f"{name}/y"], out[f"{name}/dx"] = y, dx
    for k, d in enumerate(dw):
        out[f"{name}/dw{k}"] = d
    for k, value in enumerate(after):
        out[f"{name}/after{k}"] = value
    out[f"{name}/inference"] = total(learned, jnp.asarray(x), False)[1][0]


for name, case in CASES.items():
    record(name, case)

layer = keras.layers.SpectralNormalization(keras.layers.Dense(4), power_iterations=2)
layer.build((5, 3))
layer.set_weights(spectral_kernel())
for call in range(2):
    out[f"spectral/y{call}"] = layer(numbers((5, 3), 4), training=True)
for k, value in enumerate(layer.get_weights()):
    out[f"spectral/after{k}"] = value
out["spectral/inference"] = layer(numbers((5, 3), 4))
out["spectral/names"] = np.array([w.path for w in layer.weights])

np.savez_compressed(
    Path(__file__).with_name("recorded_normalization.npz"),
    **{key: np.asarray(value) for key, value in out.items()},
)
