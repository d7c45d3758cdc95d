"""Recorded programs: the same as running eagerly, for values, Variables and effects."""

import numpy as np
import pytest

from minikeras import ops
from minikeras.autodiff import Spec, Tape, Variable
from minikeras.autodiff.context import NotReplayableError
from minikeras.ops import weighted
from minikeras.program import Program, Recording, Replayed


def f32(*values):
    return np.array(values, np.float32)


def recorded(function, *arrays):
    return Program(Recording.of(function, [Spec(a.shape, a.dtype.name) for a in arrays]))


def run(program, *arrays):
    for buffer, array in zip(program.inputs, arrays, strict=True):
        np.copyto(buffer, array)
    program.run()
    return [np.array(o) for o in program.outputs]


def test_replays_with_other_inputs():
    program = recorded(lambda x, y: [x * y + 1], f32(1, 1), f32(1, 1))
    np.testing.assert_array_equal(run(program, f32(1, 2), f32(3, 4))[0], [4, 9])
    np.testing.assert_array_equal(run(program, f32(5, 6), f32(1, 0))[0], [6, 1])


def test_scalars_keep_having_no_axes():
    program = recorded(lambda x: [ops.exp(ops.sum(x)) * 2], f32(0, 0))
    (result,) = run(program, f32(0, 0))
    assert result.shape == ()
    assert result == 2


def test_variables_are_read_at_each_replay():
    v = Variable(f32(1))
    program = recorded(lambda x: [x * v], f32(1))
    assert run(program, f32(3))[0] == 3
    v.assign([10.0])
    assert run(program, f32(3))[0] == 30


def test_variables_are_written_at_each_replay():
    v = Variable(f32(0))

    def step(x):
        v.assign(v + x)
        return [v * 2]

    program = recorded(step, f32(1))
    assert v.numpy() == 0
    assert run(program, f32(3))[0] == 6
    assert run(program, f32(1))[0] == 8
    assert v.numpy() == 4


@pytest.mark.parametrize("used_before", [True, False])
def test_a_value_read_before_a_write_is_still_the_old_one_after_it(used_before):
    v = Variable(f32(1))

    def step(x):
        old = v.value
        early = old * 1 if used_before else x
        v.assign(v + x)
        return [old * 100, early, v * 1]

    program = recorded(step, f32(1))
    old, _, new = run(program, f32(5))
    assert (old, new) == (100, 6)
    old, _, new = run(program, f32(5))
    assert (old, new) == (600, 11)


def test_each_version_of_a_variable_written_twice_is_kept():
    v = Variable(f32(1))

    def step(x):
        first = v.value
        v.assign(v + x)
        second = v.value
        v.assign(v + x)
        return [first + 0, second + 0, v + 0]

    program = recorded(step, f32(1))
    assert [float(r[0]) for r in run(program, f32(10))] == [1, 11, 21]
    assert [float(r[0]) for r in run(program, f32(10))] == [21, 31, 41]


def test_gradients_are_recorded_too():
    w = Variable(f32(2, 3))

    def step(x):
        with Tape() as tape:
            tape.watch(w)
            loss = ops.sum(ops.square(w * x))
        (dw,) = tape.gradient(loss, [w])
        w.assign_sub(dw * 0.1)
        return [loss]

    program = recorded(step, f32(1, 1))
    assert run(program, f32(1, 2))[0] == 40
    np.testing.assert_allclose(w.numpy(), [1.6, 0.6], rtol=1e-6)


def test_a_running_mean_in_a_program():
    total, count = Variable(np.float32(0)), Variable(np.float32(0))

    def step(x):
        weighted.mean_update(total, count, x)
        return []

    program = recorded(step, f32(1, 1))
    for values in (f32(1, 2), f32(3, 6)):
        run(program, values)
    assert (float(total), float(count)) == (12, 4)


def test_what_nobody_needs_is_not_computed():
    def step(x):
        ops.exp(x)
        return [x * 2]

    recording = Recording.of(step, [Spec((2,), "float32")])
    assert [i.primitive.name for i in recording.instructions] == ["multiply"]


def test_buffers_are_shared_by_values_that_do_not_live_together():
    def step(x):
        for _ in range(20):
            x = ops.exp(x)
        return [x]

    program = recorded(step, np.zeros(10_000, np.float32))
    assert program.nbytes <= 40_000 * 4


@pytest.mark.parametrize(
    "read",
    [
        lambda x: float(ops.sum(x)),
        lambda x: bool(x[0] > 0),
        lambda x: np.asarray(x),
        lambda x: x.numpy(),
        lambda x: int(x[0]),
        lambda x: x[0].item(),
    ],
)
def test_reading_a_value_means_that_it_cannot_be_replayed(read):
    words = "was read while a step was being recorded|whose value is not known yet"
    with pytest.raises(NotReplayableError, match=words):
        Recording.of(lambda x: [x * read(x)], [Spec((2,), "float32")])


def test_a_function_that_reads_values_is_reported_once_by_its_line():
    replayed = Replayed(lambda x: [x * float(ops.sum(x))])
    with pytest.warns(UserWarning, match=r"test_recording.py, line \d+.*float\(ops.sum\(x\)\)"):
        assert replayed(f32(1, 2)) is None
    assert replayed(f32(1, 2)) is None


def test_results_of_replayed_functions_are_copies():
    replayed = Replayed(lambda x: [x * 2])
    (first,) = replayed(f32(1))
    (second,) = replayed(f32(5))
    assert (first, second) == (2, 10)


def test_conditions_on_traced_values_are_decided_at_each_replay():
    program = recorded(lambda x: [ops.cond(ops.sum(x) > 0, lambda: x + 1, lambda: x - 1)], f32(1))
    assert run(program, f32(3))[0] == 4
    assert run(program, f32(-3))[0] == -4


def test_recording_inside_recording_is_refused():
    def outer(x):
        Recording.of(lambda y: [y], [Spec((1,), "float32")])
        return [x]

    with pytest.raises(RuntimeError, match="recorded already"):
        Recording.of(outer, [Spec((1,), "float32")])
