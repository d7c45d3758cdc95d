"""Wrong arguments and data of the wrong shape: the message each one gives."""

import numpy as np
import pytest

from minikeras import losses, metrics

Y, P = np.eye(3, dtype=np.float32)[[0, 1, 2, 1]], np.full((4, 3), 0.4, np.float32)

ARGUMENTS = [
    ("AUC", {"curve": "ROK"}, r"AUC: `curve` must be one of 'ROC', 'PR', 'PRGAIN'.*'ROK'"),
    ("AUC", {"summation_method": "minor"}, "Did you mean 'minoring'"),
    ("AUC", {"num_thresholds": 1}, "`num_thresholds` must be at least 2. Received: 1"),
    ("AUC", {"thresholds": [0.5, 2]}, r"numbers between 0 and 1. Received: \[0.5, 2\]"),
    ("AUC", {"thresholds": 0.5}, "must be a list of numbers"),
    ("AUC", {"num_labels": 3}, "`num_labels` goes with multi_label=True"),
    ("AUC", {"multi_label": 2}, "`multi_label` must be True or False"),
    ("AUC", {"label_weights": [1.0, -1.0]}, "`label_weights` must be at least 0"),
    (
        "AUC",
        {"multi_label": True, "num_labels": 3, "label_weights": [1, 2]},
        "2 weights for 3 labels",
    ),
    ("Precision", {"thresholds": 2}, "Precision: `thresholds` must be a number between 0 and 1"),
    ("Recall", {"thresholds": [0.5, None]}, "Recall: `thresholds` must be"),
    ("Precision", {"thresholds": []}, "or a list of some"),
    ("Precision", {"top_k": 0}, "Precision: `top_k` must be a positive integer. Received: 0"),
    ("Recall", {"class_id": -1}, "Recall: `class_id` must be an integer of at least 0"),
    ("TruePositives", {"thresholds": [1.2]}, "TruePositives: `thresholds`"),
    ("PrecisionAtRecall", {"recall": 2}, "`recall` must be a number between 0 and 1"),
    ("RecallAtPrecision", {"precision": -1}, "`precision` must be a number between 0 and 1"),
    ("SensitivityAtSpecificity", {"specificity": 2}, "`specificity` must be a number"),
    ("SpecificityAtSensitivity", {"sensitivity": 2}, "`sensitivity` must be a number"),
    ("PrecisionAtRecall", {"recall": 0.5, "num_thresholds": 0}, "`num_thresholds` must be a posi"),
    ("F1Score", {"average": "mikro"}, "F1Score: `average` must be one of None.*'micro'"),
    ("FBetaScore", {"beta": 0}, "FBetaScore: `beta` must be positive. Received: 0"),
    ("FBetaScore", {"beta": "a"}, "`beta` must be a number"),
    ("F1Score", {"threshold": 0.0}, "`threshold` must be above 0 and at most 1"),
    ("F1Score", {"threshold": "a"}, "`threshold` must be a number"),
    ("IoU", {"num_classes": 3, "target_class_ids": [3]}, "must be classes from 0 to 2"),
    ("BinaryIoU", {"target_class_ids": [2]}, "must be classes from 0 to 1"),
    ("MeanIoU", {"num_classes": 0}, "`num_classes` must be a positive integer"),
    ("MeanIoU", {"num_classes": 3, "dtype": "float16"}, "`dtype` must be one of"),
    ("MeanIoU", {"num_classes": 3, "ignore_class": 1.5}, "`ignore_class` must be an integer"),
    *[
        (name, {"dtype": "float16"}, f"{name} computes in float32 or float64")
        for name in ("Mean", "AUC", "Recall", "F1Score", "R2Score", "MeanSquaredError")
    ],
    ("R2Score", {"class_aggregation": "mean"}, "`class_aggregation` must be one of None"),
    ("R2Score", {"num_regressors": -1}, "`num_regressors` must be an integer of at least 0"),
]
DATA = [
    (metrics.TruePositives(), (Y, P[:, :2]), "same shape.*(4, 3).*(4, 2)"),
    (metrics.AUC(), (Y, P, np.ones(3)), r"one weight per target, or per sample.*\(3,\)"),
    (metrics.AUC(multi_label=True), (Y[:, 0], P[:, 0]), r"\(samples, labels\). Received.*\(4,\)"),
    (metrics.AUC(multi_label=True, num_labels=2), (Y, P), "made for 2 labels"),
    (metrics.AUC(label_weights=[1, 2]), (Y, P), "2 weights for 3 labels"),
    (metrics.Precision(class_id=1), (Y[:, 0], P[:, 0]), r"\(samples, classes\)"),
    (metrics.Precision(class_id=3), (Y, P), "class_id=3 is none of the 3 classes"),
    (metrics.Recall(class_id=1), (Y, P, np.ones((4, 3))), "one weight per target"),
    (metrics.Precision(top_k=4), (Y, P), "top_k=4 asks for more"),
    (metrics.F1Score(), (Y[:, 0], P[:, 0]), r"F1Score needs.*\(samples, classes\)"),
    (metrics.F1Score(), (Y, P[:, :2]), r"y_pred of shape \(4, 2\)"),
    (metrics.F1Score(), (Y, P, np.ones((4, 3))), "one weight per target"),
    (metrics.MeanIoU(3), (Y[:, 0], P[:3, 0]), "one predicted class per target"),
    (metrics.MeanIoU(3, dtype="float32"), (Y, P, np.ones(5)), "one weight per target"),
    (metrics.R2Score(), (Y[:, 0], P[:, 0]), r"R2Score needs.*\(samples, columns\)"),
    (metrics.R2Score(), (Y, P[:, :1]), "same shape"),
    (metrics.PearsonCorrelation(), (Y, P[:, :2]), "same shape"),
]


