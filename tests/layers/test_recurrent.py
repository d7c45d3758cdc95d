"""Recurrent layers: Keras's numbers, states, masks, cells of one's own, files."""

import copy
import inspect
import json
import pickle
from pathlib import Path

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers, ops
from minikeras.autodiff import Tape
from minikeras.ops.time_steps import cut, from_time_steps, join, time_loop, time_steps
from minikeras.program import Replayed
from tests.conftest import reference_folder
from tests.layers.recurrent_cases import Leaky
from tests.layers.recurrent_values import CASES, MASK, flat, numbers, states_of, weights_for

HERE = Path(__file__).parent
SAID = json.loads((HERE / "recorded_recurrent.json").read_text())
by_name = pytest.mark.parametrize("name", CASES)
KINDS = ("SimpleRNN", "LSTM", "GRU")
by_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(scope="module")
def recorded():
    with np.load(HERE / "recorded_recurrent.npz") as content:
        return dict(content)


def built(case):
    layer = case.make(layers)
    layer._build(case.shape)
    layer.set_weights(weights_for([w.shape for w in layer.weights]))
    return layer


def value(tensor):
    return np.asarray(getattr(tensor, "value", tensor))


# --- Keras's numbers ---


@by_name
def test_outputs_states_and_gradients_are_those_of_keras(name, recorded):
    case, layer = CASES[name], built(CASES[name])
    given = states_of(case)
    if name.startswith("steps"):
        given["training"] = True
    with Tape() as tape:
        x = tape.watch(numbers(case.shape, 1))
        for variable in layer.trainable_variables:
            tape.watch(variable)
        outputs = flat(layer(x, **given))
        loss = sum(ops.sum(y * numbers(y.shape, 60 + k)) for k, y in enumerate(outputs))
    gradients = tape.gradient(loss, [x, *layer.trainable_variables])
    found = {f"y{k}": y for k, y in enumerate(outputs)}
    found |= dict(zip(["dx", *(f"dw{k}" for k in range(len(gradients)))], gradients, strict=False))
    for key, one in found.items():
        want = recorded[f"{name}/{key}"]
        np.testing.assert_allclose(value(one), want, rtol=1e-4, atol=2e-5, err_msg=key)
    assert f"{name}/y{len(outputs)}" not in recorded


@by_name
def test_weights_shapes_and_config_are_those_of_keras(name):
    layer, said = built(CASES[name]), SAID[name]
    assert [[w.name, list(w.shape)] for w in layer.weights] == said["weights"]
    symbols = CASES[name].make(layers)(keras.Input(CASES[name].shape[1:]))
    shapes = [list(s.shape) for s in flat(symbols)]
    # Keras 3.15 promises twice the forward width where the directions differ, and gives the sum
    assert shapes == ([[None, 5]] if name == "both_other" else said["shapes"])
    assert layer.count_params() == said["parameters"]
    ours = set(layer.get_config())
    # Keras 3.15 forgets these two when it writes some of its layers down
    assert ours - {"seed", "unit_forget_bias"} == set(said["config"]) - {"seed", "unit_forget_bias"}
    assert ours >= set(said["config"])


@by_name
def test_whole_sequences_and_single_steps_agree(name):
    """A kernel for whole sequences, where there is one, computes what the loop over steps does."""
    case, layer = CASES[name], built(CASES[name])
    one = flat(layer(numbers(case.shape, 1), **states_of(case)))
    for part in layer._flatten_layers():
        if isinstance(part, layers.RNN):
            part.use_cudnn = False
    for a, b in zip(one, flat(layer(numbers(case.shape, 1), **states_of(case))), strict=True):
        np.testing.assert_allclose(value(a), value(b), rtol=1e-5, atol=2e-6)


