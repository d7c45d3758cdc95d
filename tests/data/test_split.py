import warnings

import numpy as np
import pytest

from minikeras.data import PyDataset, Stored, split_batches, stored, train_validation_split


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
    with pytest.warns(
        UserWarning, match=r"`y` is sorted by class.*validation_shuffle=True"
    ) as seen:
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


def chosen(*arrays, **options):
    train, validation = train_validation_split(*arrays, validation_split=0.3, **options)
    return train[0].tolist(), validation[0].tolist()


def test_random_rows_are_the_same_for_each_run_and_others_for_each_integer():
    x = np.arange(100)
    train, validation = chosen(x, shuffle=True)
    assert sorted(train + validation) == x.tolist()
    assert (train, validation) == (sorted(train), sorted(validation))
    assert len(validation) == 30
    assert validation != x[70:].tolist()
    assert chosen(x, shuffle=True) == chosen(x, shuffle=0) == (train, validation)
    assert chosen(x, shuffle=5)[1] != chosen(x, shuffle=6)[1] != validation


def test_rows_of_all_arrays_go_together():
    x, y = np.arange(40), [np.arange(40) * 2, np.arange(40.0) * 3]
    for part in train_validation_split(
        {"a": x}, y, np.arange(40) * 4, validation_split=0.25, shuffle=True
    ):
        assert (part[0]["a"] * 2 == part[1][0]).all()
        assert (part[0]["a"] * 3 == part[1][1]).all()
        assert (part[0]["a"] * 4 == part[2]).all()


@pytest.mark.parametrize("one_hot", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
def test_strata_have_the_same_share_of_each_class(shuffle, one_hot):
    labels = np.repeat([0, 1, 2, 3], [50, 30, 17, 3])
    y = np.eye(4)[labels] if one_hot else labels
    train, validation = chosen(np.arange(100), y, shuffle=shuffle, stratify=True)
    assert np.bincount(labels[validation]).tolist() == [15, 9, 5, 1]
    assert sorted(train + validation) == list(range(100))
    if not shuffle:
        assert validation[:15] == list(range(35, 50))


def test_strata_of_tiny_classes_still_make_the_size_asked_for():
    train, validation = chosen(np.arange(10), np.arange(10), stratify=True)
    assert (len(train), len(validation)) == (7, 3)


def test_strata_need_classes():
    x = np.arange(10.0)
    with pytest.raises(ValueError, match=r"validation_stratify.*needs `y` as class labels"):
        chosen(x, x / 3, stratify=True)
    with pytest.raises(ValueError, match="2 arrays of targets"):
        chosen(x, [np.arange(10), np.arange(10)], stratify=True)
    with pytest.raises(ValueError, match="validation_shuffle"):
        chosen(x, shuffle=0.5)


class Batches(PyDataset):
    def __len__(self):
        return 10

    def __getitem__(self, index):
        return np.array([index])


def test_a_dataset_is_split_by_batches():
    train, validation = split_batches(Batches(workers=3), validation_split=0.25)
    assert [batch.item() for batch in train] == list(range(7))
    assert [batch.item() for batch in validation] == [7, 8, 9]
    assert train.workers == 3


def test_a_dataset_that_could_move_samples_between_batches_is_not_split():
    class Mixes(Batches):
        def on_epoch_end(self):
            pass

    with pytest.raises(ValueError, match="Mixes could move samples.*`on_epoch_end`"):
        split_batches(Mixes(), validation_split=0.25)
    with pytest.raises(ValueError, match="cannot be split"):
        split_batches(Batches(), validation_split=0.95)


def test_rows_in_a_file_are_split_without_being_read(tmp_path, monkeypatch):
    monkeypatch.setattr(stored, "LARGE", 1)
    x = np.memmap(tmp_path / "x", "float32", "w+", shape=(10, 2))
    train, validation = train_validation_split(x, np.arange(10) % 2, validation_split=0.3)
    assert isinstance(train[0], Stored)
    assert (len(train[0]), len(validation[0]), len(validation[1])) == (7, 3, 3)
    with pytest.raises(ValueError, match="too large to pick single rows"):
        train_validation_split(x, validation_split=0.3, shuffle=True)
