"""Recurrent networks over whole sequences: `lstm`, `gru` and `simple_rnn`.

The products of all steps with the input weights are one product, and so are the gradients for the
weights; a kernel in between walks through the steps. States do not depend on the inputs of masked
steps, which leave them as they are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import kernels
from ..autodiff.primitive import Primitive
from ..autodiff.spec import Spec
from ..core.validate import one_of
from ..graph.abstract import symbolic
from . import elementwise as e
from .activations import sigmoid, tanh
from .core import cast, convert_to_tensor
from .core import ndim as _ndim
from .linalg import (
    ACTIVATION_CODES,
    _flat_rows,
    _floats,
    _gemm,
    _matmul,
    _rows,
    column_sum,
    dense,
    matmul,
)
from .shapes import concatenate, expand_dims, getitem, reshape, split, stack

MOST_UNITS = 1 << 15
_ENOUGH = 1 << 17  # multiplications that are worth a task of their own


def _tasks(sequence: np.ndarray, weights: int) -> int:
    """Tasks of a walk through sequences: each has rows of the batch for itself."""
    batch, steps, _ = sequence.shape
    work = batch * steps * weights // _ENOUGH
    return max(1, min(batch, kernels.num_threads(), work))


def _none(array: np.ndarray | None, like: np.ndarray, rank: int) -> np.ndarray:
    """What kernels take for an array; one of size 0 stands for none."""
    return np.empty((0,) * rank, like.dtype) if array is None else array


def _mask(mask: np.ndarray | None) -> np.ndarray:
    return np.empty((0, 0), np.uint8) if mask is None else mask.view(np.uint8)


def _project(x: np.ndarray, kernel: np.ndarray, bias: Any, gates: np.ndarray) -> Any:
    """The launch of the product of all steps with the input weights."""
    return _gemm(_rows(x), kernel, _rows(gates), False, False, bias)


def _weights_pull(x: Any, kernel: Any, dz: Any, needed: list) -> tuple[Any, Any, Any]:
    """Gradients for an input, its weights and the bias from that for their product."""
    flat = _flat_rows(dz)
    dx = None
    if needed[0]:
        dx = reshape(_matmul(flat, kernel, ta=False, tb=True), tuple(x.shape))
    dk = _matmul(_flat_rows(x), flat, ta=True, tb=False) if needed[1] else None
    return dx, dk, column_sum(flat) if needed[2] else None


def _state_spec(x: Spec, units: int) -> Spec:
    return Spec((x.shape[0], units), x.dtype)


def _sequence_spec(x: Spec, width: int) -> Spec:
    return Spec((*x.shape[:2], width), x.dtype)


# ------------------------------------------------------------------ lstm


def _lstm_specs(
    x: Spec, h0: Spec, c0: Spec, kernel: Spec, recurrent: Spec, bias: Any, mask: Any, keep: Any,
    backwards: bool,
) -> list[Spec]:  # fmt: skip
    """Outputs, h and c; then gates, cells, and what the recurrent product reads."""
    units = recurrent.shape[0]
    sequence, state = _sequence_spec(x, units), _state_spec(x, units)
    return [sequence, state, state, _sequence_spec(x, 4 * units), sequence, sequence]


def _lstm_forward(ins: list, outs: list, backwards: bool) -> list:
    x, h0, c0, kernel, recurrent, bias, mask, keep = ins
    outputs, h, c, gates, cells, before = outs
    given = (recurrent, h0, c0, _mask(mask), _none(keep, x, 2), int(backwards))
    tasks = _tasks(x, recurrent.size)
    made = (gates, cells, before, outputs, h, c)
    return [
        _project(x, kernel, bias, gates),
        kernels.launch("lstm", *given, *made, tasks=tasks),
    ]


def _lstm_grad_forward(ins: list, outs: list, backwards: bool) -> list:
    g_outputs, g_h, g_c, recurrent, c0, gates, cells, mask, keep = ins
    of_gates = (_none(g_outputs, c0, 3), _none(g_h, c0, 2), _none(g_c, c0, 2))
    given = (_mask(mask), _none(keep, c0, 2), int(backwards))
    tasks = _tasks(cells, recurrent.size)
    arguments = (recurrent, c0, gates, cells, *of_gates, *given, *outs)
    return [kernels.launch("lstm_grad", *arguments, tasks=tasks)]


_lstm_gradient = Primitive(
    "lstm_grad",
    lambda g_outputs, g_h, g_c, recurrent, c0, gates, *others, backwards: (gates, c0, c0),
    _lstm_grad_forward,
    outputs=3,
)


def _lstm_pull(g: Any, ins: Any, outs: Any, needed: Any, backwards: bool) -> list:
    x, _, c0, kernel, recurrent, _, mask, keep = ins
    _, _, _, gates, cells, before = outs
    dz, dh0, dc0 = _lstm_gradient(*g, recurrent, c0, gates, cells, mask, keep, backwards=backwards)
    dx, dk, db = _weights_pull(x, kernel, dz, [needed[0], needed[3], needed[5]])
    _, dr, _ = _weights_pull(before, recurrent, dz, [False, needed[4], False])
    return [dx, dh0, dc0, dk, dr, db, None, None]


def _order(x: Any, backwards: bool) -> list[int]:
    """The steps in the order of processing."""
    steps = range(x.shape[1])
    return list(reversed(steps)) if backwards else list(steps)


def _step(x: Any, t: int) -> Any:
    return getitem(x, (slice(None), t))


def _columns(x: Any, units: int, first: int, count: int = 1) -> Any:
    """Columns of some gates."""
    return getitem(x, (..., slice(first * units, (first + count) * units)))


def _kept(h: Any, keep: Any) -> Any:
    return h if keep is None else e.multiply(h, keep)


def _where(mask: Any, t: int, new: Any, old: Any) -> Any:
    return new if mask is None else e.where(expand_dims(_step(mask, t), -1), new, old)


def _stacked(outputs: list, h: Any) -> Any:
    if outputs:
        return stack(outputs, 1)
    return reshape(h, (h.shape[0], 1, h.shape[1]))[:, :0]


def _lstm_composite(
    x: Any, h0: Any, c0: Any, kernel: Any, recurrent: Any, bias: Any, mask: Any, keep: Any,
    backwards: bool,
) -> tuple:  # fmt: skip
    h, c, outputs, units = h0, c0, [], recurrent.shape[0]
    projected = dense(x, kernel, bias)
    for t in _order(x, backwards):
        z = e.add(_step(projected, t), matmul(_kept(h, keep), recurrent))
        i, f, o = (sigmoid(_columns(z, units, k)) for k in (0, 1, 3))
        new = e.add(e.multiply(f, c), e.multiply(i, tanh(_columns(z, units, 2))))
        h = _where(mask, t, e.multiply(o, tanh(new)), h)
        c = _where(mask, t, new, c)
        outputs.append(h)
    return _stacked(outputs, h), h, c


_lstm = Primitive(
    "lstm", _lstm_specs, _lstm_forward, _lstm_pull, composite=_lstm_composite, outputs=3
)


# ------------------------------------------------------------------ gru


def _gru_specs(
    x: Spec, h0: Spec, kernel: Spec, recurrent: Spec, bias: Any, mask: Any, keep: Any,
    reset_after: bool, backwards: bool,
) -> list[Spec]:  # fmt: skip
    """Outputs and h; then gates, the second product's partner, and what the first one reads."""
    units = recurrent.shape[0]
    sequence = _sequence_spec(x, units)
    gates = _sequence_spec(x, 3 * units)
    return [sequence, _state_spec(x, units), gates, sequence, sequence]


