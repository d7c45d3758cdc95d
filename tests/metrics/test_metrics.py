"""Metrics: state, weights, masks, names, programs."""

import numpy as np
import pytest

from minikeras import losses, metrics, ops
from minikeras.autodiff import Spec, Tape, Tensor, Variable
from minikeras.core.registry import names_of
from minikeras.kernels import Launch
from minikeras.program import Program, Recording


def f32(*values):
    return np.array(values, np.float32)


CLASSES = [
    getattr(metrics, n)
    for n in metrics.__all__
    if n[0].isupper() and n not in ("Metric", "MeanMetricWrapper")
]
NEEDED = {  # arguments without a default
    "IoU": {"num_classes": 3, "target_class_ids": [0, 2]},
    "OneHotIoU": {"num_classes": 3, "target_class_ids": [0, 2]},
    "MeanIoU": {"num_classes": 3},
    "OneHotMeanIoU": {"num_classes": 3},
    "PrecisionAtRecall": {"recall": 0.5},
    "RecallAtPrecision": {"precision": 0.5},
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5},
}
BUILT_BY_DATA = (metrics.F1Score, metrics.FBetaScore, metrics.R2Score)
# metrics whose recorded update calls Python between kernels, as the losses they average do
WITH_PYTHON = {
    *("Accuracy", "Mean", "Sum", "PearsonCorrelation", "ConcordanceCorrelation"),
    *("CategoricalHinge", "CosineSimilarity", "Hinge", "SquaredHinge"),
}


def made(cls, **more):
    return cls(**NEEDED.get(cls.__name__, {}), **more)


def data_for(cls):
    """Six samples with weights, as `update_state` of this class takes them."""
    rng = np.random.default_rng(1)
    y, p = (rng.dirichlet(np.ones(3), 6).astype(np.float32) for _ in range(2))
    weights = rng.integers(1, 4, 6).astype(np.float32)
    if cls in (metrics.Mean, metrics.Sum):
        return [p, weights]
    if "Sparse" in cls.__name__:
        y = rng.integers(0, 3, 6)
    elif cls in (metrics.IoU, metrics.MeanIoU):
        y, p = (rng.integers(0, 3, 6).astype(np.float32) for _ in range(2))
    elif cls.__module__.endswith(("accuracy", "confusion", "curves", "iou")):
        y = np.rint(y)
        p = np.rint(p) if cls is metrics.Accuracy else p
    return [y, p, weights[:, None].repeat(3, 1) if cls is metrics.BinaryIoU else weights]


def update_of(metric):
    """The metric's update as a function that a program records."""

    def step(*values):
        metric.update_state(*values)
        return []

    return step


def specs_of(arrays):
    return [Spec(a.shape, a.dtype.name) for a in arrays]


P3 = np.array([[0.1, 0.6, 0.3], [0.8, 0.1, 0.1], [0.3, 0.3, 0.4]], np.float32)


def test_mean_over_batches():
    mean = metrics.Mean()
    mean.update_state([1.0, 3.0])
    mean.update_state([8.0])
    assert mean.result() == 4
    assert isinstance(mean.result(), np.float32)
    mean.reset_state()
    assert mean.result() == 0
    assert mean([2.0]) == 2


def test_mean_of_single_numbers_and_of_further_axes():
    mean = metrics.Mean()
    mean.update_state(3.0)
    assert float(mean.count) == 1
    mean.update_state(np.ones((2, 4)))
    assert float(mean.count) == 3
    assert mean.result() == np.float32(5 / 3)


@pytest.mark.parametrize(
    ("values", "weights", "expected"),
    [
        (f32(1, 3), f32(3, 1), 1.5),
        (f32(1, 3), 2.0, 2.0),
        (np.float32([[1, 3], [5, 7]]), f32(1, 0), 2.0),
        (np.float32([[1, 3], [5, 7]]), np.float32([[1, 0], [0, 1]]), 4.0),
        (np.float32([[1, 3], [5, 7]]), np.float32([[3], [1]]), 3.0),
        (f32(1, 3), np.float32([[3], [1]]), 1.5),
        (np.float32([[1], [3]]), f32(3, 1), 1.5),
    ],
)
def test_weighted_means(values, weights, expected):
    assert metrics.Mean()(values, sample_weight=weights) == expected


