"""Fusion: several recorded instructions become one, where one pass over memory can do their work.

A *rule* looks for a pattern among the instructions of a step and puts a fused primitive in its
place. It may do so only where nothing else reads what lies between, so that layers, models and
users need not know: results stay the same, but for rounding where a rule says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..liveness import drop_dead
from ..recorder import Instruction
from .convolution import (
    activation_behind_linear_map,
    convolution_with_pooling,
    relu_with_pooling,
    weights_grad_with_pooling,
)
from .flow import Flow
from .normalisation import norm_behind_linear_map, norm_with_relu, norm_with_statistics_and_relu

Rule = Callable[[Flow], None]

RULES: tuple[Rule, ...] = (
    norm_with_relu,
    norm_behind_linear_map,
    norm_with_statistics_and_relu,
    activation_behind_linear_map,
    relu_with_pooling,
    convolution_with_pooling,
    weights_grad_with_pooling,
)


def fuse(instructions: Sequence[Instruction], outputs: Sequence[Any]) -> list[Instruction]:
    """The instructions after all rules; `outputs` are what the step returns."""
    current = list(instructions)
    for rule in RULES:
        flow = Flow(current, outputs)
        rule(flow)
        if flow.changed:
            current = drop_dead(flow.result(), outputs)
    return current