def _gru_forward(ins: list, outs: list, reset_after: bool, backwards: bool) -> list:
    x, h0, kernel, recurrent, bias, mask, keep = ins
    outputs, h, gates, inside, before = outs
    given = (h0, _mask(mask), _none(keep, x, 2), int(backwards))
    tasks, made = _tasks(x, recurrent.size), (gates, inside, before, outputs, h)
    if not reset_after:
        walk = kernels.launch("gru_before", recurrent, *given, *made, tasks=tasks)
        return [_project(x, kernel, bias, gates), walk]
    of_input, of_state = (None, None) if bias is None else bias
    own = _none(of_state, x, 1)
    walk = kernels.launch("gru_after", recurrent, own, *given, *made, tasks=tasks)
    return [_project(x, kernel, of_input, gates), walk]


def _gru_grad_specs(
    g_outputs: Any, g_h: Any, recurrent: Spec, h0: Spec, gates: Spec, *others: Any,
    reset_after: bool, backwards: bool,
) -> tuple[Spec, Spec, Spec]:  # fmt: skip
    return gates, h0, gates if reset_after else Spec((0, 0, 0), gates.dtype)


def _gru_grad_forward(ins: list, outs: list, reset_after: bool, backwards: bool) -> list:
    g_outputs, g_h, recurrent, h0, gates, inside, before, outputs, mask, keep = ins
    dz, dh0, di = outs
    of_state = (_none(g_outputs, h0, 3), _none(g_h, h0, 2))
    given = (*of_state, _mask(mask), _none(keep, h0, 2), int(backwards))
    tasks = _tasks(outputs, recurrent.size)
    if reset_after:
        known = (recurrent, h0, gates, inside, outputs)
        return [kernels.launch("gru_after_grad", *known, *given, dz, di, dh0, tasks=tasks)]
    known = (recurrent, h0, gates, before, outputs)
    return [kernels.launch("gru_before_grad", *known, *given, dz, dh0, tasks=tasks)]


