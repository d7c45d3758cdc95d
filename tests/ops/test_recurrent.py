"""Recurrences over whole sequences: values of Keras 3.15 (jax), gradients, sizes, bad input."""

import functools
import itertools

import numpy as np
import pytest

from minikeras import kernels, ops
from minikeras.autodiff import Spec, Tape, check_gradients
from minikeras.ops import recurrent
from minikeras.program import Program, Recording

B, T, D, U = 2, 3, 2, 3
STEPS = np.array([[False, True, True], [True, False, True]])
GATES = {"lstm": 4, "gru": 3, "simple_rnn": 1}

# (name, arguments, masked) -> outputs and states one after another, and of the gradient for kernel,
# recurrent kernel, bias, input and states the sum with weights `wave(.., 0.55)`; of the loss `loss`
GOLDEN = [
    ("lstm", {}, False,
     [-0.350197, -0.1107493, -0.06564998, -0.1247253, 0.1345415, 0.1078127, -0.1162912, 0.07020289,
      0.08506969, -0.1299956, 0.08536119, 0.2739117, -0.0843124, 0.03715519, 0.09724048,
      -0.01126319, 0.1962296, 0.1722017, -0.1162912, 0.07020289, 0.08506969, -0.01126319, 0.1962296,
      0.1722017, -0.2336324, 0.1732224, 0.2554381, -0.01592767, 0.3608515, 0.4617782],
     [-0.2494469, 0.0373391, -0.2167351, 0.02342758, -0.08372913, 0.06418353]),
    ("lstm", {}, True,
     [0.5733429, -0.3379964, -0.3740877, -0.325872, 0.1594531, 0.1482721, -0.1352301, 0.08631591,
      0.07977216, -0.1299956, 0.08536119, 0.2739117, -0.1299956, 0.08536119, 0.2739117, 0.03429835,
      0.1886005, 0.186102, -0.1352301, 0.08631591, 0.07977216, 0.03429835, 0.1886005, 0.186102,
      -0.2839812, 0.2329945, 0.2633395, 0.04987217, 0.3676453, 0.5467228],
     [-0.1411953, -0.2329874, -0.1137946, -0.01855174, 0.4527559, -0.06082888]),
    ("lstm", {"go_backwards": True}, True,
     [-0.3463683, -0.1203545, -0.08515112, -0.1322161, 0.1314559, 0.1040467, -0.1322161, 0.1314559,
      0.1040467, -0.131595, 0.09569848, 0.2750207, -0.131595, 0.09569848, 0.2750207, 0.03286353,
      0.1882121, 0.1844218, -0.1322161, 0.1314559, 0.1040467, 0.03286353, 0.1882121, 0.1844218,
      -0.1964584, 0.2481918, 0.2772051, 0.04823488, 0.3721012, 0.5485174],
     [-0.007061856, 0.1188996, 0.03660289, -0.07129027, -0.09171315, 0.1380236]),
    ("gru", {}, False,
     [0.4069853, -0.1686559, -0.03533752, 0.2890573, 0.1132791, 0.4313919, 0.1710154, 0.1147389,
      0.3801901, 0.3919249, 0.2421292, 0.2366663, 0.258745, 0.2268545, 0.2600772, 0.1487091,
      0.2923985, 0.482388, 0.1710154, 0.1147389, 0.3801901, 0.1487091, 0.2923985, 0.482388],
     [-0.06577249, -0.01952357, 0.3449257, 0.06599876, 0.4106535]),
    ("gru", {}, True,
     [0.5733429, -0.3379964, -0.3740877, 0.4107858, 0.05704889, 0.3585822, 0.2675169, 0.07098056,
      0.332832, 0.3919249, 0.2421292, 0.2366663, 0.3919249, 0.2421292, 0.2366663, 0.2501104,
      0.2972268, 0.4617111, 0.2675169, 0.07098056, 0.332832, 0.2501104, 0.2972268, 0.4617111],
     [-0.0993247, -0.02158329, 0.2611088, -0.02440453, 0.5429205]),
    ("gru", {"reset_after": False}, True,
     [0.5733429, -0.3379964, -0.3740877, 0.3021389, 0.03092685, 0.2199813, 0.07272842, 0.0101146,
      0.2185154, 0.2774132, 0.2103568, 0.07816016, 0.2774132, 0.2103568, 0.07816016, 0.06726422,
      0.2502534, 0.3287616, 0.07272842, 0.0101146, 0.2185154, 0.06726422, 0.2502534, 0.3287616],
     [-0.06981236, 0.002613352, 0.2074603, -0.006168611, 0.4888665]),
]  # fmt: skip


