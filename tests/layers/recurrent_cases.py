"""Recurrent layers for the table of all layers: how they are made, and the shape of an input."""

from minikeras import initializers, layers, ops
from minikeras.core.registry import register_keras_serializable

F64 = {"dtype": "float64"}
START = initializers.GlorotUniform(seed=1)


@register_keras_serializable("layers_test")
class Leaky(layers.Layer):
    """A cell of one's own: a state that decays, and a nest of two more."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = [units, [units, 2]]

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer=START)
        self.mix = self.add_weight(shape=(self.units, self.units), initializer=START)

    def get_initial_state(self, batch_size=None):
        return [
            ops.zeros((batch_size, self.units), self.compute_dtype),
            [
                ops.ones((batch_size, self.units), self.compute_dtype),
                ops.zeros((batch_size, 2), self.compute_dtype),
            ],
        ]

    def call(self, inputs, states):
        h, (slow, count) = states
        h = ops.tanh(ops.matmul(inputs, self.kernel) + ops.matmul(h, self.mix) + slow)
        return h, [h, [slow * 0.5 + h * 0.5, count + 1]]


RECURRENT = {
    "SimpleRNN": [
        (lambda: layers.SimpleRNN(3, **F64), (2, 3, 2)),
        (
            lambda: layers.SimpleRNN(
                4,
                "softsign",
                return_sequences=True,
                dropout=0.3,
                recurrent_dropout=0.4,
                seed=1,
                go_backwards=True,
                **F64,
            ),
            (2, 3, 2),
        ),
    ],
    "LSTM": [
        (lambda: layers.LSTM(3, return_sequences=True, **F64), (2, 3, 2)),
        (lambda: layers.LSTM(3, kernel_regularizer="l2", **F64), (2, 3, 2)),
        (
            lambda: layers.LSTM(
                3, "softplus", "hard_sigmoid", use_bias=False, go_backwards=True, **F64
            ),
            (2, 3, 2),
        ),
        (
            lambda: layers.LSTM(
                3, dropout=0.3, recurrent_dropout=0.4, seed=1, return_sequences=True, **F64
            ),
            (2, 3, 2),
        ),
    ],
    "GRU": [
        (lambda: layers.GRU(3, return_sequences=True, **F64), (2, 3, 2)),
        (lambda: layers.GRU(3, reset_after=False, go_backwards=True, **F64), (2, 3, 2)),
        (lambda: layers.GRU(3, "gelu", reset_after=False, **F64), (2, 3, 2)),
        (lambda: layers.GRU(3, recurrent_activation="softmax", **F64), (2, 3, 2)),
        (
            lambda: layers.GRU(3, dropout=0.3, recurrent_dropout=0.4, seed=1, **F64),
            (2, 3, 2),
        ),
        (
            lambda: layers.GRU(
                3, recurrent_dropout=0.4, reset_after=False, use_bias=False, seed=1, **F64
            ),
            (2, 3, 2),
        ),
    ],
    "RNN": [
        (lambda: layers.RNN(Leaky(3, **F64), return_sequences=True, **F64), (2, 3, 2)),
        (
            lambda: layers.RNN(
                [
                    layers.LSTMCell(4, **F64),
                    Leaky(3, **F64),
                    layers.GRUCell(2, dropout=0.3, seed=1, **F64),
                ],
                go_backwards=True,
                **F64,
            ),
            (2, 3, 2),
        ),
    ],
    "Bidirectional": [
        (lambda: layers.Bidirectional(layers.LSTM(3, **F64), **F64), (2, 3, 2)),
        (
            lambda: layers.Bidirectional(layers.GRU(3, return_sequences=True, **F64), "mul", **F64),
            (2, 3, 2),
        ),
        (
            lambda: layers.Bidirectional(
                layers.SimpleRNN(3, **F64),
                backward_layer=layers.LSTM(2, go_backwards=True, **F64),
                **F64,
            ),
            (2, 3, 2),
        ),
    ],
    "TimeDistributed": [
        (lambda: layers.TimeDistributed(layers.Dense(3, "relu", **F64), **F64), (2, 3, 2)),
        (lambda: layers.TimeDistributed(layers.Conv2D(2, 2, **F64), **F64), (2, 3, 4, 3, 2)),
        (
            lambda: layers.TimeDistributed(layers.BatchNormalization(**F64), **F64),
            (4, 3, 2),
        ),
    ],
    "ConvLSTM1D": [
        (lambda: layers.ConvLSTM1D(2, 2, return_sequences=True, **F64), (2, 3, 4, 2)),
        (
            lambda: layers.ConvLSTM1D(
                2, 3, 2, "same", "channels_first", dropout=0.3, recurrent_dropout=0.4, seed=1, **F64
            ),
            (2, 3, 2, 4),
        ),
    ],
    "ConvLSTM2D": [
        (
            lambda: layers.ConvLSTM2D(
                2, 2, dilation_rate=2, activation="relu", use_bias=False, **F64
            ),
            (2, 2, 4, 3, 1),
        )
    ],
    "ConvLSTM3D": [(lambda: layers.ConvLSTM3D(1, 2, go_backwards=True, **F64), (1, 2, 2, 3, 2, 1))],
}
# steps of recurrent layers: functions of an input and states
CELLS = {"SimpleRNNCell", "LSTMCell", "GRUCell", "StackedRNNCells"}
