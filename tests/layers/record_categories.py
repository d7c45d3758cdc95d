"""Writes recorded_categories.json: what Keras's layers for text and categories compute.

``KERAS_BACKEND=tensorflow PYTHONPATH=. python tests/layers/record_categories.py`` where Keras 3 and
TensorFlow are.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from tests.layers.category_cases import CASES, Case, learned


def plain(values: Any) -> Any:
    values = np.asarray(values)
    if values.dtype == object:
        return np.vectorize(lambda text: text.decode())(values).tolist()
    return values.tolist()


def of_case(case: Case) -> dict[str, Any]:
    import keras
    import tensorflow as tf

    layer = getattr(keras.layers, case.kind)(**case.arguments)
    if case.data is not None:
        layer.adapt(case.data)
    inputs = case.inputs
    inputs = tuple(map(tf.constant, inputs)) if isinstance(inputs, tuple) else tf.constant(inputs)
    if case.kind == "IntegerLookup":
        inputs = tf.cast(tf.constant(case.inputs, tf.int64), tf.int64)
    more = {} if case.weights is None else {"count_weights": np.array(case.weights, "float32")}
    output = np.asarray(layer(inputs, **more))
    return {
        "output": plain(output),
        "dtype": str(output.dtype),
        "shape": list(output.shape),
        "learned": learned(layer),
    }


def main() -> None:
    found = {}
    for name, case in CASES.items():
        try:
            found[name] = of_case(case)
        except Exception as error:
            print(name, type(error).__name__, str(error)[:300])
    text = json.dumps(found, ensure_ascii=False)
    Path(__file__).with_name("recorded_categories.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
