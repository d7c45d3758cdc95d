"""Every optimizer walks as Keras's does, from its arguments, from its record and from its files."""

import numpy as np
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
from tests.parity.test_models import loss_of_step

CASES = [case for case in cases("optim", "*.json") if ".resume" not in case.name]
NAMES = {case.name for case in CASES}
RESUMED = [
    (case, suffix)
    for suffix in (".resume.keras", ".resume.h5")
    for case in cases("optim", f"*{suffix}")
    if case.name in NAMES
]
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)


def description(case: Case) -> dict:
    return info(case.root, "optim", f"{case.name}.json")


def from_arguments(case: Case):
    """The optimizer, from the arguments that a user writes."""
    record = description(case)
    arguments = {
        name: keras.saving.deserialize_keras_object(value) if isinstance(value, dict) else value
        for name, value in record["kwargs"].items()
    }
    return getattr(keras.optimizers, record["class_name"])(**arguments)


def compiled(case: Case, optimizer):
    model = keras.models.load_model(case.root / "optim" / "base.keras")
    model.compile(optimizer=optimizer, loss="mse")
    return model


def walk(model, case: Case, first: int, stop: int = 10) -> list[float]:
    batches = arrays(case.root, "optim", "batches.npz")
    return [loss_of_step(model, batches["bx"][i], batches["by"][i]) for i in range(first, stop)]


def assert_arrives(model, losses: list[float], case: Case, first: int) -> None:
    content = arrays(case.root, "optim", f"{case.name}.npz")
    assert_relative(losses, content["losses"][first:], TRAJECTORIES, "losses")
    finals = numbered(content, "final_")
    for weight, value, reference in zip(model.weights, model.get_weights(), finals, strict=True):
        assert_relative(value, reference, TRAJECTORIES, weight.path)


@every_case
def test_optimizer_made_from_arguments_walks_as_in_keras(case: Case):
    model = compiled(case, from_arguments(case))
    assert_arrives(model, walk(model, case, 0), case, 0)


@every_case
def test_optimizer_made_from_its_record_walks_as_in_keras(case: Case):
    optimizer = keras.saving.deserialize_keras_object(description(case)["serialized"])
    model = compiled(case, optimizer)
    assert_arrives(model, walk(model, case, 0), case, 0)


@every_case
def test_record_of_the_optimizer_is_that_of_keras(case: Case):
    def rounded(value):
        if isinstance(value, dict):
            return {name: rounded(item) for name, item in value.items()}
        return float(np.float32(value)) if isinstance(value, float) else value

    ours = keras.saving.serialize_keras_object(from_arguments(case))
    assert rounded(ours) == rounded(description(case)["serialized"])


@every_case
def test_state_after_five_steps_is_that_of_keras(case: Case):
    record = description(case)
    model = compiled(case, from_arguments(case))
    walk(model, case, 0, record["resume_at"])
    variables = model.optimizer.variables
    found = [(v.name, list(v.shape), v.dtype) for v in variables]
    assert found == [(p.rpartition("/")[2], s, d) for p, s, d in record["optimizer_variables"]]
    content = arrays(case.root, "optim", f"{case.name}.npz")
    for variable, reference in zip(variables, numbered(content, "optvar_at_resume_"), strict=True):
        assert_relative(variable.numpy(), reference, TRAJECTORIES, variable.path)


@pytest.mark.parametrize(("case", "suffix"), RESUMED, ids=lambda part: getattr(part, "id", part))
def test_training_is_continued_from_the_file(case: Case, suffix: str):
    first = description(case)["resume_at"]
    model = keras.models.load_model(case.root / "optim" / f"{case.name}{suffix}")
    assert_arrives(model, walk(model, case, first), case, first)
