"""Losses, one number per row, and their gradients: a task owns rows.

The last axis holds the classes or outputs; ``p`` are predictions, ``t`` targets of the same shape,
``labels`` class numbers, ``g`` the gradient of each row's loss. Probabilities are treated as Keras
does: divided by their sum over the row (categorical ones), then clipped to [eps, 1 - eps]; where
they are clipped the gradient is zero. A label out of range is error 1.
"""

from collections.abc import Callable

from ._jit import exact, inner, noalias, shared, view
from ._parts import piece, row, row_part, rows_piece
from .maths import make_log, make_sigmoid, make_softplus
from .softmax import GROUP, group_rows, make_exponentials

BAD_LABEL = 1


@inner
def fill(x, value):
    for j in range(x.size):
        x[j] = value


@exact
def bad_label(labels, width):
    """True when a label is no column."""
    bad = False
    for r in range(labels.size):
        bad = bad | (labels[r] < 0) | (labels[r] >= width)
    return bad


@shared
def make_row_sum(T):
    zero = T(0)

    @inner
    def row_sum(x):
        total = zero
        for j in range(x.size):
            total += x[j]
        return total

    return row_sum


# ---- class probabilities


def sparse_cross_entropy(T):
    """loss = -log(probability of the label)."""
    log, row_sum = make_log(T), make_row_sum(T)

    @inner
    def logarithms(loss):
        for r in range(loss.size):
            loss[r] = -log(loss[r])

    def task(i, n, scratch, p, labels, eps, loss):
        lo, hi = row_part(i, n, p.shape[0])
        low, high = T(eps), T(1.0 - eps)
        if bad_label(piece(labels, lo, hi), p.shape[1]):
            return BAD_LABEL
        for r in range(lo, hi):
            q = p[r, labels[r]] / row_sum(row(p, r))
            q = low if q < low else q
            loss[r] = high if q > high else q
        logarithms(piece(loss, lo, hi))
        return 0

    return task


def sparse_cross_entropy_grad(T):
    zero, one = T(0), T(1)
    row_sum = make_row_sum(T)

    def task(i, n, scratch, g, p, labels, eps, dp):
        lo, hi = row_part(i, n, p.shape[0])
        low, high = T(eps), T(1.0 - eps)
        if bad_label(piece(labels, lo, hi), p.shape[1]):
            return BAD_LABEL
        for r in range(lo, hi):
            label, factor = labels[r], one / row_sum(row(p, r))
            q = p[r, label] * factor
            if q < low or q > high:
                fill(row(dp, r), zero)
            else:
                fill(row(dp, r), g[r] * factor)
                dp[r, label] -= g[r] / p[r, label]
        return 0

    return task


def cross_entropy(T):
    """loss = -sum of t log(p)."""
    zero, one = T(0), T(1)
    log, row_sum = make_log(T), make_row_sum(T)

    @inner
    def row_loss(p, t, low, high):
        noalias()
        factor = one / row_sum(p)
        total = zero
        for j in range(p.size):
            q = p[j] * factor
            q = low if q < low else q
            q = high if q > high else q
            total -= t[j] * log(q)
        return total

    def task(i, n, scratch, p, t, eps, loss):
        lo, hi = row_part(i, n, p.shape[0])
        low, high = T(eps), T(1.0 - eps)
        for r in range(lo, hi):
            loss[r] = row_loss(row(p, r), row(t, r), low, high)
        return 0

    return task


def cross_entropy_grad(T):
    zero, one = T(0), T(1)
    row_sum = make_row_sum(T)

    @inner
    def row_grad(g, p, t, low, high, dp):
        noalias()
        factor = one / row_sum(p)
        total = zero
        for j in range(p.size):
            q = p[j] * factor
            inside = zero if q < low or q > high else t[j]
            total += inside
            dp[j] = inside / q if inside != zero else inside
        g *= factor
        for j in range(p.size):
            dp[j] = g * (total - dp[j])

    def task(i, n, scratch, g, p, t, eps, dp):
        lo, hi = row_part(i, n, p.shape[0])
        low, high = T(eps), T(1.0 - eps)
        for r in range(lo, hi):
            row_grad(g[r], row(p, r), row(t, r), low, high, row(dp, r))
        return 0

    return task


# ---- probabilities that come from a softmax