ARGUMENTS = {
    "RNN": "cell return_sequences return_state go_backwards stateful unroll zero_output_for_mask",
    "StackedRNNCells": "cells",
    "Bidirectional": "layer merge_mode weights backward_layer",
    "TimeDistributed": "layer",
}
_WEIGHTS = (
    "kernel_initializer recurrent_initializer bias_initializer {forget}kernel_regularizer "
    "recurrent_regularizer bias_regularizer {activity}kernel_constraint recurrent_constraint "
    "bias_constraint dropout recurrent_dropout "
)
_FLAGS = "return_sequences return_state go_backwards stateful unroll "
for _kind in KINDS:
    _gated = "" if _kind == "SimpleRNN" else "recurrent_activation "
    _forget = "unit_forget_bias " if _kind == "LSTM" else ""
    _after = "reset_after " if _kind == "GRU" else ""
    _start = f"units activation {_gated}use_bias "
    _cell = _WEIGHTS.format(forget=_forget, activity="")
    ARGUMENTS[f"{_kind}Cell"] = f"{_start}{_cell}{_after}seed"
    _own = _WEIGHTS.format(forget=_forget, activity="activity_regularizer ")
    _end = f"{_FLAGS}seed" if _kind == "SimpleRNN" else f"seed {_FLAGS}{_after}use_cudnn"
    ARGUMENTS[_kind] = f"{_start}{_own}{_end}"
for _rank in (1, 2, 3):
    _own = _WEIGHTS.format(forget="unit_forget_bias ", activity="activity_regularizer ")
    ARGUMENTS[f"ConvLSTM{_rank}D"] = (
        "filters kernel_size strides padding data_format dilation_rate activation "
        f"recurrent_activation use_bias {_own}seed return_sequences return_state go_backwards "
        "stateful"
    )


@pytest.mark.parametrize("kind", ARGUMENTS)
def test_arguments_come_in_the_order_of_keras(kind):
    found = list(inspect.signature(getattr(layers, kind)).parameters)
    assert found == [*ARGUMENTS[kind].split(), "kwargs"]


# --- the loop over time ---


def test_parts_of_an_array_are_cut_and_joined_with_their_gradients():
    x = numbers((2, 3, 4), 1)
    np.testing.assert_array_equal(join(cut(x, 2)), x)
    np.testing.assert_array_equal(from_time_steps(time_steps(x)), x)
    with Tape() as tape:
        watched = tape.watch(x)
        first, _, third = time_steps(watched)
        loss = ops.sum(first * 2.0) + ops.sum(cut(third, 4)[1])
    gradient = value(tape.gradient(loss, [watched])[0])
    want = np.zeros_like(x)
    want[:, 0], want[:, 2, 1] = 2, 1
    np.testing.assert_array_equal(gradient, want)
    with pytest.raises(ValueError, match="cannot be cut into 3"):
        cut(x, 3)


def test_a_step_must_give_states_like_those_it_took():
    x = numbers((2, 3, 4), 1)
    for wrong in ([x[:, 0, :2]], [x[:, 0], x[:, 0]]):
        with pytest.raises(ValueError, match=r"of the shapes of those that it took"):
            time_loop(lambda one, states, w=wrong: (one, w), x, [x[:, 0]])


# --- masks ---


def test_masked_steps_leave_everything_as_it_was():
    x, layer = numbers((3, 5, 4), 1), layers.GRU(3, return_sequences=True, return_state=True)
    outputs, state = layer(x, mask=MASK)
    np.testing.assert_array_equal(outputs[0, 2], outputs[0, 1])
    np.testing.assert_array_equal(outputs[1, 0], np.zeros(3))
    np.testing.assert_array_equal(state, outputs[:, -1])
    other = x.copy()
    other[~MASK] = 1e6
    np.testing.assert_array_equal(layer(other, mask=MASK)[0], outputs)


