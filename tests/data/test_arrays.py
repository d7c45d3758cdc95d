import numpy as np
import pytest

from minikeras.core import settings
from minikeras.data import to_array, to_nest


class Tensor:
    """Stands for a tensor of another library, on an accelerator and part of a graph."""

    def __init__(self, array, steps=()):
        self.array, self.steps = array, steps

    def detach(self):
        return Tensor(self.array, (*self.steps, "detach"))

    def cpu(self):
        return Tensor(self.array, (*self.steps, "cpu"))

    def __array__(self, dtype=None, copy=None):
        assert self.steps == ("detach", "cpu")
        return self.array


@pytest.mark.parametrize("dtype", ["float32", "int64", "int32", "uint8"])
def test_arrays_that_kernels_read_are_kept_without_a_copy(dtype):
    array = np.zeros((4, 3), dtype)
    assert to_array(array) is array
    assert to_array(array[1:]).base is array


def test_a_memory_map_is_not_read(tmp_path):
    np.save(tmp_path / "x.npy", np.ones((4, 2), np.float32))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert np.shares_memory(to_array(mapped), mapped)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("float64", "float32"),
        ("float16", "float32"),
        (">f4", "float32"),
        ("bool", "uint8"),
        ("int8", "int32"),
        ("int16", "int32"),
        ("uint16", "int32"),
        ("uint32", "int64"),
        ("uint64", "int64"),
        (">i8", "int64"),
    ],
)
def test_other_dtypes_are_converted_without_loss_of_range(given, kept):
    array = np.array([0, 1, 1], given)
    converted = to_array(array)
    assert converted.dtype == np.dtype(kept)
    assert converted.dtype.isnative
    np.testing.assert_array_equal(converted, array)


def test_floats_go_to_the_default_float_type():
    settings.set_floatx("float64")
    try:
        assert to_array(np.zeros(3, np.float32)).dtype == np.float64
    finally:
        settings.set_floatx("float32")


def test_strided_arrays_become_contiguous():
    array = np.arange(24, dtype=np.float32).reshape(4, 6)
    for strided in (array.T, array[:, ::2], array[::-1]):
        converted = to_array(strided)
        assert converted.flags.c_contiguous
        np.testing.assert_array_equal(converted, strided)


def test_an_unaligned_array_becomes_aligned():
    packed = np.zeros(4, np.dtype([("a", "u1"), ("b", "f4")]))["b"]
    assert not packed.flags.aligned
    assert to_array(packed).flags.aligned


def test_lists_of_numbers_are_one_array():
    assert to_nest([1, 2, 3]).dtype == np.int64
    assert to_nest([[1, 2.5], [3, 4]]).dtype == np.float32
    assert to_nest(((1, 2), (3, 4))).shape == (2, 2)
    assert to_nest([np.float32(1), np.float32(2)]).shape == (2,)
    assert to_nest([True, False]).dtype == np.uint8


def test_lists_of_arrays_are_nests():
    nest = to_nest([np.zeros(2), {"b": [1.0, 2.0], "a": (np.ones(2), None)}])
    assert isinstance(nest, list)
    assert nest[0].shape == nest[1]["b"].shape == nest[1]["a"][0].shape == (2,)
    assert nest[1]["a"][1] is None
    assert list(nest[1]) == ["b", "a"]


def test_nothing_stays_nothing():
    assert to_nest(None) is None


def test_arrays_of_other_libraries_come_by_their_own_methods():
    array = np.ones((2, 2), np.float32)
    assert np.shares_memory(to_array(Tensor(array)), array)


@pytest.mark.parametrize("library", ["pandas", "torch", "jax.numpy"])
def test_tables_and_tensors_are_taken(library):
    made = pytest.importorskip(library)
    values = [[1.0, 2.0], [3.0, 4.0]]
    make = {"pandas": "DataFrame", "torch": "tensor", "jax.numpy": "asarray"}[library]
    converted = to_array(getattr(made, make)(values))
    np.testing.assert_array_equal(converted, values)
    assert converted.dtype == np.float32


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (np.array([{}, 1], object), ValueError, r"`x` must hold numbers.*mixed Python objects"),
        (np.array(["a", "b"]), ValueError, r"dtype <U1, which holds text\. Encode it"),
        (["a", "b"], ValueError, r"text\. Encode it"),
        (np.array([1j]), ValueError, "complex numbers"),
        (np.array(["2026-01-01"], "M8[D]"), ValueError, "dates"),
        (np.array([np.timedelta64(1, "s")]), ValueError, "time spans"),
        (np.zeros(2, [("a", "f4")]), ValueError, "values that are not numbers"),
        ([[1, 2], [3]], ValueError, r"could not be made an array.*padded to one length"),
        (3.0, ValueError, r"first axis counts the samples\. Received one number: 3\.0"),
        (np.float32(3), ValueError, "first axis counts the samples"),
        ("text", TypeError, r"must be an array.*Received an object of type str"),
        (object(), TypeError, r"Received an object of type object"),
        (iter([1, 2]), TypeError, r"Received an object of type list_iterator"),
        (np.array([2**63], np.uint64), ValueError, r"int64 cannot hold.*9223372036854775808"),
        ((), ValueError, r"at least one array"),
        ({}, ValueError, r"at least one array"),
    ],
)
def test_what_is_no_data_is_refused_by_name(value, error, message):
    with pytest.raises(error, match=message):
        to_nest(value)


def test_the_place_in_a_nest_is_named():
    with pytest.raises(ValueError, match=r"`x\['b'\]\[1\]` must hold numbers"):
        to_nest({"a": np.zeros(2), "b": [np.zeros(2), np.array(["no"])]})


def test_masked_entries_are_not_dropped_silently():
    masked = np.ma.array([1.0, 2.0], mask=[False, True])
    with pytest.raises(ValueError, match=r"masked entries.*`x\.filled\(0\)`"):
        to_array(masked)
    assert to_array(np.ma.array([1.0, 2.0])).shape == (2,)


def test_sparse_matrices_are_refused_with_the_way_out():
    sparse = type("csr_matrix", (), {"tocoo": None})()
    with pytest.raises(TypeError, match=r"sparse matrix \(csr_matrix\).*`x\.toarray\(\)`"):
        to_array(sparse)
