import numpy as np
import pytest

from minikeras.core import seeds
from minikeras.data import ArrayData


def epoch(data, number):
    """The rows of an epoch, batch by batch."""
    data.start_epoch(number)
    return [data.permutation[start:stop].tolist() for start, stop in data]


def test_batches_cover_the_rows_in_order():
    data = ArrayData(np.arange(10), batch_size=4)
    assert epoch(data, 0) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert (data.num_samples, data.num_batches, len(data)) == (10, 3, 3)


@pytest.mark.parametrize(
    ("samples", "batch_size", "sizes"),
    [(10, 4, (4, 2)), (8, 4, (4,)), (3, 4, (3,)), (1, 1, (1,)), (100, None, (32, 4))],
)
def test_batch_sizes_are_told_beforehand(samples, batch_size, sizes):
    data = ArrayData(np.zeros(samples), batch_size=batch_size)
    assert data.batch_sizes == sizes
    assert tuple(dict.fromkeys(stop - start for start, stop in data)) == sizes


def test_steps_set_the_batch_size_when_none_is_given():
    assert ArrayData(np.zeros(10), steps=3).batch_size == 4
    assert ArrayData(np.zeros(10), steps=3, batch_size=2).batch_size == 2


def test_each_epoch_is_another_permutation_of_all_rows():
    data = ArrayData(np.zeros(50), batch_size=7, shuffle=True)
    first, second = (sum(epoch(data, number), []) for number in (0, 1))
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second != list(range(50))


def test_the_order_depends_on_seed_and_epoch_alone():
    def order(number, seed=3):
        return epoch(ArrayData(np.zeros(30), shuffle=True, seed=seed), number)

    straight = ArrayData(np.zeros(30), shuffle=True, seed=3)
    for number in range(4):
        run = epoch(straight, number)
    assert run == order(3)
    assert order(3) != order(3, seed=4)


def test_set_random_seed_repeats_the_orders():
    orders = []
    for seed in (5, 5, 6):
        seeds.set_random_seed(seed)
        orders.append(epoch(ArrayData(np.zeros(30), shuffle=True), 0))
    assert orders[0] == orders[1] != orders[2]


def test_data_without_shuffling_draw_no_seed():
    seeds.set_random_seed(1)
    expected = seeds.next_seed()
    seeds.set_random_seed(1)
    ArrayData(np.zeros(3))
    assert seeds.next_seed() == expected


def test_shuffling_batches_keeps_each_batch_together():
    data = ArrayData(np.zeros(40), batch_size=8, shuffle="batch")
    rows = epoch(data, 0)
    assert [sorted(batch) for batch in rows] == [list(range(i, i + 8)) for i in range(0, 40, 8)]
    assert rows != [sorted(batch) for batch in rows]


def test_the_permutation_is_one_buffer_for_life():
    data = ArrayData(np.zeros(20_000), shuffle=True)
    buffer = data.permutation
    for number in range(3):
        data.start_epoch(number)
        assert data.permutation is buffer
    assert buffer.dtype == np.int64
    np.testing.assert_array_equal(np.sort(buffer), np.arange(20_000))


def test_arrays_are_the_users_own():
    x, y = np.zeros((6, 2), np.float32), np.zeros(6, np.int64)
    data = ArrayData(x, y, shuffle=True)
    assert data.inputs[0] is x
    assert data.targets[0] is y
    assert y.shape == (6,)


def test_a_batch_holds_the_same_rows_of_every_array():
    rows = np.arange(10)
    data = ArrayData(
        {"a": rows, "b": [rows * 2.0, rows]}, rows * 3, rows * 4.0, batch_size=4, shuffle=True
    )
    data.start_epoch(0)
    x, y, weight = data.batch(4, 8)
    picked = data.permutation[4:8]
    np.testing.assert_array_equal(x["a"], picked)
    np.testing.assert_array_equal(x["b"][0], picked * 2)
    np.testing.assert_array_equal(y, picked * 3)
    np.testing.assert_array_equal(weight, picked * 4)


def test_an_unshuffled_batch_is_a_view():
    x = np.zeros((6, 2), np.float32)
    batch, y, weight = ArrayData(x, batch_size=4).batch(0, 4)
    assert batch.base is x
    assert (y, weight) == (None, None)


def test_several_inputs_and_outputs_are_flat_lists_in_tree_order():
    data = ArrayData({"b": [1, 2], "a": [3, 4]}, {"c": [5, 6], "d": [7, 8]}, [1.0, 2.0])
    assert [array.tolist() for array in data.inputs] == [[3, 4], [1, 2]]
    assert [array.tolist() for array in data.targets] == [[5, 6], [7, 8]]
    assert [array.tolist() for array in data.weights] == [[1, 2], [1, 2]]


def test_without_weights_each_output_has_none():
    assert ArrayData([1, 2], {"c": [5, 6], "d": [7, 8]}).weights == [None, None]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": None}, r"`x` must hold the samples"),
        ({"x": np.zeros((0, 3))}, r"The data is empty.*Received: x 0"),
        ({"x": []}, r"The data is empty"),
        (
            {"x": np.zeros(5), "y": np.zeros(4)},
            r"same number of samples.*Received: x 5, y 4\. Check",
        ),
        (
            {"x": [np.zeros(5), np.zeros(6)], "y": {"out": np.zeros(5)}},
            r"x\[0\] 5, x\[1\] 6, y\['out'\] 5",
        ),
        ({"x": np.zeros(5), "sample_weight": np.zeros(6)}, r"x 5, sample_weight 6"),
        ({"batch_size": 0}, r"`batch_size` must be a positive integer.*Received: 0"),
        ({"batch_size": 2.5}, r"`batch_size` must be a positive integer"),
        ({"steps": 0}, r"`steps` must be a positive integer"),
        ({"shuffle": "batches"}, r"`shuffle` must be True or False.*Received: 'batches'"),
        ({"class_weight": {0: 1.0}}, r"`class_weight` needs labels"),
        (
            {"y": np.zeros((5, 3)), "sample_weight": np.zeros((5, 2))},
            r"one weight per sample, shape \(5,\).*shape is \(5, 3\)\. Received: shape \(5, 2\)",
        ),
        (
            {"y": [np.zeros(5), np.zeros(5)], "sample_weight": [np.zeros(5)]},
            r"`sample_weight` must be one array, or a nest of arrays shaped as `y`",
        ),
        (
            {"y": [np.zeros(5), np.zeros(5)], "sample_weight": np.zeros((5, 2))},
            r"With several outputs one `sample_weight` array must hold one weight per sample",
        ),
    ],
)
def test_wrong_data_are_refused_before_work_starts(arguments, message):
    with pytest.raises(ValueError, match=message):
        ArrayData(**{"x": np.zeros(5), **arguments})


def test_sample_weights_become_floats():
    data = ArrayData([1, 2], [0, 1], [1, 3])
    assert data.weights[0].dtype == np.float32
    assert data.weights[0].tolist() == [1, 3]


def test_class_weights_and_sample_weights_are_multiplied():
    data = ArrayData([1, 2, 3], [0, 1, 1], [1.0, 2.0, 3.0], class_weight={1: 10})
    assert data.sample_weight.tolist() == [1, 20, 30]