def test_masks_flow_through_layers_that_give_sequences_and_end_at_the_last_output():
    x = keras.Input((5, 4))
    masked = layers.Masking()(x)
    assert layers.LSTM(3, return_sequences=True)(masked)._keras_mask is not None
    assert layers.LSTM(3)(masked)._keras_mask is None
    first, state = layers.GRU(3, return_sequences=True, return_state=True)(masked)
    assert first._keras_mask is not None
    assert state._keras_mask is None
    assert layers.TimeDistributed(layers.Dense(2))(masked)._keras_mask is not None
    both = layers.Bidirectional(layers.LSTM(3, return_sequences=True), merge_mode=None)(masked)
    assert all(one._keras_mask is not None for one in both)


def test_a_masked_model_ignores_padding():
    model = keras.Sequential(
        [
            keras.Input((None, 4)),
            layers.Masking(),
            layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
            layers.GRU(2),
        ]
    )
    x = numbers((2, 4, 4), 1)
    padded = np.concatenate([x, np.zeros((2, 3, 4), "float32")], 1)
    a, b = model.predict(x, verbose=0), model.predict(padded, verbose=0)
    np.testing.assert_allclose(a, b, atol=1e-6)


# --- states ---


@by_kind
def test_states_that_are_handed_on_continue_the_sequence(kind):
    x = numbers((2, 6, 3), 1)
    layer = getattr(layers, kind)(4, return_sequences=True, return_state=True)
    whole, *end = layer(x)
    first, *middle = layer(x[:, :2])
    second, *found = layer(x[:, 2:], initial_state=middle)
    np.testing.assert_allclose(np.concatenate([first, second], 1), whole, atol=1e-6)
    for a, b in zip(found, end, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    np.testing.assert_array_equal(layer([x[:, 2:], *middle])[0], second)  # in a list, as of old


@by_kind
def test_a_stateful_layer_carries_its_states_from_batch_to_batch(kind):
    x = numbers((2, 6, 3), 1)
    layer = getattr(layers, kind)(4, stateful=True)
    assert layer.states is None
    first = layer(x)
    twin = getattr(layers, kind)(4)
    twin.build(x.shape)
    twin.set_weights(layer.get_weights())
    np.testing.assert_array_equal(first, twin(x))
    np.testing.assert_allclose(layer(x), twin(np.concatenate([x, x], 1)), atol=1e-6)
    layer.reset_state()
    assert not any(state.numpy().any() for state in layer.states)
    np.testing.assert_array_equal(layer(x), first)
    assert len(layer.weights) == len(twin.weights)


def test_a_stateful_model_is_trained_with_truncated_backpropagation():
    """States are carried through `fit`, gradients are not: as when they are given as numbers."""
    x, y = numbers((2, 4, 3), 1), numbers((2, 3), 2)
    model = keras.Sequential([keras.Input(batch_shape=(2, 4, 3)), layers.LSTM(3, stateful=True)])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    twin = layers.LSTM(3, return_state=True)
    twin.build((2, 4, 3))
    twin.set_weights(model.get_weights())
    model.fit(x, y, batch_size=2, epochs=3, shuffle=False, verbose=0)
    states = [np.zeros((2, 3), "float32")] * 2
    for _ in range(3):
        with Tape() as tape:
            for variable in twin.trainable_variables:
                tape.watch(variable)
            output, *after = twin(x, initial_state=states)
            loss = ops.mean(ops.square(output - y))
        for v, g in zip(
            twin.trainable_variables, tape.gradient(loss, twin.trainable_variables), strict=True
        ):
            v.assign(v.numpy() - 0.1 * value(g))
        states = [value(state) for state in after]
    for a, b in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    for a, b in zip(model.layers[0].states, states, strict=True):
        np.testing.assert_allclose(a.numpy(), b, atol=1e-6)
    before = model.predict(x, verbose=0)
    assert np.abs(model.predict(x, verbose=0) - before).max() > 1e-6
    model.layers[0].reset_states()
    assert not model.layers[0].states[0].numpy().any()


def test_a_stateless_call_leaves_the_carried_states_alone():
    x, layer = numbers((2, 4, 3), 1), layers.GRU(3, stateful=True)
    layer(x)
    before = layer.states[0].numpy()
    values = [v.numpy() for v in layer.trainable_variables]
    layer.stateless_call(values, [], x)
    np.testing.assert_array_equal(layer.states[0].numpy(), before)


def test_both_directions_carry_states():
    x, layer = numbers((2, 4, 3), 1), layers.Bidirectional(layers.LSTM(3, stateful=True))
    first, second = layer(x), layer(x)
    assert len(layer.states) == 4
    assert np.abs(first - second).max() > 1e-3
    layer.reset_state()
    np.testing.assert_array_equal(layer(x), first)


def test_encoder_states_start_a_decoder_in_a_functional_model(tmp_path):
    source, target = keras.Input((None, 3)), keras.Input((None, 2))
    _, *states = layers.LSTM(4, return_state=True)(source)
    outputs = layers.LSTM(4, return_sequences=True)(target, initial_state=states)
    model = keras.Model([source, target], layers.Dense(1)(outputs))
    model.compile("sgd", "mse")
    x = [numbers((2, 5, 3), 1), numbers((2, 4, 2), 2)]
    encoder, decoder = model.layers[2:4] if model.layers[2].return_state else model.layers[3:1:-1]
    _, *end = encoder(x[0])
    want = model.layers[-1](decoder(x[1], initial_state=end))
    before = model.get_weights()[0]
    np.testing.assert_allclose(model.predict(x, verbose=0), want, atol=1e-6)
    model.fit(x, np.ones((2, 4, 1)), verbose=0)
    assert np.abs(model.get_weights()[0] - before).max() > 0  # gradients reach the encoder
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_a_vector_is_repeated_to_a_sequence():
    model = keras.Sequential(
        [
            keras.Input((3,)),
            layers.RepeatVector(4),
            layers.SimpleRNN(5, return_sequences=True),
            layers.TimeDistributed(layers.Dense(2)),
        ]
    )
    assert model.output_shape == (None, 4, 2)
    assert model.predict(numbers((2, 3), 1), verbose=0).shape == (2, 4, 2)


def test_sequences_of_any_length_are_learned_by_one_model():
    model = keras.Sequential([keras.Input((None, 2)), layers.GRU(3), layers.Dense(1)])
    model.compile("sgd", "mse")
    for length in (3, 5, 3, 8):
        x = numbers((4, length, 2), length)
        loss = model.train_on_batch(x, np.ones((4, 1)))
        assert np.isfinite(loss)
        assert model.predict(x, verbose=0).shape == (4, 1)
    assert model.output_shape == (None, 1)


def test_ten_thousand_steps_are_learned():
    model = keras.Sequential([keras.Input((None, 2)), layers.LSTM(3), layers.Dense(1)])
    model.compile("sgd", "mse")
    x = numbers((2, 10_000, 2), 1)
    losses = [model.train_on_batch(x, np.ones((2, 1))) for _ in range(3)]
    assert losses[2] < losses[1] < losses[0]


# --- cells ---


class Counter:
    """A cell that is no layer."""

    state_size = 2

    def call(self, inputs, states):
        total = states[0] + inputs
        return total * 10.0, total


class Wide(layers.Layer):
    """A cell whose output has another size than its state, and that is told of training."""

    state_size, output_size = [2], 3

    def call(self, inputs, states, training=False):
        h = states[0] + inputs * (2.0 if training else 1.0)
        return ops.concatenate([h, h[:, :1]], -1), [h]


def test_a_cell_may_be_any_object_with_call_and_state_size():
    x = np.ones((1, 3, 2), "float32")
    layer = layers.RNN(Counter(), return_sequences=True, return_state=True)
    outputs, state = layer(x)
    assert outputs[0].tolist() == [[10, 10], [20, 20], [30, 30]]
    assert state.tolist() == [[3, 3]]


def test_outputs_may_be_wider_than_states_and_masks_keep_the_output_before():
    x = np.ones((1, 4, 2), "float32")
    layer = layers.RNN(Wide(), return_sequences=True)
    mask = np.array([[False, True, False, True]])
    assert layer(x, mask=mask)[0, :, 2].tolist() == [0, 1, 1, 2]
    assert layer(x, training=True)[0, :, 0].tolist() == [2, 4, 6, 8]
    symbol = layer(keras.Input((4, 2)))
    assert symbol.shape == (None, 4, 3) == layer.compute_output_shape((None, 4, 2))


def test_nested_states_are_started_carried_and_given_back():
    x = numbers((2, 3, 2), 1)
    layer = layers.RNN(Leaky(4), return_state=True)
    output, h, (slow, count) = layer(x)
    np.testing.assert_array_equal(output, h)
    np.testing.assert_array_equal(count, np.full((2, 2), 3))
    again = layer(x, initial_state=[h, [slow, count]])
    np.testing.assert_array_equal(again[2][1], np.full((2, 2), 6))
    shapes = [tuple(s.shape) for s in flat(layer(keras.Input((3, 2))))]
    assert shapes == [(None, 4), (None, 4), (None, 4), (None, 2)]


def test_a_cell_of_ones_own_is_saved_with_the_layer_around_it(tmp_path):
    model = keras.Sequential(
        [
            keras.Input((3, 2)),
            layers.RNN([Leaky(4), layers.GRUCell(3)], return_sequences=True),
            layers.Bidirectional(layers.RNN(Leaky(2))),
        ]
    )
    x = numbers((2, 3, 2), 1)
    for name in ("m.keras", "m.h5"):
        model.save(tmp_path / name)
        again = keras.models.load_model(tmp_path / name)
        np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_a_cell_that_is_not_registered_is_found_among_custom_objects():
    class Own(layers.SimpleRNNCell):
        def call(self, inputs, states, training=False):
            output, states = super().call(inputs, states, training)
            return output * 0.5, [output * 0.5]

    layer = layers.RNN(Own(3))
    x = numbers((2, 4, 3), 1)
    y = layer(x)
    record = keras.saving.serialize_keras_object(layer)
    again = keras.saving.deserialize_keras_object(record, custom_objects={"Own": Own})
    again.build(x.shape) if not again.built else None
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(x), y)
    plain = layers.SimpleRNN(3)
    plain.build(x.shape)
    plain.set_weights(layer.get_weights())
    assert np.abs(plain(x) - y).max() > 1e-3  # its own `call` counts, not that of our cell


