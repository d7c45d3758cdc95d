"""`gru`: gated recurrent units over whole sequences."""

from __future__ import annotations

from typing import Any

from .. import kernels
from ..autodiff.primitive import Primitive
from ..autodiff.spec import Spec
from ..graph.abstract import symbolic
from . import elementwise as e
from .activations import sigmoid, tanh
from .linalg import (
    _flat_rows,
    _matmul,
    column_sum,
    dense,
    matmul,
)
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
from .shapes import concatenate, getitem, split, stack


def _gru_specs(
    x: Spec, h0: Spec, kernel: Spec, recurrent: Spec, bias: Any, mask: Any, keep: Any,
    reset_after: bool, backwards: bool,
) -> list[Spec]:  # fmt: skip
    """Outputs and h; then gates, the second product's partner, and what the first one reads."""
    units = recurrent.shape[0]
    sequence = sequence_spec(x, units)
    gates = sequence_spec(x, 3 * units)
    return [sequence, state_spec(x, units), gates, sequence, sequence]


def _gru_forward(ins: list, outs: list, reset_after: bool, backwards: bool) -> list:
    x, h0, kernel, recurrent, bias, mask, keep = ins
    outputs, h, gates, inside, before = outs
    given = (h0, flags_or_none(mask), absent(keep, x, 2), int(backwards))
    made = (gates, inside, before, outputs, h)
    if not reset_after:
        tasks = tasks_of(x, recurrent.size)
        steps = kernels.launch("gru_before", recurrent, *given, *made, tasks=tasks)
        return [project(x, kernel, bias, gates), steps]
    of_input, of_state = (None, None) if bias is None else bias
    own = absent(of_state, x, 1)
    steps = walk("gru_after", "gru_columns", x, recurrent, own, *given, *made)
    return [project(x, kernel, of_input, gates), steps]


def _gru_grad_specs(
    g_outputs: Any, g_h: Any, recurrent: Spec, h0: Spec, gates: Spec, *others: Any,
    reset_after: bool, backwards: bool,
) -> tuple[Spec, Spec, Spec, Spec]:  # fmt: skip
    """Gradients for the product with x, h, and the product with h; then sums over the steps."""
    if reset_after:
        return gates, h0, gates, sums_spec(gates, 4 * h0.shape[1])
    return gates, h0, Spec((0, 0, 0), gates.dtype), sums_spec(gates)


def _gru_grad_forward(ins: list, outs: list, reset_after: bool, backwards: bool) -> list:
    g_outputs, g_h, recurrent, h0, gates, inside, before, outputs, mask, keep = ins
    dz, dh0, di, sums = outs
    of_state = (absent(g_outputs, h0, 3), absent(g_h, h0, 2))
    given = (*of_state, flags_or_none(mask), absent(keep, h0, 2), int(backwards))
    tasks = tasks_of(outputs, recurrent.size)
    if reset_after:
        known = (recurrent, h0, gates, inside, outputs)
        return [kernels.launch("gru_after_grad", *known, *given, dz, di, dh0, sums, tasks=tasks)]
    known = (recurrent, h0, gates, before, outputs)
    return [kernels.launch("gru_before_grad", *known, *given, dz, dh0, sums, tasks=tasks)]


_gru_gradient = Primitive(
    "gru_grad", _gru_grad_specs, _gru_grad_forward, outputs=4, inplace={0: (4,)}
)


def _gru_pull(g: Any, ins: Any, outs: Any, needed: Any, reset_after: bool, backwards: bool) -> list:
    x, h0, kernel, recurrent, bias, mask, keep = ins
    outputs, _, gates, inside, before = outs
    dz, dh0, di, sums = _gru_gradient(
        *g, recurrent, h0, gates, inside, before, outputs, mask, keep,
        reset_after=reset_after, backwards=backwards,
    )  # fmt: skip
    dx, dk = input_pull(x, kernel, dz, needed[0], needed[2])
    dr = db = None
    if needed[3]:
        parted = not reset_after
        dr = _split_weights_grad(before, inside, dz) if parted else weights_grad(before, di)
    if bias is not None and needed[4]:
        db = _bias_grad(column_sum(sums), reset_after)
    return [dx, dh0, dk, dr, db, None, None]


def _bias_grad(total: Any, reset_after: bool) -> Any:
    """Gradient for the bias; with two of them, those for the gates are the same."""
    if not reset_after:
        return total
    units = total.shape[0] // 4
    of_state = concatenate([total[: 2 * units], total[3 * units :]], 0)
    return stack([total[: 3 * units], of_state], 0)


def _split_weights_grad(before: Any, inside: Any, dz: Any) -> Any:
    """Recurrent weights of the gates and of the candidate have met different factors."""
    units, flat = before.shape[-1], _flat_rows(dz)
    of_gates = _matmul(_flat_rows(before), flat, ta=True, tb=False)
    of_candidate = _matmul(_flat_rows(inside), flat, ta=True, tb=False)
    parts = [columns_of(of_gates, units, 0, 2), columns_of(of_candidate, units, 2)]
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
    of_gates, of_candidate = columns_of(recurrent, units, 0, 2), columns_of(recurrent, units, 2)
    for t in order_of(x, backwards):
        given, read = step_of(projected, t), times(h, keep)
        if reset_after:
            own = dense(read, recurrent, of_state)
            gates = sigmoid(e.add(columns_of(given, units, 0, 2), columns_of(own, units, 0, 2)))
            z, r = split(gates, 2, -1)
            more = e.multiply(r, columns_of(own, units, 2))
        else:
            gates = sigmoid(e.add(columns_of(given, units, 0, 2), matmul(read, of_gates)))
            z, r = split(gates, 2, -1)
            more = matmul(e.multiply(r, read), of_candidate)
        candidate = tanh(e.add(columns_of(given, units, 2), more))
        new = e.add(e.multiply(z, h), e.multiply(e.subtract(1.0, z), candidate))
        h = kept_where(mask, t, new, h)
        outputs.append(h)
    return stacked(outputs, h), h


_gru = Primitive("gru", _gru_specs, _gru_forward, _gru_pull, composite=_gru_composite, outputs=2)


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
    x, h0, kernel, recurrent, bias = floats_of(x, h0, kernel, recurrent_kernel, bias)
    keep = factors_of(recurrent_mask, x)
    width = 3 * recurrent.shape[0]
    shape = (2, width) if reset_after else (width,)
    check_shapes("gru", 3, x, {"h0": h0}, kernel, recurrent, bias, shape, mask, keep)
    return _gru(
        x, h0, kernel, recurrent, bias, as_flags(mask), keep,
        reset_after=bool(reset_after), backwards=bool(go_backwards),
    )  # fmt: skip
