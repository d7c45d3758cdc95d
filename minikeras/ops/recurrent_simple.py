"""`simple_rnn`: the plain recurrent network over whole sequences."""

from __future__ import annotations

from typing import Any

from .. import kernels
from ..autodiff.primitive import Primitive
from ..autodiff.spec import Spec
from ..core.validate import one_of
from ..graph.abstract import symbolic
from . import elementwise as e
from .activations import sigmoid, tanh
from .linalg import (
    ACTIVATION_CODES,
    column_sum,
    dense,
    matmul,
)
from .recurrent_parts import (
    absent,
    as_flags,
    check_shapes,
    factors_of,
    flags_or_none,
    floats_of,
    input_pull,
    kept_where,
    order_of,
    project,
    sequence_spec,
    stacked,
    state_spec,
    step_of,
    sums_spec,
    tasks_of,
    times,
    walk,
    weights_grad,
)


def _simple_specs(
    x: Spec, h0: Spec, kernel: Spec, recurrent: Spec, bias: Any, mask: Any, keep: Any,
    activation: str, backwards: bool,
) -> list[Spec]:  # fmt: skip
    """Outputs and h; then what the activation takes, and what the recurrent product reads."""
    sequence = sequence_spec(x, recurrent.shape[0])
    return [sequence, state_spec(x, recurrent.shape[0]), sequence, sequence]


def _simple_forward(ins: list, outs: list, activation: str, backwards: bool) -> list:
    x, h0, kernel, recurrent, bias, mask, keep = ins
    outputs, h, z, before = outs
    given = (flags_or_none(mask), absent(keep, x, 2), ACTIVATION_CODES[activation], int(backwards))
    made = (z, before, outputs, h)
    return [
        project(x, kernel, bias, z),
        walk("simple_rnn", "simple_rnn_columns", x, recurrent, h0, *given, *made),
    ]


def _simple_grad_forward(ins: list, outs: list, activation: str, backwards: bool) -> list:
    g_outputs, g_h, recurrent, h0, outputs, mask, keep = ins
    of_state = (absent(g_outputs, h0, 3), absent(g_h, h0, 2))
    given = (flags_or_none(mask), absent(keep, h0, 2), ACTIVATION_CODES[activation], int(backwards))
    tasks = tasks_of(outputs, recurrent.size)
    arguments = (recurrent, outputs, *of_state, *given, *outs)
    return [kernels.launch("simple_rnn_grad", *arguments, tasks=tasks)]


def _simple_grad_specs(
    g_outputs: Any, g_h: Any, recurrent: Spec, h0: Spec, outputs: Spec, *others: Any,
    activation: str, backwards: bool,
) -> tuple[Spec, Spec, Spec]:  # fmt: skip
    """Gradients for what the activation takes and h; and the sums of the first over the steps."""
    return outputs, h0, sums_spec(outputs)


_simple_gradient = Primitive("simple_rnn_grad", _simple_grad_specs, _simple_grad_forward, outputs=3)


def _simple_pull(
    g: Any, ins: Any, outs: Any, needed: Any, activation: str, backwards: bool
) -> list:
    x, h0, kernel, recurrent, _, mask, keep = ins
    outputs, _, _, before = outs
    dz, dh0, sums = _simple_gradient(
        *g, recurrent, h0, outputs, mask, keep, activation=activation, backwards=backwards
    )
    dx, dk = input_pull(x, kernel, dz, needed[0], needed[2])
    dr = weights_grad(before, dz) if needed[3] else None
    db = column_sum(sums) if needed[4] else None
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
    for t in order_of(x, backwards):
        z = e.add(step_of(projected, t), matmul(times(h, keep), recurrent))
        h = kept_where(mask, t, _activated(z, activation), h)
        outputs.append(h)
    return stacked(outputs, h), h


_simple_rnn = Primitive(
    "simple_rnn", _simple_specs, _simple_forward, _simple_pull, composite=_simple_composite,
    outputs=2,
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
    x, h0, kernel, recurrent, bias = floats_of(x, h0, kernel, recurrent_kernel, bias)
    keep = factors_of(recurrent_mask, x)
    shape = (recurrent.shape[0],)
    check_shapes("simple_rnn", 1, x, {"h0": h0}, kernel, recurrent, bias, shape, mask, keep)
    return _simple_rnn(
        x, h0, kernel, recurrent, bias, as_flags(mask), keep,
        activation=activation, backwards=bool(go_backwards),
    )  # fmt: skip
