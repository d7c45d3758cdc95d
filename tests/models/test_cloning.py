import numpy as np
import pytest

import minikeras as keras
from minikeras import layers
from minikeras.models import clone_model, model_from_json
from tests.models.test_functional import X, inputs_for, nested, residual, two_in_two_out


def stack():
    return keras.Sequential([keras.Input((4,)), layers.Dense(3, "relu"), layers.Dense(2)])


@pytest.mark.parametrize("make", [residual, two_in_two_out, nested, stack])
def test_a_clone_has_the_architecture_and_weights_of_its_own(make):
    model = make()
    clone = clone_model(model)
    assert clone.to_json() == model.to_json()
    assert not {id(v) for v in clone.weights} & {id(v) for v in model.weights}
    clone.set_weights(model.get_weights())
    one, other = (m.predict(inputs_for(model), verbose=0) for m in (model, clone))
    for a, b in zip(keras.tree.flatten(one), keras.tree.flatten(other), strict=True):
        np.testing.assert_array_equal(a, b)


def test_layers_may_be_replaced_or_kept():
    model = residual()
    wider = clone_model(
        model, clone_function=lambda la: layers.Dense(la.units, "tanh") if la.units > 1 else la
    )
    assert wider.layers[1].activation is keras.activations.tanh
    assert wider.layers[-1] is model.layers[-1]


def test_calls_may_be_followed_by_others():
    def call(layer, *args, **kwargs):
        out = layer(*args, **kwargs)
        return layers.Dropout(0.5)(out) if isinstance(layer, layers.Dense) else out

    clone = clone_model(residual(), clone_function=lambda la: la, call_function=call)
    assert sum(isinstance(la, layers.Dropout) for la in clone.layers) == 2


def test_a_clone_may_stand_on_other_inputs():
    x = keras.Input((4,), name="fresh")
    assert clone_model(residual(), input_tensors=x).inputs == [x]


def test_architecture_goes_through_json():
    model = residual()
    again = model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again(X), model(X))
    with pytest.raises(ValueError, match="not JSON"):
        model_from_json("{")


def test_subclassed_models_cannot_be_changed_while_cloned():
    class Own(keras.Model):
        def call(self, x):
            return x

    with pytest.raises(ValueError, match="subclassed Own"):
        clone_model(Own(), clone_function=lambda la: la)


def test_the_summary_of_a_graph_tells_what_is_connected_to_what():
    lines = []
    two_in_two_out().summary(print_fn=lines.append)
    text = "\n".join(lines)
    assert "Connected to" in text
    assert "shared[0][0]" in text
    assert "shared[1][0]" in text
    assert "concatenate (Concatenate)" in text or "concatenate_" in text


def test_nested_models_are_expanded_on_request():
    lines = []
    nested().summary(print_fn=lines.append, expand_nested=True, show_trainable=True)
    assert "    dense" in "\n".join(lines)
