"""Every primitive of `ops` and `autodiff`: run by a case, and equal to its composite."""

import importlib
import pkgutil

import numpy as np
import pytest

import minikeras.autodiff
import minikeras.ops
from minikeras.autodiff import Primitive, Spec, Tape, Tensor, Variable, check_gradients
from minikeras.ops import (
    attention,
    convolution_depthwise,
    convolution_primitives,
    image,
    nn,
    noise,
    normalisation_fused,
    pooling,
    recurrent,
    time_steps,
    weighted,
)
from minikeras.ops.convolution_geometry import Window
from minikeras.ops.embedding import embedding
from minikeras.program import Program, Recording

from .cases import CASES, CUBE, GROUPED, IMAGE, POSITIVE, ROW, SHARES, WIDE, X, Y

WINDOW = Window((2, 1), (1, 1), (1, 0), (0, 2), groups=2)
SEQUENCES = CUBE.reshape(3, 4, 2)
STEPS = np.array([[True, True, False, True], [False, True, True, True], [True] * 4])
SQUARE = np.abs(Y[:, :3]).round()
WEIGHTS = {
    n: (CUBE[:, :, 0:1].repeat(n, 2).reshape(2, -1) / 2, np.tile(X[:, 1:], n) / 2)
    for n in (1, 3, 4)
}
HEARD = np.array([[[[True]]], [[[False]]]])
MAP = np.array([[0.9, 0.3, 0.4, -0.2, 1.1, 0.6]])

