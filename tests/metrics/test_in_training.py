"""Metrics in `fit` and `evaluate`."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import metrics


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
