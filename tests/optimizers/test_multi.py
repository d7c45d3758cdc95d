"""Several optimizers for the variables of one model."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import Variable, optimizers
from minikeras.core.serialize import deserialize, serialize

ONE = np.ones(1, "float32")


def variables(*names):
    return [Variable([1.0], name=name) for name in names]


def a_map(**keys):
    return optimizers.OptimizerMap(optimizers.SGD(0.1), keys)


def test_a_path_wins_over_expressions_and_the_rest_is_the_defaults():
    adam, lion = optimizers.Adam(), optimizers.Lion()
    chosen = optimizers.OptimizerMap(optimizers.SGD(), {"a/.*": adam})
    chosen["a/bias"] = lion
    assert chosen["a/kernel"] is adam
    assert chosen["a/bias"] is lion
    assert chosen["b/a/kernel"] is chosen.default_optimizer
    assert (len(chosen), list(chosen)) == (2, ["a/.*", "a/bias"])
    del chosen["a/bias"]
    assert chosen(Variable([1.0], name="a/bias")) is adam


def test_ambiguous_and_wrong_entries_are_errors():
    chosen = optimizers.OptimizerMap(optimizers.SGD(), {"a.*": optimizers.Adam()})
    chosen[".*b"] = optimizers.Lion()
    with pytest.raises(ValueError, match="Several keys .* fit 'a/b'"):
        chosen["a/b"]
    with pytest.raises(ValueError, match="has the key 'a.*' already"):
        chosen["a.*"] = optimizers.SGD()
    with pytest.raises(ValueError, match="wraps no other"):
        chosen["c"] = optimizers.LossScaleOptimizer(optimizers.SGD())
    with pytest.raises(ValueError, match="must be a string"):
        chosen[3] = optimizers.SGD()
    with pytest.raises(TypeError, match="`default_optimizer` must be an optimizer"):
        optimizers.OptimizerMap("sgd")
    with pytest.raises(TypeError, match="must be a dict"):
        optimizers.OptimizerMap(optimizers.SGD(), [optimizers.Adam()])
    with pytest.raises(TypeError, match="or a function"):
        optimizers.MultiOptimizer({"a": optimizers.SGD()})


def test_each_variable_is_walked_by_its_own_optimizer():
    one, two, three = variables("a", "b", "c")
    optimizer = optimizers.MultiOptimizer(a_map(b=optimizers.SGD(0.5)))
    for _ in range(2):
        optimizer.apply([ONE, ONE, ONE], [one, two, three])
    seen = [round(float(v.numpy()[0]), 6) for v in (one, two, three)]
    assert seen == [0.8, 0.0, 0.8]
    assert [int(o.iterations) for o in (optimizer, *optimizer.optimizers)] == [2, 2, 2]


def test_a_key_that_fits_no_variable_is_told():
    optimizer = optimizers.MultiOptimizer(a_map(dense=optimizers.Adam()))
    with pytest.warns(UserWarning, match="fits 'dense'.*paths are: a, b"):
        optimizer.build(variables("a", "b"))


def test_there_is_no_rate_of_the_whole():
    optimizer = optimizers.MultiOptimizer(a_map())
    with pytest.raises(AttributeError, match="no rate of its own"):
        _ = optimizer.learning_rate
    with pytest.raises(AttributeError, match="Set that of one of"):
        optimizer.learning_rate = 0.1


def test_the_loss_is_scaled_for_all_at_once():
    (v,) = variables("a")
    optimizer = optimizers.MultiOptimizer(a_map(), loss_scale_factor=4.0)
    optimizer.apply([4 * ONE], [v])
    assert v.numpy() == pytest.approx(0.9)
    optimizer.loss_scale_factor = 2.0
    optimizer.apply([2 * ONE], [v])
    assert v.numpy() == pytest.approx(0.8)
    scaling = optimizers.OptimizerMap(optimizers.SGD(loss_scale_factor=2.0))
    with pytest.raises(ValueError, match="scaled for all optimizers at once"):
        optimizers.MultiOptimizer(scaling)


def test_state_and_config_make_the_same_optimizer():
    kept = variables("a", "b")
    optimizer = optimizers.MultiOptimizer(a_map(b=optimizers.Adam(0.5)))
    optimizer.apply([ONE, ONE], kept)
    twin = deserialize(serialize(optimizer))
    assert twin.get_config() == optimizer.get_config()
    twin.build(kept)
    twin.set_weights([v.numpy() for v in optimizer.variables])
    for a, b in zip(optimizer.variables, twin.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    assert len(optimizer.variables) == 2 + 4 + 2  # its own, Adam's, SGD's


def test_only_some_may_keep_averages():
    first, second = variables("a", "b")
    averaging = optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)
    optimizer = optimizers.MultiOptimizer(a_map(b=averaging))
    for _ in range(2):
        optimizer.apply([ONE, ONE], [first, second])
    assert optimizer.use_ema
    optimizer.swap_averages()
    assert second.numpy() == -0.5
    optimizer.swap_averages()
    optimizer.finalize_variable_values([first, second])
    assert (float(first.numpy()[0]), float(second.numpy()[0])) == pytest.approx((0.8, -0.5))
    second.assign([7.0])
    optimizer.restart_averages()
    assert optimizer.averages[0].numpy() == 7.0
    with pytest.raises(ValueError, match="keeps no averages"):
        optimizers.MultiOptimizer(a_map()).swap_averages()


def test_a_model_trains_and_is_saved_with_several_optimizers(tmp_path):
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(4, name="body"), keras.layers.Dense(1, name="head")]
    )
    chosen = optimizers.OptimizerMap(optimizers.SGD(0.01), {".*head/.*": optimizers.Adam(0.05)})
    model.compile(optimizers.LossScaleOptimizer(optimizers.MultiOptimizer(chosen)), "mse")
    x = np.linspace(-1, 1, 30, dtype="float32").reshape(10, 3)
    model.fit(x, x[:, :1], batch_size=5, epochs=2, verbose=0)
    model.save(tmp_path / "model.keras")
    twin = keras.models.load_model(tmp_path / "model.keras")
    for one in (model, twin):
        one.fit(x, x[:, :1], batch_size=5, epochs=2, verbose=0, shuffle=False)
    for a, b in zip(model.optimizer.variables, twin.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    for a, b in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
