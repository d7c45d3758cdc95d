"""Metrics in `fit` and `evaluate`."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import metrics
from minikeras.autodiff import Spec
from minikeras.kernels import Launch
from minikeras.program import Program, Recording
from minikeras.training.steps import train_step


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 4)).astype("float32")
    return x, (x[:, 0] + 0.5 * rng.normal(size=50) > 0).astype("float32")


def network(units: int, activation: str, **compiled):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.layers.Dense(units, activation=activation)])
    model.compile("sgd", **compiled)
    return model


def test_evaluation_is_the_metric_of_the_predictions(data):
    """Batches of 16 and a last one of 2: the state is carried over both recorded programs."""
    x, y = data
    kinds = [
        metrics.AUC(curve="PR"),
        metrics.Precision(),
        metrics.RecallAtPrecision(0.6),
        metrics.FalseNegatives(thresholds=0.4),
        metrics.BinaryIoU(threshold=0.4),
    ]
    model = network(1, "sigmoid", loss="binary_crossentropy", metrics=["AUC", *kinds])
    logs = model.evaluate(x, y, batch_size=16, verbose=0, return_dict=True)
    p = model.predict(x, verbose=0)
    assert logs["AUC"] == pytest.approx(metrics.AUC()(y, p), abs=1e-6)
    for metric in kinds:
        again = type(metric).from_config(metric.get_config())
        assert logs[metric.name] == pytest.approx(again(y, p), abs=1e-6), metric.name


def test_histories_are_the_same_replayed_and_eager(data):
    x, y = data
    labels = np.eye(3, dtype="float32")[(x[:, 1] > 0).astype(int) + (x[:, 2] > 1)]
    weights = np.linspace(0.5, 2, len(y), dtype="float32")
    histories = []
    for eager in (False, True):
        model = network(
            *(3, "softmax"),
            loss="categorical_crossentropy",
            metrics=[metrics.F1Score("macro"), metrics.TopKCategoricalAccuracy(2), "accuracy"],
            weighted_metrics=[metrics.Recall(top_k=1, name="recall"), metrics.R2Score(name="r2")],
            run_eagerly=eager,
        )
        fitted = model.fit(x, labels, 16, 2, verbose=0, sample_weight=weights)
        histories.append(fitted.history)
    assert histories[0] == histories[1]
    assert set(histories[0]) == {
        *("loss", "f1_score", "top_k_categorical_accuracy", "accuracy", "recall", "r2"),
    }


def test_segmentation_by_class_scores():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20, 6, 3)).astype("float32")
    y = x.argmax(-1)
    loss = "sparse_categorical_crossentropy"
    model = network(3, "softmax", loss=loss, metrics=[metrics.MeanIoU(3, sparse_y_pred=False)])
    logs = model.evaluate(x, y, verbose=0, return_dict=True)
    found = model.predict(x, verbose=0).argmax(-1)
    expected = np.mean(
        [((y == c) & (found == c)).sum() / ((y == c) | (found == c)).sum() for c in range(3)]
    )
    assert logs["mean_io_u"] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("units", "activation", "loss", "kinds"),
    [
        (10, "softmax", "sparse_categorical_crossentropy", ["accuracy"]),
        (
            *(10, "softmax", "categorical_crossentropy"),
            ["accuracy", "AUC", metrics.F1Score("macro"), metrics.TopKCategoricalAccuracy(3)],
        ),
        (
            *(1, "sigmoid", "binary_crossentropy"),
            ["accuracy", "Precision", "Recall", metrics.AUC(curve="PR"), metrics.BinaryIoU()],
        ),
        (3, "linear", "huber", ["mae", "mape", metrics.R2Score(), metrics.RootMeanSquaredError()]),
    ],
)
def test_a_recorded_train_step_with_metrics_is_launches_only(units, activation, loss, kinds):
    model = network(units, activation, loss=loss, metrics=kinds)
    sparse = loss.startswith("sparse")
    specs = [Spec((8, 4), "float32"), Spec((8,) if sparse else (8, units), "float32")]
    if sparse:
        specs[1] = Spec((8,), "int64")
    x, y = (np.zeros(s.shape, s.dtype) for s in specs)
    model.train_on_batch(x, y)

    def step(x, y):
        train_step(model, x, y, None)
        return []

    program = Program(Recording.of(step, specs))
    assert [call for call in program.calls if not isinstance(call, Launch)] == []
    assert not program.prologue or len(program.prologue) == 1  # the optimizer's numbers
