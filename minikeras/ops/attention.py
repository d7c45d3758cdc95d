"""Attention: values averaged by how well their keys answer a query."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import kernels
from ..autodiff.primitive import Primitive
from ..autodiff.spec import Spec, as_array
from ..graph.abstract import shapes_only, symbolic
from ..graph.symbol import FILLS
from . import elementwise as e
from . import reduce
from .activations import tanh
from .core import cast, floating
from .core import ndim as _ndim
from .linalg import einsum
from .rowwise import softmax_primitive
from .shapes import broadcast_to, expand_dims, repeat

HIDDEN = -0.7 * float(np.finfo(np.float32).max)  # score of what does not count
MOST_KEYS = 1 << 16  # a row of scores fits a thread's scratch

# --- the fused primitive --------------------------------------------------------------------------


def _specs(q: Spec, k: Spec, v: Spec, mask: Any, key: Any, **static: Any) -> list[Spec]:
    """The result; of each row of scores the largest, and the sum of the exponentials."""
    batch, time, heads, _ = q.shape
    per_row = Spec((batch, heads, time), q.dtype)
    return [Spec((batch, time, heads, v.shape[3]), q.dtype), per_row, per_row]


def _tasks(q: np.ndarray, k: np.ndarray, heads: int) -> int:
    batch, time, _, size = q.shape
    work = batch * heads * time * k.shape[1] * size
    return 1 if work < 1 << 16 else max(1, min(batch * heads, 4 * kernels.num_threads()))


def _or_none(mask: np.ndarray | None) -> np.ndarray:
    if mask is None:
        return np.empty((0, 0, 0, 0), np.uint8)
    return mask.view(np.uint8)


def _key(key: np.ndarray | None) -> np.ndarray:
    return np.zeros(1, np.int64) if key is None else key


def _forward(ins: list, outs: list, scale: float, causal: bool, empty: bool, rate: float) -> list:
    q, k, v, mask, key = ins
    given = (q, k, v, _or_none(mask), _key(key), scale, int(causal), int(empty), rate)
    return [kernels.launch("attention", *given, *outs, tasks=_tasks(q, k, q.shape[2]))]


def _backward(ins: list, outs: list, scale: float, causal: bool, rate: float) -> list:
    g, q, k, v, mask, key, largest, total = ins
    given = (g, q, k, v, _or_none(mask), _key(key), largest, total, scale, int(causal), rate)
    return [kernels.launch("attention_grad", *given, *outs, tasks=_tasks(q, k, k.shape[2]))]


_gradient = Primitive(
    "attention_grad", lambda g, q, k, v, *others, **static: [q, k, v], _backward, outputs=3
)


def _pull(
    g: Any, ins: Any, outs: Any, needed: Any, scale: float, causal: bool, empty: bool, rate: float
) -> list:
    found = _gradient(g, *ins, *outs[1:], scale=scale, causal=causal, rate=rate)
    return [*found, None, None]


def _keep(ins: list, outs: list, rate: float) -> None:
    """What dropout multiplies the weights by; each head of each sample has its own stream."""
    rows = outs[0].reshape(-1, math.prod(outs[0].shape[2:]))
    for stream, row in enumerate(rows):
        ones = np.ones_like(row)
        kernels.run([kernels.launch("dropout", ones, ins[1], stream << 32, rate, row)])


_kept = Primitive("attention_dropout", lambda x, key, rate: x, _keep, host=True)


def _composite(
    q: Any,
    k: Any,
    v: Any,
    mask: Any,
    key: Any,
    scale: float,
    causal: bool,
    empty: bool,
    rate: float,
) -> Any:
    weights = attention_weights(q, k, None, mask, scale, causal, None, empty)
    if rate:
        weights = e.multiply(weights, _kept(weights, key, rate=rate))
    return weighted_values(weights, v)


attention_primitive = Primitive("attention", _specs, _forward, _pull, composite=_composite)


# --- step by step ---------------------------------------------------------------------------------


def _every_head(x: Any, heads: int) -> Any:
    """Keys or values (batch, time, heads, size), repeated for groups of query heads."""
    return x if x.shape[2] == heads else repeat(x, heads // x.shape[2], axis=2)


def attention_weights(
    q: Any,
    k: Any,
    bias: Any,
    mask: Any,
    scale: float,
    causal: bool,
    cap: float | None = None,
    empty: bool = False,
) -> Any:
    """The weights (batch, heads, queries, keys) that `dot_product_attention` gives the values.

    With `empty`, queries that see no key give weight to none; else to all alike.
    """
    scores = einsum("bthd,bshd->bhts", q, _every_head(k, q.shape[2]))
    scores = e.multiply(scores, scale)
    scores = scores if bias is None else e.add(scores, bias)
    scores = scores if cap is None else e.multiply(tanh(e.divide(scores, cap)), cap)
    if causal:
        earlier = np.arange(k.shape[1]) <= np.arange(q.shape[1])[:, None]
        mask = earlier[None, None] if mask is None else e.logical_and(mask, earlier)
    if mask is None:
        return softmax_primitive(scores)
    weights = softmax_primitive(e.where(mask, scores, HIDDEN))
    if not empty:
        return weights
    return e.multiply(weights, cast(reduce.any(mask, -1, keepdims=True), weights.dtype))


def weighted_values(weights: Any, v: Any) -> Any:
    """Values (batch, keys, heads, size) summed by weights (batch, heads, queries, keys)."""
    return einsum("bhts,bshd->bthd", weights, _every_head(v, weights.shape[1]))


# --- for everyone ---------------------------------------------------------------------------------


def fused_attention(
    q: Any,
    k: Any,
    v: Any,
    mask: Any = None,
    scale: float | None = None,
    causal: bool = False,
    empty: bool = False,
    rate: float = 0.0,
    key: Any = None,
) -> Any:
    """`dot_product_attention` in one pass, with dropout of the weights.

    Args:
        mask: Booleans that broadcast to (batch, heads, queries, keys).
        empty: Queries that see no key give zero, not the mean of all values.
        rate: Probability that a weight is dropped.
        key: int64 array of one element, which decides together with its place about each weight.

    Raises:
        ValueError: Shapes do not fit.
    """
    _check(q, k, v, mask, None)
    q, k, v = floating(q), floating(k), floating(v)
    scale = 1.0 / math.sqrt(q.shape[-1]) if scale is None else float(scale)
    if mask is not None:
        mask = _full_rows(mask, k.shape[1])
    given = {"scale": scale, "causal": causal, "empty": empty, "rate": float(rate)}
    whole = 0 in (*q.shape, *k.shape, *v.shape) or k.shape[1] > MOST_KEYS
    run = _composite if whole else attention_primitive
    return run(q, k, v, mask, key, **given)


def _full_rows(mask: Any, keys: int) -> Any:
    """A mask of four axes, the last of which goes over all keys."""
    mask = cast(mask if hasattr(mask, "dtype") else as_array(mask), "bool")
    while _ndim(mask) < 4:
        mask = expand_dims(mask, 0)
    if mask.shape[3] != keys:
        mask = broadcast_to(mask, (*tuple(mask.shape)[:3], keys))
    return mask


@symbolic
def dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Any:
    """``softmax(scale * query key') value`` for each head (Vaswani et al. 2017).

    Scores are not kept: memory grows with the number of keys, not with its square, unless `bias` or
    `attn_logits_soft_cap` is given. A query that sees no key takes the mean of all values.

    Args:
        query: (batch, queries, heads, size).
        key: (batch, keys, key heads, size); heads are a multiple of the key heads, which serve as
            many query heads each (Ainslie et al. 2023).
        value: (batch, keys, key heads, width).
        bias: Added to the scores; broadcasts to (batch, heads, queries, keys).
        mask: Of that shape too; False for scores that do not count.
        scale: Of the scores; ``1 / sqrt(size)`` by default.
        is_causal: No query sees a later key.
        flash_attention: Makes no difference: the result is computed in one pass wherever that is
            possible.
        attn_logits_soft_cap: Scores are limited to this absolute value, by
            ``cap * tanh(score / cap)``.

    Returns:
        (batch, queries, heads, width).

    Raises:
        ValueError: Shapes do not fit.

    >>> import numpy as np
    >>> from minikeras import ops
    >>> x = np.ones((2, 5, 3, 4), "float32")
    >>> ops.dot_product_attention(x, x, x, is_causal=True).shape
    (2, 5, 3, 4)
    """
    if bias is None and attn_logits_soft_cap is None:
        return fused_attention(query, key, value, mask, scale, bool(is_causal))
    _check(query, key, value, mask, bias)
    query, key, value = floating(query), floating(key), floating(value)
    scale = 1.0 / math.sqrt(query.shape[-1]) if scale is None else float(scale)
    mask = None if mask is None else _full_rows(mask, key.shape[1])
    weights = attention_weights(
        query, key, bias, mask, scale, bool(is_causal), attn_logits_soft_cap
    )
    return weighted_values(weights, value)


def _check(query: Any, key: Any, value: Any, mask: Any, bias: Any) -> None:
    shapes = [known(np.shape(x) if isinstance(x, list) else x.shape) for x in (query, key, value)]
    q, k, v = shapes
    ranks = all(len(shape) == 4 for shape in shapes)
    if not ranks or not _agree(q, k, v) or k[2] < 1 or q[2] % k[2]:
        raise ValueError(
            "Attention needs a query (batch, queries, heads, size), a key (batch, "
            "keys, key heads, size) and a value (batch, keys, key heads, width); heads must be a "
            f"multiple of key heads. Received: shapes {q}, {k} and {v}."
        )
    scores = (q[0], q[2], q[1], k[1])
    for name, given in (("mask", mask), ("bias", bias)):
        if given is not None and not _broadcasts(tuple(given.shape), scores):
            raise ValueError(
                f"Attention: `{name}` must broadcast to (batch, heads, queries, keys), "
                f"here {scores}. Received: shape {tuple(given.shape)}."
            )


def known(shape: Any) -> tuple:
    """A shape with None for what is not known yet, while a model is put together."""
    unknown = FILLS if shapes_only() else ()
    return tuple(None if n in unknown else n for n in shape)


def _agree(q: tuple, k: tuple, v: tuple) -> bool:
    """Whether lengths that must be equal may be so; those of symbols can be unknown."""
    pairs = [(q[0], k[0]), (q[0], v[0]), (k[0], v[0]), (k[1], v[1]), (k[2], v[2]), (q[3], k[3])]
    return all(n == m or None in (n, m) for n, m in pairs)


def _broadcasts(shape: tuple, wanted: tuple) -> bool:
    pairs = zip(reversed(shape), reversed(wanted), strict=False)
    return len(shape) <= len(wanted) and all(n in (1, m) or None in (n, m) for n, m in pairs)
