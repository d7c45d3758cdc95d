"""Connectionist temporal classification (Graves et al. 2006) and its gradient: a task owns samples.

A sample's labels are read off the frames with blanks between them: state 2k is the blank before
label k, state 2k + 1 label k. ``alphas[b, f, s]`` is the logarithm of the probability of the first
f frames and of being in state s after them; ``norms[b, f]`` that of the sum of frame f's
exponentials. What cannot be has the logarithm NEVER, as in Keras, so that the loss stays a number.
`lengths` (labels) of size 0 means: those that are no blank; `frames` of size 0: all. A label out of
range, or a length, is error 1.
"""

from numba import types

from ._jit import inner, view
from ._parts import row_part
from .maths import make_exp, make_log, make_log1p_of_unit

DOUBLE = types.float64
NEVER = -1e5
OUTSIDE = -1e30  # of a state from which the end is not reached
BAD_LABEL = 1


def make_plus():
    """Compiled function (a, b) -> log(exp(a) + exp(b))."""
    exp, log1p = make_exp(DOUBLE), make_log1p_of_unit(DOUBLE)

    @inner
    def plus(a, b):
        return (a if a > b else b) + log1p(exp(-abs(a - b)))

    return plus


@inner
def label_count(labels, b, lengths, blank):
    """How many labels sample b has."""
    if lengths.size > 0:
        return lengths[b]
    count = 0
    for k in range(labels.shape[1]):
        count += 1 if labels[b, k] != blank else 0
    return count


@inner
def is_valid(labels, b, n, f, classes, most):
    """Whether sample b has n labels of known classes, and at most as many frames as there are."""
    fine = 0 <= n <= labels.shape[1] and 0 <= f <= most
    if fine:
        for k in range(n):
            fine = fine and 0 <= labels[b, k] < classes
    return fine


