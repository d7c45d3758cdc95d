"""Results computed ahead by threads: in order, bounded, and without a thread left behind."""

import threading
import time

import pytest

from minikeras.data.workers import Ahead


def threads():
    return [t for t in threading.enumerate() if t.name.startswith("minikeras-data")]


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_results_come_in_the_order_of_the_items(workers):
    def slower_first(item):
        time.sleep(0.002 * (item % 3 == 0))
        return item

    with Ahead(slower_first, range(30), workers=workers, ahead=4) as results:
        assert list(results) == list(range(30))
        with pytest.raises(StopIteration):
            next(results)
    assert threads() == []


@pytest.mark.parametrize(("workers", "ahead"), [(1, 1), (2, 3), (5, 2)])
def test_no_more_is_computed_ahead_than_was_allowed(workers, ahead):
    started, lock = [], threading.Lock()

    def work(item):
        with lock:
            started.append(item)
        return item

    with Ahead(work, iter(range(100)), workers=workers, ahead=ahead) as results:
        for given in range(10):
            assert next(results) == given
            time.sleep(0.002)
            assert len(started) <= given + 1 + ahead
    assert threads() == []


def test_an_error_is_raised_in_its_place_and_ends_the_threads():
    def work(item):
        if item == 3:
            raise KeyError("three")
        return item

    results = Ahead(work, range(9), workers=3, ahead=9)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(KeyError, match="three") as caught:
        next(results)
    assert "work" in [entry.name for entry in caught.traceback]
    assert threads() == []
    with pytest.raises(StopIteration):
        next(results)


def test_an_error_of_the_items_comes_after_the_items_before_it():
    def items():
        yield 1
        raise ValueError("no more")

    results = Ahead(abs, items(), workers=2, ahead=5)
    assert next(results) == 1
    with pytest.raises(ValueError, match="no more"):
        next(results)
    assert threads() == []


def test_closing_waits_for_what_is_under_way_and_can_be_repeated():
    done = []

    def work(item):
        time.sleep(0.01)
        done.append(item)

    results = Ahead(work, range(100), workers=2, ahead=4)
    next(results)
    results.close()
    count = len(done)
    assert threads() == []
    time.sleep(0.02)
    assert len(done) == count < 10
    results.close()


def test_nothing_to_do_ends_at_once():
    with Ahead(abs, [], workers=3, ahead=2) as results:
        assert list(results) == []
    assert threads() == []
