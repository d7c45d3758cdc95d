"""Losses: reductions, weights, masks, shapes, names, and what they cost."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import losses, ops
from minikeras.autodiff import Spec, Tape, Tensor
from minikeras.core.registry import names_of
from minikeras.program import Program, Recording

T = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 4.0]], np.float32)
P = np.array([[1.0, 1.0], [2.0, 1.0], [0.0, 4.0]], np.float32)
ROWS = np.array([0.5, 2.0, 8.0], np.float32)  # mean squared error of each row
WEIGHTS = np.array([1.0, 0.0, 0.5], np.float32)

SIMPLE = [
    *("MeanSquaredError", "MeanAbsoluteError", "MeanAbsolutePercentageError"),
    *("MeanSquaredLogarithmicError", "Huber", "LogCosh", "CosineSimilarity", "Poisson"),
    *("KLDivergence", "Hinge", "SquaredHinge", "CategoricalHinge", "BinaryCrossentropy"),
    *("CategoricalCrossentropy", "BinaryFocalCrossentropy", "CategoricalFocalCrossentropy"),
    *("Dice", "Tversky"),
]


def mse(**given):
    return losses.MeanSquaredError(**given)


@pytest.mark.parametrize(
    ("reduction", "plain", "weighted"),
    [
        ("sum_over_batch_size", 3.5, 1.5),
        ("mean", 3.5, 1.5),
        ("sum", 10.5, 4.5),
        ("mean_with_sample_weight", 3.5, 3.0),
        ("none", ROWS, ROWS * WEIGHTS),
        (None, ROWS, ROWS * WEIGHTS),
    ],
)
def test_reductions(reduction, plain, weighted):
    loss = mse(reduction=reduction)
    np.testing.assert_allclose(loss(T, P), plain)
    np.testing.assert_allclose(loss(T, P, sample_weight=WEIGHTS), weighted)


def test_an_unknown_reduction_is_an_error():
    with pytest.raises(ValueError, match="MeanSquaredError: `reduction` must be one of"):
        mse(reduction="average")


def test_weights_of_one_number_per_row_also_as_a_column():
    np.testing.assert_allclose(mse()(T, P, sample_weight=WEIGHTS[:, None]), 1.5)
    np.testing.assert_allclose(mse()(T, P, sample_weight=2.0), 7.0)


def test_weights_of_sequences():
    t, p = np.zeros((2, 3, 4), np.float32), np.ones((2, 3, 4), np.float32)
    per_sample = np.array([[1.0], [3.0]])
    assert mse()(t, p, sample_weight=per_sample) == 2
    per_step = np.array([[1.0, 0, 0], [0, 0, 1.0]])
    np.testing.assert_allclose(mse()(t, p, sample_weight=per_step), 2 / 6)


def test_weights_that_do_not_fit_are_an_error():
    with pytest.raises(ValueError, match=r"sample_weight of shape \(2,\) for values of shape \(3,"):
        mse()(T, P, sample_weight=np.ones(2))
    square = np.zeros((3, 3, 2), np.float32)
    with pytest.raises(ValueError, match=r"shape \(3,\) for values of shape \(3, 3\)"):
        mse()(square, square, sample_weight=np.ones(3))


def test_a_loss_of_a_single_number_takes_any_weights():
    loss = losses.LossFunctionWrapper(lambda t, p: ops.mean(ops.square(t - p)))
    np.testing.assert_allclose(loss(T, P, sample_weight=WEIGHTS), 1.75)


def test_a_mask_leaves_values_out_of_the_mean():
    p = Tensor(P)
    p.mask = np.array([True, False, True])
    assert float(mse()(T, p)) == (0.5 + 8) / 2
    assert float(mse(reduction="sum")(T, p)) == 8.5
    np.testing.assert_allclose(
        mse()(T, p, sample_weight=np.array([2.0, 2, 2])).numpy(), 2 * (0.5 + 8) / 2
    )


def test_ignored_classes_count_nothing():
    logits = np.random.default_rng(0).normal(size=(2, 3, 5)).astype(np.float32)
    labels = np.array([[1, -1, 2], [-1, 0, 4]])
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    kept = [-np.log(p[i, j, k]) for (i, j), k in np.ndenumerate(labels) if k >= 0]
    np.testing.assert_allclose(loss(labels, logits), np.mean(kept), rtol=1e-6)
    with Tape() as tape:
        x = tape.watch(logits)
        value = loss(labels, x)
    gradient = tape.gradient(value, [x])[0].numpy()
    assert (gradient[labels < 0] == 0).all()
    assert (gradient[labels >= 0] != 0).all()


@pytest.mark.parametrize("name", SIMPLE)
def test_targets_of_another_shape_are_not_broadcast(name):
    loss = getattr(losses, name)()
    with pytest.raises(ValueError, match=r"Received: y_true of shape \(6, 4\).*\(6, 1\)"):
        loss(np.ones((6, 4)), np.ones((6, 1)))
    with pytest.raises(ValueError, match="same shape"):
        loss(np.ones((6, 2)), np.ones((3, 4)))


@pytest.mark.parametrize("name", ["mean_squared_error", "binary_crossentropy", "huber"])
def test_a_missing_last_axis_of_one_is_added(name):
    function = getattr(losses, name)
    column = np.array([[0.1], [0.7], [0.4]], np.float32)
    flat, targets = column[:, 0], np.array([0.0, 1.0, 1.0], np.float32)
    expected = function(targets[:, None], column)
    np.testing.assert_array_equal(function(targets, column), expected)
    np.testing.assert_array_equal(function(targets[:, None], flat), expected)


def test_labels_may_be_a_column():
    p = np.array([[0.2, 0.8], [0.5, 0.5]], np.float32)
    expected = losses.sparse_categorical_crossentropy(np.array([1, 0]), p)
    np.testing.assert_array_equal(
        losses.sparse_categorical_crossentropy(np.array([[1], [0]]), p), expected
    )
    np.testing.assert_array_equal(losses.sparse_categorical_crossentropy([1.0, 0.0], p), expected)


def test_one_hot_targets_for_a_sparse_loss_are_an_error():
    with pytest.raises(ValueError, match="One-hot targets go with categorical_crossentropy"):
        losses.SparseCategoricalCrossentropy()(np.eye(3), np.ones((3, 3)) / 3)


@pytest.mark.parametrize("label", [-1, 3, 1000])
@pytest.mark.parametrize("from_logits", [True, False])
def test_a_label_that_is_no_class_is_an_error(label, from_logits):
    loss = losses.SparseCategoricalCrossentropy(from_logits=from_logits)
    with pytest.raises(ValueError, match="A label is not a class"):
        loss(np.array([0, label]), np.ones((2, 3), np.float32) / 3)


def test_a_single_class_is_warned_about():
    with pytest.warns(SyntaxWarning, match="always 0"):
        losses.categorical_crossentropy(np.ones((2, 1)), np.ones((2, 1)))


def test_label_smoothing():
    p = np.array([[0.7, 0.2, 0.1]], np.float32)
    smooth = losses.CategoricalCrossentropy(label_smoothing=0.3)([[1.0, 0, 0]], p)
    np.testing.assert_allclose(smooth, -(np.log(p) * [[0.8, 0.1, 0.1]]).sum(), rtol=1e-6)
    with pytest.raises(ValueError, match="`label_smoothing` must be a number between 0 and 1"):
        losses.BinaryCrossentropy(label_smoothing=1.5)


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_certain_probabilities_stay_finite(p):
    value = losses.BinaryCrossentropy()(np.array([[1.0 - p]]), np.array([[p]], np.float32))
    assert 15 < value < 17


def test_extreme_logits_stay_finite():
    z = np.array([[1e4, -1e4]], np.float32)
    assert losses.CategoricalCrossentropy(from_logits=True)([[0.0, 1.0]], z) == 2e4
    assert losses.BinaryCrossentropy(from_logits=True)([[0.0, 1.0]], z) == 1e4


@pytest.mark.parametrize(
    ("alias", "function"),
    [
        *[(a, losses.mean_squared_error) for a in ("mse", "MSE", "mean_squared_error")],
        *[(a, losses.mean_absolute_error) for a in ("mae", "MAE")],
        *[(a, losses.mean_absolute_percentage_error) for a in ("mape", "MAPE")],
        *[(a, losses.mean_squared_logarithmic_error) for a in ("msle", "MSLE")],
        *[(a, losses.binary_crossentropy) for a in ("bce", "BCE", "binary_crossentropy")],
        *[(a, losses.kl_divergence) for a in ("kld", "KLD", "kullback_leibler_divergence")],
        ("logcosh", losses.log_cosh),
        ("sparse_categorical_crossentropy", losses.sparse_categorical_crossentropy),
        ("categorical_crossentropy", losses.categorical_crossentropy),
    ],
)
def test_names_of_functions(alias, function):
    assert losses.get(alias) is function
    assert losses.deserialize(alias) is function


def test_names_of_classes_give_objects():
    assert isinstance(losses.get("MeanSquaredError"), losses.MeanSquaredError)
    assert isinstance(losses.get(losses.Huber), losses.Huber)
    assert losses.get(None) is None


def test_unknown_names_get_a_suggestion():
    with pytest.raises(ValueError, match="Did you mean 'mean_squared_error'"):
        losses.get("mean_square_error")


def classes():
    return [
        getattr(losses, n)
        for n in losses.__all__
        if n[0].isupper() and n not in ("Loss", "LossFunctionWrapper")
    ]


@pytest.mark.parametrize("cls", classes(), ids=lambda c: c.__name__)
def test_saved_and_read_back(cls):
    loss = cls(reduction="sum", name="mine")
    record = losses.serialize(loss)
    assert record["module"] == "keras.losses"
    assert record["config"]["reduction"] == "sum"
    assert "dtype" not in record["config"]
    again = losses.deserialize(record)
    assert type(again) is cls
    assert again.get_config() == loss.get_config()
    assert cls.__name__ in names_of("losses")


def test_wrapped_functions_are_saved_with_their_arguments():
    loss = losses.LossFunctionWrapper(losses.huber, name="gentle", delta=0.3)
    again = losses.deserialize(losses.serialize(loss))
    assert (again.fn, again.name) == (losses.huber, "gentle")
    np.testing.assert_array_equal(again(T, P), losses.Huber(0.3)(T, P))


def test_a_loss_of_the_user_is_a_class_with_call():
    class Gap(losses.Loss):
        def __init__(self, power=1.0):
            super().__init__(name="gap")
            self.power = power

        def call(self, y_true, y_pred):
            return ops.mean(ops.abs(y_true - y_pred) ** self.power, axis=-1)

    np.testing.assert_allclose(Gap(2.0)(T, P), 3.5)
    assert Gap.from_config(Gap(2.0).get_config()).power == 2.0
    with pytest.raises(NotImplementedError, match="Loss Loss has no `call`"):
        losses.Loss()(T, P)


def test_computed_in_its_own_dtype():
    assert losses.MeanSquaredError()(T.astype("float64"), P.astype("float64")).dtype == np.float32
    assert losses.MeanSquaredError(dtype="float64")(T, P).dtype == np.float64
    assert losses.MeanSquaredError().target_dtype == "float32"
    assert losses.SparseCategoricalCrossentropy().target_dtype == "int64"
    sparse = losses.LossFunctionWrapper(losses.get("sparse_categorical_crossentropy"))
    assert sparse.target_dtype == "int64"


def test_lists_are_arrays():
    assert losses.MeanSquaredError()([[0.0, 1.0]], [[1.0, 1.0]]) == 0.5


def test_integer_targets_are_numbers():
    assert losses.MeanSquaredError()(np.array([[1, 2]]), np.array([[1.5, 2.0]])) == 0.125


CHEAP = {
    "MeanSquaredError": ["squared_error", "weighted_sum"],
    "MeanAbsoluteError": ["absolute_error", "weighted_sum"],
    "BinaryCrossentropy": ["binary_cross_entropy", "weighted_sum"],
    "CategoricalCrossentropy": ["cross_entropy", "weighted_sum"],
    "SparseCategoricalCrossentropy": ["sparse_cross_entropy", "weighted_sum"],
    "Huber": ["huber", "weighted_sum"],
    "LogCosh": ["log_cosh", "weighted_sum"],
    "MeanAbsolutePercentageError": ["percentage_error", "weighted_sum"],
    "MeanSquaredLogarithmicError": ["logarithmic_error", "weighted_sum"],
    "Poisson": ["poisson", "weighted_sum"],
    "KLDivergence": ["divergence", "weighted_sum"],
    "CosineSimilarity": ["cosine", "weighted_sum"],
}


@pytest.mark.parametrize("name", CHEAP)
@pytest.mark.parametrize("weighted", [False, True])
def test_a_loss_is_one_pass_over_the_rows_and_one_sum(name, weighted):
    """What a training step pays: two launches forward, two backward, nothing else."""
    loss = getattr(losses, name)()
    shape = (8, 5)
    labels = loss.target_dtype == "int64"
    specs = [Spec(shape[:1] if labels else shape, loss.target_dtype), Spec(shape, "float32")]
    specs += [Spec(shape[:1], "float32")] * weighted

    def step(y, p, weight=None):
        with Tape() as tape:
            tape.watch(p)
            value = loss(y, p, weight)
        return [value, tape.gradient(value, [p])[0]]

    recording = Recording.of(step, specs)
    forward = CHEAP[name]
    backward = ["weighted_sum_grad", f"{forward[0]}_grad"]
    assert [i.primitive.name for i in recording.instructions] == forward + backward
    program = Program(recording)
    rng = np.random.default_rng(0)
    y = rng.integers(0, 5, 8) if labels else rng.dirichlet(np.ones(5), 8).astype(np.float32)
    arrays = [y, rng.dirichlet(np.ones(5), 8).astype(np.float32), rng.random(8, np.float32)]
    for buffer, array in zip(program.inputs, arrays, strict=False):
        np.copyto(buffer, array)
    program.run()
    eager = step(arrays[0], Tensor(arrays[1]), arrays[2] if weighted else None)
    for replayed, value in zip(program.outputs, eager, strict=True):
        np.testing.assert_array_equal(replayed, np.asarray(value))


def test_a_weight_of_a_sample_holds_for_all_its_steps_that_are_not_masked():
    layers = [keras.Input((4, 3)), keras.layers.Masking(), keras.layers.Dense(2)]
    model = keras.Sequential(layers)
    model.compile("sgd", "mse", weighted_metrics=["mae"])
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(6, 4, 3)).astype("float32"), np.ones((6, 4, 2), "float32")
    x[1, 2:] = x[3, 1:] = 0
    weight, mask = np.arange(1.0, 7.0), (x != 0).any(-1)
    loss, mae = model.evaluate(x, y, sample_weight=weight, verbose=0)
    error = model.predict(x, verbose=0) - y
    weights = weight[:, None] * mask
    assert loss == pytest.approx((weights * (error**2).mean(-1)).sum() / mask.sum(), rel=1e-5)
    expected = (weights * np.abs(error).mean(-1)).sum() / weights.sum()
    assert mae == pytest.approx(expected, rel=1e-5)
