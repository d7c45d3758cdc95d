"""Writes recorded_convolution.npz: outputs and gradients of Keras's convolutions and pooling.

Where Keras 3 is, with either of two backends, for the cases whose names begin with an argument:
``KERAS_BACKEND=jax PYTHONPATH=. python tests/layers/record_convolution.py [beginning]``. Transposed
convolutions and means are those of JAX; PyTorch's backend has other borders there.
"""

import sys
from pathlib import Path

import numpy as np

from tests.layers.convolution_cases import CASES, numbers, prepared, told

FILE = Path(__file__).with_name("recorded_convolution.npz")


def with_jax(layer, x):
    import jax

    weights = [w.value for w in layer.weights]
    y = np.asarray(layer(x))

    def loss(weights, x):
        outputs, _ = layer.stateless_call(weights, [], x)
        return (outputs * numbers(*y.shape)).sum()

    of_weights, of_input = jax.grad(loss, (0, 1))(weights, x)
    return [y, of_input, *of_weights]


def with_torch(layer, x):
    import torch

    x = torch.tensor(x, requires_grad=True)
    y = layer(x)
    (y * torch.tensor(numbers(*y.shape))).sum().backward()
    return [a.detach().numpy() for a in (y, x.grad, *[w.value.grad for w in layer.weights])]


def main() -> None:
    import keras

    found = dict(np.load(FILE)) if FILE.exists() else {}
    compute = {"jax": with_jax, "torch": with_torch}[keras.backend.backend()]
    for name, case in CASES.items():
        if name.startswith(tuple(sys.argv[1:]) or ""):
            layer, x = prepared(getattr(keras.layers, case.kind)(**case.arguments), case)
            arrays = compute(layer, x)
            found[name] = np.array([told(a) for a in arrays])
            found[f"{name} shape"] = np.array(arrays[0].shape)
            np.savez_compressed(FILE, allow_pickle=False, **found)


if __name__ == "__main__":
    main()
