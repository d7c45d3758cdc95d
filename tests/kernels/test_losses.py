"""Losses."""

import numpy as np
import pytest

from minikeras.kernels import TABLE, KernelError, launch, run

from . import checks

SHAPES = ((0, 3), (1, 1), (7, 3), (100, 10), (9, 65), (3, 1000))
EPS = 1e-7
NEEDS_LABELS = [n for n, s in TABLE["losses"].items() if "labels" in s]


def values(shape: tuple[int, int]) -> dict:
    """Arguments by name; a few probabilities are beyond the bounds of the clip."""
    rng = np.random.default_rng(shape)
    rows, width = shape
    p = rng.uniform(0.05, 0.9, shape)
    p[rng.random(shape) < 0.1] = 0
    p[rng.random(shape) < 0.1] = 0.99999999999
    p[:, 0] += 0.01
    labels = rng.integers(0, width, rows)
    soft = rng.uniform(0, 1, shape)
    soft[::2] = np.eye(width)[labels[::2]]
    logits = rng.normal(0, 3, shape)
    return {
        "g": rng.normal(0, 1, rows),
        "p": p,
        "t": soft,
        "labels": labels,
        "eps": EPS,
        "logits": logits,
        "probs": np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True),
        "loss": np.zeros(rows),
        "dp": p,
        "dz": p,
        "dlogits": p,
    }


def case(name: str, shape: tuple[int, int]) -> tuple:
    known = values(shape)
    if name.startswith("sigmoid"):
        known["p"] = known["logits"]
    if name.startswith("binary"):  # 1 - p of a p beside 1 is known to float64 alone
        known["p"] = np.minimum(known["p"], 0.99)
    if "softmax_then" in name:
        known["p"] = known["p"] / known["p"].sum(axis=1, keepdims=True)
    return tuple(known[argument] for argument in TABLE["losses"][name])


CASES = {name: [case(name, shape) for shape in SHAPES] for name in TABLE["losses"]}


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("name", TABLE["losses"])
def test_kernel_agrees_with_its_twin(name, floats):
    for arguments in CASES[name]:
        checks.check(name, floats, arguments, tolerance=4.0, absolute=20.0)


@pytest.mark.parametrize("name", NEEDS_LABELS)
@pytest.mark.parametrize("label", [-1, 3])
@pytest.mark.parametrize("tasks", [1, 4])
def test_label_out_of_range_is_an_error_of_kernel_and_twin(name, label, tasks):
    known = values((7, 3))
    known["labels"][5] = label
    arguments = checks.cast(name, [known[a] for a in TABLE["losses"][name]], "float32")
    with pytest.raises(KernelError) as error:
        run([launch(name, *arguments, tasks=tasks)])
    assert error.value.code == 1
    with pytest.raises(ValueError, match="less than 3"):
        checks.twin(name)(*arguments)


@pytest.mark.parametrize("name", [n for n in TABLE["losses"] if f"{n}_grad" in TABLE["losses"]])
def test_gradient_is_the_slope_of_the_loss(name):
    """Central differences in float64, away from the kinks."""
    known = values((6, 4))
    rng = np.random.default_rng(0)
    known["p"] = rng.uniform(0.1, 0.9, (6, 4))
    signature = TABLE["losses"][name]
    of = next(iter(signature))

    def loss(x):
        arguments = checks.cast(name, [{**known, of: x}[a] for a in signature], "float64")
        run([launch(name, *arguments)])
        return arguments[-1], arguments

    _, made = loss(known[of])
    known |= dict(zip(signature, made, strict=True))
    pull = f"{name}_grad"
    arguments = checks.cast(pull, [known[a] for a in TABLE["losses"][pull]], "float64")
    run([launch(pull, *arguments)])
    slope = arguments[-1]
    for j in range(4):
        step = np.zeros((6, 4))
        step[:, j] = 1e-6
        difference = (loss(known[of] + step)[0] - loss(known[of] - step)[0]) / 2e-6
        np.testing.assert_allclose(slope[:, j], known["g"] * difference, 1e-5, 1e-6)


@pytest.mark.parametrize("floats", checks.FLOATS)
def test_saturated_probability_has_the_clipped_loss_and_no_gradient(floats):
    p = np.array([[1, 0, 0]], floats)
    g, loss, dz = np.ones(1, floats), np.empty(1, floats), np.empty_like(p)
    for label in (0, 1):
        labels = np.array([label])
        name = "sparse_softmax_then_cross_entropy_grad"
        run([launch("sparse_cross_entropy", p, labels, EPS, loss)])
        run([launch(name, g, p, labels, EPS, dz)])
        bound = np.asarray(1 - EPS, floats)
        np.testing.assert_allclose(loss, -np.log(bound if label == 0 else EPS), rtol=1e-6)
        assert (dz == 0).all()


@pytest.mark.parametrize("floats", checks.FLOATS)
def test_binary_cross_entropy_is_clipped_in_the_working_type(floats):
    p, t = np.array([[0], [1], [1]], floats), np.array([[1], [0], [1]], floats)
    g, loss, dp = np.ones(3, floats), np.empty(3, floats), np.empty_like(p)
    run([launch("binary_cross_entropy", p, t, EPS, loss)])
    run([launch("binary_cross_entropy_grad", g, p, t, EPS, dp)])
    high = np.asarray(1 - EPS, floats)
    wanted = [-np.log(EPS), -np.log(1 - high), -np.log(high)]
    np.testing.assert_allclose(loss, wanted, rtol=1e-5)
    assert (dp == 0).all()
