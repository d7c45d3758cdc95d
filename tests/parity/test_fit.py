"""`fit` and `evaluate` tell the same history as Keras's, and end at the same weights."""

import pytest

import minikeras as keras
from tests.parity.reference import (
    TRAJECTORIES,
    Case,
    arrays,
    assert_relative,
    cases,
    info,
    numbered,
)

CASES = cases("fit", "*.json")


@pytest.mark.filterwarnings("ignore:The data ran out")  # in the case of given steps, as in Keras
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_history_evaluation_and_weights_are_those_of_keras(case: Case):
    record = info(case.root, "fit", f"{case.name}.json")
    content = arrays(case.root, "fit", f"{case.name}.npz")
    settings = dict(record["fit"])
    if "class_weight" in settings:
        settings["class_weight"] = {int(k): w for k, w in settings["class_weight"].items()}
    if record["sample_weight"]:
        settings["sample_weight"] = content["sw"]
    model = keras.models.load_model(case.root / "fit" / f"{case.name}.keras")
    x, y = content["x"], content["y"]
    history = model.fit(x, y, epochs=record["epochs"], shuffle=False, verbose=0, **settings).history
    assert list(history) == list(record["history"])
    for name, values in record["history"].items():
        assert_relative(history[name], values, TRAJECTORIES, name)
    finals = numbered(content, "final_")
    for weight, value, reference in zip(model.weights, model.get_weights(), finals, strict=True):
        assert_relative(value, reference, TRAJECTORIES, weight.path)
    after = model.evaluate(x, y, batch_size=32, verbose=0, return_dict=True)
    assert set(after) == set(record["evaluate_after"])
    for name, value in record["evaluate_after"].items():
        assert_relative(after[name], value, TRAJECTORIES, name)
