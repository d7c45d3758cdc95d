"""Clipping of gradients that lie in flat vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import kernels
from ..autodiff.variable import Variable
from .flat import FlatGroup


def by_value(groups: Sequence[tuple[FlatGroup, list[Variable]]], limit: float) -> list[Any]:
    """Launches that limit each entry to [-limit, limit]."""
    return [
        kernels.launch("clip_value", group.gradient[part], limit, tasks=group.tasks())
        for group, variables in groups
        for part in group.stretches(variables)
    ]


def by_norm(groups: Sequence[tuple[FlatGroup, list[Variable]]], limit: float) -> list[Any]:
    """Launches that scale each gradient to at most a norm."""
    calls: list[Any] = []
    for group, segments, sums, tasks in _with_sums(groups):
        calls += [
            kernels.launch("chunk_squares", group.gradient, segments, sums, tasks=tasks),
            kernels.launch("clip_norms", group.gradient, segments, sums, limit, tasks=tasks),
        ]
    return calls


def by_global_norm(groups: Sequence[tuple[FlatGroup, list[Variable]]], limit: float) -> list[Any]:
    """Launches that scale all gradients together to at most a norm."""
    parts = _with_sums(groups)
    total = np.zeros(sum(sums.size for _, _, sums, _ in parts))
    first, last, start = [], [], 0
    for group, segments, sums, tasks in parts:
        here = total[start : start + sums.size]
        start += sums.size
        first.append(kernels.launch("chunk_squares", group.gradient, segments, here, tasks=tasks))
        last.append(
            kernels.launch("clip_global_norm", group.gradient, segments, total, limit, tasks=tasks)
        )
    return first + last


def _with_sums(
    groups: Sequence[tuple[FlatGroup, list[Variable]]],
) -> list[tuple[FlatGroup, np.ndarray, np.ndarray, int]]:
    result = []
    for group, variables in groups:
        segments = group.segments(variables, lambda variable: False)
        result.append((group, segments, group.sums(segments), group.tasks()))
    return result
