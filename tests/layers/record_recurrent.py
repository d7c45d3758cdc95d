"""Writes recorded_recurrent.npz and .json: what Keras's recurrent layers compute.

``KERAS_BACKEND=jax PYTHONPATH=. python tests/layers/record_recurrent.py`` where Keras 3 is.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from tests.layers.recurrent_values import CASES, flat, numbers, states_of, weights_for


def of_case(case: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Outputs and states at inference, gradients; and what the layer says of itself."""
    import jax
    import keras

    layer = case.make(keras.layers)
    x, given = numbers(case.shape, 1), states_of(case)
    layer(x, **given)
    layer.set_weights(weights_for([w.shape for w in layer.weights]))
    learned = [v.value for v in layer.trainable_variables]
    others = [v.value for v in layer.non_trainable_variables]
    inside = "layer" if case.make(keras.layers).__class__.__name__ == "TimeDistributed" else None
    given["training"] = inside is not None

    def total(learned: Any, x: Any) -> Any:
        y, after = layer.stateless_call(learned, others, x, **given)
        ys = flat(y)
        loss = sum((one * numbers(one.shape, 60 + k)).sum() for k, one in enumerate(ys))
        return loss, (ys, after)

    found = jax.jit(jax.value_and_grad(total, (0, 1), has_aux=True))(learned, x)
    (_, (ys, _)), (dw, dx) = found
    arrays = {f"y{k}": y for k, y in enumerate(ys)} | {"dx": dx}
    arrays |= {f"dw{k}": d for k, d in enumerate(dw)}
    symbol = keras.Input(case.shape[1:])
    shapes = [list(s.shape) for s in flat(case.make(keras.layers)(symbol))]
    said = {
        "weights": [[w.name, list(w.shape)] for w in layer.weights],
        "config": sorted(layer.get_config()),
        "shapes": shapes,
        "parameters": layer.count_params(),
    }
    return arrays, said


def main() -> None:
    here = Path(__file__)
    arrays, said = {}, {}
    for name, case in CASES.items():
        found, said[name] = of_case(case)
        arrays |= {f"{name}/{key}": np.asarray(value) for key, value in found.items()}
        print(name, flush=True)
    np.savez_compressed(here.with_name("recorded_recurrent.npz"), **arrays)
    text = json.dumps(said, indent=None, separators=(",", ":"))
    here.with_name("recorded_recurrent.json").write_text(text.replace('},"', '},\n"') + "\n")


if __name__ == "__main__":
    main()
