"""Tapes: what they record, what they give back, and that the checker finds wrong gradients."""

import numpy as np
import pytest

from minikeras import ops
from minikeras.autodiff import (
    Primitive,
    Tape,
    Tensor,
    Variable,
    check_gradients,
    grad,
    value_and_grad,
)


def f32(*values):
    return np.array(values, np.float32)


def test_gradient_of_a_sum_of_squares():
    value, gradient = value_and_grad(lambda x: ops.sum(x * x))(f32(1, 2))
    assert value == 5
    np.testing.assert_array_equal(gradient, [2, 4])
    assert isinstance(gradient, np.ndarray)


def test_several_arguments_and_nests_give_gradients_of_their_structure():
    def function(weights, x):
        return ops.sum(weights["a"] * x + weights["b"][0])

    weights = {"a": f32(1, 2), "b": [f32(3, 3)]}
    _, (dw, dx) = value_and_grad(function, argnums=(0, 1))(weights, f32(5, 7))
    np.testing.assert_array_equal(dw["a"], [5, 7])
    np.testing.assert_array_equal(dw["b"][0], [1, 1])
    np.testing.assert_array_equal(dx, [1, 2])


def test_auxiliary_results_come_back_as_arrays():
    (value, aux), _ = value_and_grad(lambda x: (ops.sum(x), {"twice": x * 2}), has_aux=True)(f32(3))
    assert value == 3
    assert isinstance(aux["twice"], np.ndarray)


def test_a_result_that_is_no_scalar_is_an_error():
    with pytest.raises(ValueError, match=r"returns a scalar. Received: .* shape \(2,\)"):
        value_and_grad(lambda x: x * 2)(f32(1, 2))


def test_unused_arguments_have_zero_gradients():
    np.testing.assert_array_equal(grad(lambda x: ops.sum(np.ones(2)))(f32(1, 2)), [0, 0])


def test_one_value_used_many_times_collects_all_gradients():
    assert grad(lambda x: x * x + x + x)(np.float32(3)) == 8


def test_gradients_that_share_an_array_do_not_change_each_other():
    """Pulls of `add` hand on the very same array; it must not be added to in place."""

    def function(x, y):
        z = x + y
        return ops.sum(z + z * 2 + x)

    dx, dy = grad(function, argnums=(0, 1))(f32(1, 2), f32(3, 4))
    np.testing.assert_array_equal(dx, [4, 4])
    np.testing.assert_array_equal(dy, [3, 3])


def test_broadcasting_is_undone():
    dx, dy = grad(lambda x, y: ops.sum(x * y), argnums=(0, 1))(
        np.ones((3, 1), np.float32), np.ones((2, 1, 4), np.float32)
    )
    np.testing.assert_array_equal(dx, np.full((3, 1), 8))
    np.testing.assert_array_equal(dy, np.full((2, 1, 4), 3))


def test_what_does_not_depend_on_a_watched_value_is_not_recorded():
    with Tape() as tape:
        x = tape.watch(f32(1))
        ops.exp(Tensor(f32(2)))
        y = x * 2
    assert [call.primitive.name for call in tape.calls] == ["multiply"]
    assert tape.gradient(y, [x])[0] is not None


def test_integers_stop_gradients():
    assert grad(lambda x: ops.sum(ops.cast(ops.cast(x, "int32"), "float32")))(f32(2.5)) == 0


def test_stop_gradient_keeps_the_value_only():
    value, gradient = value_and_grad(lambda x: x * ops.stop_gradient(x))(np.float32(3))
    assert (value, gradient) == (9, 3)


def test_gradient_of_a_gradient():
    cube = grad(grad(lambda x: x * x * x))
    assert cube(np.float64(2)) == 12


def test_hessian_vector_product_through_fused_primitives():
    rng = np.random.default_rng(0)
    x, w, v = rng.normal(size=(5, 3)), rng.normal(size=(3, 2)), rng.normal(size=(3, 2))
    labels = np.array([0, 1, 1, 0, 1])

    def loss(w):
        p = ops.softmax(ops.dense(x, w, None, "tanh"))
        return ops.mean(ops.sparse_categorical_crossentropy(labels, p))

    product = grad(lambda w: ops.sum(grad(loss)(w) * v))(w)
    h = 1e-5
    expected = (grad(loss)(w + h * v) - grad(loss)(w - h * v)) / (2 * h)
    np.testing.assert_allclose(product, expected, rtol=1e-6, atol=1e-9)


