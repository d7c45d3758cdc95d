"""The search for a minimum: the function with its memory, the iterate, and when to end.

What float32 weights mean for a search: with ``eps = 1.2e-7`` the loss ``f`` is that of weights
``x`` rounded to ``eps * x``, and rounded itself, so it is known to a few times
``eps * (|f| + |x| . |g|)``, its noise. A gradient ``g`` where the curvature is ``c`` promises a
decrease of ``g**2 / 2c``, so comparing losses leads to where that is as small as the noise and no
further (Gill, Murray & Wright 1981, section 8.2). Accordingly line searches go by the slopes where
losses differ by less than their noise, no tolerance on the loss is taken smaller than ``eps``, and
a line search that finds nothing better where noise would hide the promised decrease has reached the
precision of the weights, which counts as convergence.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..core.validate import positive_int
from .line_search import find_length

Function = Callable[[np.ndarray], tuple[float, np.ndarray]]
Product = Callable[[np.ndarray, np.ndarray], np.ndarray]

WORTH_A_RESTART = 3  # steps that a search must have made to be begun anew
ROUNDINGS = 4.0  # errors of this many units in the last place are expected in a loss
CONVERGED = ("gradient", "loss", "precision")


def dot(a: np.ndarray, b: np.ndarray) -> float:
    """The inner product; unlike numpy's it wakes no threads of a BLAS, which would go on spinning
    beside our own."""
    return float(np.einsum("i,i", a, b))


def norm(a: np.ndarray) -> float:
    return math.sqrt(dot(a, a))


class Point(NamedTuple):
    """A point of the search: a flat float64 vector, the loss there, and its gradient."""

    x: np.ndarray
    loss: float
    gradient: np.ndarray


@dataclass(frozen=True)
class Minimum:
    """What a search has found, and why it ended.

    Attributes:
        x: The last iterate, a flat float64 vector.
        loss: The function there.
        gradient: Its gradient there.
        iterations: Accepted steps.
        evaluations: How often the function and its gradient were computed.
        products: How often a product with the Hessian was computed.
        reason: 'gradient', 'loss' or 'precision' (converged); 'iterations' or 'stopped' (asked to
            end); 'line search' or 'not finite' (failed).
        message: The reason in words.
    """

    x: np.ndarray
    loss: float
    gradient: np.ndarray
    iterations: int
    evaluations: int
    products: int
    reason: str
    message: str

    @property
    def converged(self) -> bool:
        """Whether a minimum was found, to the tolerances or to the precision of the weights."""
        return self.reason in CONVERGED


class Search:
    """One run of a minimiser: the function with its memory of the last point, and the iterate."""

    def __init__(
        self,
        minimiser: Any,
        function: Function,
        start: Any,
        limit: int,
        product: Product | None,
        after: Callable[[Point, bool], Any] | None,
        precision: float,
    ):
        x = np.array(start, np.float64).reshape(-1)
        minimiser.check(x.size)
        self.minimiser = minimiser
        self._function, self._product, self._after = function, product, after
        self._limit = positive_int(limit, "iterations", type(minimiser).__name__)
        self.precision = precision
        self.iterations = self.evaluations = self.products = 0
        self._gained_little = 0  # iterations in a row
        self._curvature = 1.0  # the largest along the last few steps
        self._last: Point | None = None
        self._reason: tuple[str, str] | None = None
        self.point = self._at(x)

    @property
    def has_product(self) -> bool:
        return self._product is not None

    def run(self) -> None:
        """Search from the start, unless it is a minimum already.

        A method that finds no further step begins anew, with empty memory, where it stands, as long
        as this brings it on.
        """
        self._reason = self._verdict(None)
        while self._reason is None:
            before = self.iterations
            with contextlib.suppress(StopIteration):
                self.minimiser.search(self)
            if self._reason is None and self.iterations < before + WORTH_A_RESTART:
                self._reason = self._no_step()

    def value(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Loss and gradient for a line search, which may try points where there is no loss.

        Such a point counts as clearly worse than the iterate, so that the step is shortened.
        """
        tried = self._at(x)
        if _finite(tried):
            return tried.loss, tried.gradient
        return self.point.loss + 10 * (1 + abs(self.point.loss)), np.zeros_like(tried.x)

    def product(self, direction: np.ndarray) -> np.ndarray:
        """The Hessian at the iterate times a vector."""
        assert self._product is not None
        self.products += 1
        return self._product(self.point.x, direction)

    @property
    def noise(self) -> float:
        """By how much rounding may change the loss: that of its value, and of the weights."""
        point = self.point
        of_weights = dot(np.abs(point.x), np.abs(point.gradient))
        return ROUNDINGS * self.precision * (abs(point.loss) + of_weights)

    def step(self, direction: np.ndarray, first: float = 1.0, limit: int = 20) -> bool:
        """Go in a direction, as far as a line search says; false if it finds no step.

        Raises StopIteration where the search ends, as `accept`.
        """
        at = self.point
        slope = dot(at.gradient, direction)
        if not slope < 0:
            return False

        def evaluate(length: float) -> tuple[float, float]:
            loss, gradient = self.value(at.x + length * direction)
            return loss, dot(gradient, direction)

        length = find_length(evaluate, at.loss, slope, first, self.noise, limit)
        if length is None:
            return False
        self.accept(at.x + length * direction)
        return True

    def accept(self, x: np.ndarray) -> None:
        """Make `x` the iterate; raises StopIteration where the search ends."""
        before, self.point = self.point, self._at(x)
        self.iterations += 1
        moved = norm(self.point.x - before.x)
        turned = norm(self.point.gradient - before.gradient)
        if moved > 0 and 0 < turned < math.inf:
            self._curvature = max(turned / moved, self._curvature / 2)
        self._reason = self._verdict(before)
        if self._after is not None and self._after(self.point, self._reason is not None):
            self._reason = self._reason or ("stopped", "a callback asked to stop")
        if self._reason is not None:
            raise StopIteration

    def minimum(self) -> Minimum:
        assert self._reason is not None
        counts = (self.iterations, self.evaluations, self.products)
        return Minimum(*self.point, *counts, *self._reason)

    def _at(self, x: np.ndarray) -> Point:
        if self._last is None or not np.array_equal(self._last.x, x):
            x = np.array(x)
            loss, gradient = self._function(x)
            self.evaluations += 1
            self._last = Point(x, float(loss), np.asarray(gradient, np.float64).reshape(-1))
        return self._last

    def _verdict(self, before: Point | None) -> tuple[str, str] | None:
        """Why the search ends at this iterate, or None."""
        method, point = self.minimiser, self.point
        if not _finite(point):
            return "not finite", f"the loss is {point.loss}, or its gradient is not finite"
        slope = _largest(point.gradient)
        if slope <= method.gradient_tolerance:
            limit = f"gradient_tolerance={method.gradient_tolerance:g}"
            return "gradient", f"no entry of the gradient is larger than {slope:.2g} ({limit})"
        if before is not None and self._stands_still(before.loss):
            gain = before.loss - point.loss
            return "loss", f"the last two iterations hardly lowered the loss (by {gain:.2g})"
        if self.iterations >= self._limit:
            return "iterations", f"{self._limit} iterations are done"
        return None

    def _stands_still(self, before: float) -> bool:
        """Whether two iterations in a row, the last from a loss of `before`, gained too little."""
        tolerance, loss = self.minimiser.tolerance, self.point.loss
        little = max(tolerance, self.precision) * max(abs(before), abs(loss))
        self._gained_little = self._gained_little + 1 if before - loss <= little else 0
        return tolerance > 0 and self._gained_little >= 2

    def _no_step(self) -> tuple[str, str]:
        """Why a line search found nothing better."""
        gradient, slope = self.point.gradient, _largest(self.point.gradient)
        if dot(gradient, gradient) / (2 * self._curvature) <= self.noise:
            return "precision", (
                "rounding hides any further decrease of the loss (the largest entry of the "
                f"gradient is {slope:.2g})"
            )
        return "line search", (
            "no step along the search direction lowers the loss enough, although the largest entry "
            f"of the gradient is {slope:.2g}: the loss has a kink here, or float32 is too coarse "
            "for it (try set_floatx('float64'), or inputs of similar scale)"
        )


def _largest(gradient: np.ndarray) -> float:
    return float(np.abs(gradient).max(initial=0.0))


def _finite(point: Point) -> bool:
    return math.isfinite(point.loss) and bool(np.isfinite(point.gradient).all())