_gru_gradient = Primitive("gru_grad", _gru_grad_specs, _gru_grad_forward, outputs=3)


def _gru_pull(g: Any, ins: Any, outs: Any, needed: Any, reset_after: bool, backwards: bool) -> list:
    x, h0, kernel, recurrent, bias, mask, keep = ins
    outputs, _, gates, inside, before = outs
    dz, dh0, di = _gru_gradient(
        *g, recurrent, h0, gates, inside, before, outputs, mask, keep,
        reset_after=reset_after, backwards=backwards,
    )  # fmt: skip
    wants_bias = bias is not None and needed[4]
    dx, dk, db = _weights_pull(x, kernel, dz, [needed[0], needed[2], wants_bias])
    if reset_after:
        _, dr, own = _weights_pull(before, recurrent, di, [False, needed[3], wants_bias])
        db = stack([db, own], 0) if wants_bias else None
    else:
        dr = _split_weights_grad(before, inside, dz) if needed[3] else None
    return [dx, dh0, dk, dr, db, None, None]


def _split_weights_grad(before: Any, inside: Any, dz: Any) -> Any:
    """Recurrent weights of the gates and of the candidate have met different factors."""
    units, flat = before.shape[-1], _flat_rows(dz)
    of_gates = _matmul(_flat_rows(before), flat, ta=True, tb=False)
    of_candidate = _matmul(_flat_rows(inside), flat, ta=True, tb=False)
    parts = [_columns(of_gates, units, 0, 2), _columns(of_candidate, units, 2)]
    return concatenate(parts, -1)


def _gru_composite(
    x: Any, h0: Any, kernel: Any, recurrent: Any, bias: Any, mask: Any, keep: Any,
    reset_after: bool, backwards: bool,
) -> tuple:  # fmt: skip
    h, outputs, units = h0, [], recurrent.shape[0]
    of_input, of_state = bias, None
    if reset_after and bias is not None:
        of_input, of_state = getitem(bias, 0), getitem(bias, 1)
    projected = dense(x, kernel, of_input)
    of_gates, of_candidate = _columns(recurrent, units, 0, 2), _columns(recurrent, units, 2)
    for t in _order(x, backwards):
        given, read = _step(projected, t), _kept(h, keep)
        if reset_after:
            own = dense(read, recurrent, of_state)
            gates = sigmoid(e.add(_columns(given, units, 0, 2), _columns(own, units, 0, 2)))
            z, r = split(gates, 2, -1)
            more = e.multiply(r, _columns(own, units, 2))
        else:
            gates = sigmoid(e.add(_columns(given, units, 0, 2), matmul(read, of_gates)))
            z, r = split(gates, 2, -1)
            more = matmul(e.multiply(r, read), of_candidate)
        candidate = tanh(e.add(_columns(given, units, 2), more))
        new = e.add(e.multiply(z, h), e.multiply(e.subtract(1.0, z), candidate))
        h = _where(mask, t, new, h)
        outputs.append(h)
    return _stacked(outputs, h), h


