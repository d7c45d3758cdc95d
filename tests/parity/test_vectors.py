"""Losses, metrics, activations, schedules, initializers, penalties: numbers as in Keras."""

import numpy as np
import pytest

import minikeras as keras
from minikeras.autodiff import value_and_grad
from minikeras.core.registry import find
from tests.parity.reference import VALUES, arrays, assert_near, info, records


def table(kind: str):
    return pytest.mark.parametrize(
        ("case", "record"), [pytest.param(c, r, id=c.id) for c, r in records(kind)]
    )


def gradient(function, x: np.ndarray) -> np.ndarray:
    """The gradient of the sum of `function(x)`."""
    return np.asarray(value_and_grad(lambda t: keras.ops.sum(function(t)))(x)[1])


@table("losses")
def test_loss_and_its_gradient(case, record):
    content = arrays(case.root, "vectors", "losses.npz")
    loss = getattr(keras.losses, record["cls"])(**record["kwargs"])
    y_true, y_pred = content[record["y_true"]], content[record["y_pred"]]
    weights = content[record["sample_weight"]] if record["sample_weight"] else None
    value = loss(y_true, y_pred, sample_weight=weights)
    assert_near(value, content[record["out"]], VALUES, "value")
    if "grad" in record:
        slope = gradient(lambda p: loss(y_true, p, sample_weight=weights), y_pred)
        assert_near(slope, content[record["grad"]], VALUES, "gradient")


@table("losses")
def test_loss_from_its_config_is_the_same_loss(case, record):
    loss = getattr(keras.losses, record["cls"])(**record["kwargs"])
    twin = type(loss).from_config(loss.get_config())
    assert twin.get_config() == loss.get_config()


@pytest.mark.filterwarnings("ignore:.*counts in integers")
@table("metrics")
def test_metric_over_three_batches_and_after_a_reset(case, record):
    content = arrays(case.root, "vectors", "metrics.npz")
    metric = getattr(keras.metrics, record["cls"])(**record["kwargs"])
    reference = content[record["out"]]

    def update(batch: int):
        names = [record["y_true"], *([record["y_pred"]] if record["y_pred"] else [])]
        weight = record["sample_weight"]
        weights = content[f"{weight}_{batch}"] if weight else None
        metric.update_state(*(content[f"{n}_{batch}"] for n in names), sample_weight=weights)
        return np.asarray(metric.result())

    for batch in range(3):
        assert_near(update(batch), reference[batch], VALUES, f"after batch {batch}")
    metric.reset_state()
    assert_near(update(1), reference[3], VALUES, "after a reset")


@table("activations")
def test_activation_and_its_derivative(case, record):
    content = arrays(case.root, "vectors", "activations.npz")
    function, number = getattr(keras.activations, record["name"]), record["id"]
    x = content[record["x"]]
    assert_near(function(x, **record["kwargs"]), content[f"v_{number}"], VALUES, "value")
    if f"g_{number}" not in content:
        return
    cotangent = content[record["vjp"]] if "vjp" in record else 1.0
    slope = gradient(lambda t: function(t, **record["kwargs"]) * cotangent, x)
    smooth = ~content[f"kink_{number}"] if f"kink_{number}" in content else np.full(x.shape, True)
    assert_near(slope[smooth], content[f"g_{number}"][smooth], VALUES, "derivative")


@table("schedules")
def test_schedule(case, record):
    schedule = getattr(keras.optimizers.schedules, record["cls"])(**record["kwargs"])
    steps = info(case.root, "vectors", "schedules.json")["steps"]
    assert_near([float(schedule(step)) for step in steps], record["values"], VALUES)
    assert (
        schedule.get_config()
        == keras.saving.deserialize_keras_object(record["serialized"]).get_config()
    )


@table("initializers")
def test_initializer_has_the_statistics_of_keras(case, record):
    seed = {} if record["cls"] in ("Zeros", "Ones", "Constant", "Identity") else {"seed": 7}
    initializer = getattr(keras.initializers, record["cls"])(**record["kwargs"], **seed)
    w = np.asarray(initializer(shape=tuple(record["shape"])), "float64")
    if record["deterministic"]:
        found = [w.mean(), w.std(), w.min(), w.max()]
        assert_near(found, [record[key] for key in ("mean", "std", "min", "max")], 1e-6)
        return
    spread, error = record["std"], 6 * record["std"] / np.sqrt(record["n"])
    assert abs(w.mean() - record["mean"]) < 2 * error
    assert abs(w.std() - spread) < 2 * error
    if record["bounded"]:
        width = record["max"] - record["min"]
        assert w.min() > record["min"] - 0.15 * width
        assert w.max() < record["max"] + 0.15 * width
    if record["orthogonal"]:
        _assert_orthogonal(w, record["kwargs"].get("gain", 1.0))


def _assert_orthogonal(w: np.ndarray, gain: float) -> None:
    matrix = w.reshape(-1, w.shape[-1]) / gain
    matrix = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
    assert_near(matrix.T @ matrix, np.eye(matrix.shape[1]), VALUES, "w.T @ w")


@table("regularizers")
def test_penalty_and_its_gradient(case, record):
    content = arrays(case.root, "vectors", "reg_con.npz")
    penalty = getattr(keras.regularizers, record["cls"])(**record["kwargs"])
    w = content[record["w"]]
    assert_near(penalty(w), record["value"], VALUES, "value")
    assert_near(gradient(penalty, w), content[record["grad"]], VALUES, "gradient")


@table("constraints")
def test_constraint(case, record):
    content = arrays(case.root, "vectors", "reg_con.npz")
    constraint = getattr(keras.constraints, record["cls"])(**record["kwargs"])
    assert_near(constraint(content[record["w"]]), content[record["out"]], VALUES)


@pytest.mark.parametrize("kind", ["losses", "metrics", "activations", "initializers"])
def test_every_class_of_the_tables_can_be_named_by_a_string(kind: str):
    for _, record in records(kind):
        name = record.get("cls") or record["name"]
        assert find(kind, name) is not None
