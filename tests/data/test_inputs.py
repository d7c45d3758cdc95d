import numpy as np
import pytest

from minikeras.data import align_inputs, in_order


@pytest.mark.parametrize(
    ("sizes", "shape"),
    [
        ((5, 784), (None, 784)),
        ((5, 28, 28), (None, 28, 28)),
        ((5, 7, 3), (None, None, 3)),
        ((5,), (None,)),
        ((5, 9), None),
    ],
)
def test_fitting_inputs_come_back_as_they_are(sizes, shape):
    array = np.zeros(sizes, np.float32)
    assert align_inputs([array], [shape])[0] is array


@pytest.mark.parametrize(
    ("sizes", "shape", "aligned"),
    [
        ((5,), (None, 1), (5, 1)),
        ((5, 28, 28), (None, 28, 28, 1), (5, 28, 28, 1)),
        ((5, 28, 28, 1), (None, 28, 28), (5, 28, 28)),
        ((5, 1), (None,), (5,)),
    ],
)
def test_a_last_axis_of_one_is_added_or_dropped(sizes, shape, aligned):
    array = np.zeros(sizes, np.float32)
    result = align_inputs([array], [shape])[0]
    assert result.shape == aligned
    assert np.shares_memory(result, array)


@pytest.mark.parametrize(
    ("sizes", "shape", "message"),
    [
        (
            (5, 783),
            (None, 784),
            r"Sequential 'net' expects `x` with 2 dimensions, shape \(None, 784\)\. "
            r"Received: shape \(5, 783\)\. .*input_shape=\(783,\)\.",
        ),
        ((5, 28, 28), (None, 784), r"Pass `x\.reshape\(-1, 784\)`, or begin .* Reshape layer"),
        ((5, 784), (None, 28, 28), r"Pass `x\.reshape\(-1, 28, 28\)`"),
        ((784,), (None, 784), r"For a single sample pass `x\[np\.newaxis\]`"),
        ((28, 28), (None, 28, 28), r"For a single sample pass"),
        ((5, 4, 4), (None, 784), r"Reshape the data, or begin the model with"),
        ((5, 4), (None,), r"expects `x` with 1 dimension, shape \(None,\)"),
        ((5, 1, 7), (None, 8), r"Reshape the data"),
    ],
)
def test_inputs_of_another_shape_are_refused_with_the_way_out(sizes, shape, message):
    with pytest.raises(ValueError, match=message):
        align_inputs([np.zeros(sizes)], [shape], owner="Sequential 'net'")


def test_the_input_at_fault_is_named():
    arrays = [np.zeros((5, 2)), np.zeros((5, 4))]
    with pytest.raises(ValueError, match=r"expects `age`"):
        align_inputs(arrays, [(None, 2), (None, 3)], ["income", "age"])


def test_a_dict_is_put_in_the_models_order():
    first, second = in_order({"b": np.ones(2), "a": np.zeros(2)}, ["a", "b"])
    assert (first.sum(), second.sum()) == (0, 2)


def test_a_list_keeps_its_order_and_one_array_is_a_list_of_one():
    assert [array.sum() for array in in_order([np.ones(2), np.zeros(2)], ["a", "b"])] == [2, 0]
    assert len(in_order(np.ones(2), ["a"])) == 1
    assert in_order([[1], [2]], ["a"])[0].shape == (2, 1)


@pytest.mark.parametrize(
    ("value", "names", "message"),
    [
        (
            {"colour": [1], "size": [2]},
            ["color", "size"],
            r"no input named 'colour'\. Did you mean 'color'\? It has: color, size\. Received the",
        ),
        (
            {"size": [2]},
            ["color", "size"],
            r"missing for input 'color'\. Received the keys: 'size'",
        ),
        (
            [np.zeros(3), np.zeros(4)],
            ["a", "b", "c"],
            r"The model has 3 inputs: a, b, c\. Received 2 arrays, of shapes \(3,\), \(4,\)\. Pass",
        ),
        ([np.zeros(3)] * 5, ["a"], r"of shapes \(3,\), \(3,\), \(3,\), \.\.\.\. If.*`np\.stack`"),
    ],
)
def test_names_and_numbers_of_arrays_must_fit(value, names, message):
    with pytest.raises(ValueError, match=message):
        in_order(value, names)
