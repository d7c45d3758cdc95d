import warnings

import numpy as np
import pytest

from minikeras.data import train_validation_split


def split(share, *arrays):
    return train_validation_split(*arrays, validation_split=share)


@pytest.mark.parametrize(
    ("count", "share", "validation"),
    [(10, 0.2, 2), (10, 0.25, 3), (1437, 0.1, 144), (3, 0.5, 2), (7, 0.01, 1)],
)
def test_the_last_rows_go_to_validation_as_many_as_in_keras(count, share, validation):
    x = np.arange(count)
    (train, _, _), (held, _, _) = split(share, x)
    assert held.tolist() == list(range(count - validation, count))
    assert train.tolist() == list(range(count - validation))


def test_all_arrays_are_split_at_the_same_row():
    rows = np.arange(5.0, dtype=np.float32)
    train, held = split(0.4, {"a": rows, "b": rows}, (rows, None), rows)
    for part, expected in ((train, [0, 1, 2]), (held, [3, 4])):
        x, y, weight = part
        assert [x["a"].tolist(), x["b"].tolist(), y[0].tolist(), weight.tolist()] == [expected] * 4
        assert y[1] is None
        assert x["a"].base is rows


def test_missing_targets_and_weights_stay_missing():
    (_, y, weight), _ = split(0.5, np.arange(4))
    assert (y, weight) == (None, None)


@pytest.mark.parametrize("share", [0, 1, 0.0, 1.0])
def test_the_share_lies_strictly_between_0_and_1(share):
    with pytest.raises(ValueError, match=r"strictly between 0 and 1\. Received"):
        split(share, np.arange(4))


@pytest.mark.parametrize("share", [-0.1, 1.5, "0.2", None, True])
def test_what_is_no_share_is_refused(share):
    with pytest.raises(ValueError, match="`validation_split` must be a number between 0 and 1"):
        split(share, np.arange(4))


@pytest.mark.parametrize(("count", "share"), [(1, 0.5), (10, 0.999)])
def test_too_few_rows_are_refused(count, share):
    with pytest.raises(ValueError, match=rf"{count} rows cannot be split with .*={share}: one"):
        split(share, np.arange(count))


def test_lengths_are_compared_before_splitting():
    with pytest.raises(ValueError, match=r"Received: x 5, y 4"):
        split(0.2, np.arange(5), np.arange(4))


def test_a_generator_cannot_be_split():
    with pytest.raises(TypeError, match=r"type generator\. Pass `validation_data` instead"):
        split(0.2, (row for row in range(4)))


SORTED = np.repeat(np.arange(10), 20)


@pytest.mark.parametrize(
    "y",
    [
        SORTED,
        SORTED[::-1],
        SORTED[:, None],
        SORTED.astype(float),
        np.eye(10)[SORTED],
        np.repeat([0, 1], [150, 50]),
    ],
)
def test_labels_sorted_by_class_are_warned_of(y):
    with pytest.warns(UserWarning, match=r"`y` is sorted by class.*Shuffle the data first") as seen:
        split(0.2, np.zeros(200), y)
    assert len(seen) == 1


def test_the_warning_names_the_classes():
    with pytest.warns(UserWarning, match=r"classes \[8, 9\] are only in the validation part"):
        split(0.2, np.zeros(200), SORTED)
    with pytest.warns(UserWarning, match=r"classes \[0, 1, 2, 3, 4, \.\.\.\] only in the training"):
        split(0.2, np.zeros(200), SORTED)


@pytest.mark.parametrize(
    "y",
    [
        np.tile(np.arange(10), 20),  # mixed
        np.zeros(200),  # one class
        np.arange(200),  # a rising count, not classes
        np.linspace(0, 1, 200),  # a rising measurement
        np.random.default_rng(0).random((200, 10)),  # rows that are not one-hot
        np.zeros((200, 5, 2)),
        None,
    ],
)
def test_other_targets_are_split_without_a_word(y):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        split(0.2, np.zeros(200), y)