def test_both_directions_copy_cells_and_functions_that_are_not_registered():
    def bent(x):
        return ops.tanh(x) * 0.5

    class Own(layers.GRUCell):
        def __init__(self, units, **kwargs):
            super().__init__(units, activation=bent, **kwargs)

        def get_config(self):
            return {"units": self.units, "name": self.name}

    layer = layers.Bidirectional(layers.RNN([Own(3), layers.LSTMCell(2, activation=bent)]))
    assert layer(numbers((2, 4, 3), 1)).shape == (2, 4)
    assert type(layer.backward_layer.cell.cells[0]) is Own
    assert layer.backward_layer.cell.cells[1].activation is bent


def test_a_cell_alone_takes_a_step():
    cell = layers.GRUCell(3)
    x, h = numbers((2, 4), 1), numbers((2, 3), 2)
    alone, state = cell(x, h)
    listed, states = cell(x, [h])
    np.testing.assert_array_equal(alone, listed)
    np.testing.assert_array_equal(state, states[0])
    symbol, _ = layers.LSTMCell(3)(keras.Input((4,)), [keras.Input((3,)), keras.Input((3,))])
    assert symbol.shape == (None, 3)


# --- dropout ---


@by_kind
def test_dropout_masks_are_those_of_the_seed_and_the_same_at_all_steps(kind):
    x = np.ones((4, 6, 5), "float32")
    make = lambda: getattr(layers, kind)(  # noqa: E731
        8, dropout=0.5, recurrent_dropout=0.5, seed=3, kernel_initializer="ones",
        return_sequences=True,
    )  # fmt: skip
    one, other = make(), make()
    one.build(x.shape), other.build(x.shape)
    other.set_weights(one.get_weights())
    first = one(x, training=True)
    np.testing.assert_array_equal(first, other(x, training=True))
    assert np.abs(one(x, training=True) - first).max() > 1e-3  # another mask for the next batch
    np.testing.assert_array_equal(one(x), other(x))  # none at inference
    cell = one.cell
    mask = cell.get_dropout_mask(x[:, 0])
    assert mask is cell.get_dropout_mask(x[:, 0])
    cell.reset_dropout_mask()
    assert mask is not cell.get_dropout_mask(x[:, 0])


