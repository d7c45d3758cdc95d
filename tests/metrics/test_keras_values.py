"""Results and state after two updates, as Keras recorded them."""

import json
from pathlib import Path

import numpy as np
import pytest

from minikeras import metrics
from tests.parity.reference import VALUES, assert_near

from .calls import CALLS, batches

RECORDED = json.loads((Path(__file__).parent / "keras_values.json").read_text())


def test_every_call_was_recorded_once():
    assert [call.id for call in CALLS] == list(RECORDED)


@pytest.mark.filterwarnings("ignore:.*counts in integers")
@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.id)
def test_result_and_state_are_those_of_keras(call):
    metric = getattr(metrics, call.cls)(**call.kwargs)
    for y_true, y_pred, sample_weight in batches(call):
        metric.update_state(y_true, y_pred, sample_weight=sample_weight)
    expected = RECORDED[call.id]
    result = np.asarray(metric.result())
    assert result.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(result), np.isnan(expected["result"]))
    assert_near(np.nan_to_num(result), np.nan_to_num(expected["result"]), VALUES, "result")
    if expected["state"] is None:
        return
    assert [v.name for v in metric.variables] == list(expected["state"])
    for variable in metric.variables:
        reference = np.nan_to_num(expected["state"][variable.name])
        assert_near(np.nan_to_num(variable.numpy()), reference, VALUES, variable.name)
