"""Calls of metrics, made by the tests here and, with the same numbers, by Keras (see record.py)."""

from typing import Any, NamedTuple

import numpy as np

ROWS, COLUMNS = 12, 3


class Call(NamedTuple):
    """A metric, the data that two updates get, and the kind of their weights."""

    cls: str
    kwargs: dict[str, Any]
    data: str
    weights: str | None = None

    @property
    def id(self) -> str:
        words = [f"{k}={v}" for k, v in self.kwargs.items()]
        return "-".join([self.cls, *words, self.data, *([self.weights] if self.weights else [])])


def batches(call: Call) -> list[tuple]:
    """(y_true, y_pred, sample_weight) of two batches."""
    return [(*pair, weights(call, pair[0])) for pair in map(make(call.data), (0, 1))]


def weights(call: Call, y: np.ndarray) -> Any:
    rng = np.random.default_rng(9)
    shapes = {"rows": y.shape[:1], "all": y.shape, "column": (*y.shape[:1], 1)}
    if call.weights is None:
        return None
    if call.weights == "number":
        return np.float32(1.5)
    return (rng.integers(0, 9, shapes[call.weights]) / 4).astype(np.float32)


def make(data: str):
    """Function batch -> (targets, predictions)."""

    def pair(batch: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng([batch, *data.encode()])
        y, p = KINDS[data](rng)
        return np.asarray(y), np.asarray(p)

    return pair


def _bits(rng, *shape):
    return (rng.random(shape) < 0.5).astype(np.float32)


def _near(rng, y):
    """Probabilities that know something about the targets."""
    return np.clip(rng.random(y.shape) * 0.7 + 0.3 * (y != 0), 0, 1).astype(np.float32).round(3)


def _scores(rng, *shape):
    return rng.random(shape).astype(np.float32).round(2)


def _classes(rng, low=0, high=COLUMNS, shape=(ROWS,)):
    return rng.integers(low, high, shape)


def _labelled(rng, *shape):
    y = _bits(rng, *shape)
    return y, _near(rng, y)


def _fractions(rng):
    y = rng.integers(-2, 4, ROWS).astype(np.float32) / 2
    return y, _near(rng, y)


def _beyond(rng):
    return _bits(rng, ROWS), rng.integers(-2, 7, ROWS).astype(np.float32) / 4


def _one_hot(rng):
    y = np.eye(COLUMNS, dtype=np.float32)[_classes(rng)]
    return y, _near(rng, y)


def _regression(rng):
    y = rng.normal(0, 1, (ROWS, COLUMNS)).astype(np.float32).round(3)
    return y, (y + rng.normal(0, 0.5, y.shape)).astype(np.float32).round(3)


KINDS = {
    "numbers": lambda rng: _labelled(rng, ROWS),
    "column": lambda rng: _labelled(rng, ROWS, 1),
    "labels": lambda rng: _labelled(rng, ROWS, COLUMNS),
    "boxes": lambda rng: _labelled(rng, ROWS, 2, COLUMNS),
    "fractions": _fractions,
    "beyond": _beyond,
    "one-hot": _one_hot,
    "ties": lambda rng: (_bits(rng, ROWS, COLUMNS), rng.integers(0, 3, (ROWS, COLUMNS)) / 2.0),
    "negative": lambda rng: (_bits(rng, ROWS, COLUMNS), -_scores(rng, ROWS, COLUMNS)),
    "classes": lambda rng: (_classes(rng), _classes(rng)),
    "classes beyond": lambda rng: (_classes(rng, -1, 5), _classes(rng, -1, 5)),
    "pixels": lambda rng: (_classes(rng, shape=(ROWS, 2)), _classes(rng, shape=(ROWS, 2))),
    "class scores": lambda rng: (_classes(rng), _scores(rng, ROWS, COLUMNS)),
    "scores first": lambda rng: (_scores(rng, COLUMNS, ROWS), _scores(rng, COLUMNS, ROWS)),
    "regression": _regression,
    "constant": lambda rng: (np.ones((4, 2), np.float32), _scores(rng, 4, 2)),
}

TWO, THREE = [0.35, 0.6], [0.0, 0.5, 1.0]
COUNTS = ("TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives")
CURVES = ("ROC", "PR", "PRGAIN")
BOUNDS = {
    "PrecisionAtRecall": "recall",
    "RecallAtPrecision": "precision",
    "SensitivityAtSpecificity": "specificity",
    "SpecificityAtSensitivity": "sensitivity",
}
CALLS = [
    *[Call(cls, {"thresholds": TWO}, data) for cls in COUNTS for data in ("numbers", "boxes")],
    *[Call(cls, {"thresholds": THREE}, "beyond") for cls in COUNTS],
    *[Call(cls, {}, "fractions", "rows") for cls in COUNTS],
    *[Call(cls, {}, "labels", w) for cls in COUNTS for w in ("rows", "all", "column", "number")],
    *[
        Call(cls, kwargs, "one-hot", w)
        for cls in ("Precision", "Recall")
        for kwargs in (
            *({"top_k": 1}, {"top_k": 2, "class_id": 1}, {"class_id": 2, "thresholds": TWO}),
            *({"thresholds": [0.9, 0.1, 0.5]}, {"top_k": 2, "thresholds": 0.45}),
        )
        for w in (None, "rows", "column")
    ],
    Call("Precision", {"top_k": 2}, "ties"),
    Call("Precision", {"top_k": 2}, "numbers"),
    *[
        Call("AUC", {"curve": c, "summation_method": s, "num_thresholds": 5}, "numbers", w)
        for c in CURVES
        for s in ("interpolation", "minoring", "majoring")
        for w in (None, "rows")
    ],
    Call("AUC", {"curve": "prgain"}, "numbers"),
    Call("AUC", {"num_thresholds": 2}, "numbers"),
    Call("AUC", {"num_thresholds": 5}, "beyond"),
    Call("AUC", {"num_thresholds": 4, "from_logits": True}, "beyond"),
    Call("AUC", {"thresholds": [0.7, 0.2, 0.7]}, "numbers"),
    Call("AUC", {"thresholds": [0.25, 0.5, 0.75]}, "beyond"),
    Call("AUC", {"thresholds": []}, "numbers"),
    *[
        Call("AUC", {"num_thresholds": 4, **kwargs}, "labels", w)
        for kwargs in (
            *({"multi_label": True}, {"multi_label": True, "curve": "PR"}),
            {"multi_label": True, "num_labels": 3, "label_weights": [1.0, 0.5, 2.0]},
            *({"label_weights": [1.0, 0.5, 2.0]}, {"thresholds": [0.4]}),
            {"thresholds": [0.4], "multi_label": True},
        )
        for w in (None, "rows", "all")
    ],
    *[Call(cls, {name: b}, "numbers") for cls, name in BOUNDS.items() for b in (0.3, 0.7, 1.0)],
    *[Call(cls, {name: 0.5, "num_thresholds": 1}, "numbers") for cls, name in BOUNDS.items()],
    *[
        Call(cls, {name: 0.5, "num_thresholds": 6, "class_id": 1}, "one-hot", "rows")
        for cls, name in BOUNDS.items()
    ],
    *[
        Call("FBetaScore", {"average": average, "beta": 2.0, **kwargs}, data, w)
        for average in (None, "micro", "macro", "weighted")
        for kwargs, data in (({}, "ties"), ({"threshold": 0.5}, "labels"), ({}, "negative"))
        for w in (None, "rows")
    ],
    Call("F1Score", {"threshold": 0.5}, "column"),
    *[
        Call("IoU", {"num_classes": 3, "target_class_ids": [0, 2], **kwargs}, data, w)
        for kwargs in ({}, {"dtype": "float32"}, {"ignore_class": 1})
        for data in ("classes", "classes beyond")
        for w in (None, "rows")
    ],
    Call("MeanIoU", {"num_classes": 3, "dtype": "float32"}, "pixels", "all"),
    Call("MeanIoU", {"num_classes": 3, "dtype": "float32"}, "pixels", "number"),
    Call("MeanIoU", {"num_classes": 4, "ignore_class": 3}, "classes"),
    Call("MeanIoU", {"num_classes": 3, "sparse_y_pred": False}, "class scores", "rows"),
    Call(
        "MeanIoU",
        {"num_classes": 3, "sparse_y_true": False, "sparse_y_pred": False, "axis": 0},
        "scores first",
    ),
    *[
        Call("OneHotIoU", {"num_classes": 3, "target_class_ids": [0, 1]}, "one-hot", w)
        for w in (None, "rows")
    ],
    Call("OneHotMeanIoU", {"num_classes": 3, "ignore_class": 0}, "one-hot"),
    Call("BinaryIoU", {"threshold": 0.4}, "numbers", "rows"),
    Call("BinaryIoU", {"target_class_ids": [1], "threshold": 0.75}, "beyond"),
    Call("BinaryIoU", {"target_class_ids": [0]}, "fractions"),
    *[
        Call("R2Score", kwargs, "regression", w)
        for kwargs in (
            *({}, {"class_aggregation": None}, {"num_regressors": 3}),
            {"class_aggregation": "variance_weighted_average"},
        )
        for w in (None, "rows", "all")
    ],
    Call("R2Score", {}, "constant"),
    *[
        Call(cls, {"axis": axis}, "regression", w)
        for cls in ("PearsonCorrelation", "ConcordanceCorrelation")
        for axis, w in ((-1, None), (-1, "rows"), (0, None), ((0, 1), None))
    ],
    Call("PearsonCorrelation", {}, "constant"),
    Call("ConcordanceCorrelation", {}, "constant"),
]
