"""Writes recorded_attention.npz: what Keras's attention layers compute.

``KERAS_BACKEND=jax PYTHONPATH=. python tests/layers/record_attention.py`` where Keras 3 is.
"""

from pathlib import Path
from typing import Any

import numpy as np

from tests.layers.attention_cases import CASES, inputs_of, mask_of, numbers, weights_of


def of_case(case: Any) -> dict[str, Any]:
    """Output, scores if they are asked for, gradients of inputs and weights."""
    import jax
    import keras

    layer = getattr(keras.layers, case.kind)(**case.arguments)
    xs = [jax.numpy.asarray(x) for x in inputs_of(case)]
    masks = {name: mask_of(shape) for name, shape in case.masks.items()}
    masks = jax.tree_util.tree_map(jax.numpy.asarray, masks)

    def call(xs: Any, function: Any, *first: Any) -> Any:
        return function(*first, *([list(xs)] if case.listed else xs), **case.call, **masks)

    call(xs, layer)
    layer.set_weights(weights_of([w.shape for w in layer.weights]))
    learned = [v.value for v in layer.trainable_variables]
    others = [v.value for v in layer.non_trainable_variables]

    def total(learned: Any, xs: Any) -> Any:
        y, _ = call(xs, layer.stateless_call, learned, others)
        y = y if isinstance(y, tuple) else (y,)
        return (y[0] * numbers(y[0].shape, 20)).sum(), y

    (_, y), (dw, dx) = jax.value_and_grad(total, (0, 1), has_aux=True)(learned, xs)
    found = {f"y{k}": value for k, value in enumerate(y)}
    found.update({f"dw{k}": value for k, value in enumerate(dw)})
    found.update({f"dx{k}": value for k, value in enumerate(dx)})
    return {**found, "names": ["/".join(w.path.split("/")[1:]) for w in layer.weights]}


def main() -> None:
    found = {name: of_case(case) for name, case in CASES.items()}
    arrays = {f"{n}/{k}": np.asarray(v) for n, content in found.items() for k, v in content.items()}
    np.savez_compressed(Path(__file__).with_name("recorded_attention.npz"), **arrays)


if __name__ == "__main__":
    main()
