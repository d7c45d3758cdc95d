"""Padding, sliding windows and data sets in two parts; values are those of Keras 3.15."""

import numpy as np
import pytest

import minikeras as keras
from minikeras.data import PyDataset
from minikeras.utils import pad_sequences, split_dataset, timeseries_dataset_from_array

SEQUENCES = [[1, 2, 3], [4]]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [[1, 2, 3], [0, 0, 4]]),
        ({"maxlen": 2}, [[2, 3], [0, 4]]),
        (
            {"maxlen": 2, "truncating": "post", "padding": "post", "value": 9},
            [[1, 2], [4, 9]],
        ),
        ({"maxlen": 5, "padding": "post"}, [[1, 2, 3, 0, 0], [4, 0, 0, 0, 0]]),
        ({"maxlen": 0}, np.empty((2, 0))),
    ],
)
def test_sequences_are_filled_up_and_cut(options, expected):
    padded = pad_sequences(SEQUENCES, **options)
    assert padded.dtype == np.int32
    np.testing.assert_array_equal(padded, expected)


def test_items_may_be_vectors_and_sequences_empty():
    padded = pad_sequences([[[1.0, 2]], [], [[3, 4], [5, 6]]], dtype="float32")
    assert padded.tolist() == [[[0, 0], [1, 2]], [[0, 0], [0, 0]], [[3, 4], [5, 6]]]
    assert pad_sequences([["a"], ["b", "c"]], dtype=object, value="-").tolist() == [
        ["-", "a"],
        ["b", "c"],
    ]


@pytest.mark.parametrize(
    ("sequences", "options", "message"),
    [
        ([1, 2], {}, "must hold sequences.*Received: 1 at place 0"),
        ([[1], [[2]]], {}, r"must have the shape \(\).*shape \(1,\) in sequence 1"),
        (SEQUENCES, {"padding": "left"}, "must be one of 'pre', 'post'"),
        (SEQUENCES, {"value": "x"}, "Text cannot fill"),
        (SEQUENCES, {"maxlen": -1}, "at least 0"),
    ],
)
def test_sequences_that_make_no_array_are_refused(sequences, options, message):
    with pytest.raises(ValueError, match=message):
        pad_sequences(sequences, **options)


def windows(*args, **options):
    return list(timeseries_dataset_from_array(*args, **options))


def test_windows_slide_over_the_series():
    series = np.arange(20)
    (batch,) = windows(series, None, sequence_length=4, sequence_stride=3, sampling_rate=2)
    assert batch.tolist() == [[s, s + 2, s + 4, s + 6] for s in range(0, 14, 3)]
    first, last = windows(series, None, sequence_length=10, batch_size=6)
    assert (len(first), len(last)) == (6, 5)
    np.testing.assert_array_equal(last[-1], np.arange(10, 20))


def test_targets_belong_to_where_a_window_begins():
    series = np.arange(20.0)[:, None] * [1, 10]
    for x, y in windows(series, series[5:], sequence_length=5, batch_size=4):
        assert x.shape[1:] == (5, 2)
        np.testing.assert_array_equal(y, x[:, 0] + [5, 50])


def test_a_part_of_the_series_and_single_windows():
    items = windows(
        np.arange(20), None, sequence_length=3, batch_size=None, start_index=5, end_index=10
    )
    assert [item.tolist() for item in items] == [[5, 6, 7], [6, 7, 8], [7, 8, 9]]


def test_shuffled_windows_are_a_permutation_that_a_seed_repeats():
    def starts(seed):
        data = timeseries_dataset_from_array(
            np.arange(50), None, sequence_length=2, shuffle=True, seed=seed, batch_size=7
        )
        assert isinstance(data, PyDataset)
        return np.concatenate([batch[:, 0] for batch in data]).tolist()

    assert sorted(starts(1)) == list(range(49))
    assert starts(1) == starts(1) != starts(2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sequence_length": 0}, "`sequence_length` must be a positive integer"),
        ({"sequence_length": 11}, "10 time steps hold no window of 11"),
        ({"sequence_length": 4, "sampling_rate": 4}, "4 apart"),
        ({"sequence_length": 2, "start_index": 7, "end_index": 3}, "in this order"),
        ({"sequence_length": 2, "sequence_stride": 10}, "below the number of time steps, 10"),
        ({"sequence_length": 2, "end_index": 30}, "within the 10 time steps"),
    ],
)
def test_numbers_that_leave_no_window_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        timeseries_dataset_from_array(np.arange(10), None, **options)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ({"left_size": 0.3}, (3, 7)),
        ({"left_size": 3}, (3, 7)),
        ({"right_size": 0.25}, (8, 2)),
        ({"left_size": 2, "right_size": 3}, (2, 3)),
        ({"left_size": 0.31, "right_size": 0.5}, (3, 5)),
    ],
)
def test_a_data_set_is_split_into_its_first_and_last_samples(sizes, expected):
    left, right = split_dataset((np.arange(10), {"a": np.arange(10) * 2}), **sizes)
    assert left[0].tolist() == list(range(expected[0]))
    assert right[0].tolist() == list(range(10 - expected[1], 10))
    np.testing.assert_array_equal(right[1]["a"], right[0] * 2)


def test_random_samples_are_chosen_by_a_seed():
    left, right = split_dataset(np.arange(30), left_size=0.5, shuffle=True, seed=1)
    assert sorted([*left, *right]) == list(range(30))
    assert (
        left.tolist()
        == split_dataset(np.arange(30), left_size=0.5, shuffle=True, seed=1)[0].tolist()
    )


def test_samples_of_any_collection_are_stacked():
    class Samples:
        def __len__(self):
            return 4

        def __getitem__(self, index):
            return np.full(2, index), index

    left, right = split_dataset(Samples(), left_size=1)
    assert (left[0].shape, right[0].shape, right[1].tolist()) == ((1, 2), (3, 2), [1, 2, 3])
    left, right = split_dataset(iter([{"a": 1.5}] * 5), right_size=2)
    assert (left["a"].shape, right["a"].dtype) == ((3,), np.float32)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({}, "must be given"),
        ({"left_size": 1.2}, "share between 0 and 1"),
        ({"left_size": 0}, "between 1 and 9"),
        ({"left_size": 11}, "between 1 and 9"),
        ({"left_size": 0.8, "right_size": 0.8}, "larger than the 10 samples"),
        ({"left_size": "a"}, "must be a number"),
    ],
)
def test_sizes_that_the_data_do_not_have_are_refused(sizes, message):
    with pytest.raises(ValueError, match=message):
        split_dataset(np.arange(10), **sizes)
    with pytest.raises(ValueError, match="empty"):
        split_dataset(iter([]), left_size=0.5)


def test_padding_takes_what_can_be_read_only_once_and_refuses_what_cannot_be_read():
    rows = pad_sequences(iter([[1], [2, 3]]))
    assert rows.tolist() == [[0, 1], [2, 3]]
    with pytest.raises(ValueError, match="a list of lists or arrays.*Received: 3 of type int"):
        pad_sequences(3)


@pytest.mark.parametrize("shuffle", [False, True])
def test_training_takes_windows_in_order_unless_they_are_to_be_shuffled(shuffle):
    data = timeseries_dataset_from_array(
        np.arange(40.0), np.arange(40.0), 2, batch_size=2, shuffle=shuffle, seed=1
    )
    if not shuffle:
        data = data.map(lambda x, y: (x, y)).take(15).cache()
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    seen = []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(logs["loss"])

    model.fit(data, epochs=1, verbose=0, callbacks=[Watch()])
    assert (seen == sorted(seen)) is not shuffle
