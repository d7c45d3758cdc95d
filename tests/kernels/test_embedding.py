"""Kernels that look up rows of a table, and sum back into it."""

import numpy as np
import pytest

from minikeras.kernels import TABLE, KernelError, launch, run

from . import checks

SHAPES = ((0, 3, 5), (1, 1, 1), (7, 5, 3), (100, 17, 9), (50, 70, 200), (300, 200, 4))


def case(name: str, shape: tuple[int, int, int]) -> tuple:
    numbers, width, rows = shape
    rng = np.random.default_rng(shape)
    known = {
        "ids": rng.integers(-rows, rows, numbers) + (0.3 if "float" in name else 0),
        "rows": rows,
        "index": rng.integers(0, rows, numbers),
        "g": rng.normal(0, 1, (numbers, width)),
        "table": rng.normal(0, 1, (rows, width)),
        "x": np.ones(numbers * width),
        "value": 1,
        "marks": rng.integers(0, 2, rows),
        "following": np.zeros(numbers),
        "places": np.zeros(rows),
        "positions": np.zeros(rows),
        "numbers": np.zeros(rows),
        "near": np.array([-1]),
    }
    return tuple(known[argument] for argument in TABLE["embedding"][name])


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("name", TABLE["embedding"])
def test_kernel_agrees_with_its_twin(name, floats):
    for shape in SHAPES:
        checks.check(name, floats, case(name, shape), tolerance=20)


@pytest.mark.parametrize("name", [n for n in TABLE["embedding"] if n != "clear"])
@pytest.mark.parametrize("wrong", [9, 10**9, -10, -(2**31)])
def test_a_number_that_is_no_row_is_an_error(name, wrong):
    arguments = checks.cast(name, case(name, (20, 4, 9)), "float32")
    at = list(TABLE["embedding"][name]).index("ids" if name.startswith("row") else "index")
    if name.startswith("row"):
        arguments[2] = np.zeros(20, np.int64)
    else:
        arguments[at][:] = 3
    arguments[at][13] = wrong
    with pytest.raises(KernelError, match="no row of the table"):
        run([launch(name, *arguments)])
    with pytest.raises(ValueError, match="not in the table"):
        checks.twin(name)(*arguments)


def test_numbers_that_are_no_numbers_are_no_rows():
    for wrong in (np.nan, np.inf, -np.inf, 1e30):
        with pytest.raises(KernelError):
            run([launch("row_numbers_float", np.float32([1, wrong]), 9, np.zeros(2, np.int64))])


def test_fractions_are_cut_and_negative_numbers_count_from_the_end():
    index = np.zeros(5, np.int64)
    run([launch("row_numbers_float", np.array([1.9, -0.9, -1, -5.9, 4.99]), 5, index)])
    assert index.tolist() == [1, 0, 4, 0, 4]


def chain(index, rows, room, near):
    """What `chain_rows` makes of numbers of rows, given how many rows have numbers (or -1)."""
    following, places = np.zeros(len(index), np.int32), np.zeros(rows, np.int32)
    positions, numbers = np.zeros(rows, np.int32), np.zeros(room, np.int32)
    marks, count = np.zeros(rows, np.uint8), np.array([near])
    arguments = [np.array(index), following, places, marks, positions, numbers, count]
    twin = [a.copy() for a in arguments]
    run([launch("chain_rows", *arguments, tasks=2)])
    checks.twin("chain_rows")(*twin)
    for ours, wanted in zip(arguments, twin, strict=True):
        np.testing.assert_array_equal(ours, wanted)
    return [a.tolist() for a in arguments[1:]]


def test_the_places_of_a_row_follow_each_other_in_order():
    following, places, marks, *_ = chain([2, 0, 2, 1, 2], 4, 0, -1)
    assert places == [2, 4, 1, 0]
    assert following == [3, 0, 5, 0, 0]
    assert marks == [1, 1, 1, 0]


def test_rows_that_are_near_have_places_under_numbers_of_their_own():
    following, places, marks, positions, numbers, near = chain([2, 0, 2, 3, 2], 4, 3, 0)
    assert numbers == [2, 3, 0]
    assert positions == [3, 0, 1, 2]
    assert places == [1, 4, 2, 0]
    assert following == [3, 0, 5, 0, 0]
    assert near == [3]
    assert marks == [0, 0, 0, 0]


def test_more_near_rows_than_there_is_room_for_are_an_error():
    with pytest.raises(KernelError):
        chain([0, 1, 2], 4, 2, 0)