@pytest.mark.parametrize(("name", "arguments", "message"), ARGUMENTS)
def test_wrong_arguments(name, arguments, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        getattr(metrics, name)(**arguments)


@pytest.mark.parametrize(("metric", "data", "message"), DATA)
def test_data_of_the_wrong_shape(metric, data, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        metric.update_state(*data)


def test_another_number_of_classes_than_before():
    for metric, message in (
        (metrics.F1Score(), "updated with 3 classes before"),
        (metrics.R2Score(), r"\(samples, 3\)"),
        (metrics.AUC(multi_label=True), "made for 3 labels"),
    ):
        metric.update_state(Y, P)
        with pytest.raises(ValueError, match=message):
            metric.update_state(Y[:, :2], P[:, :2])


def test_results_of_areas_need_the_number_of_labels():
    with pytest.raises(RuntimeError, match="Pass `num_labels`, or update it first"):
        metrics.AUC(multi_label=True).result()
    assert metrics.AUC(multi_label=True, num_labels=2).result() == 0


def test_fractions_of_weights_in_a_matrix_of_integers_are_told():
    metric = metrics.MeanIoU(2)
    with pytest.warns(UserWarning, match="only the whole part of each weight counts"):
        metric.update_state([0, 1], [0, 1], sample_weight=[0.5, 1.5])
    assert metric.total_confusion_matrix.numpy().tolist() == [[0, 0], [0, 1]]
    metric.update_state([0, 1], [0, 1], sample_weight=np.array([1, 2]))
    assert metric.total_confusion_matrix.numpy().tolist() == [[1, 0], [0, 3]]


def test_too_few_samples_for_an_adjusted_score_are_told():
    metric = metrics.R2Score(num_regressors=5)
    metric.update_state(Y[:, :1], P[:, :1])
    with pytest.warns(UserWarning, match=r"more than num_regressors \+ 1 = 6.*Received: 4"):
        adjusted = metric.result()
    plain = metrics.R2Score()
    plain.update_state(Y[:, :1], P[:, :1])
    assert adjusted == plain.result()


def test_weights_per_sample_count_for_all_its_targets():
    y, p = np.arange(8).reshape(2, 2, 2) % 2, np.full((2, 2, 2), 0.7)
    assert metrics.FalsePositives()(y, p, sample_weight=[1, 3]) == 8
    matrix = metrics.MeanIoU(2, dtype="float32")
    matrix.update_state(y, y, sample_weight=[1, 3])
    assert matrix.total_confusion_matrix.numpy().tolist() == [[8, 0], [0, 8]]


def test_one_threshold_gives_a_number_and_several_an_array():
    for cls in (metrics.Precision, metrics.TruePositives):
        assert isinstance(cls(thresholds=[0.3])([1, 0], [0.6, 0.2]), np.float32)
        assert cls(thresholds=[0.3, 0.7])([1, 0], [0.6, 0.2]).tolist() == [1, 0]


def test_configs_hold_the_arguments_as_they_were_given():
    assert metrics.Precision(thresholds=0.3).get_config()["thresholds"] == 0.3
    assert metrics.Recall().get_config()["thresholds"] is None
    assert "thresholds" not in metrics.AUC().get_config()
    config = metrics.AUC(thresholds=[0.7, 0.2]).get_config()
    assert (config["thresholds"], config["num_thresholds"]) == ([0.2, 0.7], 4)
    assert (
        metrics.AUC.from_config(config).thresholds == metrics.AUC(thresholds=[0.2, 0.7]).thresholds
    )
    assert metrics.AUC(curve="prgain").get_config()["curve"] == "PRGAIN"


@pytest.mark.parametrize(
    ("cls", "direction"),
    [
        (metrics.AUC, "up"),
        (metrics.Precision, "up"),
        (metrics.F1Score, "up"),
        (metrics.R2Score, "up"),
        (metrics.PearsonCorrelation, "up"),
        (metrics.BinaryIoU, "up"),
        (metrics.MeanSquaredError, "down"),
        (metrics.FalsePositives, None),
        (metrics.Mean, None),
    ],
)
def test_callbacks_can_ask_which_way_is_better(cls, direction):
    assert cls._direction == direction


def test_a_loss_that_is_averaged_is_better_when_smaller():
    assert metrics.MeanMetricWrapper(losses.huber)._direction == "down"
    assert metrics.MeanMetricWrapper(lambda y, p: y - p)._direction is None
