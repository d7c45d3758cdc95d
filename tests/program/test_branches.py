"""Conditions that are decided at each replay, and arrays that are handed over to effects."""

import numpy as np
import pytest

from minikeras import ops
from minikeras.autodiff import Spec, Variable
from minikeras.autodiff.context import NotReplayableError, context
from minikeras.program import Program, Recording


def f32(*values):
    return np.array(values, np.float32)


def program_of(function, *specs):
    return Program(Recording.of(function, [Spec(shape, "float32") for shape in specs]))


def test_a_branch_runs_what_its_condition_chooses_at_each_replay():
    v, count = Variable(f32(1)), [0]

    def step():
        context.recorder.branch(
            lambda: count[0] % 2 == 0, lambda: v.assign(v * 10), lambda: v.assign(v + 1)
        )
        return [v * 1]

    program = program_of(step)
    seen = []
    for _ in range(4):
        program.run()
        seen.append(float(program.outputs[0][0]))
        count[0] += 1
    assert seen == [10, 11, 110, 111]


def test_what_was_read_before_a_branch_keeps_its_value():
    v = Variable(f32(1))

    def step():
        before = v * 1
        old = v.value
        context.recorder.branch(lambda: True, lambda: v.assign(v + 1), lambda: None)
        return [before, old + 0, v * 1]

    program = program_of(step)
    program.run()
    assert [float(o[0]) for o in program.outputs] == [1, 1, 2]


def test_a_branch_runs_its_own_beginning_and_end():
    told = []

    def inside():
        context.recorder.prologue.append(lambda: told.append("begin"))
        context.recorder.effect("middle", [lambda: told.append("middle")], ())
        context.recorder.epilogue.append(lambda: told.append("end"))

    program = program_of(lambda: context.recorder.branch(lambda: True, inside, inside) or [])
    program.run()
    assert told == ["begin", "middle", "end"]


def test_programs_of_one_recording_have_their_own_branches():
    v = Variable(f32(0))

    def step(x):
        context.recorder.branch(lambda: True, lambda: v.assign(v + 1), lambda: None)
        return [x + v]

    recording = Recording.of(step, [Spec((1,), "float32")])
    for program in (Program(recording), Program(recording)):
        program.inputs[0][:] = 0
        program.run()
    assert v.numpy() == 2
    assert program.outputs[0] == 2


def test_reading_a_value_in_a_branch_cannot_be_replayed():
    v = Variable(f32(1))

    def step():
        v.assign(v + 1)
        context.recorder.branch(lambda: True, lambda: v.numpy(), lambda: None)
        return []

    with pytest.raises(NotReplayableError, match="read after"):
        program_of(step)
    assert context.recorder is None


@pytest.mark.parametrize("read_later", [False, True])
def test_who_reads_a_pinned_tensor_after_an_effect_gets_what_it_was(read_later):
    array, v = np.zeros(2, np.float32), Variable(f32(0, 0))

    def step(x):
        double = x * 2
        context.recorder.pin(double, array)
        context.recorder.effect("spoil", [lambda: array.fill(-1)], ())
        v.assign(v + 1)  # a Variable overwritten behind it
        return [ops.exp(x), double + 1 if read_later else x, v * 1]

    program = program_of(step, (2,))
    program.inputs[0][:] = [3, 4]
    program.run()
    expected = [7, 9] if read_later else [3, 4]
    np.testing.assert_array_equal(program.outputs[1], expected)
    np.testing.assert_array_equal(program.outputs[2], [1, 1])
    assert (array == -1).all()


def test_a_pinned_tensor_may_be_returned():
    array = np.zeros(2, np.float32)

    def step(x):
        double = x * 2
        context.recorder.pin(double, array)
        context.recorder.effect("spoil", [lambda: array.fill(-1)], ())
        return [double]

    program = program_of(step, (2,))
    program.inputs[0][:] = [3, 4]
    program.run()
    np.testing.assert_array_equal(program.outputs[0], [6, 8])


def test_a_tensor_pinned_twice_is_in_both_arrays():
    arrays = np.zeros((2, 2), np.float32)

    def step(x):
        double = x * 2
        for array in arrays:
            context.recorder.pin(double, array)
        context.recorder.effect("nothing", [], ())
        return []

    program = program_of(step, (2,))
    program.inputs[0][:] = [3, 4]
    program.run()
    np.testing.assert_array_equal(arrays, [[6, 8], [6, 8]])