def sparse_softmax_then_cross_entropy_grad(T):
    """Gradient with respect to the logits, when p is their softmax."""
    zero, one = T(0), T(1)
    row_sum = make_row_sum(T)

    @inner
    def scaled(p, factor, dz):
        noalias()
        for j in range(p.size):
            dz[j] = p[j] * factor

    def task(i, n, scratch, g, p, labels, eps, dz):
        lo, hi = row_part(i, n, p.shape[0])
        low, high = T(eps), T(1.0 - eps)
        if bad_label(piece(labels, lo, hi), p.shape[1]):
            return BAD_LABEL
        for r in range(lo, hi):
            label, factor = labels[r], one / row_sum(row(p, r))
            q = p[r, label] * factor
            if q < low or q > high:
                fill(row(dz, r), zero)
            else:
                scaled(row(p, r), g[r] * factor, row(dz, r))
                dz[r, label] = g[r] * (q - one)
        return 0

    return task


def softmax_then_cross_entropy_grad(T):
    """Gradient with respect to the logits, when p is their softmax."""
    zero, one = T(0), T(1)
    row_sum = make_row_sum(T)

    @inner
    def row_grad(g, p, t, low, high, dz):
        noalias()
        factor = one / row_sum(p)
        total = zero
        for j in range(p.size):
            q = p[j] * factor
            inside = zero if q < low or q > high else t[j]
            total += inside
            dz[j] = inside
        factor *= total
        for j in range(p.size):
            dz[j] = g * (p[j] * factor - dz[j])

    def task(i, n, scratch, g, p, t, eps, dz):
        lo, hi = row_part(i, n, p.shape[0])
        low, high = T(eps), T(1.0 - eps)
        for r in range(lo, hi):
            row_grad(g[r], row(p, r), row(t, r), low, high, row(dz, r))
        return 0

    return task


# ---- class logits


def sparse_softmax_cross_entropy(T):
    """loss = log(sum of exp(logits)) - logit of the label; probs = softmax of the logits."""
    one = T(1)
    log, exponentials, at = make_log(T), make_exponentials(T), view(T)
    offset = GROUP * T.bitwidth // 8

    @inner
    def finish(logits, labels, probs, loss, largest, total):
        noalias()
        for r in range(probs.shape[0]):
            loss[r] = largest[r] - logits[r, labels[r]]
            factor = one / total[r]
            for j in range(probs.shape[1]):
                probs[r, j] *= factor
        for r in range(loss.size):
            loss[r] += log(total[r])

    def task(i, n, scratch, logits, labels, probs, loss):
        lo, hi = row_part(i, n, logits.shape[0])
        if bad_label(piece(labels, lo, hi), logits.shape[1]):
            return BAD_LABEL
        group = group_rows(logits.shape[1])
        largest, total = at(scratch, GROUP), at(scratch + offset, GROUP)
        for start in range(lo, hi, group):
            stop = min(hi, start + group)
            x, y = rows_piece(logits, start, stop), rows_piece(probs, start, stop)
            exponentials(x, y, largest, total)
            finish(x, piece(labels, start, stop), y, piece(loss, start, stop), largest, total)
        return 0

    return task


def sparse_softmax_cross_entropy_grad(T):
    @inner
    def scaled(p, g, dz):
        noalias()
        for j in range(p.size):
            dz[j] = g * p[j]

    def task(i, n, scratch, g, probs, labels, dlogits):
        lo, hi = row_part(i, n, probs.shape[0])
        if bad_label(piece(labels, lo, hi), probs.shape[1]):
            return BAD_LABEL
        for r in range(lo, hi):
            scaled(row(probs, r), g[r], row(dlogits, r))
            dlogits[r, labels[r]] -= g[r]
        return 0

    return task


def softmax_cross_entropy(T):
    """loss = sum of t (log(sum of exp(logits)) - logits); probs = softmax of the logits."""
    zero, one = T(0), T(1)
    log, exponentials, at = make_log(T), make_exponentials(T), view(T)
    offset = GROUP * T.bitwidth // 8

    @inner
    def finish(logits, t, probs, loss, largest, total):
        noalias()
        for r in range(loss.size):
            loss[r] = log(total[r])
        for r in range(probs.shape[0]):
            factor = one / total[r]
            s = zero
            for j in range(probs.shape[1]):
                probs[r, j] *= factor
                s += t[r, j] * (loss[r] - (logits[r, j] - largest[r]))
            loss[r] = s

    def task(i, n, scratch, logits, t, probs, loss):
        lo, hi = row_part(i, n, logits.shape[0])
        group = group_rows(logits.shape[1])
        largest, total = at(scratch, GROUP), at(scratch + offset, GROUP)
        for start in range(lo, hi, group):
            stop = min(hi, start + group)
            x, y = rows_piece(logits, start, stop), rows_piece(probs, start, stop)
            exponentials(x, y, largest, total)
            finish(x, rows_piece(t, start, stop), y, piece(loss, start, stop), largest, total)
        return 0

    return task


