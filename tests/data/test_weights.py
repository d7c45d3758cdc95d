import numpy as np
import pytest

from minikeras.core import settings
from minikeras.data import ArrayData, class_to_sample_weights, combine_weights

LABELS = np.array([0, 2, 1, 2])


@pytest.mark.parametrize(
    "y",
    [
        LABELS,
        LABELS[:, None],
        LABELS.astype(np.float32),
        LABELS.astype(np.uint8),
        np.eye(3)[LABELS],
        np.eye(3)[LABELS] * 0.7 + 0.1,
    ],
)
def test_labels_and_rows_of_classes_are_weighed_alike(y):
    weights = class_to_sample_weights(y, {0: 0.5, 2: 4})
    assert weights.tolist() == [0.5, 4, 1, 4]
    assert weights.dtype == np.float32


def test_classes_without_a_weight_weigh_one():
    assert class_to_sample_weights(LABELS, {1: 3}).tolist() == [1, 1, 3, 1]


def test_keys_may_be_numpy_integers_or_whole_floats():
    assert class_to_sample_weights(LABELS, {np.int64(1): 3, 2.0: 2}).tolist() == [1, 2, 3, 2]


def test_weights_come_in_the_default_float_type():
    settings.set_floatx("float64")
    try:
        assert class_to_sample_weights(LABELS, {0: 1 / 3})[0] == 1 / 3
    finally:
        settings.set_floatx("float32")


def test_classes_that_this_part_of_the_data_lacks_are_known_by_their_count():
    weights = class_to_sample_weights(LABELS, {4: 2.0, 1: 3.0}, num_classes=5)
    assert weights.tolist() == [1, 1, 3, 1]
    assert class_to_sample_weights(np.zeros(2), {0: 1.0, 1: 2.0}).tolist() == [1, 1]


@pytest.mark.parametrize(
    ("y", "class_weight", "message"),
    [
        (LABELS, {3: 1.0, 7: 2.0}, r"do not exist: \[3, 7\]\. There are 3 classes, 0 to 2"),
        (np.eye(3)[LABELS], {3: 1.0}, r"do not exist: \[3\]"),
        (LABELS, {"cat": 1.0}, r"by their index.*Received: the class 'cat'\. Number"),
        (LABELS, {-1: 1.0}, r"Received: the class -1"),
        (LABELS, {True: 1.0}, r"Received: the class True"),
        (LABELS, {0.5: 1.0}, r"Received: the class 0\.5"),
        (LABELS, {0: -1.0}, r"finite weight of at least 0\. Received: -1\.0 for class 0"),
        (LABELS, {0: float("nan")}, r"Received: nan for class 0"),
        (LABELS, {0: "1"}, r"Received: '1' for class 0"),
        (LABELS, [1.0, 2.0], r"must be a dict from class index to weight.*\[1\.0, 2\.0\]"),
        (LABELS + 0.5, {0: 1.0}, r"not whole numbers, such as 0\.5\. Pass `sample_weight`"),
        (np.ones((4, 3)), {0: 1.0}, r"rows that do not sum to 1.*several labels per sample"),
        (np.zeros((4, 3, 3)), {0: 1.0}, r"`y` of shape \(4, 3, 3\)\. Pass `sample_weight`"),
    ],
)
def test_class_weights_that_mean_nothing_are_refused(y, class_weight, message):
    with pytest.raises(ValueError, match=message):
        class_to_sample_weights(y, class_weight)


def test_no_weight_on_either_side_is_one():
    weights = np.array([1.0, 2.0])
    assert combine_weights(None, None) is None
    assert combine_weights(weights, None) is combine_weights(None, weights) is weights


def test_weights_per_sample_multiply_weights_per_value():
    combined = combine_weights(np.array([1.0, 2.0]), np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert combined.tolist() == [[1, 2], [6, 8]]


def test_several_outputs_have_a_dict_each():
    x, y = [0, 0], {"a": np.array([0, 1]), "b": np.array([1, 1])}
    data = ArrayData(x, y, class_weight={"a": {1: 5}, "b": None})
    assert data.sample_weight["a"].tolist() == [1, 5]
    assert data.sample_weight["b"] is None
    left_out = ArrayData(x, y, class_weight={"a": {1: 5}})
    assert left_out.sample_weight["a"].tolist() == [1, 5]
    assert left_out.sample_weight["b"] is None
    data = ArrayData(x, list(y.values()), [2.0, 3.0], class_weight=[{0: 7}, {1: 10}])
    assert [weight.tolist() for weight in data.weights] == [[14, 3], [20, 30]]


@pytest.mark.parametrize("class_weight", [{0: 1.0, 1: 2.0}, {"c": {0: 1.0}}])
def test_one_dict_for_several_outputs_is_refused(class_weight):
    with pytest.raises(ValueError, match=r"With several outputs `class_weight` must hold one dict"):
        ArrayData([0], {"a": [0], "b": [1]}, class_weight=class_weight)


def test_an_empty_dict_weighs_nothing():
    assert ArrayData([0], [0], class_weight={}).sample_weight is None
