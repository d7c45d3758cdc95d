"""Minimisers: optimizers that see the whole training set at once and choose their own step lengths.

Each iteration evaluates the loss and its gradient over all samples, so the loss is one smooth
function of the weights, and curvature can be learned from it. `BFGS` and `ConjugateGradient` are
scipy's (the extra "scipy"). `LBFGS` and `NewtonCG` are written here, for two reasons: their line
search goes by the gradients where float32 losses have lost their digits, and they call no BLAS,
whose threads would go on spinning, beside ours, in every iteration.

The vectors of a search are float64 whatever the weights are. `search` tells what float32 weights
mean for it; for more digits give the layers ``dtype="float64"``, or call
`minikeras.config.set_floatx("float64")` before making the model.
"""

from __future__ import annotations

import inspect
import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..autodiff.variable import Variable
from ..core.configurable import Configurable
from ..core.names import to_snake_case
from ..core.registry import register
from ..core.validate import non_negative, positive_int, reject_unknown
from ..core.versioned import Versioned
from .search import Function, Minimum, Point, Product, Search, dot, norm

BFGS_LIMIT = 10_000  # weights; above it the matrices of BFGS take gigabytes and minutes
DOUBLE = float(np.finfo(np.float64).eps)


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
            ImportError: The method is scipy's, and scipy is not installed.

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

    def scale_loss(self, loss: Any) -> Any:
        """The loss as it is."""
        return loss

    @property
    def learning_rate(self) -> Any:
        raise AttributeError(
            f"{type(self).__name__} has no learning rate: its line search finds the length of each "
            "step."
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} tolerance={self.tolerance:g}>"


@register("optimizers", module="minikeras.optimizers")
class LBFGS(Minimiser):
    """Quasi-Newton steps from the last few changes of the gradient (Liu & Nocedal 1989).

    The first choice for full-batch training: fast on smooth problems, with ``2 * history`` vectors
    of memory.

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

    def search(self, search: Search) -> None:
        memory = _Memory(self.history)
        while True:
            before = search.point
            direction = memory.direction(before.gradient)
            first = 1.0 if memory.pairs else min(1.0, 1 / norm(before.gradient))
            if not search.step(direction, first, self.max_line_search):
                return
            memory.add(search.point.x - before.x, search.point.gradient - before.gradient)


class _Memory:
    """The last few steps with the changes of the gradient along them, as an inverse Hessian."""

    def __init__(self, size: int):
        self.pairs: deque[tuple[np.ndarray, np.ndarray, float]] = deque(maxlen=size)

    def add(self, step: np.ndarray, change: np.ndarray) -> None:
        """Remember a pair, unless its curvature is not positive beyond doubt."""
        product = dot(step, change)
        if product > DOUBLE * dot(change, change):
            self.pairs.append((step, change, product))

    def direction(self, gradient: np.ndarray) -> np.ndarray:
        """Minus the inverse Hessian times the gradient, by the two loops of Nocedal 1980."""
        direction, parts = -gradient, []
        for step, change, product in reversed(self.pairs):
            part = dot(step, direction) / product
            direction -= part * change
            parts.append(part)
        if self.pairs:
            _, change, product = self.pairs[-1]
            direction *= product / dot(change, change)
        for (step, change, product), part in zip(self.pairs, reversed(parts), strict=True):
            direction += (part - dot(change, direction) / product) * step
        return direction


class ScipyMinimiser(Minimiser):
    """A minimiser that is one of scipy's methods."""

    method: str

    def check(self, size: int) -> None:
        _scipy_optimize(type(self).__name__)

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
        first = norm(search.point.gradient)
        while True:
            gradient = search.point.gradient
            size = norm(gradient)
            residual = min(self.forcing, math.sqrt(size / first)) * size
            direction = _newton_direction(search.product, gradient, residual, self.inner_iterations)
            if not search.step(direction):
                return


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
    square = dot(rest, rest)
    for number in range(iterations):
        curved = product(step)
        curvature = dot(step, curved)
        if curvature <= DOUBLE * dot(step, step):
            return step if number == 0 else solution
        length = square / curvature
        solution += length * step
        rest += length * curved
        before, square = square, dot(rest, rest)
        if math.sqrt(square) <= residual:
            break
        step = square / before * step - rest
    return solution


def _scipy_optimize(owner: str) -> Any:
    try:
        import scipy.optimize
    except ImportError:
        raise ImportError(
            f"{owner} needs scipy, which is not installed. Install it with: "
            'pip install "minikeras[scipy]"'
        ) from None
    return scipy.optimize


def _arguments(cls: type) -> set[str]:
    return set(inspect.signature(cls).parameters) - {"unknown"}