def softmax_cross_entropy_grad(T):
    row_sum = make_row_sum(T)

    @inner
    def row_grad(g, p, t, dz):
        noalias()
        total = row_sum(t)
        for j in range(p.size):
            dz[j] = g * (p[j] * total - t[j])

    def task(i, n, scratch, g, probs, t, dlogits):
        lo, hi = row_part(i, n, probs.shape[0])
        for r in range(lo, hi):
            row_grad(g[r], row(probs, r), row(t, r), row(dlogits, r))
        return 0

    return task


# ---- means of elementwise losses


def elementwise(formula: Callable, summed: bool = False) -> tuple[Callable, Callable]:
    """Kernel factories of a loss, the row's mean of a formula, and of its gradient.

    ``formula(T)`` gives the loss of one prediction p and target t, and its slope in p. When they
    take one more number, it is the kernel's own; two, these are the bounds eps and 1 - eps.

    Args:
        summed: The loss is the row's sum.
    """
    return _mean_of(formula, summed), _gradient_of(formula, summed)


def _mean_of(formula: Callable, summed: bool) -> Callable:
    def forward(T):
        zero, one = T(0), T(1)
        value = exact(formula(T)[0])
        numbers = _numbers(T, formula)

        @inner
        def rows(p, t, limits, loss):
            noalias()
            factor = one if summed else one / T(p.shape[1])
            for r in range(p.shape[0]):
                total = zero
                for j in range(p.shape[1]):
                    total += value(p[r, j], t[r, j], *limits)
                loss[r] = total * factor

        def task(i, n, scratch, p, t, *rest):
            lo, hi = row_part(i, n, p.shape[0])
            rows(
                rows_piece(p, lo, hi),
                rows_piece(t, lo, hi),
                numbers(rest[:-1]),
                piece(rest[-1], lo, hi),
            )
            return 0

        return task

    return forward


def _gradient_of(formula: Callable, summed: bool) -> Callable:
    def gradient(T):
        one = T(1)
        slope = exact(formula(T)[1])
        numbers = _numbers(T, formula)

        @inner
        def rows(g, p, t, limits, dp):
            noalias()
            factor = one if summed else one / T(p.shape[1])
            for r in range(p.shape[0]):
                weight = g[r] * factor
                for j in range(p.shape[1]):
                    dp[r, j] = weight * slope(p[r, j], t[r, j], *limits)

        def task(i, n, scratch, g, p, t, *rest):
            lo, hi = row_part(i, n, p.shape[0])
            rows(
                piece(g, lo, hi),
                rows_piece(p, lo, hi),
                rows_piece(t, lo, hi),
                numbers(rest[:-1]),
                rows_piece(rest[-1], lo, hi),
            )
            return 0

        return task

    return gradient


def _numbers(T, formula: Callable):
    """Compiled function: tuple of no or one parameter -> tuple of what the formula takes for it."""
    further = formula(T)[0].__code__.co_argcount - 2
    if further == 0:
        return exact(lambda parameters: ())
    if further == 1:
        return exact(lambda parameters: (T(parameters[0]),))
    return exact(lambda parameters: (T(parameters[0]), T(1.0 - parameters[0])))


def _squared_error(T):
    two = T(2)
    return lambda p, t: (p - t) * (p - t), lambda p, t: two * (p - t)


def _absolute_error(T):
    zero, one = T(0), T(1)

    def slope(p, t):
        d = p - t
        return one if d > zero else (-one if d < zero else d)

    return lambda p, t: abs(p - t), slope


def _binary_cross_entropy(T):
    """Of probabilities p, clipped to [low, high]."""
    zero, one = T(0), T(1)
    log = make_log(T)

    def value(p, t, low, high):
        p = low if p < low else p
        p = high if p > high else p
        return -(t * log(p) + (one - t) * log(one - p))

    def slope(p, t, low, high):
        q = low if p < low else p
        q = high if q > high else q
        d = (one - t) / (one - q) - t / q
        return zero if p < low or p > high else d

    return value, slope


def _sigmoid_cross_entropy(T):
    """Binary cross entropy of logits p."""
    softplus, sigmoid = make_softplus(T), make_sigmoid(T)
    return lambda p, t: softplus(p) - p * t, lambda p, t: sigmoid(p) - t


squared_error, squared_error_grad = elementwise(_squared_error)
absolute_error, absolute_error_grad = elementwise(_absolute_error)
binary_cross_entropy, binary_cross_entropy_grad = elementwise(_binary_cross_entropy)
sigmoid_cross_entropy, sigmoid_cross_entropy_grad = elementwise(_sigmoid_cross_entropy)