_gru = Primitive("gru", _gru_specs, _gru_forward, _gru_pull, composite=_gru_composite, outputs=2)


# ------------------------------------------------------------------ simple_rnn


def _simple_specs(
    x: Spec, h0: Spec, kernel: Spec, recurrent: Spec, bias: Any, mask: Any, keep: Any,
    activation: str, backwards: bool,
) -> list[Spec]:  # fmt: skip
    """Outputs and h; then what the activation takes, and what the recurrent product reads."""
    sequence = _sequence_spec(x, recurrent.shape[0])
    return [sequence, _state_spec(x, recurrent.shape[0]), sequence, sequence]


def _simple_forward(ins: list, outs: list, activation: str, backwards: bool) -> list:
    x, h0, kernel, recurrent, bias, mask, keep = ins
    outputs, h, z, before = outs
    given = (_mask(mask), _none(keep, x, 2), ACTIVATION_CODES[activation], int(backwards))
    tasks = _tasks(x, recurrent.size)
    made = (z, before, outputs, h)
    return [
        _project(x, kernel, bias, z),
        kernels.launch("simple_rnn", recurrent, h0, *given, *made, tasks=tasks),
    ]


def _simple_grad_forward(ins: list, outs: list, activation: str, backwards: bool) -> list:
    g_outputs, g_h, recurrent, h0, outputs, mask, keep = ins
    of_state = (_none(g_outputs, h0, 3), _none(g_h, h0, 2))
    given = (_mask(mask), _none(keep, h0, 2), ACTIVATION_CODES[activation], int(backwards))
    tasks = _tasks(outputs, recurrent.size)
    arguments = (recurrent, outputs, *of_state, *given, *outs)
    return [kernels.launch("simple_rnn_grad", *arguments, tasks=tasks)]


_simple_gradient = Primitive(
    "simple_rnn_grad",
    lambda g_outputs, g_h, recurrent, h0, outputs, *others, activation, backwards: (outputs, h0),
    _simple_grad_forward,
    outputs=2,
)


def _simple_pull(
    g: Any, ins: Any, outs: Any, needed: Any, activation: str, backwards: bool
) -> list:
    x, h0, kernel, recurrent, _, mask, keep = ins
    outputs, _, _, before = outs
    dz, dh0 = _simple_gradient(
        *g, recurrent, h0, outputs, mask, keep, activation=activation, backwards=backwards
    )
    dx, dk, db = _weights_pull(x, kernel, dz, [needed[0], needed[2], needed[4]])
    _, dr, _ = _weights_pull(before, recurrent, dz, [False, needed[3], False])
    return [dx, dh0, dk, dr, db, None, None]


def _activated(z: Any, activation: str) -> Any:
    if activation == "relu":
        return e.where(e.less_equal(z, 0.0), 0.0, z)
    return {"tanh": tanh, "sigmoid": sigmoid, "linear": lambda x: x}[activation](z)


def _simple_composite(
    x: Any, h0: Any, kernel: Any, recurrent: Any, bias: Any, mask: Any, keep: Any,
    activation: str, backwards: bool,
) -> tuple:  # fmt: skip
    h, outputs = h0, []
    projected = dense(x, kernel, bias)
    for t in _order(x, backwards):
        z = e.add(_step(projected, t), matmul(_kept(h, keep), recurrent))
        h = _where(mask, t, _activated(z, activation), h)
        outputs.append(h)
    return _stacked(outputs, h), h


_simple_rnn = Primitive(
    "simple_rnn", _simple_specs, _simple_forward, _simple_pull, composite=_simple_composite,
    outputs=2,
)  # fmt: skip


# ------------------------------------------------------------------ functions


