"""Minimisers: optimizers that see the whole training set at once and choose their own step lengths.

Each iteration evaluates the loss and its gradient over all samples, so the loss is one smooth
function of the weights, and curvature can be learned from it. `LBFGS`, `BFGS` and
`ConjugateGradient` are scipy's; `NewtonCG` is written here on scipy's line search. The vectors of
the search are float64 whatever the weights are.

What float32 weights mean for a search: a loss near ``f`` is known to about ``eps * f`` with
``eps = 1.2e-7``, and a decrease below that cannot be told from rounding. A gradient ``g`` where the
curvature is ``c`` promises a decrease of ``g**2 / 2c``, so comparing losses leads to a gradient of
about ``sqrt(2 c eps f)`` and no further (Gill, Murray & Wright 1981, section 8.2). Accordingly no
tolerance on the loss is taken smaller than ``eps``, and a line search that finds nothing better
where rounding would hide the promised decrease has reached the precision of the weights, which
counts as convergence. For more digits give the layers ``dtype="float64"``, or call
`minikeras.config.set_floatx("float64")` before making the model.
"""

from __future__ import annotations

import contextlib
import inspect
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..autodiff.variable import Variable
from ..core.configurable import Configurable
from ..core.names import to_snake_case
from ..core.registry import register
from ..core.validate import non_negative, positive_int, reject_unknown
from ..core.versioned import Versioned

Function = Callable[[np.ndarray], tuple[float, np.ndarray]]
Product = Callable[[np.ndarray, np.ndarray], np.ndarray]

BFGS_LIMIT = 10_000  # weights; above it the matrices of BFGS take gigabytes and minutes
WORTH_A_RESTART = 3  # steps that a search must have made to be begun anew
ROUNDINGS = 4.0  # errors of this many units in the last place are expected in a loss
DOUBLE = float(np.finfo(np.float64).eps)
CONVERGED = ("gradient", "loss", "precision")


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


class Minimiser(Versioned, Configurable):
    """Base of the full-batch optimizers; `fit` runs one iteration per epoch.

    Args:
        tolerance: The search has converged when two iterations in a row lower the loss by no more
            than this fraction of it each (at least the precision of the weights is taken); 0
            switches the test off.
        gradient_tolerance: The search has converged when no entry of the gradient is larger.
        name: Display name.

    Attributes:
        result: The `Minimum` of the last search, None before.
        converged: Whether the last search converged.
    """

    full_batch = True  # `fit` leaves the loop over batches to training.full_batch
    _runtime = frozenset({"iterations", "built", "result"})

    def __init__(
        self,
        tolerance: float = 1e-9,
        gradient_tolerance: float = 1e-5,
        name: str | None = None,
        **unknown: Any,
    ):
        owner = type(self).__name__
        reject_unknown(unknown, _arguments(type(self)), owner)
        self.tolerance = non_negative(tolerance, "tolerance", owner)
        self.gradient_tolerance = non_negative(gradient_tolerance, "gradient_tolerance", owner)
        self.name = to_snake_case(owner) if name is None else name
        self.iterations = Variable(0, dtype="int32", trainable=False, name="iteration")
        self.built = False
        self.result: Minimum | None = None

    def minimise(
        self,
        function: Function,
        start: Any,
        iterations: int = 1000,
        *,
        product: Product | None = None,
        after: Callable[[Point, bool], Any] | None = None,
        precision: float = DOUBLE,
    ) -> Minimum:
        """Minimise any smooth function of a vector.

        Args:
            function: ``function(x)`` gives the value and the gradient, an array like `x`.
            start: Where to begin, shape (n,).
            iterations: Steps at most.
            product: ``product(x, direction)``, the Hessian at `x` times a vector (for `NewtonCG`).
            after: ``after(point, last)`` is called with each iterate, `last` telling whether the
                search ends there anyhow; a true return value ends it.
            precision: Relative precision of the function's values; float64's by default.

        Raises:
            ImportError: scipy is not installed.

        Example:

        >>> import minikeras as keras
        >>> bowl = lambda x: (float(((x - 3) ** 2).sum()), 2 * (x - 3))
        >>> found = keras.optimizers.LBFGS().minimise(bowl, [0.0, 1.0])
        >>> found.x.round(6), found.reason
        (array([3., 3.]), 'gradient')
        """
        search = Search(self, function, start, iterations, product, after, precision)
        search.run()
        self.result = search.minimum()
        return self.result

    @property
    def converged(self) -> bool:
        return self.result is not None and self.result.converged

    def check(self, size: int) -> None:
        """Raise unless vectors of this size can be searched here: called before any work."""
        _scipy_optimize(type(self).__name__)

    def search(self, search: Search) -> None:
        """Take steps by `search.accept` until it raises StopIteration, or no step is found."""
        raise NotImplementedError(f"{type(self).__name__} must define search.")

    # --- what models and files expect of an optimizer ---

    def build(self, variables: Sequence[Variable]) -> None:
        """Nothing is kept per variable: a search begins anew with each `fit`."""
        self.built = True

    @property
    def variables(self) -> list[Variable]:
        return [self.iterations]

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        """Refused: one gradient, of one batch, is not enough for a step."""
        raise RuntimeError(
            f"{type(self).__name__} needs the loss of the whole training set as often as its line "
            "search asks, so it cannot take a step on one batch. Call fit(x, y, epochs=...), where "
            "each epoch is one iteration, or compile with another optimizer, such as 'adam', for "
            "train_on_batch and loops of your own."
        )

    apply_gradients = apply

    @property
    def learning_rate(self) -> Any:
        raise AttributeError(
            f"{type(self).__name__} has no learning rate: its line search finds the length of each "
            "step."
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} tolerance={self.tolerance:g}>"