# Functions that are no part of `keras.ops`, which layers, losses and metrics are made of.
INTERNAL = {
    "upsample": (lambda x: pooling.upsample(x, (2, 3)), (IMAGE,)),
    "squared_error": (lambda p, t: rows.squared_error(p, t), (X, Y)),
    "absolute_error": (lambda p, t: rows.absolute_error(p, t), (X, Y)),
    "binary_cross_entropy": (
        lambda p, t: rows.binary_cross_entropy(p, t, eps=1e-7),
        (POSITIVE / 3, SHARES),
    ),
    "sigmoid_cross_entropy": (lambda p, t: rows.sigmoid_cross_entropy(p, t), (X, SHARES)),
    "huber": (lambda p, t: differences.huber(p, t, delta=0.8), (X, Y)),
    "log_cosh": (lambda p, t: differences.log_cosh(p, t), (X, Y)),
    "percentage_error": (lambda p, t: differences.percentage_error(p, t, eps=1e-7), (X, Y)),
    "logarithmic_error": (
        lambda p, t: differences.logarithmic_error(p, t, eps=1e-7),
        (POSITIVE, SHARES),
    ),
    "poisson": (lambda p, t: differences.poisson(p, t, eps=1e-7), (POSITIVE, SHARES)),
    "divergence": (lambda p, t: differences.divergence(p, t, eps=1e-7), (POSITIVE / 3, SHARES)),
    "cosine": (lambda p, t: differences.cosine(p, t, eps=1e-7), (X, Y)),
    "through_softmax": (
        lambda z, t: minikeras.ops.categorical_crossentropy(t, minikeras.ops.softmax(z)),
        (X, SHARES),
    ),
    "through_softmax_alone": (
        lambda z: minikeras.ops.categorical_crossentropy(
            SHARES.astype(z.dtype), minikeras.ops.softmax(z)
        ),
        (X,),
    ),
    "through_softmax_of_labels": (
        lambda z: minikeras.ops.sparse_categorical_crossentropy(
            np.array([0, 3, 1]), minikeras.ops.softmax(z)
        ),
        (X,),
    ),
    "clipped_relu": (lambda x: nn.clipped_relu(x, 0.1, 5.0, 0.3), (WIDE,)),
    "batch_norm": (lambda x, g, b: nn.batch_norm(x, g, b, 1e-3)[0], (X, ROW, Y[0])),
    "batch_mean": (lambda x: nn.batch_norm(x, None, None, 1e-3)[1] * 1.5, (X,)),
    "batch_variance": (lambda x: nn.batch_norm(x, None, None, 1e-3)[2] * 1.5, (X,)),
    "normalise": (
        lambda x, m, v, g, b: nn.normalise(x, m, v, g, b, 1e-3),
        (X, ROW, POSITIVE[0], Y[0], Y[1]),
    ),
    "group_norm": (
        lambda x, g, b: nn.group_normalization(x, 2, -1, g, b, 1e-3),
        (IMAGE, ROW, Y[0]),
    ),
    "group_norm_of_other_axis": (
        lambda x, g: nn.group_normalization(x, 1, 1, g, None, 1e-3),
        (IMAGE, np.linspace(-1, 1, 5)),
    ),
    "joined": (lambda x, y: time_steps.join([x, y], axis=0), (X, Y)),
    "added_noise": (lambda x: x + noise.normal_like(x, np.array([7]), 0.5, 2.0), (X,)),
    "times_noise": (lambda x: x * noise.uniform_like(x, np.array([7]), -1.0, 2.0), (X,)),
    "fused_conv": (
        lambda x, k, b: convolution_primitives.conv_primitive(
            x, k, b, window=WINDOW, activation="tanh"
        ),
        (IMAGE, GROUPED, np.linspace(-1, 1, 6)),
    ),
    "fused_depthwise": (
        lambda x, k, b: convolution_depthwise.fused_depthwise(
            x, k, b, (2, 1), "same", "channels_last", 1
        ),
        (
            IMAGE,
            np.linspace(-1, 1, 6 * IMAGE.shape[-1] * 2).reshape(2, 3, -1, 2),
            np.linspace(-1, 1, IMAGE.shape[-1] * 2),
        ),
    ),
    "conv_transpose": (
        lambda x, k, b: convolution_primitives.transpose_primitive(
            x, k, b, sizes=(5, 6), window=WINDOW, activation="sigmoid"
        ),
        (np.linspace(-1, 1, 2 * 3 * 6 * 6).reshape(2, 3, 6, 6), GROUPED, np.linspace(-1, 1, 4)),
    ),
    "lstm": (
        lambda x, h, c, *w: recurrent.lstm(x, h, c, *w, STEPS, SQUARE[:3] / 2)[0],
        (SEQUENCES, X[:, :3], Y[:, :3], *WEIGHTS[4], WEIGHTS[4][0][0]),
    ),
    "lstm_memory": (
        lambda x, h, c, *w: recurrent.lstm(x, h, c, *w, go_backwards=True)[2],
        (SEQUENCES, X[:, :3], Y[:, :3], *WEIGHTS[4], WEIGHTS[4][0][0]),
    ),
    "gru": (
        lambda x, h, *w: recurrent.gru(x, h, *w, STEPS, SQUARE[:3] / 2)[0],
        (SEQUENCES, X[:, :3], *WEIGHTS[3], WEIGHTS[3][0]),
    ),
    "gru_reset_before": (
        lambda x, h, *w: recurrent.gru(x, h, *w, STEPS, reset_after=False)[0],
        (SEQUENCES, X[:, :3], *WEIGHTS[3], WEIGHTS[3][0][0]),
    ),
    "simple_rnn": (
        lambda x, h, *w: recurrent.simple_rnn(x, h, *w, STEPS, SQUARE[:3] / 2)[0],
        (SEQUENCES, X[:, :3], *WEIGHTS[1], WEIGHTS[1][0][0]),
    ),
    "affine_images": (
        lambda x: image.affine_images(x[None, ..., None], MAP, fill_mode="wrap"),
        (X,),
    ),
    "attention": (
        lambda x: attention.fused_attention(
            x[:, :, None],
            x[:, :1, None] * 2.0,
            x[:, 1:2, None],
            HEARD,
            None,
            True,
            rate=0.3,
            key=np.array([7]),
        ),
        (CUBE,),
    ),
    "attention_step_by_step": (
        lambda x: attention.attention_primitive.composite(
            x[:, :, None],
            x[:, :, None],
            x[:, :, None],
            None,
            np.array([7]),
            scale=0.3,
            causal=True,
            empty=False,
            rate=0.3,
        ),
        (CUBE,),
    ),
    "attention_of_nothing": (
        lambda x: attention.fused_attention(
            x[:, :, None], x[:, :, None], x[:, :, None], HEARD[..., :1] < 2, empty=True
        ),
        (CUBE,),
    ),
    "embedding": (lambda x: embedding(x, np.array([[0, 2, -1], [2, 2, 1]])), (X,)),
    "dropout": (lambda x: nn.dropout(x, np.array([7]), 0.4), (X,)),
    "weighted_sum": (lambda x, w: weighted.weighted_sum(x, w, 5.0), (X, Y)),
    "unweighted_sum": (lambda x: weighted.weighted_sum(x, None, 5.0), (X,)),
    "sparse_accuracy": (
        lambda p: hits.sparse_accuracy(np.array([0, 3, 1]), p),
        (X,),
    ),
    "top_k_accuracy": (lambda p: hits.top_k_accuracy(np.array([0, 3, 1]), p, k=2), (X,)),
    "categorical_accuracy": (lambda p: hits.categorical_accuracy(SHARES.astype(p.dtype), p), (X,)),
    "binary_accuracy": (
        lambda p: hits.binary_accuracy((SHARES > 0.3).astype(p.dtype), p, threshold=0.5),
        (X,),
    ),
}
SMOOTH = [name for name in INTERNAL if not name.endswith("accuracy")]

