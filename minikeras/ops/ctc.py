"""Connectionist temporal classification: how likely frames read as labels, wherever those lie."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import kernels
from ..autodiff.primitive import Primitive
from ..autodiff.spec import Spec
from ..core.validate import non_negative_int
from ..graph.abstract import symbolic
from . import elementwise as e
from . import reduce
from .core import cast, convert_to_tensor, floating
from .core import ndim as _ndim
from .encode import one_hot
from .rowwise import log_softmax_primitive
from .shapes import expand_dims, getitem, pad, reshape, squeeze, stack, take_along_axis

NEVER = -1e5  # logarithm of the weight of what cannot be, as in Keras
MOST_LABELS = 1 << 17  # of a sample: two numbers for each fit a thread's scratch


def _specs(logits: Spec, labels: Spec, lengths: Any, frames: Any, blank: int) -> list[Spec]:
    """Losses; logarithms of the frames' sums, and of the probabilities of states after frames."""
    batch, time, _ = logits.shape
    states = 2 * labels.shape[1] + 1
    return [
        Spec((batch,), logits.dtype),
        Spec((batch, time), "float64"),
        Spec((batch, time + 1, states), "float64"),
    ]


def _tasks(logits: np.ndarray) -> int:
    return min(logits.shape[0] or 1, 2 * kernels.num_threads())


def _or_none(lengths: np.ndarray | None) -> np.ndarray:
    return np.empty(0, np.int64) if lengths is None else lengths


def _forward(ins: list, outs: list, blank: int) -> list:
    logits, labels, lengths, frames = ins
    loss, norms, alphas = outs
    given = (_or_none(lengths), _or_none(frames), blank)
    return [
        kernels.launch("ctc", logits, labels, *given, norms, alphas, loss, tasks=_tasks(logits))
    ]


def _backward(ins: list, outs: list, blank: int) -> list:
    g, logits, labels, lengths, frames, norms, alphas = ins
    given = (_or_none(lengths), _or_none(frames), blank)
    arguments = (g, logits, labels, *given, norms, alphas, outs[0])
    return [kernels.launch("ctc_grad", *arguments, tasks=_tasks(logits))]


_gradient = Primitive("ctc_grad", lambda g, logits, *others, blank: logits, _backward)


def _pull(g: Any, ins: Any, outs: Any, needed: Any, blank: int) -> list:
    found = _gradient(g, *ins, outs[1], outs[2], blank=blank) if needed[0] else None
    return [found, None, None, None]


def _after(a: Any, shift: int) -> Any:
    """Logarithms moved on by some states; nothing comes before the first."""
    width = a.shape[1]
    moved = pad(a, [[0, 0], [shift, 0]], constant_values=2 * NEVER)
    return getitem(moved, (slice(None), slice(0, width)))


def _composite(logits: Any, labels: Any, lengths: Any, frames: Any, blank: int) -> Any:
    """The same from elementary primitives: state 2k is the blank before label k, 2k + 1 label k."""
    batch, time, _ = logits.shape
    most = labels.shape[1]
    if lengths is None:
        lengths = reduce.sum(cast(e.not_equal(labels, blank), "int64"), axis=1)
    frames = np.full(batch, time) if frames is None else frames
    blanks = np.full((batch, most), blank)
    states = reshape(stack([blanks, labels], -1), (batch, -1))
    states = pad(states, [[0, 0], [0, 1]], constant_values=blank)
    before = getitem(
        pad(states, [[0, 0], [2, 0]], constant_values=blank), (slice(None), slice(0, -2))
    )
    odd = np.arange(2 * most + 1) % 2 == 1
    dtype = np.dtype(logits.dtype).name
    skips = e.where(e.logical_and(odd, e.not_equal(states, before)), 0.0, NEVER)
    skips = cast(skips, dtype)
    scores = log_softmax_primitive(logits)
    start = np.full((batch, 2 * most + 1), NEVER, dtype)
    start[:, 0] = 0
    a: Any = start
    for f in range(time):
        own = take_along_axis(getitem(scores, (slice(None), f)), states, 1)
        ways = e.logaddexp(e.logaddexp(a, _after(a, 1)), e.add(_after(a, 2), skips))
        going = expand_dims(e.greater(frames, f), -1)
        a = e.where(going, e.add(ways, own), a)
    last = _picked(a, e.multiply(lengths, 2))
    label = _picked(a, e.maximum(e.subtract(e.multiply(lengths, 2), 1), 0))
    some = e.greater(lengths, 0)
    return e.negative(e.where(some, e.logaddexp(last, e.where(some, label, last)), last))


def _picked(a: Any, places: Any) -> Any:
    """One number of each row."""
    chosen = one_hot(places, a.shape[1], dtype=np.dtype(a.dtype).name)
    return reduce.sum(e.multiply(a, chosen), axis=1)


_ctc = Primitive("ctc", _specs, _forward, _pull, composite=_composite)


def _lengths(values: Any) -> Any:
    if values is None:
        return None
    values = cast(convert_to_tensor(values), "int64")
    return squeeze(values, -1) if _ndim(values) == 2 and values.shape[-1] == 1 else values


@symbolic
def ctc_loss(
    target: Any, output: Any, target_length: Any, output_length: Any, mask_index: int = 0
) -> Any:
    """Minus the log-probability that frames read as labels (Graves et al. 2006).

    A way to read frames gives each a label or blank; runs of one label count once, blanks not at
    all. Where no way gives the labels (too few frames), the loss is a finite number of about 1e5.

    Args:
        target: Labels, (batch, labels), integers.
        output: Logits, (batch, frames, classes).
        target_length: How many labels each sample has, (batch,); None: those that are not
            `mask_index`.
        output_length: How many frames each sample has, (batch,); None: all.
        mask_index: The class that means blank.

    Returns:
        Losses, (batch,).

    Raises:
        ValueError: Shapes do not fit, or a label is no class.
    """
    output = floating(convert_to_tensor(output))
    target = cast(convert_to_tensor(target), "int64")
    _check(target, output, non_negative_int(mask_index, "mask_index", "ctc_loss"))
    lengths, frames = _lengths(target_length), _lengths(output_length)
    for name, value in (("target_length", lengths), ("output_length", frames)):
        if value is not None and tuple(value.shape) != (output.shape[0],):
            raise ValueError(
                f"ctc_loss: `{name}` must hold one length per sample ({output.shape[0]}). "
                f"Received: shape {tuple(value.shape)}."
            )
    return _ctc(output, target, lengths, frames, blank=mask_index)


def _check(target: Any, output: Any, blank: int) -> None:
    fits = _ndim(target) == 2 and _ndim(output) == 3 and target.shape[0] == output.shape[0]
    if not fits or target.shape[1] > MOST_LABELS:
        raise ValueError(
            "ctc_loss needs labels of shape (batch, labels) and logits of shape (batch, frames, "
            f"classes). Received: shapes {tuple(target.shape)} and {tuple(output.shape)}."
        )
    if blank >= output.shape[2]:
        raise ValueError(
            f"ctc_loss: mask_index={blank} is none of the {output.shape[2]} classes of the logits."
        )
