"""Every function of `ops` in five readings: value, gradient, second gradient, symbol, program."""

import numpy as np
import pytest

from minikeras import ops
from minikeras.autodiff import Tape, Tensor, check_gradients
from minikeras.core import tree
from minikeras.graph import Symbol
from minikeras.program import Program, Recording

from .cases import CASES, WITHOUT_CASES

ALL = [
    pytest.param(c, id=f"{name}-{i}") for name, found in CASES.items() for i, c in enumerate(found)
]
SMOOTH = [
    p
    for p in ALL
    if p.values[0].smooth and any(np.asarray(a).dtype.kind == "f" for a in p.values[0].arrays)
]


def single(arrays):
    return [a.astype(np.float32) if a.dtype == np.float64 else a for a in arrays]


def test_every_public_function_has_cases():
    assert set(ops.__all__) - WITHOUT_CASES == set(CASES)


@pytest.mark.parametrize("case", ALL)
def test_value_is_that_of_numpy(case):
    result, expected = np.asarray(case.call(*case.arrays)), np.asarray(case.expected(*case.arrays))
    assert result.shape == expected.shape
    np.testing.assert_allclose(result, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("case", ALL)
def test_float32_stays_float32(case):
    arrays = single(case.arrays)
    result, expected = case.call(*arrays), np.asarray(case.expected(*arrays))
    assert np.dtype(result.dtype) != np.float64
    if expected.dtype.kind == "f":
        assert np.dtype(result.dtype) == np.float32
    np.testing.assert_allclose(result, expected, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("case", SMOOTH)
def test_gradient_is_that_of_finite_differences(case):
    check_gradients(case.call, *case.arrays, tolerance=1e-6)


@pytest.mark.parametrize("case", [p for p in SMOOTH if p.values[0].smooth > 1])
def test_gradient_of_the_gradient_is_that_of_finite_differences(case):
    check_gradients(case.call, *case.arrays, order=2)


@pytest.mark.parametrize("case", [p for p in ALL if p.values[0].symbolic])
@pytest.mark.parametrize("open_batch", [False, True], ids=["known", "open"])
def test_symbols_have_the_shape_of_the_result(case, open_batch):
    arrays = single(case.arrays)
    symbols = [
        Symbol((None, *a.shape[1:]) if open_batch and _common(arrays) else a.shape, a.dtype.name)
        for a in arrays
    ]
    try:
        symbol = case.call(*symbols)
    except ValueError:
        if not open_batch:
            raise
        pytest.skip("needs its first extent")
    result = np.asarray(case.call(*arrays))
    assert isinstance(symbol, Symbol)
    assert symbol.dtype == result.dtype.name
    assert len(symbol.shape) == result.ndim
    for inferred, real in zip(symbol.shape, result.shape, strict=True):
        assert inferred in (None, real)
        assert inferred is not None or open_batch


def _common(arrays):
    """Whether the first axis may be a batch: the same for all."""
    return len({a.shape[:1] for a in arrays}) == 1 and arrays[0].ndim > 1


@pytest.mark.parametrize("case", ALL)
def test_program_gives_the_same_bits(case):
    arrays = single(case.arrays)
    eager = [np.asarray(r) for r in tree.flatten(case.call(*arrays))]
    for replayed, result in zip(replay(case.call, arrays), eager, strict=True):
        assert replayed.dtype == result.dtype
        np.testing.assert_array_equal(replayed, result, strict=True)


@pytest.mark.parametrize("case", SMOOTH)
def test_program_gives_the_same_bits_of_gradients(case):
    arrays = single(case.arrays)

    def gradients(*values):
        with Tape() as tape:
            watched = [tape.watch(v) if np.dtype(v.dtype).kind == "f" else v for v in values]
            result = case.call(*watched)
        sources = [w for w in watched if isinstance(w, Tensor) and np.dtype(w.dtype).kind == "f"]
        found = tape.gradient(result, sources)
        return [np.zeros(()) if g is None else g for g in found]

    eager = [np.asarray(g) for g in gradients(*arrays)]
    for replayed, result in zip(replay(gradients, arrays), eager, strict=True):
        np.testing.assert_array_equal(replayed, result, strict=True)


def replay(function, arrays):
    """Results of a recorded program, whose second run must not differ from its first."""
    specs = [_spec(a) for a in arrays]
    recording = Recording.of(lambda *values: tree.flatten(function(*values)), specs)
    program = Program(recording)
    for _ in range(2):
        for buffer, array in zip(program.inputs, arrays, strict=True):
            np.copyto(buffer, array)
        program.run()
    return [np.asarray(o) for o in program.outputs]


def _spec(array):
    from minikeras.autodiff import Spec

    return Spec(array.shape, array.dtype.name)
