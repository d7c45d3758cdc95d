"""Rows that lie in files: what stays there, how it is cut, and that it reads as numpy would."""

import h5py
import numpy as np
import pytest

from minikeras.data import Stored, has_stored, stored, to_array, to_lazy_nest


@pytest.fixture(autouse=True)
def _everything_is_large(monkeypatch):
    monkeypatch.setattr(stored, "LARGE", 1)


@pytest.fixture
def values():
    return np.random.default_rng(0).standard_normal((50, 3, 2)).astype("float32")


def mapped(tmp_path, values, mode="r", offset=0):
    path = tmp_path / "rows.bin"
    path.write_bytes(bytes(offset) + values.tobytes())
    return np.memmap(path, values.dtype, mode, offset, values.shape)


def read(rows, start, stop):
    out = np.empty((stop - start, *rows.shape[1:]), rows.dtype)
    rows.read(start, stop, out)
    return out


def assert_reads(source, expected):
    rows = to_lazy_nest(source, "x")
    assert isinstance(rows, Stored)
    assert rows.shape == expected.shape
    assert len(rows) == len(expected)
    assert rows.dtype == to_array(expected).dtype
    assert rows.nbytes == to_array(expected).nbytes
    for start, stop in ((0, len(expected)), (3, 4), (5, 17)):
        np.testing.assert_array_equal(read(rows, start, stop), to_array(expected)[start:stop])
    np.testing.assert_array_equal(to_array(rows), to_array(expected))
    part = rows[4:-3][2:12]
    np.testing.assert_array_equal(read(part, 1, 5), to_array(expected)[7:11])
    assert len(part) == 10
    rows.close()
    part.close()


DTYPES = ["float32", "float64", "float16", "uint8", "int16", "int64", "bool", ">f4"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_maps_of_any_type_read_as_arrays_of_ours(tmp_path, values, dtype):
    given = (values * 100).astype(dtype)
    assert_reads(mapped(tmp_path, given), given)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", [{}, {"chunks": (8, 3, 1)}, {"compression": "gzip"}])
def test_hdf5_data_sets_of_any_type_and_layout_read_as_arrays_of_ours(
    tmp_path, values, dtype, layout
):
    given = (values * 100).astype(dtype)
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        assert_reads(file.create_dataset("x", data=given, **layout), given)


@pytest.mark.parametrize("offset", [0, 4, 5000, 70_000])
@pytest.mark.parametrize("mode", ["r", "r+", "c"])
def test_maps_are_read_from_any_place_of_their_file(tmp_path, values, mode, offset):
    whole = mapped(tmp_path, values, mode, offset)
    assert_reads(whole, values)
    assert_reads(whole[7:40], values[7:40])
    assert_reads(np.asarray(whole)[7:40], values[7:40])
    assert_reads(whole.reshape(100, 3)[10:], values.reshape(100, 3)[10:])
    assert_reads(whole[::2], values[::2])
    assert_reads(whole[:, 1:], values[:, 1:])


def test_maps_show_what_was_written_into_them(tmp_path, values):
    for mode in ("r+", "c"):
        whole = mapped(tmp_path, values, mode)
        whole[5] = 7
        expected = values.copy()
        expected[5] = 7
        assert_reads(whole, expected)


def test_a_map_whose_file_was_replaced_is_read_itself(tmp_path, values):
    whole = mapped(tmp_path, values)
    for content in (b"", bytes(values.nbytes)):
        (tmp_path / "rows.bin").unlink()
        (tmp_path / "rows.bin").write_bytes(content)
        assert_reads(whole, values)
    (tmp_path / "rows.bin").unlink()
    assert_reads(whole, values)


def test_what_lies_in_memory_or_is_small_becomes_an_array(tmp_path, values, monkeypatch):
    whole = mapped(tmp_path, values)
    assert not has_stored([values, values[3:], [1.0, 2.0], None, whole + 1])
    assert has_stored({"a": [values, whole]})
    monkeypatch.setattr(stored, "LARGE", values.nbytes + 1)
    assert not has_stored(whole)
    assert isinstance(to_lazy_nest(whole, "x"), np.ndarray)
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        data_set = file.create_dataset("x", data=values)
        assert not has_stored(data_set)
        np.testing.assert_array_equal(to_lazy_nest(data_set, "x"), values)
    with pytest.raises(ValueError, match="file of a data set is closed"):
        has_stored(data_set)


def test_nests_keep_what_is_large_in_its_file(tmp_path, values):
    nest = to_lazy_nest({"a": mapped(tmp_path, values), "b": [[1, 2], [3, 4]]}, "x")
    assert isinstance(nest["a"], Stored)
    assert nest["a"].name == "x['a']"
    assert nest["b"].shape == (2, 2)
    assert repr(nest["a"]) == "<stored x['a'], shape (50, 3, 2), float32>"
    with pytest.raises(TypeError, match="ranges of rows only"):
        nest["a"][::2]


def test_the_chunks_of_a_file_are_known(tmp_path, values):
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        chunked = file.create_dataset("x", data=values, chunks=(16, 3, 2))
        assert to_lazy_nest(chunked, "x").chunk == 16
        assert to_lazy_nest(file.create_dataset("y", data=values), "y").chunk == 1

    class Blocked:  # as dask tells it
        chunks, shape, dtype = ((20, 20, 10), (3,), (2,)), values.shape, values.dtype

        def __getitem__(self, rows):
            return values[rows]

        def __array__(self, *args, **kwargs):
            raise AssertionError("everything was read")

    assert to_lazy_nest(Blocked(), "x").chunk == 20
    assert_reads(Blocked(), values)


def test_text_in_a_file_is_refused(tmp_path):
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        names = file.create_dataset("x", data=["a", "b"])
        with pytest.raises(ValueError, match="must hold numbers"):
            to_lazy_nest(names, "x")
