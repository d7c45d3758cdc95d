"""Connectionist temporal classification, on frames that read as labels."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import losses
from minikeras.autodiff import Spec, Tape, value_and_grad
from minikeras.core.registry import find
from minikeras.program import Program, Recording

LABELS = np.array([[1, 1, 1, 1], [1, 2, 3, 1]])
# from Keras 3.15 (jax): numpy's default_rng(0).normal(size=(2, 5, 4))
FRAMES = np.random.default_rng(0).normal(size=(2, 5, 4)).astype("float32")


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([[1, 2], [3, 3]], [5.0291209, 4.1370454]),
        ([[1, 0], [3, 2]], [6.3752379, 4.4031730]),
        ([[0, 0], [3, 2]], [10.8120451, 4.4031730]),  # nothing but blanks
        ([[1, 0, 2], [3, 0, 0]], [6.4780917, 4.6977544]),  # the first two labels, one a blank
        ([[1.0, 2.0], [3.0, 3.0]], [5.0291209, 4.1370454]),
    ],
)
def test_values_are_those_of_keras(labels, expected):
    np.testing.assert_allclose(losses.ctc(np.array(labels), FRAMES), expected, rtol=2e-7)


def test_what_the_frames_are_too_few_for_is_a_large_number_with_a_gradient():
    value, slope = value_and_grad(lambda p: keras.ops.sum(losses.ctc(LABELS, p)))(FRAMES)
    assert losses.ctc(LABELS, FRAMES)[0] == pytest.approx(100004.8125, rel=2e-7)
    assert losses.ctc(LABELS, FRAMES)[1] == pytest.approx(5.4937678, rel=2e-7)
    assert np.isfinite(value)
    np.testing.assert_allclose(slope.sum(axis=-1), 0, atol=1e-6)
    keras_slope = [0.10265922, -0.38996923, 0.0763296, 0.21098047]
    np.testing.assert_allclose(slope[1, 0], keras_slope, atol=1e-5)


def test_logits_may_be_moved_together_and_be_large():
    expected = losses.ctc(LABELS[1:], FRAMES[1:])
    np.testing.assert_allclose(losses.ctc(LABELS[1:], FRAMES[1:] + 50), expected, rtol=1e-5)
    far = np.zeros((1, 4, 3), "float32")
    far[0, :, 1] = 1e4
    assert losses.ctc(np.array([[1]]), far) == 0


def test_lengths_may_be_given_and_another_class_be_the_blank():
    labels = np.array([[1, 2], [0, 0]])
    found = keras.ops.ctc_loss(labels, FRAMES, np.array([2, 1]), np.array([5, 3]), mask_index=3)
    np.testing.assert_allclose(found, [3.2577989, 2.3354483], rtol=2e-7)
    counts, frames = np.array([2, 2]), np.array([5, 5])
    both = keras.ops.ctc_loss(LABELS[:, :2] + [[0, 1]], FRAMES, counts, frames)
    np.testing.assert_array_equal(both, losses.ctc(LABELS[:, :2] + [[0, 1]], FRAMES))


def test_weights_and_reductions():
    each = losses.ctc(LABELS[1:].repeat(2, 0), FRAMES)
    labels = LABELS[1:].repeat(2, 0)
    assert losses.CTC()(labels, FRAMES) == pytest.approx(each.mean())
    weighted = losses.CTC(reduction="none")(labels, FRAMES, sample_weight=[1.0, 2.0])
    np.testing.assert_allclose(weighted, each * [1, 2], rtol=1e-6)
    assert find("losses", "ctc") is losses.ctc
    assert losses.CTC().target_dtype == "int64"


def test_a_recorded_loss_and_its_gradient_are_two_launches():
    def step(y, p):
        with Tape() as tape:
            tape.watch(p)
            value = losses.CTC(reduction="sum")(y, p)
        return [value, tape.gradient(value, [p])[0]]

    specs = [Spec((2, 4), "int64"), Spec((2, 5, 4), "float32")]
    recording = Recording.of(step, specs)
    names = [i.primitive.name for i in recording.instructions]
    assert names == ["ctc", "weighted_sum", "weighted_sum_grad", "ctc_grad"]
    program = Program(recording)
    for buffer, array in zip(program.inputs, (LABELS, FRAMES), strict=True):
        np.copyto(buffer, array)
    program.run()
    loss, slope = value_and_grad(lambda p: losses.CTC(reduction="sum")(LABELS, p))(FRAMES)
    np.testing.assert_array_equal(program.outputs[0], loss)
    np.testing.assert_array_equal(program.outputs[1], slope)


def test_a_network_learns_to_read():
    """Frames that show their class with noise; the labels do not say where they lie."""
    rng = np.random.default_rng(0)
    spelled = np.array(
        [[0, 1, 1, 0, 2, 2, 0, 3], [3, 3, 0, 3, 0, 0, 1, 0], [2, 1, 0, 0, 0, 0, 0, 3]]
    )
    labels = np.array([[1, 2, 3], [3, 3, 1], [2, 1, 3]])
    which = rng.integers(0, 3, 60)
    x = (np.eye(4)[spelled[which]] * 3 + rng.normal(size=(60, 8, 4))).astype("float32")
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.layers.Dense(4)])
    model.compile(keras.optimizers.Adam(0.1), "ctc")
    history = model.fit(x, labels[which], batch_size=20, epochs=50, verbose=0).history["loss"]
    assert history[-1] < 0.3 * history[0]


@pytest.mark.parametrize(
    ("labels", "frames", "message"),
    [
        ([1, 2], FRAMES, r"labels `y_true` of shape \(batch, labels\).*Received.*\(2,\)"),
        ([[1, 2]], FRAMES, r"Received: y_true of shape \(1, 2\)"),
        ([[1, 2], [3, 3]], FRAMES[0], r"y_pred of shape \(5, 4\)"),
        ([[1, 4], [3, 3]], FRAMES, "A label is not a class"),
        ([[1, -1], [3, 3]], FRAMES, "A label is not a class"),
    ],
)
def test_misuse_gets_a_clear_error(labels, frames, message):
    with pytest.raises(ValueError, match=message):
        losses.ctc(np.array(labels), frames)


def test_lengths_that_do_not_fit_are_errors():
    ones = np.ones(2, int)
    with pytest.raises(ValueError, match="`target_length` must hold one length per sample"):
        keras.ops.ctc_loss(LABELS, FRAMES, np.ones(3, int), ones)
    with pytest.raises(ValueError, match="or a length goes beyond"):
        keras.ops.ctc_loss(LABELS, FRAMES, ones, ones * 6)
    with pytest.raises(ValueError, match="mask_index=4 is none of the 4 classes"):
        keras.ops.ctc_loss(LABELS, FRAMES, ones, ones, mask_index=4)
