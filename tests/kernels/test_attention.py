"""Attention kernels."""

import numpy as np
import pytest

from minikeras.kernels import TABLE, launch, run

from . import checks

NONE = np.zeros((0, 0, 0, 0))
# batch, queries, keys, heads, key heads, size, width; shape of the mask; causal; rate
SHAPES = [
    ((1, 1, 1, 1, 1, 1, 1), None, 0, 0.0),
    ((2, 3, 5, 3, 1, 5, 4), (1, 1, 1), 0, 0.0),
    ((2, 17, 17, 2, 2, 8, 3), None, 1, 0.0),
    ((3, 9, 4, 4, 2, 5, 7), (3, 4, 9), 1, 0.0),
    ((1, 100, 33, 1, 1, 16, 16), (1, 1, 100), 0, 0.4),
    ((2, 40, 50, 2, 1, 32, 17), (2, 1, 1), 0, 0.2),
    ((1, 7, 40000, 1, 1, 2, 3), None, 1, 0.0),
]


def known(shape, mask, causal, rate, empty=0) -> dict:
    batch, queries, keys, heads, key_heads, size, width = shape
    rng = np.random.default_rng(shape)
    shown = NONE if mask is None else rng.integers(0, 3, (*mask, keys)) > 0
    if mask is not None:
        shown[..., 0] = True  # each query sees something
    found = {
        "q": rng.normal(0, 1, (batch, queries, heads, size)),
        "k": rng.normal(0, 1, (batch, keys, key_heads, size)),
        "v": rng.normal(0, 1, (batch, keys, key_heads, width)),
        "g": rng.normal(0, 1, (batch, queries, heads, width)),
        "mask": shown,
        "key": [4711],
        "scale": 0.3,
        "causal": causal,
        "empty": empty,
        "rate": rate,
        "out": np.zeros((batch, queries, heads, width)),
        "largest": np.zeros((batch, heads, queries)),
        "total": np.zeros((batch, heads, queries)),
        "dq": np.zeros((batch, queries, heads, size)),
        "dk": np.zeros((batch, keys, key_heads, size)),
        "dv": np.zeros((batch, keys, key_heads, width)),
    }
    ready = checks.cast("attention", arguments("attention", found), "float64")
    checks.twin("attention")(*ready)
    return found | {"largest": ready[-2], "total": ready[-1]}


def arguments(name: str, found: dict) -> tuple:
    return tuple(found[argument] for argument in TABLE["attention"][name])


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("name", TABLE["attention"])
def test_kernel_agrees_with_its_twin(name, floats):
    for case in SHAPES:
        checks.check(name, floats, arguments(name, known(*case)), tolerance=20)


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("empty", [0, 1])
def test_queries_that_see_no_key_take_all_values_alike_or_none(empty, floats):
    found = known((2, 5, 6, 2, 1, 4, 3), (2, 1, 5), 0, 0.0, empty)
    found["mask"][1, 0, 3] = False
    ready = checks.cast("attention", arguments("attention", found), floats)
    run([launch("attention", *ready)])
    v, out, largest, total = ready[2], *ready[-3:]
    wanted = np.zeros(3) if empty else v[1, :, 0].mean(0)
    for head in range(2):
        np.testing.assert_allclose(out[1, 3, head], wanted, rtol=1e-5, atol=1e-6)
    found |= {"largest": largest, "total": total}
    ready = checks.cast("attention_grad", arguments("attention_grad", found), floats)
    run([launch("attention_grad", *ready)])
    twins = checks.cast("attention_grad", arguments("attention_grad", found), floats)
    checks.twin("attention_grad")(*twins)
    assert (ready[-3][1, 3] == 0).all()
    for made, wanted in zip(ready[-3:], twins[-3:], strict=True):
        np.testing.assert_allclose(made, wanted, rtol=1e-4, atol=1e-5)


def test_nan_reaches_the_results_that_see_it_and_no_others():
    found = known((1, 4, 4, 1, 1, 3, 3), None, 1, 0.0)
    found["k"][0, 2] = np.nan
    ready = checks.cast("attention", arguments("attention", found), "float32")
    run([launch("attention", *ready)])
    assert np.isnan(ready[-3][0]).any(axis=(1, 2)).tolist() == [False, False, True, True]