def test_sums():
    total = metrics.Sum()
    total.update_state([1.0, 2.0])
    assert total([3.0, 4.0], sample_weight=[0, 2]) == 11
    assert metrics.Sum()(np.ones((2, 3)), sample_weight=[1, 2]) == 9


def test_the_state_is_two_variables_with_names():
    mean = metrics.Mean(name="loss")
    assert [v.name for v in mean.variables] == ["total", "count"]
    assert [v.path for v in mean.variables] == ["loss/total", "loss/count"]
    assert all(isinstance(v, Variable) and not v.trainable for v in mean.variables)


def test_stateless_use_leaves_the_metric_alone():
    mean = metrics.Mean()
    mean.update_state([5.0])
    state = mean.stateless_reset_state()
    state = mean.stateless_update_state(state, [1.0, 2.0])
    state = mean.stateless_update_state(state, [3.0])
    assert mean.stateless_result(state) == 2
    assert mean.result() == 5
    with pytest.raises(ValueError, match="has 2 variables. Received: 1"):
        mean.stateless_result(state[:1])


def test_stateless_use_under_a_tape():
    mean = metrics.Mean()
    with Tape() as tape:
        x = tape.watch(f32(1, 3))
        state = mean.stateless_update_state(mean.stateless_reset_state(), x * 2)
    assert mean.stateless_result(state) == 4
    assert mean.result() == 0


def test_updates_under_a_tape():
    mean = metrics.Mean()
    with Tape() as tape:
        x = tape.watch(f32(1, 3))
        mean.update_state(x)
        value = ops.sum(x)
    assert mean.result() == 2
    assert tape.gradient(value, [x])[0] is not None


def test_one_launch_updates_a_mean():
    mean = metrics.Mean()

    def step(values, weights):
        mean.update_state(values, sample_weight=weights)
        return []

    recording = Recording.of(step, [Spec((4,), "float32")] * 2)
    assert [i.primitive.name for i in recording.instructions] == ["mean_update"]
    program = Program(recording)
    for scale in (1, 2):
        np.copyto(program.inputs[0], f32(1, 2, 3, 4) * scale)
        np.copyto(program.inputs[1], f32(1, 1, 0, 0))
        program.run()
    assert mean.result() == 2.25


@pytest.mark.parametrize(
    ("metric", "target", "names"),
    [
        (metrics.SparseCategoricalAccuracy, Spec((6,), "int64"), ["sparse_accuracy"]),
        (metrics.CategoricalAccuracy, Spec((6, 3), "float32"), ["categorical_accuracy"]),
        (metrics.BinaryAccuracy, Spec((6, 3), "float32"), ["binary_accuracy"]),
        (metrics.MeanSquaredError, Spec((6, 3), "float32"), ["squared_error"]),
    ],
)
def test_accuracies_are_one_pass_and_one_update(metric, target, names):
    metric = metric()

    def step(y, p):
        metric.update_state(y, p)
        return []

    recording = Recording.of(step, [target, Spec((6, 3), "float32")])
    assert [i.primitive.name for i in recording.instructions] == [*names, "mean_update"]