def wave(shape, k):
    count = int(np.prod(shape))
    return (np.sin(np.arange(1, count + 1) * k * 1.7) * 0.6).reshape(shape).astype(np.float32)


def weights(name, features=D, units=U, reset_after=True):
    """Kernel, recurrent kernel and bias."""
    width = GATES[name] * units
    bias = (2, width) if name == "gru" and reset_after else (width,)
    shapes = [(features, width), (units, width), bias]
    return [wave(shape, 0.3 + 0.1 * i) for i, shape in enumerate(shapes)]


def states(name, batch=B, units=U):
    return [wave((batch, units), 1.1 + i) for i in range(2 if name == "lstm" else 1)]


@pytest.mark.parametrize(("name", "given", "masked", "values", "slopes"), GOLDEN)
def test_values_and_gradients_are_those_of_keras(name, given, masked, values, slopes):
    x, mask = wave((B, T, D), 0.9), STEPS if masked else None
    sources = [*weights(name, reset_after=given.get("reset_after", True)), x, *states(name)]
    with Tape() as tape:
        kernel, recurrent_kernel, bias, x, *start = watched = [tape.watch(a) for a in sources]
        out = getattr(recurrent, name)(x, *start, kernel, recurrent_kernel, bias, mask, **given)
        loss = sum(ops.sum(o * wave(o.shape, 0.7 + 0.2 * i)) for i, o in enumerate(out))
    found = np.concatenate([np.asarray(o).reshape(-1) for o in out])
    np.testing.assert_allclose(found, values, rtol=0, atol=1e-6)
    grads = tape.gradient(loss, watched)
    found = [np.sum(np.asarray(g) * wave(g.shape, 0.55)) for g in grads]
    np.testing.assert_allclose(found, slopes, rtol=1e-5, atol=2e-6)


def picked(function, place, more, *arrays):
    """One of the results."""
    return function(*arrays, *more)[place]


@pytest.mark.parametrize("units", [1, 5])
@pytest.mark.parametrize("batch", [1, 7])
@pytest.mark.parametrize("name", GATES)
def test_gradients_for_every_input_at_odd_sizes(name, batch, units):
    for steps, backwards in ((1, False), (4, True)):
        mask = wave((batch, steps), 2.0) > -0.2
        keep = np.round(np.abs(wave((batch, units), 3.0)) * 2)
        arrays = [wave((batch, steps, 3), 0.9), *states(name, batch, units)]
        arrays += weights(name, 3, units)
        whole = functools.partial(getattr(recurrent, name), go_backwards=backwards)
        for place in range(len(states(name)) + 1):
            check_gradients(functools.partial(picked, whole, place, ()), *arrays)
            check_gradients(functools.partial(picked, whole, place, (mask, keep)), *arrays)


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "linear"])
def test_activations_of_the_simple_recurrence(activation):
    arrays = [wave((4, 3, D), 0.9), *states("simple_rnn", 4), *weights("simple_rnn")]
    for order in (1, 2):
        check_gradients(
            lambda *a: recurrent.simple_rnn(*a, activation=activation)[0], *arrays, order=order
        )


def test_reset_before_with_factors_has_the_right_gradient():
    keep = np.round(np.abs(wave((4, U), 3.0)) * 2)
    arrays = [wave((4, 3, D), 0.9), *states("gru", 4), *weights("gru", reset_after=False)]
    check_gradients(
        lambda *a: recurrent.gru(*a, None, keep, reset_after=False)[0], *arrays
    )  # fmt: skip


