"""`lstm`: long short-term memory over whole sequences."""

from __future__ import annotations

from typing import Any

from .. import kernels
from ..autodiff.primitive import Primitive
from ..autodiff.spec import Spec
from ..graph.abstract import symbolic
from . import elementwise as e
from .activations import sigmoid, tanh
from .linalg import column_sum, dense, matmul
from .recurrent_parts import (
    absent,
    as_flags,
    check_shapes,
    columns_of,
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


def _lstm_specs(
    x: Spec, h0: Spec, c0: Spec, kernel: Spec, recurrent: Spec, bias: Any, mask: Any, keep: Any,
    backwards: bool,
) -> list[Spec]:  # fmt: skip
    """Outputs, h and c; then gates, cells, and what the recurrent product reads."""
    units = recurrent.shape[0]
    sequence, state = sequence_spec(x, units), state_spec(x, units)
    return [sequence, state, state, sequence_spec(x, 4 * units), sequence, sequence]


def _lstm_forward(ins: list, outs: list, backwards: bool) -> list:
    x, h0, c0, kernel, recurrent, bias, mask, keep = ins
    outputs, h, c, gates, cells, before = outs
    given = (h0, c0, flags_or_none(mask), absent(keep, x, 2), int(backwards))
    made = (gates, cells, before, outputs, h, c)
    return [
        project(x, kernel, bias, gates),
        walk("lstm", "lstm_columns", x, recurrent, *given, *made),
    ]


def _lstm_grad_forward(ins: list, outs: list, backwards: bool) -> list:
    g_outputs, g_h, g_c, recurrent, c0, gates, cells, mask, keep = ins
    of_gates = (absent(g_outputs, c0, 3), absent(g_h, c0, 2), absent(g_c, c0, 2))
    given = (flags_or_none(mask), absent(keep, c0, 2), int(backwards))
    tasks = tasks_of(cells, recurrent.size)
    arguments = (recurrent, c0, gates, cells, *of_gates, *given, *outs)
    return [kernels.launch("lstm_grad", *arguments, tasks=tasks)]


def _lstm_grad_specs(
    g_outputs: Any, g_h: Any, g_c: Any, recurrent: Spec, c0: Spec, gates: Spec, *others: Any,
    backwards: bool,
) -> tuple[Spec, Spec, Spec, Spec]:  # fmt: skip
    """Gradients for what the gates take, h and c; and the sums of the first over the steps."""
    return gates, c0, c0, sums_spec(gates)


_lstm_gradient = Primitive(
    "lstm_grad", _lstm_grad_specs, _lstm_grad_forward, outputs=4, inplace={0: (5,)}
)


def _lstm_pull(g: Any, ins: Any, outs: Any, needed: Any, backwards: bool) -> list:
    x, _, c0, kernel, recurrent, _, mask, keep = ins
    _, _, _, gates, cells, before = outs
    known = (recurrent, c0, gates, cells, mask, keep)
    dz, dh0, dc0, sums = _lstm_gradient(*g, *known, backwards=backwards)
    dx, dk = input_pull(x, kernel, dz, needed[0], needed[3])
    dr = weights_grad(before, dz) if needed[4] else None
    db = column_sum(sums) if needed[5] else None
    return [dx, dh0, dc0, dk, dr, db, None, None]


def _lstm_composite(
    x: Any, h0: Any, c0: Any, kernel: Any, recurrent: Any, bias: Any, mask: Any, keep: Any,
    backwards: bool,
) -> tuple:  # fmt: skip
    h, c, outputs, units = h0, c0, [], recurrent.shape[0]
    projected = dense(x, kernel, bias)
    for t in order_of(x, backwards):
        z = e.add(step_of(projected, t), matmul(times(h, keep), recurrent))
        i, f, o = (sigmoid(columns_of(z, units, k)) for k in (0, 1, 3))
        new = e.add(e.multiply(f, c), e.multiply(i, tanh(columns_of(z, units, 2))))
        h = kept_where(mask, t, e.multiply(o, tanh(new)), h)
        c = kept_where(mask, t, new, c)
        outputs.append(h)
    return stacked(outputs, h), h, c


_lstm = Primitive(
    "lstm", _lstm_specs, _lstm_forward, _lstm_pull, composite=_lstm_composite, outputs=3
)


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
    x, h0, c0, kernel, recurrent, bias = floats_of(x, h0, c0, kernel, recurrent_kernel, bias)
    keep = factors_of(recurrent_mask, x)
    shape = (4 * recurrent.shape[0],)
    states = {"h0": h0, "c0": c0}
    check_shapes("lstm", 4, x, states, kernel, recurrent, bias, shape, mask, keep)
    return _lstm(
        x, h0, c0, kernel, recurrent, bias, as_flags(mask), keep, backwards=bool(go_backwards)
    )
