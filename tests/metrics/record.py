"""Writes keras_values.json: what Keras's metrics give for the calls of calls.py.

Run as `python -m tests.metrics.record` with an interpreter that has Keras 3, any backend.
"""

import importlib
import json
from pathlib import Path

import numpy as np

from tests.metrics.calls import CALLS, Call, batches

MOST = 80  # numbers of state that are worth keeping


def rounded(value) -> list | float:
    return np.asarray(value, "float64").round(7).tolist()


def recorded(keras, call: Call) -> dict:
    metric = getattr(keras.metrics, call.cls)(**call.kwargs)
    for y_true, y_pred, sample_weight in batches(call):
        metric.update_state(y_true, y_pred, sample_weight=sample_weight)
    state = {v.name: rounded(v) for v in metric.variables}
    small = sum(np.size(v) for v in state.values()) <= MOST
    return {"result": rounded(metric.result()), "state": state if small else None}


def main() -> None:
    keras = importlib.import_module("keras")
    lines = [f"{json.dumps(c.id)}: {json.dumps(recorded(keras, c))}" for c in CALLS]
    body = ",\n".join(lines)
    (Path(__file__).parent / "keras_values.json").write_text(f"{{\n{body}\n}}\n")


if __name__ == "__main__":
    main()