class Search:
    """One run of a minimiser: the function with its memory of the last point, and the iterate."""

    def __init__(
        self,
        minimiser: Minimiser,
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

    def accept(self, x: np.ndarray) -> None:
        """Make `x` the iterate; raises StopIteration where the search ends."""
        before, self.point = self.point, self._at(x)
        self.iterations += 1
        moved = float(np.linalg.norm(self.point.x - before.x))
        turned = float(np.linalg.norm(self.point.gradient - before.gradient))
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
        promised = float(gradient @ gradient) / (2 * self._curvature)
        if promised <= ROUNDINGS * self.precision * abs(self.point.loss):
            return "precision", (
                "rounding hides any further decrease of the loss (the largest entry of the "
                f"gradient is {slope:.2g})"
            )
        return "line search", (
            "no step along the search direction lowers the loss enough, although the largest entry "
            f"of the gradient is {slope:.2g}: the loss has a kink here, or float32 is too coarse "
            "for it (try set_floatx('float64'), or inputs of similar scale)"
        )


class ScipyMinimiser(Minimiser):
    """A minimiser that is one of scipy's methods."""

    method: str

    def search(self, search: Search) -> None:
        optimize = _scipy_optimize(type(self).__name__)
        with np.errstate(all="ignore"):
            optimize.minimize(
                search.value,
                search.point.x,
                jac=True,
                method=self.method,
                callback=lambda x: search.accept(x),
                options=self.options(),
            )

    def options(self) -> dict[str, Any]:
        """scipy's options; all tests of convergence are our own, the same for all methods."""
        return {"gtol": 0.0, "maxiter": 2**31 - 1}


@register("optimizers", module="minikeras.optimizers")
class LBFGS(ScipyMinimiser):
    """Quasi-Newton steps from the last few changes of the gradient (Liu & Nocedal 1989).

    The first choice for full-batch training: ``2 * history`` vectors of memory, superlinear on
    smooth problems. scipy's L-BFGS-B with its line search (Moré & Thuente 1994).

    Args:
        tolerance: Relative decrease of the loss, in two iterations in a row, at which the search
            has converged; see `Minimiser`.
        gradient_tolerance: Largest entry of the gradient at which it has converged.
        history: Pairs of steps and gradient changes that are kept.
        max_line_search: Evaluations of one line search at most.
        name: Display name.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> x = np.linspace(-1, 1, 50).reshape(-1, 1).astype("float32")
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile(keras.optimizers.LBFGS(), "mse")
    >>> history = model.fit(x, 2 * x + 1, epochs=50, verbose=0)
    >>> [float(np.round(w.item(), 3)) for w in model.get_weights()], model.optimizer.converged
    ([2.0, 1.0], True)
    """

    method = "L-BFGS-B"

    def __init__(
        self,
        tolerance: float = 1e-9,
        gradient_tolerance: float = 1e-5,
        history: int = 10,
        max_line_search: int = 20,
        name: str | None = None,
        **unknown: Any,
    ):
        super().__init__(tolerance, gradient_tolerance, name, **unknown)
        self.history = positive_int(history, "history", "LBFGS")
        self.max_line_search = positive_int(max_line_search, "max_line_search", "LBFGS")

    def options(self) -> dict[str, Any]:
        own = {"maxcor": self.history, "maxls": self.max_line_search}
        return {**super().options(), "ftol": 0.0, "maxfun": 2**31 - 1, **own}


@register("optimizers", module="minikeras.optimizers")
class BFGS(ScipyMinimiser):
    """Quasi-Newton steps with a full inverse Hessian, learned step by step (Nocedal & Wright, 6).

    For models of up to a few hundred weights: an iteration takes of the order of ``n**3``
    operations and several matrices of ``n**2`` numbers. `LBFGS` does nearly as well without.

    Args:
        tolerance: Relative decrease of the loss, in two iterations in a row, at which the search
            has converged; see `Minimiser`.
        gradient_tolerance: Largest entry of the gradient at which it has converged.
        name: Display name.
    """

    method = "BFGS"

    def check(self, size: int) -> None:
        super().check(size)
        if size > BFGS_LIMIT:
            raise ValueError(
                f"BFGS keeps matrices of n x n numbers and multiplies them in each iteration, so "
                f"it takes at most {BFGS_LIMIT} weights. Received: {size} weights. Use LBFGS, "
                "which keeps a few vectors instead."
            )


@register("optimizers", module="minikeras.optimizers")
class ConjugateGradient(ScipyMinimiser):
    """Nonlinear conjugate gradients, Polak-Ribiere with restarts (Gilbert & Nocedal 1992).

    Keeps no more than four vectors; usually needs more iterations than `LBFGS`.

    Args:
        tolerance: Relative decrease of the loss, in two iterations in a row, at which the search
            has converged; see `Minimiser`.
        gradient_tolerance: Largest entry of the gradient at which it has converged.
        name: Display name.
    """

    method = "CG"


@register("optimizers", module="minikeras.optimizers")
class NewtonCG(Minimiser):
    """Newton's method; each step is found by linear conjugate gradients (Nocedal & Wright, 7.1).

    The Hessian is never formed: its exact products with vectors are gradients of gradients
    (Pearlmutter 1994), each at the price of a few gradients. Where the curvature is negative, the
    inner solve stops with the descent direction that it has.

    Args:
        tolerance: Relative decrease of the loss, in two iterations in a row, at which the search
            has converged; see `Minimiser`.
        gradient_tolerance: Largest entry of the gradient at which it has converged.
        forcing: Relative residual at which an inner solve stops; smaller ones follow by themselves
            as the gradient falls: ``min(forcing, sqrt(|g| / |g at the start|))``. A tiny value
            gives Newton's exact steps, and a quadratic its minimum in one.
        inner_iterations: Steps of an inner solve at most.
        name: Display name.
    """

    def __init__(
        self,
        tolerance: float = 1e-9,
        gradient_tolerance: float = 1e-5,
        forcing: float = 0.5,
        inner_iterations: int = 200,
        name: str | None = None,
        **unknown: Any,
    ):
        super().__init__(tolerance, gradient_tolerance, name, **unknown)
        self.forcing = non_negative(forcing, "forcing", "NewtonCG")
        if self.forcing >= 1:
            raise ValueError(
                f"NewtonCG: `forcing` must be below 1, or the solve does nothing. "
                f"Received: {forcing}."
            )
        self.inner_iterations = positive_int(inner_iterations, "inner_iterations", "NewtonCG")

    def search(self, search: Search) -> None:
        if not search.has_product:
            raise ValueError(
                "NewtonCG needs products with the Hessian: pass product=..., a function of "
                "(x, direction)."
            )
        first = float(np.linalg.norm(search.point.gradient))
        while True:
            gradient = search.point.gradient
            norm = float(np.linalg.norm(gradient))
            residual = min(self.forcing, math.sqrt(norm / first)) * norm
            direction = _newton_direction(search.product, gradient, residual, self.inner_iterations)
            length = _step_length(search, direction)
            if length is None:
                return
            search.accept(search.point.x + length * direction)


def _newton_direction(
    product: Callable[[np.ndarray], np.ndarray],
    gradient: np.ndarray,
    residual: float,
    iterations: int,
) -> np.ndarray:
    """A solution of ``H d = -g`` by conjugate gradients, or the descent direction on its way."""
    solution = np.zeros_like(gradient)
    rest = gradient.copy()  # H d + g
    step = -rest
    square = float(rest @ rest)
    for number in range(iterations):
        curved = product(step)
        curvature = float(step @ curved)
        if curvature <= DOUBLE * float(step @ step):
            return step if number == 0 else solution
        length = square / curvature
        solution += length * step
        rest += length * curved
        before, square = square, float(rest @ rest)
        if math.sqrt(square) <= residual:
            break
        step = square / before * step - rest
    return solution


def _step_length(search: Search, direction: np.ndarray) -> float | None:
    """A length that satisfies Wolfe's conditions, 1 if possible; None if there is none."""
    optimize, point = _scipy_optimize("NewtonCG"), search.point
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # scipy warns where it returns None
        return optimize.line_search(
            lambda x: search.value(x)[0],
            lambda x: search.value(x)[1],
            point.x,
            direction,
            point.gradient,
            point.loss,
            maxiter=20,
        )[0]


def _scipy_optimize(owner: str) -> Any:
    try:
        import scipy.optimize
    except ImportError:
        raise ImportError(
            f"{owner} needs scipy, which is not installed. Install it with: "
            'pip install "minikeras[scipy]"'
        ) from None
    return scipy.optimize


def _largest(gradient: np.ndarray) -> float:
    return float(np.abs(gradient).max(initial=0.0))


def _finite(point: Point) -> bool:
    return math.isfinite(point.loss) and bool(np.isfinite(point.gradient).all())


def _arguments(cls: type) -> set[str]:
    return set(inspect.signature(cls).parameters) - {"unknown"}
