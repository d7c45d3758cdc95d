"""Weights of samples and of classes for several outputs, told in order or by name."""

import numpy as np
import pytest

import minikeras as keras
from tests.training.input_cases import CLASS_WEIGHT, LABELS, WEIGHTS, X, Y, batches, dataset

ONE, TWO = CLASS_WEIGHT, {1: 0.25}
LABELS_2 = LABELS[::-1].copy()


def model():
    start = keras.initializers.RandomNormal(seed=1)
    x = keras.Input((3,))
    a = keras.layers.Dense(3, "softmax", name="a", kernel_initializer=start)(x)
    b = keras.layers.Dense(3, "softmax", name="b", kernel_initializer=start)(x)
    c = keras.layers.Dense(1, name="c", kernel_initializer=start)(x)
    made = keras.Model(x, [a, b, c])
    loss = "sparse_categorical_crossentropy"
    made.compile(keras.optimizers.SGD(0.1), [loss, loss, "mse"])
    return made


def trained(*data, **options):
    made = model()
    made.fit(*data, **{"epochs": 2, "verbose": 0, "shuffle": False, **options})
    return [w.tobytes() for w in made.get_weights()]


def looked_up(table, labels):
    return np.array([table.get(int(label), 1.0) for label in labels], "float32")


TARGETS = [LABELS, LABELS_2, Y]
NAMED = {"a": LABELS, "b": LABELS_2, "c": Y}
WEIGHTED = [looked_up(ONE, LABELS), looked_up(TWO, LABELS_2), np.ones(len(Y), "float32")]


@pytest.fixture
def expected():
    return trained(X, TARGETS, sample_weight=WEIGHTED)


@pytest.mark.parametrize("targets", [TARGETS, NAMED])
@pytest.mark.parametrize("tables", [[ONE, TWO, None], {"b": TWO, "a": ONE, "c": None}])
def test_weights_of_classes_are_told_in_order_or_by_name(expected, targets, tables):
    assert trained(X, targets, class_weight=tables) == expected


@pytest.mark.parametrize("targets", [TARGETS, NAMED])
@pytest.mark.parametrize(
    "weights", [WEIGHTED, dict(zip("cab", WEIGHTED[2:] + WEIGHTED, strict=False))]
)
def test_weights_of_samples_are_told_in_order_or_by_name(expected, targets, weights):
    assert trained(X, targets, sample_weight=weights) == expected


def test_outputs_may_be_left_out_by_name(expected):
    tables = {"a": ONE, "b": TWO}
    assert trained(X, TARGETS, class_weight=tables) == expected
    assert trained(X, NAMED, class_weight=tables) == expected
    weights = dict(zip("ab", WEIGHTED, strict=False))
    assert trained(X, TARGETS, sample_weight=weights) == expected


def test_batches_take_them_too():
    options = {"class_weight": {"a": ONE, "b": TWO}}
    arrays = trained(X, TARGETS, **options, batch_size=5)
    items = [(x, [a, b, c]) for x, a, b, c in batches(X, *TARGETS)]
    assert trained(dataset(keras, items), **options) == arrays
    assert trained(dataset(keras, items, workers=3), **options) == arrays
    assert trained(iter(items * 2), **options, steps_per_epoch=len(items)) == arrays


def test_one_weight_for_each_sample_serves_all_outputs_and_multiplies():
    product = [weights * WEIGHTS for weights in WEIGHTED]
    both = trained(X, TARGETS, sample_weight=WEIGHTS, class_weight=[ONE, TWO, None])
    assert both == trained(X, TARGETS, sample_weight=product)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"class_weight": {"a": ONE, "d": TWO}}, "does not have.*'d'"),
        ({"class_weight": ONE}, "one dict per output"),
        ({"class_weight": [ONE, TWO]}, "one dict per output"),
        ({"class_weight": [None, None, {0: 2.0}]}, "class labels"),
        ({"sample_weight": {"x": WEIGHTS}}, "does not have.*'x'"),
        ({"sample_weight": [WEIGHTS]}, "shaped as `y`"),
    ],
)
def test_weights_of_outputs_that_do_not_fit_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        trained(X, TARGETS, **options)


def test_the_single_output_of_a_nest_takes_a_plain_table():
    def fit(y, table):
        made = keras.Sequential([keras.layers.Dense(3, "softmax", kernel_initializer="ones")])
        made.compile("sgd", "sparse_categorical_crossentropy")
        made.fit(X, y, epochs=1, verbose=0, shuffle=False, class_weight=table)
        return [w.tobytes() for w in made.get_weights()]

    assert fit([LABELS], ONE) == fit(LABELS, ONE) == fit([LABELS], [ONE])
