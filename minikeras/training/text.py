"""Text as inputs of models: which models take it, and at which inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.text import SYMBOL_DTYPE, is_text
from ..layers.core import InputLayer

__all__ = ["match_inputs", "takes_text"]

_OURS = __name__.partition(".")[0]


def takes_text(model: Any) -> bool:
    """Whether some input of a model may be text; a `call` of the user's may want it."""
    if model.input_shapes is not None:
        return any(symbol.dtype == SYMBOL_DTYPE for symbol in model.inputs)
    parts = [model, *model._flatten_layers(include_self=False)]
    return any(_is_users(type(part)) or _looks_at_text(part) for part in parts)


def _looks_at_text(layer: Any) -> bool:
    """Whether it is a layer for text, rather than one that hands on what comes."""
    return layer.takes_text and not isinstance(layer, InputLayer) and not hasattr(layer, "layers")


def match_inputs(model: Any, arrays: Sequence[Any], names: Sequence[str]) -> None:
    """Refuse numbers where the model takes text, and text where it takes numbers."""
    for symbol, array, name in zip(model.inputs, arrays, names, strict=True):
        wanted = symbol.dtype == SYMBOL_DTYPE
        if array is None or is_text(array) == wanted or not np.size(array):
            continue
        what, got = ("text", f"dtype {array.dtype}") if wanted else ("numbers", "text")
        raise ValueError(
            f"Model '{model.name}' takes {what} as `{name}`. Received: {got}, shape {array.shape}."
        )


def _is_users(cls: type) -> bool:
    """Whether the `call` of a layer or model was not written here."""
    module = getattr(cls.call, "__module__", None) or ""  # type: ignore[attr-defined]
    return module.partition(".")[0] != _OURS
