import numpy as np
import pytest

import minikeras as keras


def train(x, y, rate=0.1, epochs=3, **options):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="only")])
    model.compile(keras.optimizers.SGD(rate), "mse")
    model.fit(x, y, epochs=epochs, verbose=0, **options)


def test_weights_that_grew_out_of_bounds_are_told_once_with_causes(rng):
    x = rng.normal(size=(64, 2)) * 100
    with pytest.warns(UserWarning, match="The loss of epoch ") as told:
        train(x, x[:, :1], rate=1e6, epochs=6)
    assert len(told) == 1
    message = str(told[0].message)
    for words in (
        "'sequential/only/kernel'",
        "(now 1e+06)",
        "clipnorm=1.0",
        "NaN in data",
        "TerminateOnNaN",
    ):
        assert words in message


def test_validation_that_alone_is_no_number_is_told_of_with_finite_weights(rng):
    x, y = rng.normal(size=(8, 2)), rng.normal(size=(8, 1))
    with pytest.warns(UserWarning, match=r"The val_loss of epoch 1 is nan\. All weights are finit"):
        train(x, y, rate=0.01, validation_data=(x, np.full((8, 1), np.nan)))


@pytest.mark.parametrize("name", ["x", "y", "sample_weight"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_in_the_data_is_named_with_its_place(name, value, rng):
    data = {
        "x": rng.normal(size=(8, 2)),
        "y": rng.normal(size=(8, 1)),
        "sample_weight": rng.random(8),
    }
    data[name][5] = value
    with pytest.warns(UserWarning, match=f"`{name}` holds NaN .* 1 of 8 samples, .* sample 5"):
        train(**data, epochs=1)


def test_finite_losses_are_not_remarked_on(rng):
    x = rng.normal(size=(8, 2))
    train(x, x[:, :1], rate=0.01)