def _check(
    owner: str, gates: int, x: Any, states: dict, kernel: Any, recurrent: Any, bias: Any,
    bias_shape: tuple, mask: Any, keep: Any,
) -> None:  # fmt: skip
    """Raise unless all shapes belong together."""
    if _ndim(x) != 3 or _ndim(recurrent) != 2:
        raise ValueError(
            f"{owner} needs inputs of shape (batch, steps, features) and a matrix of recurrent "
            f"weights. Received: shapes {tuple(x.shape)} and {tuple(recurrent.shape)}."
        )
    (batch, steps, features), units = x.shape, recurrent.shape[0]
    expected = {
        "kernel": (kernel, (features, gates * units)),
        "recurrent_kernel": (recurrent, (units, gates * units)),
        "bias": (bias, bias_shape),
        "mask": (mask, (batch, steps)),
        "recurrent_mask": (keep, (batch, units)),
        **{name: (state, (batch, units)) for name, state in states.items()},
    }
    for name, (value, shape) in expected.items():
        if value is not None and tuple(value.shape) != shape:
            raise ValueError(
                f"{owner}: for inputs of shape {tuple(x.shape)} and {units} units, `{name}` must "
                f"have shape {shape}. Received: shape {tuple(value.shape)}."
            )
    if not 1 <= units <= MOST_UNITS:
        raise ValueError(f"{owner} works with 1 to {MOST_UNITS} units. Received: {units} units.")


def _taken(*values: Any) -> list[Any]:
    """Floats of one type; None stays None."""
    floats = iter(_floats(*[v for v in values if v is not None]))
    return [None if v is None else next(floats) for v in values]


def _factors(keep: Any, x: Any) -> Any:
    """Factors of states, which follow the dtype of the inputs."""
    return None if keep is None else cast(convert_to_tensor(keep), np.dtype(x.dtype).name)


def _as_flags(mask: Any) -> Any:
    return None if mask is None else cast(convert_to_tensor(mask), "bool")


@symbolic
def lstm(
    x: Any,
    h0: Any,
    c0: Any,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any = None,
    mask: Any = None,
    recurrent_mask: Any = None,
    *,
    go_backwards: bool = False,
) -> tuple[Any, Any, Any]:
    """Long short-term memory over whole sequences, with tanh and sigmoid gates.

    Source: Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000.

    Args:
        x: (batch, steps, features).
        h0: State at the beginning, (batch, units).
        c0: Memory at the beginning, (batch, units).
        kernel: (features, 4 units), for the input, forget, memory and output gates.
        recurrent_kernel: (units, 4 units).
        bias: (4 units,) or None.
        mask: (batch, steps), or None; a step that is False leaves state and memory as they are, and
            its output is the state.
        recurrent_mask: (batch, units), or None: factors of the state before the recurrent product.
            They count as constants.
        go_backwards: Take the steps from last to first.

    Returns:
        Outputs (batch, steps, units) in the order of processing, state and memory at the end.

    Raises:
        ValueError: Shapes do not belong together.

    Example:

    >>> import numpy as np
    >>> from minikeras.ops.recurrent import lstm
    >>> zeros, ones = np.zeros((1, 1), "float32"), np.ones((1, 4), "float32")
    >>> outputs, h, c = lstm(np.ones((1, 2, 1), "float32"), zeros, zeros, ones, ones)
    >>> outputs[0, :, 0].round(3), c.round(3)
    (array([0.37 , 0.651], dtype=float32), array([[1.144]], dtype=float32))
    """
    x, h0, c0, kernel, recurrent, bias = _taken(x, h0, c0, kernel, recurrent_kernel, bias)
    keep = _factors(recurrent_mask, x)
    shape = (4 * recurrent.shape[0],)
    states = {"h0": h0, "c0": c0}
    _check("lstm", 4, x, states, kernel, recurrent, bias, shape, mask, keep)
    return _lstm(
        x, h0, c0, kernel, recurrent, bias, _as_flags(mask), keep, backwards=bool(go_backwards)
    )


