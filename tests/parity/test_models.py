"""Keras's model files compute, train and continue as in Keras."""

from pathlib import Path

import numpy as np
import pytest

import minikeras as keras
from minikeras.ops import winograd
from tests.parity.reference import (
    TRAJECTORIES,
    VALUES,
    Case,
    arrays,
    assert_near,
    assert_relative,
    cases,
    flat,
    info,
    nest,
    numbered,
)

MODELS = cases("models", "*/model.keras")
LEGACY = [case for case in cases("models", "*/model.h5") if case in MODELS]
WEIGHTS = [case for case in cases("models", "*/model.weights.h5") if case in MODELS]
TRAINED = [case for case in cases("models", "*/train.npz") if case in MODELS]
by_id = pytest.mark.parametrize


def folder(case: Case) -> Path:
    return case.root / "models" / case.name


def assert_predicts_as_keras(model, case: Case) -> None:
    description = info(folder(case), "info.json")
    content = arrays(folder(case), "io.npz")
    x = nest(numbered(content, "x"), description["inputs"])
    predicted = flat(model.predict(x, verbose=0, batch_size=64), description["outputs"])
    for number, (value, reference) in enumerate(
        zip(predicted, numbered(content, "y"), strict=True)
    ):
        assert_near(value, reference, VALUES, f"output {number}")


def steps(case: Case):
    """The batches of a recorded training, and what they led to."""
    description = info(folder(case), "info.json")
    content = arrays(folder(case), "train.npz")
    training = description["train"]

    def batch(number: int):
        x = nest([b[number] for b in numbered(content, "bx")], description["inputs"])
        return x, nest([b[number] for b in numbered(content, "by")], training["targets"])

    return batch, training, content


def loss_of_step(model, x, y) -> float:
    """The loss of one step, as the recording took it: metrics are reset before each."""
    model.reset_metrics()
    result = model.train_on_batch(x, y)
    return float(np.asarray(result[0] if isinstance(result, list | tuple) else result))


# Numbers left over when steps of this size cancel. The bias ends at -0.00020255 in float64, where
# Keras's float32 has -0.00020316: the reference itself is no better than to the size of a step.
CANCELLING = {("functional_multi", "reg/bias"): 0.01}


def assert_trains_as_keras(model, case: Case, first: int) -> None:
    batch, training, content = steps(case)
    losses = [loss_of_step(model, *batch(number)) for number in range(first, training["steps"])]
    assert_relative(losses, content["losses"][first:], TRAJECTORIES, "losses")
    finals = numbered(content, "final_")
    for weight, value, reference in zip(model.weights, model.get_weights(), finals, strict=True):
        least = CANCELLING.get((case.name, weight.path), 0.0)
        assert_relative(value, reference, TRAJECTORIES, weight.path, least)


@by_id("case", MODELS, ids=lambda case: case.id)
def test_keras_file_predicts_the_same(case: Case):
    assert_predicts_as_keras(keras.models.load_model(folder(case) / "model.keras"), case)


@by_id("case", LEGACY, ids=lambda case: case.id)
def test_hdf5_file_predicts_the_same(case: Case):
    assert_predicts_as_keras(keras.models.load_model(folder(case) / "model.h5"), case)


@by_id("case", WEIGHTS, ids=lambda case: case.id)
def test_weights_file_predicts_the_same(case: Case):
    model = keras.models.load_model(folder(case) / "model.keras")
    model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
    model.load_weights(folder(case) / "model.weights.h5")
    assert_predicts_as_keras(model, case)


@by_id("case", MODELS, ids=lambda case: case.id)
@by_id("name", ["again.keras", "again.h5"])
def test_saved_again_it_still_predicts_the_same(case: Case, name: str, tmp_path: Path):
    keras.models.load_model(folder(case) / "model.keras").save(tmp_path / name)
    assert_predicts_as_keras(keras.models.load_model(tmp_path / name), case)


@by_id("case", MODELS, ids=lambda case: case.id)
def test_rebuilt_from_its_config_with_its_weights_it_predicts_the_same(case: Case):
    model = keras.models.load_model(folder(case) / "model.keras")
    twin = type(model).from_config(model.get_config())
    twin.set_weights(model.get_weights())
    assert_predicts_as_keras(twin, case)


@by_id("case", MODELS, ids=lambda case: case.id)
def test_weights_have_the_shapes_and_the_order_of_keras(case: Case):
    model = keras.models.load_model(folder(case) / "model.keras")
    expected = [
        (path.rpartition("/")[2], tuple(shape), dtype)
        for path, shape, dtype in info(folder(case), "info.json")["weights"]
    ]
    found = [(weight.name, tuple(weight.shape), weight.dtype) for weight in model.weights]
    assert found == expected


@by_id("case", TRAINED, ids=lambda case: case.id)
def test_training_runs_along_the_same_losses_to_the_same_weights(case: Case):
    assert_trains_as_keras(keras.models.load_model(folder(case) / "model.keras"), case, 0)


@by_id("case", TRAINED, ids=lambda case: case.id)
def test_an_interrupted_training_is_continued(case: Case):
    first = info(folder(case), "info.json")["train"]["resume_at"]
    assert_trains_as_keras(keras.models.load_model(folder(case) / "resume.keras"), case, first)


@by_id("case", TRAINED, ids=lambda case: case.id)
@by_id("name", ["ours.keras", "ours.h5"])
def test_saved_by_us_a_training_is_continued(case: Case, name: str, tmp_path: Path):
    batch, training, _ = steps(case)
    model = keras.models.load_model(folder(case) / "model.keras")
    for number in range(training["resume_at"]):
        model.train_on_batch(*batch(number))
    model.save(tmp_path / name)
    resumed = keras.models.load_model(tmp_path / name)
    assert_trains_as_keras(resumed, case, training["resume_at"])


WITH_SQUARE_KERNELS = [c for c in MODELS if c.name in ("cnn2d", "depthwise_separable", "nested")]


@by_id("case", WITH_SQUARE_KERNELS, ids=lambda case: case.id)
def test_bounds_hold_with_every_convolution_on_winograds_way(case: Case, monkeypatch):
    """Fixtures are small, so most of their convolutions would be summed directly."""
    for limit, value in (("_LEAST", 1), ("_TILES", 1), ("_WASTE", 16)):
        monkeypatch.setattr(winograd, limit, value)
    model = keras.models.load_model(folder(case) / "model.keras")
    assert_predicts_as_keras(model, case)
    if case in TRAINED:
        assert_trains_as_keras(model, case, 0)