def test_one_mask_serves_all_steps():
    cell = layers.SimpleRNNCell(1, activation=None, dropout=0.5, seed=1)
    cell.build((None, 50))
    cell.set_weights([np.ones((50, 1)), np.zeros((1, 1)), np.zeros(1)])
    outputs = layers.RNN(cell, return_sequences=True)(np.ones((3, 7, 50)), training=True)
    assert np.ptp(outputs, axis=1).max() == 0
    assert np.ptp(outputs[:, 0]) > 0


# --- two directions, steps ---


def test_weights_may_be_given_to_both_directions():
    plain = layers.Bidirectional(layers.GRU(3))
    x = numbers((2, 4, 2), 1)
    y = plain(x)
    again = layers.Bidirectional(layers.GRU(3), weights=plain.get_weights())
    np.testing.assert_array_equal(again(x), y)


def test_the_copies_in_both_directions_are_new_and_keep_their_names():
    inner = layers.LSTM(3, name="rnn")
    inner.build((None, 4, 2))
    layer = layers.Bidirectional(inner, name="both")
    assert not layer.forward_layer.built
    again = layers.Bidirectional.from_config(layer.get_config())
    names = [(one.forward_layer.name, one.backward_layer.name) for one in (layer, again)]
    assert names == [("forward_rnn", "backward_rnn")] * 2
    assert again.backward_layer.go_backwards
    layer.build((None, 4, 2))
    assert layer.weights[3].path == "both/backward_rnn/lstm_cell/kernel"


