"""Kernels that copy rows."""

import numpy as np
import pytest

from minikeras.kernels import TABLE, KernelError, launch, run

from . import checks

SHAPES = ((0, 3), (3, 0), (1, 1), (7, 5), (33, 100), (100, 784))


def case(name: str, shape: tuple[int, int]) -> tuple:
    rng = np.random.default_rng(shape)
    rows, width = shape
    known = {
        "source": rng.integers(0, 200, (50, width)),
        "index": rng.integers(0, 50, rows + 4),
        "start": 3,
        "out": np.zeros(shape),
    }
    if name == "copy_rows":
        known["source"] = rng.integers(0, 200, (rows + 3, width))
    return tuple(known[argument] for argument in TABLE["rows"][name])


CASES = {name: [case(name, shape) for shape in SHAPES] for name in TABLE["rows"]}


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("name", TABLE["rows"])
def test_kernel_agrees_with_its_twin(name, floats):
    for arguments in CASES[name]:
        checks.check(name, floats, arguments)


def failure(name: str, arguments: list) -> int:
    """Error code of the kernel, which must also be the twin's."""
    with pytest.raises(KernelError) as error:
        run([launch(name, *arguments)])
    with pytest.raises(ValueError, match="rows|Rows") as twins:
        checks.twin(name)(*arguments)
    assert error.value.code == twins.value.args[1]
    return error.value.code


@pytest.mark.parametrize("name", [n for n in TABLE["rows"] if n.startswith("gather")])
@pytest.mark.parametrize(
    ("index", "start", "code"),
    [([0, 50, 1], 0, 1), ([0, -1, 1], 0, 1), ([0, 1, 2], 1, 2), ([0, 1, 2], -1, 2)],
)
def test_index_or_range_that_does_not_exist_is_an_error(name, index, start, code):
    source, _, _, out = checks.cast(name, case(name, (3, 4)), "float32")
    assert failure(name, [source, np.array(index), start, out]) == code


@pytest.mark.parametrize("start", [-1, 4])
def test_rows_behind_the_end_are_an_error(start):
    source, _, out = checks.cast("copy_rows", case("copy_rows", (3, 4)), "float32")
    assert failure("copy_rows", [source, start, out]) == 2


def test_one_bound_launch_copies_batch_after_batch():
    source = np.arange(12, dtype=np.uint8).reshape(6, 2)
    out = np.empty((2, 2), np.uint8)
    batch = launch("gather_rows", source, np.arange(6)[::-1].copy(), 0, out)
    start = batch.word("start")
    for first in (0, 2, 4):
        start[0] = first
        run([batch])
        assert (out == source[::-1][first : first + 2]).all()
