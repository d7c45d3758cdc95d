"""Rules about batch normalisation."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..recorder import Instruction, Slot
from .flow import Flow, instruction, spec


class _Tail(NamedTuple):
    """What follows a normalisation, and the way back of its gradient (None without one)."""

    relu: Instruction
    pool: Instruction | None
    pool_grad: Instruction | None
    relu_grad: Instruction | None
    grad: Instruction | None

    @property
    def result(self) -> Slot:
        return (self.pool or self.relu).outs[0]

    @property
    def gradient(self) -> Any:
        """The gradient that comes back to the result."""
        back = self.pool_grad or self.relu_grad
        return None if back is None else back.ins[0]


def norm_with_relu(flow: Flow) -> None:
    """Batch normalisation, relu, and pooling of 2 x 2 pixels, in training: one pass each way.

    Equal to rounding: lines are computed once, and behind a pooling sums of gradients are taken in
    another order.
    """
    for norm in flow.named("batch_norm"):
        tail = _pooled(flow, norm) or _activated(flow, norm)
        if tail is not None:
            _fuse(flow, norm, tail)


def _activated(flow: Flow, norm: Instruction) -> _Tail | None:
    """The relu behind a normalisation if nothing else reads what lies between."""
    readers = flow.readers(norm.outs[0])
    if readers is None or "relu" not in readers or not set(readers) <= {"relu", "relu_grad"}:
        return None
    relu = readers["relu"]
    relu_grad = _gradient_of(flow, relu)
    if relu_grad is None:
        return _Tail(relu, None, None, None, None) if len(readers) == 1 else None
    grad = _grad_behind(flow, norm, relu_grad)
    return None if grad is None else _Tail(relu, None, None, relu_grad, grad)


def _gradient_of(flow: Flow, relu: Instruction) -> Instruction | None:
    """The one gradient of a relu."""
    result = relu.outs[0]
    found = [i for i in flow.named("relu_grad") if i.ins[2] is result]
    return found[0] if len(found) == 1 else None


def _grad_behind(flow: Flow, norm: Instruction, relu_grad: Instruction) -> Instruction | None:
    """The gradient of the normalisation, if it is all that takes that of the relu."""
    readers = flow.readers(relu_grad.outs[0])
    if readers is None or set(readers) != {"batch_norm_grad"}:
        return None
    grad = readers["batch_norm_grad"]
    g, x, mean, variance, gamma = grad.ins
    same = g is relu_grad.outs[0] and x is norm.ins[0] and gamma is norm.ins[1]
    same = same and mean is norm.outs[1] and variance is norm.outs[2]
    return grad if same and grad.static["from_batch"] else None


def _pooled(flow: Flow, norm: Instruction) -> _Tail | None:
    """The relu and the pooling behind a normalisation, in the same way."""
    tail = _activated(flow, norm)
    if tail is None:
        return None
    readers = flow.readers(tail.relu.outs[0])
    known = {"max_pool"} if tail.relu_grad is None else {"max_pool", "relu_grad"}
    if readers is None or set(readers) != known or not _by_four(readers["max_pool"]):
        return None
    pool = readers["max_pool"]
    index = flow.readers(pool.outs[1])
    if tail.relu_grad is None:
        return tail._replace(pool=pool) if index == {} else None
    back = flow.maker(tail.relu_grad.ins[0])
    if back is None or index is None or list(index.items()) != [("max_pool_grad", back)]:
        return None
    given = flow.readers(back.outs[0])
    if given is None or set(given) != {"relu_grad"} or back.ins[1] is not pool.outs[1]:
        return None
    return tail._replace(pool=pool, pool_grad=back)


def _by_four(pool: Instruction) -> bool:
    """Whether windows are 2 x 2 pixels side by side that cover the images."""
    sizes, strides, before, outputs = pool.static["pool"]
    inside = pool.ins[0].spec.shape[1:-1]
    rest = len(sizes) - 2
    return (
        rest >= 0
        and tuple(sizes) == tuple(strides) == (1,) * rest + (2, 2)
        and not any(before)
        and tuple(o * s for o, s in zip(outputs, sizes, strict=True)) == tuple(inside)
    )


def _fuse(flow: Flow, norm: Instruction, tail: _Tail) -> None:
    epsilon = norm.static["epsilon"]
    y, mean, variance, sums = norm.outs
    name = "batch_norm_relu" if tail.pool is None else "batch_norm_relu_pool"
    if tail.pool is None:
        forward = instruction(name, norm.ins, [tail.result, mean, variance, sums], epsilon=epsilon)
        between: tuple[Slot, ...] = ()
    else:
        forward = instruction(name, norm.ins, [tail.result, mean, variance], epsilon=epsilon)
        between = (forward.outs[3],)
    flow.replace([tail.relu, tail.pool], norm, forward)
    if tail.grad is None:
        return
    x, gamma, _ = norm.ins
    if tail.pool is None:
        given = [tail.gradient, x, mean, variance, gamma, forward.outs[-1]]
    else:
        given = [tail.gradient, *between, x, mean, variance, gamma]
    back = instruction(f"{name}_grad", given, tail.grad.outs[:3], epsilon=epsilon)
    flow.replace([tail.pool_grad, tail.relu_grad], tail.grad, back)


def norm_behind_linear_map(flow: Flow) -> None:
    """A convolution or dense map without activation, then a normalisation with known statistics.

    Kernel and bias take the normalisation in, which is computed anew at each replay as they are
    Variables. Equal to rounding. Only where that is less work than a pass over the result.
    """
    for norm in flow.named("normalise"):
        linear = flow.maker(norm.ins[0])
        if linear is None or linear.primitive.name not in ("conv", "dense"):
            continue
        readers = flow.readers(norm.ins[0])
        if readers is None or set(readers) != {"normalise"} or not flow.quiet(linear, norm):
            continue
        x, kernel, bias = (*linear.ins, None)[:3]
        if linear.static.get("activation") != "linear":
            continue
        if spec(kernel).size > norm.outs[0].spec.size:
            continue
        fold = instruction("fold_norm", [kernel, bias, *norm.ins[1:]], [], **norm.static)
        outs = [norm.outs[0], *linear.outs[1:]]
        whole = linear._replace(ins=[x, *fold.outs[:2]], outs=outs)
        flow.replace([linear], norm, fold, whole)


def norm_with_statistics_and_relu(flow: Flow) -> None:
    """A normalisation with known statistics, then relu, without a gradient."""
    for norm in flow.named("normalise"):
        readers = flow.readers(norm.outs[0])
        if readers is None or set(readers) != {"relu"}:
            continue
        relu = readers["relu"]
        fused = instruction("normalise_relu", norm.ins, [relu.outs[0]], **norm.static)
        flow.replace([relu], norm, fused)