rows = minikeras.ops.cross_entropy
differences = importlib.import_module("minikeras.ops.differences")
hits = importlib.import_module("minikeras.ops.hits")


def all_primitives() -> dict[str, Primitive]:
    """The primitives that the modules of these rooms define."""
    found = {}
    for room in (minikeras.ops, minikeras.autodiff):
        for info in pkgutil.iter_modules(room.__path__, f"{room.__name__}."):
            for value in vars(importlib.import_module(info.name)).values():
                if isinstance(value, Primitive):
                    found[value.name] = value
                    for extra in (getattr(value, "gradient", None), getattr(value, "fused", None)):
                        if isinstance(extra, Primitive):
                            found[extra.name] = extra
    return found


class Spy:
    """Notes which primitives are executed, and on what."""

    def __init__(self, monkeypatch):
        self.calls: dict[str, tuple] = {}
        execute = Primitive.execute

        def noting(primitive, args, static):
            outs = execute(primitive, args, static)
            if not primitive.writes:
                self.calls[primitive.name] = (primitive, args, static, outs)
            else:
                self.calls.setdefault(primitive.name, (primitive, None, static, None))
            return outs

        monkeypatch.setattr(Primitive, "execute", noting)


def run_all_cases():
    functions = [(c.call, c.arrays, c.smooth) for found in CASES.values() for c in found]
    functions += [(call, arrays, name in SMOOTH) for name, (call, arrays) in INTERNAL.items()]
    for call, arrays, smooth in functions:
        with Tape() as tape:
            watched = [tape.watch(a) if a.dtype.kind == "f" and smooth else a for a in arrays]
            result = call(*watched)
        if smooth and isinstance(result, Tensor):
            tape.gradient(result, [w for w in watched if isinstance(w, Tensor)])
    variable = Variable(np.zeros(4, "float32"))
    variable.assign(1)
    nn.moving_average(variable, np.ones(4, "float32"), 0.9)
    total, count = Variable(np.float32(0)), Variable(np.float32(0))
    weighted.mean_update(total, count, np.ones(3, "float32"))


def test_every_primitive_is_run_by_a_case(monkeypatch):
    spy = Spy(monkeypatch)
    run_all_cases()
    # `assign` is for programs only, as is what their fusion puts in (tests/program/test_fusion.py)
    of_programs = {"assign", "relu_max_pool", "conv_relu_pool", "conv_pool_weights_grad"} | {
        value.name for value in vars(normalisation_fused).values() if isinstance(value, Primitive)
    }
    assert set(all_primitives()) - set(spy.calls) == of_programs


