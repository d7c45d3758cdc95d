"""Batches of iterables and of `PyDataset`s: passes, places, what is drawn and what is skipped."""

import numpy as np
import pytest

from minikeras.data import IndexedData, PyDataset, StreamData
from minikeras.utils import Sequence, pack_x_y_sample_weight, unpack_x_y_sample_weight


def numbers(places):
    return [int(place[0][0]) for place in places]


def items(count=6):
    return [(np.array([i]),) for i in range(count)]


class Drawn:
    """An iterable that tells what was drawn of it."""

    def __init__(self, count=6):
        self.drawn, self.count = [], count

    def __iter__(self):
        for item in items(self.count):
            self.drawn.append(int(item[0][0]))
            yield item


def test_a_pass_goes_over_all_batches_and_the_next_begins_anew():
    data = StreamData(Drawn())
    assert numbers(data.open(0)) == numbers(data.open(1)) == [0, 1, 2, 3, 4, 5]
    assert data.num_batches == 6


def test_the_example_is_not_drawn_twice():
    source = Drawn()
    data = StreamData(source)
    assert data.example()[0] == [0]
    assert data.example()[0] == [0]
    assert numbers(data.open(3)) == source.drawn == [0, 1, 2, 3, 4, 5]


def test_a_part_of_a_pass_goes_on_where_the_one_before_ended():
    source = Drawn()
    data = StreamData(source)
    assert numbers(data.open(0, 0, 2)) == [0, 1]
    assert numbers(data.open(0, 2, 4)) == [2, 3]
    assert source.drawn == [0, 1, 2, 3]
    assert numbers(data.open(0, 1, 3)) == [1, 2]  # back: anew
    assert numbers(data.open(1, 4)) == [4, 5]


def test_an_iterator_has_one_pass_and_skips_by_drawing():
    data = StreamData(iter(items()))
    assert data.once
    assert numbers(data.open(0, 2, 4)) == [2, 3]
    assert data.has_more()
    assert data.has_more(5)
    assert numbers(data.open(0, 5)) == [5]
    assert not data.has_more()


def test_a_kept_iterator_can_be_passed_over_again_and_is_drawn_no_further_than_needed():
    source = Drawn()
    data = StreamData(iter(source), keep=True)
    assert not data.once
    assert numbers(data.open(0, 0, 2)) == [0, 1]
    assert numbers(data.open(0, 0, 3)) == [0, 1, 2]
    assert source.drawn == [0, 1, 2]
    assert numbers(data.open(0)) == numbers(data.open(0)) == [0, 1, 2, 3, 4, 5]
    assert source.drawn == [0, 1, 2, 3, 4, 5]


class Squares(PyDataset):
    def __init__(self, count=6, **options):
        super().__init__(**options)
        self.count, self.asked = count, []

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        self.asked.append(index)
        return (np.array([index]),)


@pytest.mark.parametrize("workers", [0, 1, 2, 4])
def test_a_dataset_is_asked_for_the_batches_of_a_part_only(workers):
    dataset = Squares(workers=workers)
    data = IndexedData(dataset)
    assert numbers(data.open(0, 2, 5)) == [2, 3, 4]
    assert sorted(dataset.asked) == [2, 3, 4]
    assert numbers(data.open(7)) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("workers", [1, 3])
def test_the_order_of_a_dataset_depends_on_seed_and_pass_alone(workers):
    data = IndexedData(Squares(20, workers=workers), shuffle=True, seed=5)
    orders = [numbers(data.open(number)) for number in range(3)]
    assert all(sorted(order) == list(range(20)) for order in orders)
    assert orders[0] != orders[1] != orders[2]
    again = IndexedData(Squares(20), shuffle=True, seed=5)
    assert numbers(again.open(2, 8)) == orders[2][8:]
    assert numbers(IndexedData(Squares(20), shuffle=True, seed=6).open(2)) != orders[2]


def test_a_dataset_of_somebody_else_with_the_same_methods_is_one():
    class Foreign:
        def __len__(self):
            return 3

        def __getitem__(self, index):
            return [np.array([index]), np.array([index])]

        def on_epoch_end(self):
            pass

    assert numbers(IndexedData(Foreign()).open(0)) == [0, 1, 2]


def test_arguments_of_a_dataset_are_checked_and_have_defaults_without_its_constructor():
    class Forgets(PyDataset):
        def __init__(self):
            pass

    assert (Forgets().workers, Forgets().max_queue_size) == (1, 10)
    assert not Forgets().use_multiprocessing
    assert Sequence is PyDataset
    with pytest.raises(ValueError, match="Squares: `workers`"):
        Squares(workers=-1)
    with pytest.raises(ValueError, match="`max_queue_size` must be a positive integer"):
        Squares(max_queue_size=0)
    with pytest.raises(NotImplementedError, match="Forgets must define `__len__`"):
        _ = Forgets().num_batches
    with pytest.raises(NotImplementedError, match="must define `__getitem__"):
        Forgets()[0]


def test_a_dataset_can_be_iterated_by_hand():
    assert numbers(Squares(3)) == [0, 1, 2]


def test_packing_and_unpacking_are_inverse():
    x, y, w = np.zeros(2), np.ones(2), np.full(2, 0.5)
    assert unpack_x_y_sample_weight(pack_x_y_sample_weight(x, y, w)) == (x, y, w)
    assert unpack_x_y_sample_weight(pack_x_y_sample_weight(x, y)) == (x, y, None)
    assert unpack_x_y_sample_weight(pack_x_y_sample_weight(x)) == (x, None, None)
    assert pack_x_y_sample_weight([x, y]) == ([x, y],)
    with pytest.raises(ValueError, match="a tuple of length 4"):
        unpack_x_y_sample_weight((x, y, w, w))
