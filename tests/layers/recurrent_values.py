"""Recurrent layers whose outputs, states and gradients real Keras recorded."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

X = (3, 5, 4)
MASK = np.array([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1], [1, 1, 1, 1, 1]], bool)


class Case(NamedTuple):
    """How a layer is made with `keras.layers`, its input, and what it is called with."""

    make: Callable[[Any], Any]
    shape: tuple[int, ...] = X
    mask: np.ndarray | None = None
    states: tuple = ()  # number of features of each initial state


def plain(kind: str, *units: Any, **arguments: Any) -> Callable[[Any], Any]:
    return lambda layers: getattr(layers, kind)(*units, **arguments)


def both(kind: str, mode: Any = "concat", **arguments: Any) -> Callable[[Any], Any]:
    return lambda layers: layers.Bidirectional(getattr(layers, kind)(3, **arguments), mode)


def stack(*kinds: str, **arguments: Any) -> Callable[[Any], Any]:
    def make(layers: Any) -> Any:
        cells = [getattr(layers, f"{kind}Cell")(4 - k) for k, kind in enumerate(kinds)]
        return layers.RNN(cells, return_state=True, **arguments)

    return make


FULL = {"return_sequences": True, "return_state": True}
STATES = {"SimpleRNN": (6,), "GRU": (6,), "LSTM": (6, 6)}
CASES: dict[str, Case] = {}
for _kind, _states in STATES.items():
    CASES |= {
        f"{_kind}": Case(plain(_kind, 6)),
        f"{_kind}_full": Case(plain(_kind, 6, **FULL), states=_states),
        f"{_kind}_masked": Case(plain(_kind, 6, **FULL), mask=MASK, states=_states),
        f"{_kind}_back": Case(plain(_kind, 6, go_backwards=True, **FULL), mask=MASK),
        f"{_kind}_zero": Case(
            plain(_kind, 6, zero_output_for_mask=True, **FULL), mask=MASK, states=_states
        ),
        f"{_kind}_zero_back": Case(
            plain(_kind, 6, zero_output_for_mask=True, go_backwards=True, return_state=True),
            mask=MASK,
        ),
        f"{_kind}_unrolled": Case(plain(_kind, 6, unroll=True, **FULL), mask=MASK),
        f"{_kind}_softsign": Case(plain(_kind, 6, activation="softsign", **FULL), mask=MASK),
        f"{_kind}_linear": Case(plain(_kind, 6, activation=None, use_bias=False)),
        f"{_kind}_relu": Case(plain(_kind, 6, activation="relu", go_backwards=True)),
        f"{_kind}_both": Case(both(_kind, return_sequences=True), mask=MASK),
        f"{_kind}_both_last": Case(both(_kind, return_state=True), mask=MASK),
    }
CASES |= {
    "GRU_before": Case(plain("GRU", 6, reset_after=False, **FULL), mask=MASK),
    "GRU_before_plain": Case(plain("GRU", 6, reset_after=False, use_bias=False)),
    "GRU_before_elu": Case(plain("GRU", 6, "elu", reset_after=False, **FULL)),
    "GRU_hard": Case(plain("GRU", 6, recurrent_activation="hard_sigmoid", **FULL)),
    "GRU_softmax": Case(plain("GRU", 6, recurrent_activation="softmax", **FULL), mask=MASK),
    "LSTM_hard": Case(plain("LSTM", 6, recurrent_activation="hard_sigmoid", **FULL)),
    "LSTM_softmax": Case(plain("LSTM", 6, recurrent_activation="softmax", **FULL), mask=MASK),
    "both_sum": Case(both("LSTM", "sum", return_sequences=True)),
    "both_mul": Case(both("LSTM", "mul", return_sequences=True), mask=MASK),
    "both_ave": Case(both("GRU", "ave")),
    "both_none": Case(both("GRU", None, **FULL), mask=MASK),
    "both_states": Case(both("LSTM"), states=(3, 3, 3, 3)),
    "both_other": Case(
        lambda layers: layers.Bidirectional(
            layers.LSTM(3), backward_layer=layers.GRU(2, go_backwards=True)
        )
    ),
    "stack": Case(stack("LSTM", "LSTM", return_sequences=True), mask=MASK),
    "stack_back": Case(stack("LSTM", "LSTM", go_backwards=True), mask=MASK),
    "stack_zero": Case(stack("LSTM", "LSTM", zero_output_for_mask=True), mask=MASK),
    "stack_mixed": Case(stack("SimpleRNN", "GRU", "LSTM", return_sequences=True)),
    "steps_conv": Case(lambda layers: layers.TimeDistributed(layers.Conv2D(3, 2)), (2, 3, 5, 4, 2)),
    "steps_norm": Case(lambda layers: layers.TimeDistributed(layers.BatchNormalization())),
    "steps_lstm": Case(
        lambda layers: layers.TimeDistributed(layers.LSTM(3)),
        (2, 3, 5, 4),
        mask=np.stack([MASK, ~MASK | MASK[::-1]]),
    ),
    "conv1": Case(plain("ConvLSTM1D", 3, 2, **FULL), (2, 3, 5, 2)),
    "conv1_back": Case(plain("ConvLSTM1D", 3, 3, 2, go_backwards=True, **FULL), (2, 3, 6, 2)),
    "conv2": Case(plain("ConvLSTM2D", 3, 2, padding="same", **FULL), (2, 3, 4, 5, 2)),
    "conv2_dilated": Case(
        plain("ConvLSTM2D", 2, 2, dilation_rate=2, use_bias=False, activation="relu"),
        (2, 3, 4, 5, 2),
    ),
    "conv3": Case(
        plain("ConvLSTM3D", 2, 2, recurrent_activation="hard_sigmoid"), (2, 2, 3, 3, 3, 1)
    ),
}


def numbers(shape: Any, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, 0.7, tuple(shape)).astype("float32")


def weights_for(shapes: list[Any]) -> list[np.ndarray]:
    """Weights and states to start from; also good for variances, which must not be negative."""
    return [np.abs(numbers(s, 20 + k)) if k == 3 else numbers(s, 20 + k) * 0.6
            for k, s in enumerate(shapes)]  # fmt: skip


def states_of(case: Case) -> dict[str, Any]:
    """The keyword arguments of the call."""
    given: dict[str, Any] = {} if case.mask is None else {"mask": case.mask}
    if case.states:
        states = [numbers((case.shape[0], n), 40 + k) for k, n in enumerate(case.states)]
        given["initial_state"] = states if len(states) > 1 else states[0]
    return given


def flat(value: Any) -> list[Any]:
    """The leaves of a nest of lists and tuples."""
    if isinstance(value, list | tuple):
        return [leaf for one in value for leaf in flat(one)]
    return [value]