@symbolic
def gru(
    x: Any,
    h0: Any,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any = None,
    mask: Any = None,
    recurrent_mask: Any = None,
    *,
    reset_after: bool = True,
    go_backwards: bool = False,
) -> tuple[Any, Any]:
    """Gated recurrent units over whole sequences, with tanh and sigmoid gates.

    Source: Cho et al. 2014 for the reset gate before the recurrent product; with it after the
    product there are no dependences within a step.

    Args:
        x: (batch, steps, features).
        h0: State at the beginning, (batch, units).
        kernel: (features, 3 units), for the update and reset gates and the candidate.
        recurrent_kernel: (units, 3 units).
        bias: (2, 3 units), of the input and of the state, or (3 units,) if `reset_after` is False;
            or None.
        mask: (batch, steps), or None; a step that is False leaves the state as it is, and its
            output is the state.
        recurrent_mask: (batch, units), or None: factors of the state before the recurrent product.
            They count as constants.
        reset_after: Apply the reset gate after the recurrent product.
        go_backwards: Take the steps from last to first.

    Returns:
        Outputs (batch, steps, units) in the order of processing, and the state at the end.

    Raises:
        ValueError: Shapes do not belong together.

    Example:

    >>> import numpy as np
    >>> from minikeras.ops.recurrent import gru
    >>> x, ones = np.ones((1, 2, 1), "float32"), np.ones((1, 3), "float32")
    >>> outputs, h = gru(x, np.zeros((1, 1), "float32"), ones, ones)
    >>> outputs[0, :, 0].round(3)
    array([0.205, 0.347], dtype=float32)
    """
    x, h0, kernel, recurrent, bias = _taken(x, h0, kernel, recurrent_kernel, bias)
    keep = _factors(recurrent_mask, x)
    width = 3 * recurrent.shape[0]
    shape = (2, width) if reset_after else (width,)
    _check("gru", 3, x, {"h0": h0}, kernel, recurrent, bias, shape, mask, keep)
    return _gru(
        x, h0, kernel, recurrent, bias, _as_flags(mask), keep,
        reset_after=bool(reset_after), backwards=bool(go_backwards),
    )  # fmt: skip


@symbolic
def simple_rnn(
    x: Any,
    h0: Any,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any = None,
    mask: Any = None,
    recurrent_mask: Any = None,
    *,
    activation: str = "tanh",
    go_backwards: bool = False,
) -> tuple[Any, Any]:
    """Simple recurrence over whole sequences: ``h = activation(x_t W + h U + b)``.

    Source: Elman 1990.

    Args:
        x: (batch, steps, features).
        h0: State at the beginning, (batch, units).
        kernel: (features, units).
        recurrent_kernel: (units, units).
        bias: (units,) or None.
        mask: (batch, steps), or None; a step that is False leaves the state as it is, and its
            output is the state.
        recurrent_mask: (batch, units), or None: factors of the state before the recurrent product.
            They count as constants.
        activation: 'linear', 'relu', 'sigmoid' or 'tanh'.
        go_backwards: Take the steps from last to first.

    Returns:
        Outputs (batch, steps, units) in the order of processing, and the state at the end.

    Raises:
        ValueError: Shapes do not belong together, or an unknown activation.

    Example:

    >>> import numpy as np
    >>> from minikeras.ops.recurrent import simple_rnn
    >>> one = np.ones((1, 1), "float32")
    >>> outputs, h = simple_rnn(np.ones((1, 3, 1), "float32"), one, one, one, activation="linear")
    >>> outputs[0, :, 0]
    array([2., 3., 4.], dtype=float32)
    """
    one_of(activation, sorted(ACTIVATION_CODES), "activation", "simple_rnn")
    x, h0, kernel, recurrent, bias = _taken(x, h0, kernel, recurrent_kernel, bias)
    keep = _factors(recurrent_mask, x)
    shape = (recurrent.shape[0],)
    _check("simple_rnn", 1, x, {"h0": h0}, kernel, recurrent, bias, shape, mask, keep)
    return _simple_rnn(
        x, h0, kernel, recurrent, bias, _as_flags(mask), keep,
        activation=activation, backwards=bool(go_backwards),
    )  # fmt: skip