def test_checker_rejects_a_wrong_gradient():
    wrong = Primitive(
        "wrong",
        lambda x: x,
        lambda ins, outs: np.multiply(ins[0], 2, out=outs[0]),
        lambda g, ins, outs, needed: [g * 2.001],
        host=True,
        register=False,
    )
    with pytest.raises(AssertionError, match="argument 0.*relative error"):
        check_gradients(wrong, np.array([1.0, 2.0, 3.0]))


def test_checker_rejects_a_missing_gradient():
    missing = Primitive(
        "missing",
        lambda x: x,
        lambda ins, outs: np.copyto(outs[0], ins[0]),
        host=True,
        register=False,
    )
    with pytest.raises(AssertionError, match="argument 0"):
        check_gradients(missing, np.array([1.0]))


def test_checker_rejects_a_wrong_second_gradient():
    """The composite, which second derivatives go through, is another function here."""
    wrong = Primitive(
        "wrong",
        lambda x: x,
        lambda ins, outs: np.square(ins[0], out=outs[0]),
        lambda g, ins, outs, needed: [g * ins[0] * 2],
        composite=lambda x: x * x * x,
        host=True,
        register=False,
    )
    check_gradients(wrong, np.array([1.0, 2.0]))
    with pytest.raises(AssertionError):
        check_gradients(wrong, np.array([1.0, 2.0]), order=2)


def test_a_gradient_of_the_wrong_shape_names_the_primitive():
    wrong = Primitive(
        "crooked",
        lambda x: x,
        lambda ins, outs: np.copyto(outs[0], ins[0]),
        lambda g, ins, outs, needed: [ops.sum(g)],
        host=True,
        register=False,
    )
    with pytest.raises(RuntimeError, match=r"'crooked' returned a gradient of shape \(\)"):
        grad(lambda x: ops.sum(wrong(x)))(f32(1, 2))


def test_names_of_primitives_are_unique():
    with pytest.raises(ValueError, match="'add' exists already"):
        Primitive("add", lambda x: x, lambda ins, outs: None)


def test_gradients_of_variables():
    v = Variable(f32(1, 2))
    with Tape() as tape:
        tape.watch(v)
        loss = ops.sum(v * v * 3)
    np.testing.assert_array_equal(tape.gradient(loss, [v])[0].numpy(), [6, 12])


def test_an_assigned_variable_is_a_new_value():
    v = Variable(f32(2))
    with Tape() as tape:
        tape.watch(v)
        first = ops.sum(v * v)
        v.assign([5.0])
        second = ops.sum(v * 10)
    assert float(first) == 4
    assert float(second) == 50
    np.testing.assert_array_equal(v.numpy(), [5])


def test_a_reshaped_variable_keeps_what_it_was():
    v = Variable(f32(1, 2))
    flat = ops.reshape(v, (2, 1))
    with Tape():
        inside = ops.reshape(v, (2, 1))
        v.assign([7.0, 7.0])
    np.testing.assert_array_equal(flat, [[1], [2]])
    np.testing.assert_array_equal(inside.numpy(), [[1], [2]])


def test_numpy_numbers_do_not_widen_float32():
    x = f32(1, 2)
    for result in (ops.add(x, np.float64(1)), Tensor(x) * np.float64(2), np.float64(2) * Tensor(x)):
        assert np.dtype(result.dtype) == np.float32


def test_no_warning_for_infinities_and_nan():
    x = Tensor(f32(0, -1, 1e30))
    results = [ops.log(x), ops.sqrt(x), ops.square(x), ops.divide(x, 0.0), ops.sum(x * x)]
    assert all(np.dtype(r.dtype) == np.float32 for r in results)
    assert np.isnan(results[1].numpy()[1])
