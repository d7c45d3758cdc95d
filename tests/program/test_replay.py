"""Recorded programs compute what eager calls compute, to the last bit."""

import threading

import numpy as np
import pytest

from minikeras import Variable, ops
from minikeras.autodiff import Spec, Tape, Tensor
from minikeras.program import Program, Recording, Replayed
from minikeras.program.replay import KEPT


def floats(rng, *shape):
    return rng.standard_normal(shape).astype("float32")


def test_a_replayed_function_gives_the_bits_of_the_eager_one(rng):
    w = floats(rng, 3, 4)

    def function(x):
        return [ops.softmax(ops.matmul(x, w) * 2.0 + 1.0), ops.sum(x)]

    x = floats(rng, 5, 3)
    replayed = Replayed(function)
    for _ in range(3):
        got = replayed(x)
        want = function(x)
        for a, b in zip(got, want, strict=True):
            np.testing.assert_array_equal(a, b)


def test_reads_see_what_was_written_before_them_and_nothing_later(rng):
    def function(v, x):
        before = v.value
        v.assign(v + ops.sum(x))
        middle = v * 1.0
        v.assign(v * 2.0)
        return [before + 0.0, middle, v * 1.0, before * 3.0]

    x = floats(rng, 4)
    eager, recorded = Variable([1.0, 2.0]), Variable([1.0, 2.0])
    replayed = Replayed(lambda x: function(recorded, x))
    for _ in range(3):
        got = replayed(x)
        with Tape():
            want = [t.value for t in function(eager, Tensor(x))]
        for a, b in zip(got, want, strict=True):
            np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(eager.numpy(), recorded.numpy())


def test_results_are_copies_that_later_runs_leave_alone(rng):
    replayed = Replayed(lambda x: [x * 2.0])
    first = replayed(np.ones(3, "float32"))[0]
    replayed(np.zeros(3, "float32"))
    np.testing.assert_array_equal(first, [2, 2, 2])


def test_each_shape_has_a_program_of_its_own():
    replayed = Replayed(lambda x: [ops.sum(x, axis=0)])
    assert replayed(np.ones((2, 3), "float32"))[0].tolist() == [2, 2, 2]
    assert replayed(np.ones((5, 3), "float32"))[0].tolist() == [5, 5, 5]


def test_the_shapes_used_lately_are_remembered_and_older_ones_forgotten():
    recorded = []

    def function(x):
        recorded.append(x.shape[0])
        return [x + 1.0]

    replayed = Replayed(function)
    for rows in range(1, 2 * KEPT):
        replayed(np.ones(rows, "float32"))
        replayed(np.ones(1, "float32"))
    assert recorded == list(range(1, 2 * KEPT))
    assert len(replayed._recordings) == len(replayed._free) == KEPT
    replayed(np.ones(2, "float32"))
    assert recorded[-1] == 2


@pytest.mark.parametrize("read", [float, int, bool, np.asarray, lambda t: t.item()])
def test_a_function_that_reads_values_is_refused_with_its_line(read):
    def function(x):
        total = ops.sum(x)
        read(total)
        return [total]

    replayed = Replayed(function)
    with pytest.warns(UserWarning, match="runs eagerly") as caught:
        assert replayed(np.ones(3, "float32")) is None
    assert "test_replay.py" in str(caught[0].message)


def test_nothing_is_computed_or_written_while_recording():
    v = Variable([1.0])

    def function(x):
        v.assign(v + x)
        return [v * 1.0]

    Recording.of(function, [Spec((1,), "float32")])
    assert v.numpy() == 1.0


def test_work_that_no_result_needs_is_left_out():
    def function(x):
        ops.exp(x)
        return [x + 1.0]

    recording = Recording.of(function, [Spec((3,), "float32")])
    assert [i.primitive.name for i in recording.instructions] == ["add"]


def test_buffers_are_shared_by_values_that_do_not_live_at_the_same_time():
    def function(x):
        for _ in range(20):
            x = ops.sqrt(ops.exp(x))
        return [x]

    recording = Recording.of(function, [Spec((1000,), "float32")])
    assert Program(recording).nbytes <= 4 * 4096


def test_concurrent_callers_get_buffers_of_their_own(rng):
    def function(x):
        return [ops.sum(ops.exp(x * 2.0), axis=1)]

    replayed = Replayed(function)
    xs = [floats(rng, 64, 50) for _ in range(8)]
    wrong = []

    def work(x):
        want = function(x)[0]
        for _ in range(50):
            if not np.array_equal(replayed(x)[0], want):
                wrong.append(1)

    threads = [threading.Thread(target=work, args=(x,)) for x in xs]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert not wrong