@inner
def state_class(labels, b, s, blank):
    return labels[b, s // 2] if s % 2 == 1 else blank


@inner
def skip(labels, b, s):
    """Logarithm of the weight of going from state s - 2, the label before, to s."""
    return NEVER if labels[b, s // 2] == labels[b, s // 2 - 1] else 0.0


def make_norm(T):
    """Compiled function (logits, b, f) -> log of the sum of the exponentials of a frame."""
    exp, log = make_exp(DOUBLE), make_log(DOUBLE)

    @inner
    def norm(logits, b, f):
        top = logits[b, f, 0]
        for c in range(1, logits.shape[2]):
            top = logits[b, f, c] if logits[b, f, c] > top else top
        total = 0.0
        for c in range(logits.shape[2]):
            total += exp(DOUBLE(logits[b, f, c]) - DOUBLE(top))
        return DOUBLE(top) + log(total)

    return norm


def make_step(T):
    """Compiled function: alphas of sample b, with n labels, after frame f."""
    plus = make_plus()

    @inner
    def step(logits, labels, b, n, f, blank, norms, alphas):
        for s in range(2 * n + 1):
            a = alphas[b, f, s]
            if s > 0:
                a = plus(a, alphas[b, f, s - 1])
            if s > 1 and s % 2 == 1:
                a = plus(a, alphas[b, f, s - 2] + skip(labels, b, s))
            own = DOUBLE(logits[b, f, state_class(labels, b, s, blank)])
            alphas[b, f + 1, s] = a + own - norms[b, f]

    return step


def make_forward(T):
    """Compiled function: alphas and norms of sample b with n labels in `last` frames."""
    norm, step = make_norm(T), make_step(T)

    @inner
    def forward(logits, labels, b, n, last, blank, norms, alphas):
        for f in range(alphas.shape[1]):
            for s in range(alphas.shape[2]):
                alphas[b, f, s] = NEVER if f == 0 and 0 < s < 2 * n + 1 else 0.0
        for f in range(norms.shape[1]):
            norms[b, f] = norm(logits, b, f) if f < last else 0.0
        for f in range(last):
            step(logits, labels, b, n, f, blank, norms, alphas)

    return forward


def make_total():
    """Compiled function (alphas, b, n, last) -> log of the probability of all labels."""
    plus = make_plus()

    @inner
    def total(alphas, b, n, last):
        a = alphas[b, last, 2 * n]
        return plus(a, alphas[b, last, 2 * n - 1]) if n > 0 else a

    return total


def ctc(T):
    """loss = -log(probability that the frames read as the labels)."""
    forward, total = make_forward(T), make_total()

    def task(i, n, scratch, logits, labels, lengths, frames, blank, norms, alphas, loss):
        lo, hi = row_part(i, n, logits.shape[0])
        for b in range(lo, hi):
            count = label_count(labels, b, lengths, blank)
            last = frames[b] if frames.size > 0 else logits.shape[1]
            if not is_valid(labels, b, count, last, logits.shape[2], logits.shape[1]):
                return BAD_LABEL
            forward(logits, labels, b, count, last, blank, norms, alphas)
            loss[b] = T(-total(alphas, b, count, last))
        return 0

    return task


def make_backward(T):
    """Compiled function: betas of sample b, with n labels, before frame f, from those after it."""
    plus = make_plus()

    @inner
    def backward(logits, labels, b, n, f, blank, norms, betas):
        for s in range(2 * n + 1):
            own = DOUBLE(logits[b, f, state_class(labels, b, s, blank)])
            betas[s] += own - norms[b, f]
        for s in range(2 * n + 1):  # rising s reads only what is old
            a = betas[s]
            if s < 2 * n:
                a = plus(a, betas[s + 1])
            if s % 2 == 1 and s + 2 < 2 * n:
                a = plus(a, betas[s + 2] + skip(labels, b, s + 2))
            betas[s] = a

    return backward


def make_slope(T):
    """Compiled function: the gradient for the logits of frame f."""
    exp = make_exp(DOUBLE)

    @inner
    def slope(g, logits, labels, b, n, f, blank, norms, alphas, betas, whole, dlogits):
        for c in range(logits.shape[2]):
            dlogits[b, f, c] = T(g * exp(DOUBLE(logits[b, f, c]) - norms[b, f]))
        for s in range(2 * n + 1):
            c = state_class(labels, b, s, blank)
            dlogits[b, f, c] -= T(g * exp(alphas[b, f + 1, s] + betas[s] - whole))

    return slope


def make_sample_grad(T):
    """Compiled function: the gradient for the logits of sample b with n labels, `last` frames."""
    backward, slope, total = make_backward(T), make_slope(T), make_total()

    @inner
    def sample_grad(g, logits, labels, b, n, last, blank, norms, alphas, betas, dlogits):
        for f in range(last, logits.shape[1]):
            for c in range(logits.shape[2]):
                dlogits[b, f, c] = T(0)
        for s in range(2 * n + 1):  # at the end the last label or the blank after it are right
            betas[s] = 0.0 if s >= 2 * n - 1 else OUTSIDE
        whole = total(alphas, b, n, last)
        for f in range(last - 1, -1, -1):
            slope(g, logits, labels, b, n, f, blank, norms, alphas, betas, whole, dlogits)
            backward(logits, labels, b, n, f, blank, norms, betas)

    return sample_grad


def ctc_grad(T):
    """dlogits = g (softmax - share of each class in what the frame is read as)."""
    sample_grad, doubles = make_sample_grad(T), view(DOUBLE)

    def task(
        i, n, scratch, g, logits, labels, lengths, frames, blank, norms, alphas, dlogits
    ):  # fmt: skip
        lo, hi = row_part(i, n, logits.shape[0])
        betas = doubles(scratch, alphas.shape[2])
        for b in range(lo, hi):
            count = label_count(labels, b, lengths, blank)
            last = frames[b] if frames.size > 0 else logits.shape[1]
            if not is_valid(labels, b, count, last, logits.shape[2], logits.shape[1]):
                return BAD_LABEL
            slope = DOUBLE(g[b])
            sample_grad(
                slope, logits, labels, b, count, last, blank, norms, alphas, betas, dlogits
            )  # fmt: skip
        return 0

    return task
