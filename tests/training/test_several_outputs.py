"""Models with several outputs: losses, weights, metrics and targets by name or in order."""

import numpy as np
import pytest

import minikeras as keras

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 4)).astype("float32")
LABELS = RNG.integers(0, 3, 20)
NUMBERS = RNG.normal(size=(20, 1)).astype("float32")
LOSSES = {"kind": "sparse_categorical_crossentropy", "size": "mse"}


class TwoHeads(keras.Model):
    def __init__(self, as_list=False):
        super().__init__()
        self.first = keras.layers.Dense(3, "softmax", kernel_initializer="ones")
        self.second = keras.layers.Dense(1, kernel_initializer="ones")
        self.as_list = as_list

    def call(self, x):
        kind, size = self.first(x), self.second(x)
        return [kind, size] if self.as_list else {"kind": kind, "size": size}


def fitted(as_list=False, y=None, weights=None, epochs=2, **settings):
    model = TwoHeads(as_list)
    model.compile("sgd", **settings)
    if y is None:
        y = [LABELS, NUMBERS] if as_list else {"kind": LABELS, "size": NUMBERS}
    history = model.fit(X, y, sample_weight=weights, epochs=epochs, verbose=0, shuffle=False)
    return model, history.history


def test_results_carry_the_names_of_the_outputs():
    metrics = {"kind": ["accuracy"], "size": ["mae", "mae"]}
    model, history = fitted(loss=LOSSES, metrics=metrics, weighted_metrics={"size": ["mae"]})
    assert model.metrics_names == [
        *("loss", "kind_loss", "size_loss"),
        *("kind_accuracy", "size_mae", "size_mae_1", "size_weighted_mae"),
    ]
    assert sorted(history) == sorted(model.metrics_names)
    values = model.evaluate(X, {"kind": LABELS, "size": NUMBERS}, verbose=0)
    named = model.evaluate(X, {"kind": LABELS, "size": NUMBERS}, verbose=0, return_dict=True)
    assert values == [named[name] for name in model.metrics_names]


def test_the_loss_is_the_weighted_sum_of_the_outputs_losses():
    model, _ = fitted(loss=LOSSES, loss_weights={"kind": 2.0, "size": 0.5})
    named = model.evaluate(X, {"kind": LABELS, "size": NUMBERS}, verbose=0, return_dict=True)
    weighted = 2.0 * named["kind_loss"] + 0.5 * named["size_loss"]
    assert named["loss"] == pytest.approx(weighted, rel=1e-6)


def test_lists_and_dicts_of_the_same_things_train_to_the_same_bits():
    by_name, _ = fitted(loss=LOSSES, loss_weights={"size": 0.5, "kind": 1.0})
    in_order, history = fitted(True, loss=list(LOSSES.values()), loss_weights=[1.0, 0.5])
    for a, b in zip(by_name.get_weights(), in_order.get_weights(), strict=True):
        assert a.tobytes() == b.tobytes()
    # outputs in a list have no names: their losses are known by the loss, as in Keras
    assert list(history) == ["loss", "mse_loss", "sparse_categorical_crossentropy_loss"]


@pytest.mark.filterwarnings("ignore:The loss does not depend on these variables")
def test_an_output_without_a_loss_is_not_trained():
    model, history = fitted(loss={"kind": LOSSES["kind"]}, y={"kind": LABELS})
    assert list(history) == ["loss"]
    np.testing.assert_array_equal(model.second.get_weights()[0], np.ones((4, 1), "float32"))


def test_one_loss_serves_all_outputs():
    y = {"kind": np.eye(3, dtype="float32")[LABELS], "size": NUMBERS}
    _, history = fitted(loss="mse", y=y)
    assert list(history) == ["kind_loss", "loss", "size_loss"]


def test_sample_weights_of_one_output_leave_the_other_alone():
    weights = {"kind": np.ones(20, "float32"), "size": np.zeros(20, "float32")}
    model, _ = fitted(loss=LOSSES, weights=weights)
    np.testing.assert_array_equal(model.second.get_weights()[0], np.ones((4, 1), "float32"))


def test_class_weights_are_given_per_output():
    table = {"kind": {0: 2.0, 1: 0.5, 2: 1.0}}
    per_sample = np.array([table["kind"][label] for label in LABELS], "float32")
    one = TwoHeads()
    one.compile("sgd", loss=LOSSES)
    one.fit(X, {"kind": LABELS, "size": NUMBERS}, class_weight={**table, "size": None}, verbose=0,
            shuffle=False)  # fmt: skip
    weights = {"kind": per_sample, "size": np.ones(20, "float32")}
    other, _ = fitted(loss=LOSSES, weights=weights, epochs=1)
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_the_numbers_are_those_of_keras():
    model = TwoHeads()
    model.compile("sgd", loss=LOSSES, loss_weights={"kind": 1.0, "size": 0.1})
    x = np.linspace(-1, 1, 40, dtype="float32").reshape(10, 4)
    y = {"kind": np.arange(10) % 3, "size": np.linspace(0, 1, 10, dtype="float32")[:, None]}
    history = model.fit(x, y, epochs=3, batch_size=5, shuffle=False, verbose=0).history
    for name, values in KERAS.items():
        np.testing.assert_allclose(history[name], values, rtol=2e-5)


# recorded with Keras 3.15.1
KERAS = {
    "kind_loss": [1.098812, 1.098525, 1.098243],
    "loss": [1.538481, 1.533401, 1.528379],
    "size_loss": [4.396688, 4.348761, 4.301357],
}

MISTAKES = {
    "unknown name in loss": ({"loss": {"kinds": "mse"}}, "Did you mean 'kind'.*'kinds'"),
    "too few losses": ({"loss": ["mse"]}, r"2 outputs \(kind, size\).*`loss`.*1 entries"),
    "too many losses": ({"loss": ["mse", "mse", "mse"]}, "3 entries"),
    "one list of metrics": ({"loss": LOSSES, "metrics": ["mae"]}, "2 outputs.*`metrics`.*mae"),
    "unknown name in metrics": ({"loss": LOSSES, "metrics": {"siz": ["mae"]}}, "mean 'size'"),
    "one loss weight": ({"loss": LOSSES, "loss_weights": 0.5}, "`loss_weights`.*0.5"),
    "text as weight": ({"loss": LOSSES, "loss_weights": {"kind": "a"}}, "loss_weights.*'a'"),
    "a target too few": ({"loss": LOSSES, "y": {"kind": LABELS}}, "'size' has a loss.*none in `y`"),
    "unknown target": ({"loss": LOSSES, "y": {"kind": LABELS, "sise": NUMBERS}}, "mean 'size'"),
    "one target": ({"loss": LOSSES, "y": LABELS}, r"2 outputs.*`y`.*1 array"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_what_does_not_fit_the_outputs_is_refused_with_their_names(case):
    settings, message = MISTAKES[case]
    with pytest.raises((ValueError, TypeError), match=message):
        fitted(**settings)
