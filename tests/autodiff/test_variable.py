"""Variables: one buffer for life."""

import numpy as np
import pytest

from minikeras import ops
from minikeras.autodiff import Tape, Variable


def test_the_buffer_stays_where_it_is():
    v = Variable([1.0, 2.0])
    before = v._storage()
    v.assign([3.0, 4.0]).assign_add([1.0, 1.0]).assign_sub(2.0)
    assert v._storage() is before
    np.testing.assert_array_equal(v.numpy(), [2, 3])


def test_python_numbers_become_float32_and_int32():
    assert Variable([1.0]).dtype == "float32"
    assert Variable([1]).dtype == "int32"
    assert Variable(np.ones(2)).dtype == "float64"
    assert Variable(1, dtype="float64").dtype == "float64"


def test_numpy_gives_a_copy():
    v = Variable([1.0])
    v.numpy()[0] = 9
    assert v.numpy() == 1


def test_a_value_of_another_shape_is_refused():
    v = Variable([1.0, 2.0], name="w")
    with pytest.raises(ValueError, match=r"'w' has shape \(2,\).*Received: \(3,\)"):
        v.assign([1.0, 2.0, 3.0])


def test_a_scalar_fills():
    np.testing.assert_array_equal(Variable([1.0, 2.0]).assign(0).numpy(), [0, 0])


def test_an_initializer_needs_a_shape():
    with pytest.raises(ValueError, match="needs a `shape`"):
        Variable(lambda shape, dtype: np.zeros(shape))


def test_operators_work_on_variables():
    v = Variable([1.0, 2.0])
    np.testing.assert_array_equal(v + 1, [2, 3])
    np.testing.assert_array_equal(1 - v, [0, -1])
    np.testing.assert_array_equal(np.float32([2, 2]) * v, [2, 4])
    np.testing.assert_array_equal(v @ np.float32([3, 4]), 11)
    np.testing.assert_array_equal(v > 1, [False, True])
    np.testing.assert_array_equal(-v[1:], [-2])


def test_variables_are_compared_by_identity():
    v, w = Variable([1.0]), Variable([1.0])
    assert v in [w, v]
    assert v != w
    assert len({v, w}) == 2


def test_the_tensor_of_a_variable_keeps_the_value_it_was_read_with():
    v = Variable(1.0)
    with Tape():
        read = v.value
        v.assign(2.0)
        again = v.value
    assert (float(read), float(again)) == (1, 2)


def test_operations_without_a_tape_give_arrays():
    assert isinstance(ops.exp(Variable([0.0])), np.ndarray)
