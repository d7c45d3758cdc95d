"""SimpleRNN, LSTM and GRU: `RNN` with a cell of this library."""

from __future__ import annotations

from typing import Any

from ..core.registry import register
from ..core.validate import one_of
from .input_spec import InputSpec
from .recurrent import RNN
from .recurrent_cells import GRUCell, LSTMCell, SimpleRNNCell


class OfCell(RNN):
    """An `RNN` that is made by the arguments of its cell, and written down by them.

    A subclass names them in `_of_cell`; they are attributes of the layer as well.
    """

    _of_cell: tuple[str, ...] = ()
    _decided = ("cell",)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in cls.__dict__.get("_of_cell", ()):
            setattr(cls, name, _told_by_cell(name))

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["cell"]
        return config


def _told_by_cell(name: str) -> property:
    return property(lambda self: getattr(self.cell, name), doc=f"`{name}` of the cell.")


def for_cell(kwargs: dict[str, Any], name: str) -> dict[str, Any]:
    """What a layer hands on to its cell."""
    shared = {"dtype": kwargs.get("dtype"), "trainable": kwargs.get("trainable", True)}
    if "implementation" in kwargs:
        shared["implementation"] = kwargs.pop("implementation")
    return {**shared, "name": name}


WEIGHTS = (
    *("kernel_initializer", "recurrent_initializer", "bias_initializer"),
    *("kernel_regularizer", "recurrent_regularizer", "bias_regularizer"),
    *("kernel_constraint", "recurrent_constraint", "bias_constraint"),
)
_PLAIN = ("units", "activation", "use_bias", *WEIGHTS, "dropout", "recurrent_dropout", "seed")

_ARGUMENTS = """
    Args:
        units: Number of features of the output.
        activation: Name or function.{more}
        use_bias: Whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: Starting values.{start}
        kernel_regularizer, recurrent_regularizer, bias_regularizer, activity_regularizer:
            Penalties added to the loss.
        kernel_constraint, recurrent_constraint, bias_constraint: Projections after each update.
        dropout, recurrent_dropout: Fractions of input and state dropped while training, the same
            ones at all steps of a sequence.
        seed: Seed of the dropout.
        return_sequences, return_state, go_backwards, stateful, unroll: See `RNN`, as well as
            `zero_output_for_mask` and the call arguments.{after}
"""
_GATES = "\n        recurrent_activation: Of the gates."
_KERNEL = """
        use_cudnn: Whether a kernel computes whole sequences: 'auto': where there is one (the usual
            activations, no recurrent dropout); True: or else an error is raised; False: no."""


@register("layers")
class SimpleRNN(OfCell):
    """Sequences (batch, time, features) through ``h = activation(x W + h U + b)``.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> x = np.ones((2, 5, 3), "float32")
    >>> keras.layers.SimpleRNN(4)(x).shape
    (2, 4)
    >>> keras.layers.SimpleRNN(4, return_sequences=True)(x).shape
    (2, 5, 4)
    """

    _config_optional = ("seed",)
    _of_cell = _PLAIN

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: Any = None,
        **kwargs: Any,
    ):
        cell = SimpleRNNCell(
            units, activation, use_bias, kernel_initializer, recurrent_initializer,
            bias_initializer, kernel_regularizer, recurrent_regularizer, bias_regularizer,
            kernel_constraint, recurrent_constraint, bias_constraint, dropout, recurrent_dropout,
            seed,
            **for_cell(kwargs, "simple_rnn_cell"),
        )  # fmt: skip
        super().__init__(
            cell, return_sequences, return_state, go_backwards, stateful, unroll,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        self.input_spec = InputSpec(ndim=3)


@register("layers")
class LSTM(OfCell):
    """Long short-term memory: sequences (batch, time, features) through an `LSTMCell`.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> x = np.ones((2, 5, 3), "float32")
    >>> keras.layers.LSTM(4)(x).shape
    (2, 4)
    >>> output, h, c = keras.layers.LSTM(4, return_sequences=True, return_state=True)(x)
    >>> output.shape, h.shape, c.shape
    ((2, 5, 4), (2, 4), (2, 4))
    """

    _config_skip = ("use_cudnn",)
    _of_cell = (*_PLAIN, "recurrent_activation", "unit_forget_bias")

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Any = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ):
        one_of(use_cudnn, ("auto", True, False), "use_cudnn", type(self).__name__)
        cell = LSTMCell(
            units, activation, recurrent_activation, use_bias, kernel_initializer,
            recurrent_initializer, bias_initializer, unit_forget_bias, kernel_regularizer,
            recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint,
            bias_constraint, dropout, recurrent_dropout, seed,
            **for_cell(kwargs, "lstm_cell"),
        )  # fmt: skip
        super().__init__(
            cell, return_sequences, return_state, go_backwards, stateful, unroll,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        self.input_spec = InputSpec(ndim=3)
        self.use_cudnn = use_cudnn


@register("layers")
class GRU(OfCell):
    """Gated recurrent unit: sequences (batch, time, features) through a `GRUCell`.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> x = np.ones((2, 5, 3), "float32")
    >>> keras.layers.GRU(4)(x).shape
    (2, 4)
    >>> output, h = keras.layers.GRU(4, return_state=True)(x)
    >>> bool((output == h).all())
    True
    """

    _config_skip = ("use_cudnn",)
    _of_cell = (*_PLAIN, "recurrent_activation", "reset_after")

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Any = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ):
        one_of(use_cudnn, ("auto", True, False), "use_cudnn", type(self).__name__)
        cell = GRUCell(
            units, activation, recurrent_activation, use_bias, kernel_initializer,
            recurrent_initializer, bias_initializer, kernel_regularizer, recurrent_regularizer,
            bias_regularizer, kernel_constraint, recurrent_constraint, bias_constraint, dropout,
            recurrent_dropout, reset_after, seed,
            **for_cell(kwargs, "gru_cell"),
        )  # fmt: skip
        super().__init__(
            cell, return_sequences, return_state, go_backwards, stateful, unroll,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        self.input_spec = InputSpec(ndim=3)
        self.use_cudnn = use_cudnn


def _document(cls: type, more: str = "", start: str = "", after: str = "") -> None:
    """The arguments, between what a class does and its example."""
    text, example = (cls.__doc__ or "").split("    Example:\n", 1)
    arguments = _ARGUMENTS.format(more=more, start=start, after=after)
    cls.__doc__ = text.rstrip() + "\n" + arguments + "\n    Example:\n" + example


_document(SimpleRNN)
_document(
    LSTM,
    _GATES,
    "\n        unit_forget_bias: Whether the bias of the forget gate starts at 1.",
    _KERNEL,
)
_document(
    GRU,
    _GATES,
    after="\n        reset_after: Whether the reset gate acts on the product with the state."
    + _KERNEL,
)
