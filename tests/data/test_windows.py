"""Data read by windows: every row once, in an order that mixes well, chunks left whole."""

import h5py
import numpy as np
import pytest

from minikeras.data import Stored, WindowedData
from tests.data.test_workers import threads


class Reads(Stored):
    """Rows 0, 1, 2, ...; tells which were read."""

    def __init__(self, count, chunk=1, width=1):
        values = np.repeat(np.arange(count, dtype="float32")[:, None], width, axis=1)
        super().__init__(values, "x")
        self.read_rows, self._chunk = [], chunk

    chunk = property(lambda self: self._chunk)

    def read(self, start, stop, out):
        self.read_rows.append((start, stop))
        super().read(start, stop, out)


def made(count=1000, chunk=1, y=None, **options):
    x = Reads(count, chunk)
    settings = {"batch_size": 8, "shuffle": True, "seed": 1, "window_bytes": 12 * 100}
    data = WindowedData(x, y, **{**settings, "block_bytes": 12 * 5, **options})
    x.read_rows.clear()
    return data, x


def rows(places):
    return [
        window.batch(start, stop)[0][:, 0].astype(int).tolist() for window, start, stop in places
    ]


def flat(batches):
    return [row for batch in batches for row in batch]


@pytest.mark.parametrize("shuffle", [True, False, "batch"])
@pytest.mark.parametrize("count", [1, 8, 9, 95, 1000, 1003])
def test_a_pass_has_every_row_once(count, shuffle):
    data, x = made(count, shuffle=shuffle)
    batches = rows(data.open(0))
    assert sorted(flat(batches)) == list(range(count))
    assert [len(b) for b in batches[:-1]] == [8] * (data.num_batches - 1)
    assert sum(stop - start for start, stop in x.read_rows) == count
    assert (data.num_samples, len(batches)) == (count, data.num_batches)


def test_without_shuffling_rows_come_as_they_lie():
    data, x = made(shuffle=False)
    assert flat(rows(data.open(3))) == list(range(1000))
    assert x.read_rows == sorted(x.read_rows)


def test_shuffling_within_batches_leaves_the_batches():
    data, _ = made(shuffle="batch")
    batches = rows(data.open(0))
    assert [sorted(b) for b in batches] == [
        list(range(i, min(i + 8, 1000))) for i in range(0, 1000, 8)
    ]
    assert batches[5] != sorted(batches[5])


def test_the_order_depends_on_seed_and_pass_alone():
    data, _ = made()
    orders = [flat(rows(data.open(number))) for number in range(3)]
    assert orders[0] != orders[1] != orders[2]
    assert flat(rows(made()[0].open(2))) == orders[2]
    assert flat(rows(made(seed=2)[0].open(2))) != orders[2]


def test_what_is_skipped_is_not_read():
    data, x = made()
    whole = rows(data.open(1))
    for start, stop in ((0, 125), (1, 3), (11, 13), (60, 61), (100, 125), (124, 125)):
        x.read_rows.clear()
        data.close()
        assert rows(data.open(1, start, stop)) == whole[start:stop]
        read = sum(b - a for a, b in x.read_rows)
        windows = (stop - 1) // data.batches_per_window - start // data.batches_per_window + 1
        assert read <= windows * data.batches_per_window * 8


def test_a_window_still_in_memory_is_not_read_again():
    data, x = made()
    first = rows(data.open(0, 0, 3))
    x.read_rows.clear()
    assert rows(data.open(0, 3, 6)) == rows(made()[0].open(0, 3, 6))
    assert rows(data.open(0, 0, 3)) == first
    assert x.read_rows == []


def test_a_batch_is_a_fair_sample_of_sorted_data():
    data, _ = made(20_000, window_bytes=12 * 2000, batch_size=100)
    batches = np.array(rows(data.open(0)))
    assert np.abs(batches.mean(1) / 20_000 - 0.5).max() < 0.25
    neighbours = np.abs(np.diff(batches, axis=1)) == 1
    assert neighbours.mean() < 0.01


@pytest.mark.parametrize("chunk", [4, 7, 16, 50])
def test_chunks_are_read_whole_but_at_the_edges_of_windows(chunk):
    data, x = made(2000, chunk)
    assert data.block % chunk == 0
    list(data.open(0))
    edges = {edge for piece in x.read_rows for edge in piece if edge % chunk and edge != 2000}
    windows = -(-data.num_batches // data.batches_per_window)
    assert len(edges) <= windows - 1
    assert data.batches_per_window * 8 >= 4 * data.block or chunk < 16


def test_arrays_in_memory_follow_the_rows_of_the_file():
    y, weights = np.arange(1000) * 2, np.arange(1000, dtype="float32") * 3
    x = Reads(1000)
    data = WindowedData(
        {"a": x, "b": np.arange(1000)}, [y, None], weights,
        batch_size=9, shuffle=True, window_bytes=4000, block_bytes=300,
    )  # fmt: skip
    for window, start, stop in data.open(0):
        got, targets, w = window.batch(start, stop)
        np.testing.assert_array_equal(got["a"][:, 0], got["b"])
        np.testing.assert_array_equal(targets[0], got["b"] * 2)
        assert targets[1] is None
        np.testing.assert_array_equal(w, got["b"] * 3)
    assert data.example()[0]["b"].tolist() == list(range(32))


def test_a_batch_may_be_larger_than_a_window():
    data, _ = made(batch_size=700)
    assert sorted(flat(rows(data.open(0)))) == list(range(1000))
    assert data.batches_per_window == 1


def test_no_thread_is_left_by_a_pass_that_is_not_finished():
    data, _ = made()
    places = data.open(0)
    next(places)
    assert threads()
    places.close()
    assert threads() == []


def test_an_error_while_reading_comes_out_where_the_window_is_needed():
    class Breaks(Reads):
        def read(self, start, stop, out):
            if stop > 500:
                raise OSError("disk gone")
            super().read(start, stop, out)

    data = WindowedData(Breaks(1000), batch_size=8, window_bytes=1200, block_bytes=60)
    with pytest.raises(OSError, match="disk gone"):
        list(data.open(0))
    assert threads() == []


def test_numbers_of_rows_that_differ_are_refused(tmp_path):
    with pytest.raises(ValueError, match="x 10, y 9"):
        WindowedData(Reads(10), np.zeros(9))
    with pytest.raises(ValueError, match="is empty"):
        WindowedData(Reads(0))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        data = WindowedData(Stored(file.create_dataset("x", data=np.zeros((9, 2))), "x"))
        assert data.num_batches == 1
