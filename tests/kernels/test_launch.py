"""Launches and programs: what they accept, in which order they run, and how they fail."""

import numpy as np
import pytest

from minikeras import kernels

from .processes import python


def relu(x, tasks=1):
    x = np.asarray(x, np.float32)
    y = np.full_like(x, np.nan)
    return kernels.launch("relu", x, y, tasks=tasks), y


def bad_labels():
    """A launch that fails with code 1."""
    p, loss = np.full((3, 4), 0.25, np.float32), np.zeros(3, np.float32)
    return kernels.launch("sparse_cross_entropy", p, np.array([0, 9, 1]), 1e-7, loss)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.zeros(3), np.zeros(3, np.float32), "'y'.*float64 array.*Received: float32"),
        (np.zeros((2, 2)), np.zeros(4), "'x'.*1 dimensions.*shape \\(2, 2\\)"),
        (np.zeros(6)[::2], np.zeros(3), "'x'.*contiguous.*not contiguous"),
        (np.zeros(3, np.int32), np.zeros(3), "'x'.*float32 array.*int32"),
        ([0.0, 1.0], np.zeros(2), "'x'.*Received: <class 'list'>"),
    ],
)
def test_unsuitable_arrays_are_refused_by_name(x, y, message):
    with pytest.raises(TypeError, match=message):
        kernels.launch("relu", x, y)


def test_a_read_only_output_is_refused():
    y = np.zeros(3, np.float32)
    y.flags.writeable = False
    with pytest.raises(TypeError, match="writeable.*read-only"):
        kernels.launch("relu", np.zeros(3, np.float32), y)


def test_wrong_names_counts_and_tasks_are_refused():
    with pytest.raises(ValueError, match="Unknown kernel 'rel'"):
        kernels.launch("rel", np.zeros(3))
    with pytest.raises(TypeError, match="takes 2 arguments \\(x, y\\).*Received: 1"):
        kernels.launch("relu", np.zeros(3))
    with pytest.raises(ValueError, match="at least one task.*tasks=0"):
        kernels.launch("relu", np.zeros(3), np.zeros(3), tasks=0)


def test_steps_run_in_order_with_callables_in_between():
    first, y = relu([-1, 2, 3])
    seen = []
    second = kernels.launch("relu", -y, z := np.zeros(3, np.float32))
    negative = second.arguments[0]

    def negate():
        seen.append(y.tolist())
        np.negative(y, out=negative)

    program = kernels.Program([first, negate, second])
    program.run()
    assert seen == [[0, 2, 3]]
    assert z.tolist() == [0, 0, 0]
    first.arguments[0][:] = [5, -6, 7]
    program.run()
    assert seen[1] == [5, 0, 7]


def test_numbers_of_a_bound_launch_can_be_changed_between_runs():
    x, z = np.ones(4, np.float32), np.zeros(4, np.float32)
    launch = kernels.launch("scale", x, 2.0, z)
    program = kernels.Program([launch])
    factor = program.word(launch, "a")
    program.run()
    assert z.tolist() == [2] * 4
    factor[0] = -0.5
    program.run()
    assert z.tolist() == [-0.5] * 4
    with pytest.raises(ValueError, match="'x'.*is an array"):
        program.word(launch, "x")


def test_a_failing_kernel_raises_its_name_and_code_and_stops_the_program():
    later, y = relu([1, 2])
    with pytest.raises(kernels.KernelError) as error:
        kernels.run([bad_labels(), later])
    assert (error.value.name, error.value.code) == ("sparse_cross_entropy", 1)
    assert np.isnan(y).all()


def test_an_exception_of_a_callable_reaches_the_caller():
    later, y = relu([1, 2])

    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kernels.run([stop, later])
    assert np.isnan(y).all()


TWINS = """
import numpy as np
from minikeras import kernels
from minikeras.kernels import KernelError
assert not kernels.compiled_available()
x, z = np.ones(4, np.float32), np.zeros(4, np.float32)
launch = kernels.launch("scale", x, 2.0, z, tasks=3)
program = kernels.Program([launch])
program.run()
program.word(launch, "a")[0] = 5
program.run()
assert z.tolist() == [5] * 4
p, loss = np.full((3, 4), 0.25, np.float32), np.zeros(3, np.float32)
try:
    kernels.run([kernels.launch("sparse_cross_entropy", p, np.array([0, 9, 1]), 1e-7, loss)])
except KernelError as error:
    print(error.name, error.code)
"""


def test_numpy_twins_run_where_numba_is_switched_off():
    assert python(TWINS, NUMBA_DISABLE_JIT="1") == "sparse_cross_entropy 1"


def test_numpy_twins_run_where_numba_is_not_installed(tmp_path):
    hidden = "import sys\nsys.modules['numba'] = sys.modules['llvmlite'] = None\n"
    assert python(hidden + TWINS, MINIKERAS_CACHE_DIR=str(tmp_path)) == "sparse_cross_entropy 1"


BROKEN = """
import numpy as np
from minikeras import kernels
from minikeras.kernels.compiled import _loader
def broken(*arguments):
    from minikeras.kernels.compiled.gemm import no_such_name
kernels.compiled_available()
_loader.compile_unit = broken
x = np.ones(3, np.float32)
try:
    kernels.run([kernels.launch("softplus", x, x.copy())])
except ImportError as error:
    print(error.name)
"""


def test_a_mistake_in_an_import_of_ours_is_no_missing_numba(tmp_path):
    if kernels.compiled_available():
        name = python(BROKEN, MINIKERAS_CACHE_DIR=str(tmp_path))
        assert name == "minikeras.kernels.compiled.gemm"