def test_steps_are_one_batch_only_for_layers_whose_samples_are_alone():
    x = numbers((4, 3, 2), 1)
    norm = layers.TimeDistributed(layers.BatchNormalization(momentum=0.5))
    y = norm(x, training=True)
    np.testing.assert_allclose(y.mean(0), np.zeros((3, 2)), atol=1e-6)  # each step by itself
    centred = layers.TimeDistributed(layers.Lambda(lambda z: z - ops.mean(z, 0)))(x)
    np.testing.assert_allclose(centred.mean(0), np.zeros((3, 2)), atol=1e-6)
    sizes = []
    dense = layers.Dense(2)
    dense.call = lambda z, call=dense.call: sizes.append(z.shape) or call(z)
    layers.TimeDistributed(dense)(x)
    assert sizes == [(12, 2)]


def test_a_penalty_on_outputs_of_steps_is_summed_over_steps():
    x = numbers((4, 3, 2), 1)
    layer = layers.TimeDistributed(layers.Dense(2, activity_regularizer="l2"))
    y = layer(x)
    np.testing.assert_allclose(float(sum(layer.losses)), 0.01 * (y**2).sum() / 4, rtol=1e-5)


# --- copies, programs ---


def test_copies_and_pickles_compute_the_same():
    model = keras.Sequential(
        [
            keras.Input(batch_shape=(2, 4, 3)),
            layers.Bidirectional(layers.LSTM(3, return_sequences=True, recurrent_dropout=0.2)),
            layers.RNN([Leaky(2), layers.GRUCell(2)], stateful=True),
        ]
    )
    x = numbers((2, 4, 3), 1)
    model.layers[0].forward_layer.cell.get_dropout_mask(x[:, 0])
    want = model(x)
    model.layers[1].reset_state()
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(twin(x), want)
        assert model.layers[1].states is not twin.layers[1].states
    assert not model.layers[1].states[0][0].numpy().any()


