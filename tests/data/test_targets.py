import warnings

import numpy as np
import pytest

from minikeras.data import align_target, target_kind

SPARSE = "sparse_categorical_crossentropy"
CATEGORICAL = "categorical_crossentropy"
BINARY = "binary_crossentropy"
SQUARED = "mean_squared_error"
LABELS = np.array([0, 9, 3])


@pytest.mark.parametrize(
    ("loss", "kind"),
    [
        (SPARSE, "labels"),
        (CATEGORICAL, "one_hot"),
        (BINARY, "binary"),
        (SQUARED, "same"),
        ("mse", "same"),
        ("my_loss", None),
        (None, None),
    ],
)
def test_a_loss_is_known_by_what_it_takes(loss, kind):
    assert target_kind(loss) == kind


@pytest.mark.parametrize(
    ("y", "shape", "aligned"),
    [
        (LABELS, (None, 10), (3,)),
        (LABELS[:, None], (None, 10), (3,)),
        (LABELS.astype(np.float32), (None, 10), (3,)),
        (np.zeros((3, 4, 5), int), (None, 4, 5, 2), (3, 4, 5)),
        (np.zeros((3, 4, 5, 1), int), (None, None, None, 2), (3, 4, 5)),
        (np.zeros((3, 3), int), (None, 3, 2), (3, 3)),
    ],
)
def test_class_indices_lose_a_last_axis_of_one(y, shape, aligned):
    assert align_target(y, shape, SPARSE).shape == aligned


@pytest.mark.parametrize(
    ("y", "shape", "loss", "aligned"),
    [
        (np.zeros(3), (None, 1), SQUARED, (3, 1)),
        (np.zeros((3, 1)), (None,), SQUARED, (3,)),
        (np.zeros((3, 7)), (None, 7, 1), "mae", (3, 7, 1)),
        (np.zeros((3, 1)), (None, 1), BINARY, (3, 1)),
        (np.zeros(3), (None, 1), BINARY, (3, 1)),
        (np.zeros((3, 10)), (None, 10), CATEGORICAL, (3, 10)),
        (np.zeros((3, 10)), (None, None), SQUARED, (3, 10)),
        (np.zeros((3, 5)), (None, 10), "my_loss", (3, 5)),
    ],
)
def test_other_targets_get_the_rank_of_the_output(y, shape, loss, aligned):
    result = align_target(y, shape, loss)
    assert result.shape == aligned
    assert np.shares_memory(result, y)


@pytest.mark.parametrize(
    ("y", "shape", "loss", "message"),
    [
        (LABELS + 1, (None, 10), SPARSE, r"between 0 and 9.*from 1 to 10, 1 of 3 out.*`y - 1`"),
        (LABELS + 5, (None, 10), SPARSE, r"from 5 to 14.*Give the last layer 15 units"),
        (LABELS - 1, (None, 10), SPARSE, r"from -1 to 8.*Number the classes from 0"),
        (LABELS + 0.5, (None, 10), SPARSE, r"whole numbers. Received: `y` with values such as 0.5"),
        (np.array([0, np.nan]), (None, 10), SPARSE, r"must be whole numbers"),
        (LABELS, (None, 1), SPARSE, r"one output per class.*loss='binary_crossentropy'"),
        (
            np.eye(10),
            (None, 10),
            SPARSE,
            r"looks like one-hot rows for 10 classes.*loss='categorical_crossentropy'.*argmax",
        ),
        (np.zeros((3, 4)), (None, 10), SPARSE, r"must have the shape \(None,\)\. Received: `y`"),
        (
            LABELS,
            (None, 10),
            CATEGORICAL,
            r"like class indices\. Use loss='sparse_categorical_crossentropy', or pass "
            r"`utils\.to_categorical\(y, 10\)`",
        ),
        (LABELS[:, None], (None, 10), CATEGORICAL, r"looks like class indices"),
        (np.eye(9), (None, 10), CATEGORICAL, r"shape \(9, 9\)\. Give the last layer as many units"),
        (LABELS, (None, 10), SQUARED, r"nothing is broadcast.*to_categorical\(y, 10\)"),
        (LABELS[:, None], (None, 10), SQUARED, r"nothing is broadcast.*to_categorical"),
        (np.eye(3), (None, 1), SQUARED, r"loss='mean_squared_error'.*Give the last layer 3 units"),
        (np.zeros((3, 2, 2)), (None, 4), SQUARED, r"Reshape `y`, or change the last layer"),
        (np.eye(2, dtype=int), (None, 1), BINARY, r"Give the last layer 2 units"),
        (LABELS, (None, 1), BINARY, r"between 0 and 1.*from 0 to 9\. For more than two classes"),
        (np.array([-1, 1]), (None, 1), BINARY, r"For labels -1 and 1 pass `\(y \+ 1\) / 2`"),
        (np.array([[0, 255]]), (None, 2), BINARY, r"For pixels pass `y / 255`"),
    ],
)
def test_targets_that_do_not_fit_are_refused_with_the_way_out(y, shape, loss, message):
    with pytest.raises(ValueError, match=message):
        align_target(y, shape, loss)


def test_a_class_that_the_loss_ignores_may_lie_outside():
    y = np.array([0, 255, -1])
    assert align_target(y[:2], (None, 3), SPARSE, ignore_class=255) is not None
    with pytest.raises(ValueError, match="from -1 to 0"):
        align_target(y, (None, 3), SPARSE, ignore_class=255)
    assert align_target(y[1:2], (None, 3), SPARSE, ignore_class=255).tolist() == [255]


def test_validation_targets_are_named_so():
    with pytest.raises(ValueError, match="`validation y`"):
        align_target(LABELS + 5, (None, 10), SPARSE, name="validation y")


def test_measurements_outside_0_and_1_are_warned_of_with_binary_cross_entropy():
    with pytest.warns(UserWarning, match=r"values from -2 to 3\. The loss has no lower bound"):
        align_target(np.array([-2.0, 3.0]), (None, 1), BINARY)


def test_values_that_pass_1_by_rounding_are_fine():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        align_target(np.float32([0, 1.0000001]), (None, 1), BINARY)


def test_cross_entropy_of_a_single_output_is_warned_of():
    with pytest.warns(UserWarning, match=r"of a single output is always 0"):
        align_target(np.zeros((3, 1)), (None, 1), CATEGORICAL)


def test_no_data_is_left_to_whoever_counts_samples():
    assert align_target(np.zeros((0, 1), int), (None, 10), SPARSE).shape == (0,)
    assert align_target(np.zeros(0), (None, 1), BINARY).shape == (0, 1)