def test_fused_primitives_equal_their_composites(monkeypatch):
    spy = Spy(monkeypatch)
    run_all_cases()
    monkeypatch.undo()
    compared = 0
    for primitive, args, static, outs in spy.calls.values():
        if primitive.composite is None or args is None:
            continue
        expected = primitive.composite(*args, **static)
        expected = expected if isinstance(expected, tuple) else (expected,)
        for out, value in zip(outs, expected, strict=False):
            np.testing.assert_allclose(out, value, rtol=1e-9, atol=1e-12, err_msg=primitive.name)
        compared += 1
    assert compared > 40


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("order", [1, 2])
def test_gradients_of_internal_functions(name, order):
    call, arrays = INTERNAL[name]
    check_gradients(call, *arrays, order=order)


@pytest.mark.parametrize("name", INTERNAL)
def test_internal_functions_keep_float32_and_replay_bit_for_bit(name):
    call, arrays = INTERNAL[name]
    arrays = [a.astype(np.float32) for a in arrays]

    def with_gradients(*values):
        with Tape() as tape:
            watched = [tape.watch(v) for v in values]
            result = call(*watched)
        found = tape.gradient(result, watched) if name in SMOOTH else []
        return [result, *[g for g in found if g is not None]]

    eager = with_gradients(*arrays)
    specs = [Spec(a.shape, a.dtype.name) for a in arrays]
    program = Program(Recording.of(with_gradients, specs))
    for buffer, array in zip(program.inputs, arrays, strict=True):
        np.copyto(buffer, array)
    program.run()
    for value, replayed in zip(eager, program.outputs, strict=True):
        assert np.asarray(value).dtype == replayed.dtype == np.float32
        np.testing.assert_array_equal(np.asarray(value), replayed, strict=True)


def test_softmax_and_cross_entropy_are_differentiated_in_one_step():
    """Where probabilities underflow, only the fused gradient is exact."""
    z = np.array([[30.0, 0.0, -80.0]], np.float32)
    label = np.array([0])
    with Tape() as tape:
        x = tape.watch(z)
        loss = minikeras.ops.sparse_categorical_crossentropy(label, minikeras.ops.softmax(x))
    names = [call.primitive.name for call in tape.calls]
    assert names == ["softmax", "sparse_cross_entropy"]
    fused = np.asarray(tape.gradient(loss, [x])[0])
    p = np.asarray(minikeras.ops.softmax(z))
    clipped = p[0, 0] > 1 - 1e-7
    np.testing.assert_allclose(fused, 0 if clipped else p - np.eye(3)[label], atol=1e-7)


@pytest.mark.parametrize("before", [True, False])
def test_probabilities_used_twice_get_both_gradients(before):
    labels = np.array([0, 3, 1])

    def function(z):
        p = minikeras.ops.softmax(z)
        parts = [lambda: minikeras.ops.sparse_categorical_crossentropy(labels, p)]
        parts.insert(int(before), lambda: minikeras.ops.sum(p * p, -1))
        return parts[0]() + parts[1]()

    check_gradients(function, X)


def test_gradient_can_be_asked_for_at_the_probabilities_themselves():
    labels = np.array([0, 3, 1])
    with Tape() as tape:
        z = tape.watch(X)
        p = tape.watch(minikeras.ops.softmax(z))
        loss = minikeras.ops.sparse_categorical_crossentropy(labels, p)
    dp, dz = (np.asarray(g) for g in tape.gradient(loss, [p, z]))
    probabilities = p.numpy()
    picked = np.eye(4)[labels] / probabilities
    np.testing.assert_allclose(dp, 1 - picked, rtol=1e-9)
    np.testing.assert_allclose(dz, probabilities - np.eye(4)[labels], atol=1e-12)
