"""Paths of variables: the names of the layers around them, as real Keras 3.15 gives them."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers


def paths(owner) -> list[str]:
    """Those of the weights, without their own names, each once."""
    return list(dict.fromkeys(weight.path.rpartition("/")[0] for weight in owner.weights))


class Block(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = layers.Dense(4)
        self.early = self.add_weight((1,), name="early")

    def build(self, input_shape):
        self.inner.build(input_shape)
        self.scale = self.add_weight((2,), name="scale")

    def call(self, inputs):
        return self.inner(inputs)


class Mine(keras.Model):
    def __init__(self):
        super().__init__(name="mine")
        self.first = layers.Dense(4)
        self.stack = keras.Sequential([layers.Dense(4)], name="stack")
        self.free = self.add_weight(shape=(1,), name="free")

    def call(self, inputs):
        return self.stack(self.first(inputs))


def test_sequential_models_put_their_name_in_front():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2), layers.BatchNormalization()])
    assert paths(model) == ["sequential/dense", "sequential/batch_normalization"]
    later = keras.Sequential([keras.Sequential([layers.Dense(4)], name="inner"), layers.Dense(2)])
    later.build((None, 3))
    assert paths(later) == ["sequential_1/inner/dense_1", "sequential_1/dense_2"]


def test_layers_of_functional_models_stand_alone():
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(4)], name="inner")
    x = keras.Input((3,))
    model = keras.Model(x, layers.Dense(2, name="head")(inner(x)))
    assert [weight.path for weight in model.weights] == [
        *("inner/dense/kernel", "inner/dense/bias", "head/kernel", "head/bias"),
    ]


def test_subclasses_put_their_name_before_what_their_call_builds():
    model = Mine()
    model(np.zeros((2, 3), "float32"))
    assert paths(model) == ["mine", "mine/dense", "mine/stack/dense_1"]


def test_weights_of_a_constructor_and_of_build_lie_where_they_were_made():
    model = keras.Sequential([keras.Input((3,)), Block(name="block")])
    assert [weight.path for weight in model.weights] == [
        *("block/early", "sequential/block/scale"),
        *("sequential/block/dense/kernel", "sequential/block/dense/bias"),
    ]


def test_wrappers_and_cells_are_part_of_the_path():
    model = keras.Sequential(
        [
            keras.Input((5, 3)),
            layers.Bidirectional(layers.GRU(2, return_sequences=True)),
            layers.TimeDistributed(layers.Dense(2)),
            layers.RNN([layers.GRUCell(2), layers.LSTMCell(3)]),
            layers.SpectralNormalization(layers.Dense(2)),
        ],
        name="m",
    )
    assert paths(model) == [
        "m/bidirectional/forward_gru/gru_cell",
        "m/bidirectional/backward_gru/gru_cell",
        "m/time_distributed/dense",
        "m/rnn/stacked_rnn_cells/gru_cell",
        "m/rnn/stacked_rnn_cells/lstm_cell",
        "m/spectral_normalization/dense_1",
        "m/spectral_normalization",
    ]
    dropout = keras.Sequential([keras.Input((3,)), layers.Dropout(0.1)])
    assert dropout.variables[0].path.endswith("/seed_generator_state")


def test_optimizers_name_what_they_keep_after_the_weight():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2, use_bias=False)])
    optimizer = keras.optimizers.Adam(use_ema=True, gradient_accumulation_steps=2)
    optimizer.build(model.trainable_variables)
    assert [variable.path for variable in optimizer.variables] == [
        *("adam/iteration", "adam/learning_rate", "adam/sequential_dense_kernel_average"),
        "adam/sequential_dense_kernel_gradient_accumulator",
        *("adam/sequential_dense_kernel_momentum", "adam/sequential_dense_kernel_velocity"),
    ]


def test_a_failed_call_leaves_no_path_behind():
    model = Mine()
    model.stack = None
    with pytest.raises(TypeError):
        model(np.zeros((2, 3), "float32"))
    assert keras.Variable(1.0, name="v").path == "v"
