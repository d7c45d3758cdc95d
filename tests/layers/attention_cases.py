"""Attention layers whose outputs, scores and gradients real Keras recorded."""

from typing import Any, NamedTuple

import numpy as np


class Case(NamedTuple):
    """A layer of `keras.layers`, shapes of its inputs, and further call arguments.

    `masks`: names of call arguments to shapes of the masks that are passed for them; `mask` is a
    list. `listed`: inputs are passed as one list.
    """

    kind: str
    shapes: tuple[tuple[int, ...], ...]
    arguments: dict[str, Any]
    call: dict[str, Any] = {}
    masks: dict[str, Any] = {}
    listed: bool = False


TWO = {"num_heads": 2, "key_dim": 5}
SELF, CROSS = ((2, 7, 8),) * 2, ((2, 7, 8), (2, 4, 6))
SCORES = {"return_attention_scores": True}
GROUPED = {"head_dim": 3, "num_query_heads": 6, "num_key_value_heads": 2}

CASES = {
    "self": Case("MultiHeadAttention", SELF, TWO),
    "scores": Case("MultiHeadAttention", SELF, TWO, SCORES),
    "cross": Case("MultiHeadAttention", CROSS, {**TWO, "value_dim": 3, "use_bias": False}, SCORES),
    "key": Case(
        "MultiHeadAttention", ((2, 3, 8), (2, 4, 6), (2, 4, 5)), {**TWO, "output_shape": 9}
    ),
    "shape": Case("MultiHeadAttention", SELF, {**TWO, "output_shape": (2, 3)}),
    "causal": Case("MultiHeadAttention", SELF, TWO, {"use_causal_mask": True}),
    "causal_cross": Case("MultiHeadAttention", CROSS, TWO, {"use_causal_mask": True, **SCORES}),
    "padded": Case(
        "MultiHeadAttention", CROSS, TWO, {}, {"query_mask": (2, 7), "value_mask": (2, 4)}
    ),
    "padded_scores": Case(
        "MultiHeadAttention", CROSS, TWO, SCORES, {"query_mask": (2, 7), "key_mask": (2, 4)}
    ),
    "mask": Case("MultiHeadAttention", CROSS, TWO, {}, {"attention_mask": (2, 7, 4)}),
    "mask_rows": Case("MultiHeadAttention", CROSS, TWO, SCORES, {"attention_mask": (2, 1, 4)}),
    "mask_heads": Case("MultiHeadAttention", CROSS, TWO, {}, {"attention_mask": (2, 2, 7, 4)}),
    "mask_plain": Case("MultiHeadAttention", CROSS, TWO, {}, {"attention_mask": (7, 4)}),
    "window": Case("MultiHeadAttention", SELF, {**TWO, "sliding_window": 2}),
    "gate": Case("MultiHeadAttention", SELF, {**TWO, "use_gate": True}, SCORES),
    "axes": Case(
        "MultiHeadAttention", ((2, 3, 4, 8),) * 2, {**TWO, "attention_axes": (2,)}, SCORES
    ),
    "all_axes": Case("MultiHeadAttention", ((2, 3, 4, 8), (2, 2, 3, 8)), TWO, SCORES),
    "axes_mask": Case(
        "MultiHeadAttention",
        ((2, 3, 4, 8),) * 2,
        {**TWO, "attention_axes": (1,), "value_dim": 3},
        {},
        {"attention_mask": (2, 4, 1, 3, 3)},
    ),
    "dropout_at_inference": Case(
        "MultiHeadAttention", CROSS, {**TWO, "dropout": 0.5}, {}, {"attention_mask": (2, 7, 4)}
    ),
    "grouped": Case("GroupQueryAttention", CROSS, GROUPED),
    "grouped_scores": Case(
        "GroupQueryAttention",
        SELF,
        {**GROUPED, "use_gate": True},
        {"use_causal_mask": True, **SCORES},
    ),
    "grouped_mask": Case(
        "GroupQueryAttention",
        CROSS,
        {**GROUPED, "use_bias": False},
        {},
        {"attention_mask": (2, 7, 4), "value_mask": (2, 4)},
    ),
    "dot": Case("Attention", ((2, 7, 6), (2, 4, 6)), {}, {}, {}, True),
    "dot_scaled": Case(
        "Attention", ((2, 7, 6), (2, 4, 3), (2, 4, 6)), {"use_scale": True}, SCORES, {}, True
    ),
    "dot_masked": Case(
        "Attention",
        ((2, 7, 6), (2, 4, 6)),
        {"use_scale": True},
        {"use_causal_mask": True},
        {"mask": [(2, 7), (2, 4)]},
        True,
    ),
    "dot_masked_scores": Case(
        "Attention", ((2, 7, 6), (2, 4, 6)), {}, SCORES, {"mask": [(2, 7), (2, 4)]}, True
    ),
    "concat": Case(
        "Attention",
        ((2, 7, 6), (2, 4, 6)),
        {"score_mode": "concat", "use_scale": True},
        {"use_causal_mask": True, **SCORES},
        {},
        True,
    ),
    "additive": Case("AdditiveAttention", ((2, 7, 6), (2, 4, 6)), {}, SCORES, {}, True),
    "additive_masked": Case(
        "AdditiveAttention",
        ((2, 7, 6), (2, 4, 6)),
        {"use_scale": False},
        {},
        {"mask": [(2, 7), (2, 4)]},
        True,
    ),
}


def numbers(shape: tuple[int, ...], seed: int) -> np.ndarray:
    return np.random.default_rng((seed, *shape)).normal(0, 0.8, shape).astype("float32")


def inputs_of(case: Case) -> list[np.ndarray]:
    return [numbers(shape, k) for k, shape in enumerate(case.shapes)]


def mask_of(shape: Any) -> Any:
    """Random booleans; in a mask of padding the first is True."""
    if isinstance(shape, list):
        return [mask_of(one) for one in shape]
    mask = np.random.default_rng(shape).random(shape) > 0.4
    if len(shape) == 2:
        mask[:, 0] = True
    else:
        mask[0, ..., -1, :] = False  # a query that sees no key
    return mask


def weights_of(shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
    return [numbers(shape, 10 + k) * 0.6 for k, shape in enumerate(shapes)]
