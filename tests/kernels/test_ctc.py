"""Connectionist temporal classification."""

import itertools

import numpy as np
import pytest

from minikeras.kernels import TABLE, KernelError, launch, run

from . import checks

NONE = np.zeros(0)


def arguments(seed: int, batch: int, frames: int, classes: int, most: int, given: bool) -> dict:
    """Arguments by name; states and gradients of a launch that has been run."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(1, classes, (batch, most)) if classes > 1 else np.zeros((batch, most))
    counts = rng.integers(0, most + 1, batch)
    labels[np.arange(most) >= counts[:, None]] = 0
    known = {
        "g": rng.normal(0, 1, batch),
        "logits": rng.normal(0, 2, (batch, frames, classes)),
        "labels": labels,
        "lengths": counts if given else NONE,
        "frames": rng.integers(0, frames + 1, batch) if given else NONE,
        "blank": 0,
        "norms": np.zeros((batch, frames)),
        "alphas": np.zeros((batch, frames + 1, 2 * most + 1)),
        "loss": np.zeros(batch),
        "dlogits": np.zeros((batch, frames, classes)),
    }
    ready = checks.cast("ctc", [known[a] for a in TABLE["ctc"]["ctc"]], "float64")
    run([launch("ctc", *ready)])
    return known | {"norms": ready[5], "alphas": ready[6]}


def cases(name: str) -> list[tuple]:
    shapes = [(0, 3, 4, 2), (1, 1, 1, 0), (5, 8, 5, 3), (9, 12, 4, 4), (2, 3, 3, 6)]
    found = [
        arguments(seed, *shape, given) for seed, shape in enumerate(shapes) for given in (0, 1)
    ]
    return [tuple(known[a] for a in TABLE["ctc"][name]) for known in found]


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("name", TABLE["ctc"])
def test_kernel_agrees_with_its_twin(name, floats):
    tolerance = {"float32": 20, "float64": 2e4}[floats]  # what cannot be is 1e5, in float64
    for given in cases(name):
        checks.check(name, floats, given, tolerance)


def read(path: tuple[int, ...]) -> list[int]:
    """The labels that frames stand for: runs count once, blanks not at all."""
    return [c for c, _ in itertools.groupby(path) if c != 0]


def test_probability_is_the_sum_over_all_ways_to_read_the_labels():
    known = arguments(4, 6, 5, 3, 3, True)
    given = checks.cast("ctc", [known[a] for a in TABLE["ctc"]["ctc"]], "float64")
    run([launch("ctc", *given)])
    exp = np.exp(known["logits"])
    p = exp / exp.sum(-1, keepdims=True)
    for b, (count, last) in enumerate(zip(known["lengths"], known["frames"], strict=True)):
        wanted = known["labels"][b, :count].tolist()
        paths = itertools.product(range(3), repeat=last)
        total = sum(
            np.prod([p[b, f, c] for f, c in enumerate(path)])
            for path in paths
            if read(path) == wanted
        )
        if total > 0:
            assert given[-1][b] == pytest.approx(-np.log(total), rel=1e-9)
        else:  # too few frames
            assert given[-1][b] > 9e4


@pytest.mark.parametrize(
    "change", [{"labels": 4}, {"labels": -1}, {"lengths": 4}, {"frames": 9}, {"frames": -1}]
)
def test_labels_and_lengths_out_of_range_are_errors_of_kernel_and_twin(change):
    for name in TABLE["ctc"]:
        known = arguments(0, 3, 8, 4, 3, True)
        known["lengths"] = np.full(3, 2)
        for argument, value in change.items():
            known[argument] = known[argument].copy()
            known[argument][1, ...] = value
        given = checks.cast(name, [known[a] for a in TABLE["ctc"][name]], "float32")
        with pytest.raises(KernelError, match="not a class, or a length") as error:
            run([launch(name, *given)])
        assert error.value.code == 1
        with pytest.raises(ValueError, match="at least 0 and less than 4"):
            checks.twin(name)(*given)