@by_kind
def test_a_recorded_program_carries_states_as_eager_calls_do(kind):
    x = numbers((2, 4, 3), 1)
    eager, recorded = (getattr(layers, kind)(3, stateful=True) for _ in range(2))
    eager.build(x.shape), recorded.build(x.shape)
    recorded.set_weights(eager.get_weights())
    replayed = Replayed(lambda x: [recorded(x)])
    for _ in range(3):
        np.testing.assert_array_equal(replayed(x)[0], eager(x))


def test_a_layer_of_the_users_holds_recurrent_ones():
    class Reader(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.read = layers.RNN(Leaky(3))
            self.both = layers.Bidirectional(layers.GRU(2, return_sequences=True))

        def call(self, x):
            return self.read(self.both(x))

    symbol = Reader()(keras.Input((None, 4)))
    assert symbol.shape == (None, 3)
    assert Reader()(numbers((2, 5, 4), 1)).shape == (2, 3)


# --- mistakes ---

X = numbers((2, 4, 5), 1)
STATE = np.zeros((2, 3), "float32")
MISUSE = {
    "`units` must be a positive integer": lambda: layers.LSTM(0),
    "expected 3 dimensions": lambda: layers.GRU(3)(X[0]),
    "2 initial states of shapes (2, 3), (2, 3) for a batch of 2. Received: 1 of (2, 3)": (
        lambda: layers.LSTM(3)(X, initial_state=[STATE])
    ),
    "1 initial state of shape (2, 3) for a batch of 2. Received: 1 of (3, 3)": (
        lambda: layers.GRU(3)(X, initial_state=np.zeros((3, 3)))
    ),
    "given states twice": lambda: layers.GRU(3)([X, STATE], initial_state=STATE),
    "needs a fixed batch size": lambda: layers.LSTM(3, stateful=True)(keras.Input((4, 5))),
    "unroll=True, which needs a known number of steps": (
        lambda: layers.LSTM(3, unroll=True)(keras.Input((None, 5)))
    ),
    "needs at least one step": lambda: layers.LSTM(3)(X[:, :0]),
    "a mask of shape (batch, time), here (2, 4). Received: (2, 3)": (
        lambda: layers.LSTM(3)(X, mask=np.ones((2, 3), bool))
    ),
    "`use_cudnn` must be one of": lambda: layers.GRU(3, use_cudnn="yes"),
    "no kernel that runs 'lstm_cell'": (
        lambda: layers.LSTM(3, recurrent_activation="relu", use_cudnn=True)(X)
    ),
    "`dropout` must be a number between 0 and 1": lambda: layers.SimpleRNN(3, dropout=1.5),
    "recurrent_dropout must be below 1": lambda: layers.GRU(3, recurrent_dropout=1),
    "needs to know the number of features": lambda: layers.LSTM(3)(keras.Input((4, None))),
    "which has no `state_size`": lambda: layers.RNN(layers.Dense(3)),
    "Its cell is LSTMCell": lambda: layers.RNN(layers.LSTM(3)),
    "which has no `call`": lambda: layers.RNN(3),
    "layer` must be a recurrent layer": lambda: layers.Bidirectional(layers.Dense(3)),
    "Did you mean 'concat'": lambda: layers.Bidirectional(layers.LSTM(3), "concta"),
    "one layer for each direction": (
        lambda: layers.Bidirectional(layers.LSTM(3), backward_layer=layers.LSTM(3))
    ),
    "need the same `return_sequences`": lambda: layers.Bidirectional(
        layers.LSTM(3), backward_layer=layers.GRU(3, go_backwards=True, return_sequences=True)
    ),
    "needs outputs of one shape": lambda: layers.Bidirectional(
        layers.LSTM(3), "sum", backward_layer=layers.LSTM(4, go_backwards=True)
    )(X),
    "as many initial states for the backward layer": (
        lambda: layers.Bidirectional(layers.GRU(3))(X, initial_state=[STATE] * 3)
    ),
    "3 arrays for the forward layer and 3": (
        lambda: layers.Bidirectional(layers.GRU(3), weights=[STATE])(X)
    ),
    "needs a list of cells": lambda: layers.StackedRNNCells([]),
    "needs the states of each": lambda: layers.StackedRNNCells([layers.GRUCell(3)])(X[:, 0], []),
    "takes 2 state(s) of shapes": lambda: layers.LSTMCell(3)(X[:, 0], [STATE]),
    "at least 3 dimensions": lambda: layers.TimeDistributed(layers.Dense(3))(X[0]),
    "a mask that begins with (batch, time)": (
        lambda: layers.TimeDistributed(layers.Dense(3))(X, mask=np.ones((2, 3), bool))
    ),
    "images of a known size": lambda: layers.ConvLSTM2D(3, 2)(keras.Input((3, None, 4, 2))),
    "smaller than the kernel": lambda: layers.ConvLSTM2D(3, 9)(np.ones((2, 3, 4, 4, 1))),
    "`padding` must be one of": lambda: layers.ConvLSTM1D(3, 2, padding="causal"),
    "cannot both be above 1": lambda: layers.ConvLSTM1D(3, 2, strides=2, dilation_rate=2),
    "Did you mean 'return_sequences'": lambda: layers.LSTM(3, retrun_sequences=True),
}


@pytest.mark.parametrize("words", MISUSE)
def test_a_mistake_is_named(words):
    with pytest.raises((ValueError, TypeError)) as caught:
        MISUSE[words]()
    assert words in str(caught.value)


def test_other_mistakes_with_states():
    with pytest.raises(AttributeError, match="carries no states"):
        layers.Bidirectional(layers.GRU(3)).reset_state()
    layer = layers.LSTM(3, stateful=True)
    layer(X)
    with pytest.raises(ValueError, match="a batch of 2. Received: a batch of 1"):
        layer(X[:1])


# --- files of Keras 2 ---


@pytest.mark.parametrize("name", ["gru_both", "embed_lstm", "hand_lstm_impl", "masking"])
def test_recurrent_models_of_keras_2_predict_as_they_did(name):
    folder = reference_folder("fixtures", "keras315")
    if folder is None:
        pytest.skip("the whole set of reference files is not there")
    model = keras.models.load_model(folder / "legacy_tf2" / f"{name}.h5")
    with np.load(folder / "legacy_tf2" / f"{name}.npz") as content:
        predicted = flat(model.predict(content["x0"], verbose=0))[0]
        np.testing.assert_allclose(predicted, content["y0"], atol=1e-5)


class Counting(layers.Layer):
    """A cell with a state that does not depend on the input."""

    state_size = (2, 3)

    def call(self, inputs, states):
        return inputs, [inputs, states[1] + 1.0]


@pytest.mark.parametrize("batch_size", [2, 7])
def test_a_state_that_no_input_changes_is_predicted_too(batch_size):
    x = keras.Input((None, 2))
    model = keras.Model(x, layers.RNN(Counting(), return_state=True)(x))
    found = model.predict(np.ones((7, 4, 2)), batch_size=batch_size, verbose=0)
    np.testing.assert_array_equal(found[2], np.full((7, 3), 4.0))


def test_symbols_of_stacked_states_are_nested_like_their_sizes():
    x = keras.Input((None, 2))
    cells = [layers.GRUCell(3), layers.LSTMCell(4), layers.SimpleRNNCell(5)]
    output, first, second, third = layers.RNN(cells, return_state=True)(x)
    assert first.shape == (None, 3)
    assert third.shape == (None, 5)
    assert [state.shape for state in second] == [(None, 4), (None, 4)]
    model = keras.Model(x, layers.Dense(1)(first) + layers.Dense(1)(third))
    assert model.predict(np.ones((6, 4, 2)), verbose=0).shape == (6, 1)
