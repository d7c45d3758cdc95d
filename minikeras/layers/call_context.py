"""What the outermost layer call sets for all calls inside it."""

from __future__ import annotations

import inspect
import threading
from functools import lru_cache
from typing import Any, NamedTuple


class CallContext(threading.local):
    """State of the outermost layer call on this thread."""

    def __init__(self) -> None:
        self.depth = 0
        self.training: bool | None = None
        self.connects = True  # whether calls on symbols are noted down in the layers


call_context = CallContext()


class CallSignature(NamedTuple):
    """What a layer's `call` takes besides its inputs."""

    training: bool
    mask: bool
    training_default: bool | None
    first: str  # name of the inputs
    names: tuple[str, ...]  # of all arguments, in order
    twins: tuple[str, ...]  # arguments x for which there is another, x_mask


@lru_cache(1024)
def call_signature(function: Any) -> CallSignature:
    parameters = inspect.signature(function).parameters
    first = [*parameters, "self", "inputs"][1]
    any_keyword = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    training = parameters.get("training")
    default = (
        None
        if training is None or training.default is inspect.Parameter.empty
        else training.default
    )
    names = tuple(name for name in parameters if name != "self")
    twins = tuple(name for name in names if f"{name}_mask" in parameters)
    trains = training is not None or any_keyword
    return CallSignature(trains, "mask" in parameters, default, first, names, twins)