@pytest.mark.parametrize(("batch", "units"), [(19, 100), (1, 300), (3, 200)])
@pytest.mark.parametrize("name", GATES)
def test_bits_do_not_depend_on_threads(name, batch, units):
    before, features = kernels.num_threads(), 20
    sources = [wave((batch, 9, features), 0.9), *states(name, batch, units)]
    sources += weights(name, features, units)

    def results():
        with Tape() as tape:
            watched = [tape.watch(a) for a in sources]
            h = getattr(recurrent, name)(*watched)[1]
        return [np.asarray(a) for a in (h, *tape.gradient(h, watched))]

    try:
        first = None
        for threads in (1, 2, 3, 8):
            kernels.set_num_threads(threads)
            first = first or results()
            for a, b in zip(first, results(), strict=True):
                np.testing.assert_array_equal(a, b, strict=True)
    finally:
        kernels.set_num_threads(before)


def test_without_bias_and_in_float64():
    x, (h,) = wave((B, T, D), 0.9).astype(np.float64), states("gru")
    kernel, recurrent_kernel, _ = weights("gru")
    outputs, last = recurrent.gru(x, h, kernel, recurrent_kernel)
    zeros = np.zeros((2, 3 * U))
    same, _ = recurrent.gru(x, h, kernel, recurrent_kernel, zeros)
    assert outputs.dtype == last.dtype == np.float64
    np.testing.assert_allclose(outputs, same, rtol=1e-14)


def lstm_gradients(x, *given):
    """Of the last state, for the weights."""
    with Tape() as tape:
        watched = [tape.watch(a) for a in given]
        h = recurrent.lstm(x, *states("lstm", 2, 4), *watched)[1]
    return tape.gradient(h, watched)


def test_a_sequence_of_ten_thousand_steps_is_differentiated():
    x, given = wave((2, 10_000, 1), 0.9), weights("lstm", 1, 4)
    recent = lstm_gradients(x[:, -400:], *given)  # what lies farther back has no influence
    for a, b in zip(lstm_gradients(x, *given), recent, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_memory_is_linear_in_the_steps():
    given = weights("lstm", 1, 4)
    sizes = []
    for steps in (1000, 2000):
        arrays = [wave((2, steps, 1), 0.9), *given]
        specs = [Spec(a.shape, "float32") for a in arrays]
        sizes.append(Program(Recording.of(lstm_gradients, specs)).nbytes)
    assert sizes[1] < 2.05 * sizes[0]


def test_an_empty_sequence_returns_the_states():
    x = np.zeros((B, 0, D), np.float32)
    for name in GATES:
        given = states(name)
        outputs, *last = getattr(recurrent, name)(x, *given, *weights(name))
        assert outputs.shape == (B, 0, U)
        for a, b in itertools.zip_longest(last, given):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({0: np.zeros((B, D), "f4")}, r"inputs of shape \(batch, steps, features\)"),
        ({1: np.zeros((B, 2), "f4")}, r"`h0` must have shape \(2, 3\). Received: shape \(2, 2\)"),
        ({2: np.zeros((1, 12), "f4")}, r"`kernel` must have shape \(2, 9\)"),
        ({4: np.zeros(9, "f4")}, r"`bias` must have shape \(2, 9\)"),
        ({5: np.zeros((B, 1), bool)}, r"`mask` must have shape \(2, 3\)"),
    ],
)
def test_shapes_that_do_not_belong_together(change, message):
    given = [wave((B, T, D), 0.9), *states("gru"), *weights("gru"), None]
    for place, value in change.items():
        given[place] = value
    with pytest.raises(ValueError, match=message):
        recurrent.gru(*given)


def test_unknown_activation():
    with pytest.raises(ValueError, match="activation"):
        recurrent.simple_rnn(
            wave((B, T, D), 0.9), *states("simple_rnn"), *weights("simple_rnn"), activation="tnah"
        )