@pytest.mark.filterwarnings("ignore:.*counts in integers")
@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
def test_replayed_updates_equal_eager_ones(cls):
    one, two = made(cls), made(cls)
    arrays = data_for(cls)
    program = Program(Recording.of(update_of(one), specs_of(arrays)))
    for _ in range(2):
        for buffer, array in zip(program.inputs, arrays, strict=True):
            np.copyto(buffer, array)
        program.run()
        two.update_state(*arrays)
    assert len(one.variables) == len(two.variables) > 0
    for a, b in zip(one.variables, two.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    np.testing.assert_array_equal(one.result(), two.result())
    assert np.any(np.asarray(one.result()) != 0)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
def test_nothing_seen_gives_zero(cls):
    metric = made(cls)
    if cls in BUILT_BY_DATA:
        with pytest.raises(RuntimeError, match="before its first update"):
            metric.result()
    else:
        assert metric.result() == 0
    metric.update_state(*data_for(cls)[:-1])
    metric.reset_state()
    assert all((v.numpy() == 0).all() for v in metric.variables)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
def test_updates_run_without_python_between_kernels(cls):
    arrays = data_for(cls)[:-1]
    program = Program(Recording.of(update_of(made(cls)), specs_of(arrays)))
    python = [call for call in program.calls if not isinstance(call, Launch)]
    assert bool(python) == (cls.__name__ in WITH_PYTHON)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
def test_results_can_be_recorded(cls):
    """A train step of the user's may return results."""
    metric = made(cls)
    arrays = data_for(cls)[:-1]

    def step(*values):
        metric.update_state(*values)
        return [metric.result()]

    program = Program(Recording.of(step, specs_of(arrays)))
    for buffer, array in zip(program.inputs, arrays, strict=True):
        np.copyto(buffer, array)
    program.run()
    np.testing.assert_array_equal(program.outputs[0], np.asarray(metric.result()))


def test_accuracy_of_predictions():
    assert metrics.SparseCategoricalAccuracy()([1, 0, 0], P3) == np.float32(2 / 3)
    assert metrics.CategoricalAccuracy()(np.eye(3)[[1, 0, 0]], P3) == np.float32(2 / 3)
    assert metrics.BinaryAccuracy()([1, 0, 1], [[0.9], [0.2], [0.4]]) == np.float32(2 / 3)
    assert metrics.BinaryAccuracy(threshold=0.3)([1, 0, 1], [[0.9], [0.2], [0.4]]) == 1
    assert metrics.Accuracy()([1, 2], [1, 3]) == 0.5


def test_ties_go_to_the_first_class():
    assert metrics.SparseCategoricalAccuracy()([0], [[0.5, 0.5]]) == 1
    assert metrics.SparseCategoricalAccuracy()([1], [[0.5, 0.5]]) == 0


def test_top_k():
    assert metrics.SparseTopKCategoricalAccuracy(k=2)([2, 1, 0], P3) == 1
    assert metrics.SparseTopKCategoricalAccuracy(k=1)([2, 1, 2], P3) == np.float32(1 / 3)
    assert metrics.TopKCategoricalAccuracy(k=2)(np.eye(3)[[2, 2, 0]], P3) == 1
    ids = np.array([[4, 1, 2], [0, 3, 5]])
    found = metrics.SparseTopKCategoricalAccuracy(k=2, from_sorted_ids=True)([1, 5], ids)
    assert found == 0.5


@pytest.mark.parametrize(
    ("y", "p", "cls"),
    [
        ((8,), (8, 1), metrics.BinaryAccuracy),
        ((8, 1), (8, 1), metrics.BinaryAccuracy),
        ((8,), (8, 3), metrics.SparseCategoricalAccuracy),
        ((8, 1), (8, 3), metrics.SparseCategoricalAccuracy),
        ((8, 3), (8, 3), metrics.CategoricalAccuracy),
        ((8, 5), (8, 5, 3), metrics.SparseCategoricalAccuracy),
        ((None, 3), (None, 3), metrics.CategoricalAccuracy),
    ],
)
def test_what_accuracy_means_depends_on_the_shapes(y, p, cls):
    metric = metrics.accuracy_for(y, p, name="acc")
    assert type(metric) is cls
    assert metric.name == "acc"
    crossentropy = type(metrics.crossentropy_for(y, p))
    assert crossentropy.__name__ == cls.__name__.replace("Accuracy", "Crossentropy")


def test_shapes_that_do_not_fit_are_errors():
    with pytest.raises(ValueError, match="Class numbers go with sparse_categorical_accuracy"):
        metrics.CategoricalAccuracy()([1, 0, 0], P3)
    with pytest.raises(ValueError, match="One-hot targets go with the categorical metrics"):
        metrics.SparseCategoricalAccuracy()(np.eye(3), P3)
    with pytest.raises(ValueError, match="same shape"):
        metrics.MeanSquaredError()(np.ones((3, 1)), P3)


def test_masks_leave_samples_out():
    p = Tensor(P3)
    p.mask = np.array([True, True, False])
    metric = metrics.SparseCategoricalAccuracy()
    metric.update_state(np.array([1, 0, 0]), p)
    assert metric.result() == 1
    assert float(metric.count) == 2


@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
def test_saved_and_read_back(cls):
    metric = made(cls, name="mine", dtype="float64")
    record = metrics.serialize(metric)
    assert record["module"] == "keras.metrics"
    again = metrics.deserialize(record)
    assert type(again) is cls
    assert again.get_config() == metric.get_config()
    assert again.dtype == "float64"
    assert cls.__name__ in names_of("metrics")
    if cls.__name__ not in NEEDED:
        assert isinstance(metrics.get(cls.__name__), cls)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
def test_in_float64_nothing_is_rounded_to_float32(cls):
    metric = made(cls, dtype="float64")
    metric.update_state(*data_for(cls))
    assert all(v.dtype == "float64" for v in metric.variables)
    assert np.asarray(metric.result()).dtype == np.float64


@pytest.mark.parametrize(
    ("alias", "cls"),
    [
        ("mse", metrics.MeanSquaredError),
        ("MAE", metrics.MeanAbsoluteError),
        ("mape", metrics.MeanAbsolutePercentageError),
        ("msle", metrics.MeanSquaredLogarithmicError),
        ("bce", metrics.BinaryCrossentropy),
        ("mean_squared_error", metrics.MeanSquaredError),
        ("sparse_categorical_accuracy", metrics.SparseCategoricalAccuracy),
        ("top_k_categorical_accuracy", metrics.TopKCategoricalAccuracy),
        ("auc", metrics.AUC),
        ("f1_score", metrics.F1Score),
        ("f_beta_score", metrics.FBetaScore),
        ("binary_io_u", metrics.BinaryIoU),
        ("r2_score", metrics.R2Score),
        ("log_cosh_error", metrics.LogCoshError),
        ("pearson_correlation", metrics.PearsonCorrelation),
    ],
)
def test_names(alias, cls):
    assert type(metrics.get(alias)) is cls


def test_unknown_names_get_a_suggestion():
    with pytest.raises(ValueError, match="Unknown metric. Did you mean 'binary_accuracy'"):
        metrics.get("binary_acuracy")


def test_functions_become_metrics():
    metric = metrics.MeanMetricWrapper(losses.huber, name="h", delta=0.5)
    metric.update_state([[0.0], [0.0]], [[0.1], [2.0]])
    assert metric.result() == np.float32((0.005 + 0.875) / 2)
    again = metrics.deserialize(metrics.serialize(metric))
    assert again.name == "h"
    assert again([[0.0]], [[2.0]]) == np.float32(0.875)


def test_a_metric_of_the_user():
    class Largest(metrics.Metric):
        def __init__(self, name="largest", **kwargs):
            super().__init__(name=name, **kwargs)
            self.seen = self.add_weight(shape=(), initializer="zeros", name="seen")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.seen.assign(ops.maximum(self.seen, ops.max(y_pred)))

        def result(self):
            return self.seen

    metric = Largest()
    metric.update_state(None, f32(1, 5))
    metric.update_state(None, f32(2))
    assert float(metric.result()) == 5
    metric.reset_state()
    assert float(metric.result()) == 0

    def step(p):
        metric.update_state(None, p)
        return []

    program = Program(Recording.of(step, [Spec((2,), "float32")]))
    np.copyto(program.inputs[0], f32(7, 3))
    program.run()
    assert float(metric.result()) == 7


def test_a_metric_made_of_metrics_has_all_their_variables():
    class Both(metrics.Metric):
        def __init__(self):
            super().__init__()
            self.parts = [metrics.Mean(), metrics.Sum()]

    assert len(Both().variables) == 3


def test_forgetting_the_base_constructor_is_told():
    class Broken(metrics.Metric):
        def __init__(self):
            self.total = self.add_variable((), "zeros")

    with pytest.raises(RuntimeError, match=r"Broken adds a variable before.*super\(\).__init__"):
        Broken()


def test_methods_to_be_written_are_named():
    with pytest.raises(NotImplementedError, match="update_state"):
        metrics.Metric().update_state()
    with pytest.raises(NotImplementedError, match="result"):
        metrics.Metric().result()
