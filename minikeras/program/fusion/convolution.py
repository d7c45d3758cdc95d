"""Rules about convolutions, other linear maps, and pooling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...kernels.table import CONV_POOL_BYTES, CONV_POOL_PIXELS, CONV_POOL_SOURCE
from ..recorder import Instruction
from .flow import Flow, instruction, spec

ACTIVATIONS = ("relu", "sigmoid", "tanh")
LINEAR_MAPS = ("conv", "conv_transpose", "dense")


def activation_behind_linear_map(flow: Flow) -> None:
    """An activation function of its own becomes part of the linear map before it.

    Gradients of these functions read results only, so that they stay as they are.
    """
    for linear in flow.named(*LINEAR_MAPS):
        if linear.static.get("activation") != "linear":
            continue
        readers = flow.readers(linear.outs[0])
        if readers is None or len(readers) != 1:
            continue
        name, function = next(iter(readers.items()))
        if name in ACTIVATIONS:
            static = {**linear.static, "activation": name}
            outs = [function.outs[0], *linear.outs[1:]]
            flow.replace([function], linear, linear._replace(outs=outs, static=static))


def relu_with_pooling(flow: Flow) -> None:
    """A pooling of what a relu makes keeps where gradients pass, so that nobody asks the relu.

    A relu of its own is done by the pooling: of one number of each window. The same bits.
    """
    for pool in flow.named("max_pool"):
        y, index = pool.ins[0], pool.outs[1]
        if index.spec.dtype != "uint8":
            continue
        source = flow.maker(y)
        readers, backward = flow.readers(y), flow.readers(index)
        if source is None or readers is None or backward is None or not _is_relu(source):
            continue
        gates = {name: i for name, i in readers.items() if name != "max_pool"}
        if set(backward) <= {"max_pool_grad"} and _are_gates(flow, gates, backward, y):
            _fuse(flow, source, pool, backward.get("max_pool_grad"), gates)


def _is_relu(source: Instruction) -> bool:
    return source.primitive.name == "relu" or source.static.get("activation") == "relu"


def _are_gates(
    flow: Flow, gates: Mapping[str, Instruction], backward: Mapping[str, Instruction], y: Any
) -> bool:
    """Whether `gates` read y only to let through the gradient that the pooling gives back."""
    if not backward:
        return not gates
    g = backward["max_pool_grad"].outs[0]
    readers = flow.readers(g)
    if readers is None or set(readers) != set(gates):
        return False
    return all(_gated(i) == (g, y) for i in gates.values())


def _gated(gate: Instruction) -> tuple[Any, Any]:
    """The gradient that an instruction takes through a relu, and the relu's result."""
    name, ins = gate.primitive.name, gate.ins
    if name == "relu_grad":
        return ins[0], ins[2]
    if name == "conv_weights_grad" and gate.static["slope"] == "relu":
        return ins[1], ins[2]
    if name == "conv_input_grad" and gate.static["slope"] == "relu":
        return ins[0], ins[1]
    return None, None


def _fuse(
    flow: Flow,
    source: Instruction,
    pool: Instruction,
    back: Instruction | None,
    gates: Mapping[str, Instruction],
) -> None:
    alone = source.primitive.name == "relu"
    if not gates and not alone:
        return  # nothing would be gained
    x = source.ins[0] if alone else pool.ins[0]
    fused = instruction("relu_max_pool", [x], pool.outs, **pool.static)
    flow.replace([source] if alone else [], pool, fused)
    relu_grad = gates.get("relu_grad")
    if relu_grad is not None and back is not None:
        flow.replace([relu_grad], back, back._replace(outs=relu_grad.outs))
    for name, gate in gates.items():
        if name != "relu_grad":
            ins = [None if i is pool.ins[0] else i for i in gate.ins]
            flow.replace(
                [], gate, gate._replace(ins=ins, static={**gate.static, "slope": "linear"})
            )


def convolution_with_pooling(flow: Flow) -> None:
    """A convolution with relu and its pooling by 2 x 2 pixels: what lies between stays in cache.

    The same bits. Not for convolutions that go Winograd's way, which have memory of their own.
    """
    for conv in flow.named("conv"):
        readers = flow.readers(conv.outs[0])
        if conv.static["activation"] != "relu" or readers is None or len(readers) != 1:
            continue
        name, pool = next(iter(readers.items()))
        if name not in ("max_pool", "relu_max_pool") or not _is_small(conv, pool):
            continue
        if name == "max_pool" and flow.readers(pool.outs[1]) != {}:
            continue  # somebody counts on taps that are not gated
        ins = (*conv.ins, None)[:3]
        window = conv.static["window"]
        fused = instruction("conv_relu_pool", ins, pool.outs, window=window)
        flow.replace([pool], conv, fused)


def _is_small(conv: Instruction, pool: Instruction) -> bool:
    """Whether windows are 2 x 2 pixels side by side within, and blocks can hold two whole rows."""
    sizes, strides, before, outputs = pool.static["pool"]
    y, x, kernel = conv.outs[0].spec, spec(conv.ins[0]), spec(conv.ins[1])
    inside = y.shape[1:-1]
    if len(conv.outs) > 1 or not tuple(sizes) == tuple(strides) == (2, 2) or any(before):
        return False
    if any(2 * o > n for o, n in zip(outputs, inside, strict=True)):
        return False
    window, width = conv.static["window"], inside[1]
    taps = zip(kernel.shape[:2], window.dilation, strict=True)
    down, across = ((k - 1) * d + 1 for k, d in taps)
    source = (window.strides[0] + down) * ((width - 1) * window.strides[1] + across) * x.shape[-1]
    item = x.nbytes // max(1, x.size)
    return (
        2 * width <= CONV_POOL_PIXELS
        and source * item <= CONV_POOL_SOURCE
        and y.shape[-1] * item <= CONV_POOL_BYTES
    )


def weights_grad_with_pooling(flow: Flow) -> None:
    """The gradient of such a convolution's weights takes that of the windows as it is.

    Only where nothing else asks for the gradient of the pixels, as in first layers. The same bits.
    """
    for back in flow.named("max_pool_grad"):
        readers, forward = flow.readers(back.outs[0]), flow.maker(back.ins[1])
        if forward is None or forward.primitive.name != "conv_relu_pool" or readers is None:
            continue
        if set(readers) != {"conv_weights_grad"}:
            continue
        grad = readers["conv_weights_grad"]
        x, g, y = grad.ins
        kernel, parts = grad.outs[0].spec, grad.outs[2].spec
        direct = parts.shape[1] == kernel.size
        if not direct or g is not back.outs[0] or y is not None or x is not forward.ins[0]:
            continue
        static = {name: grad.static[name] for name in ("sizes", "window")}
        fused = instruction(
            "conv_pool_weights_grad", [x, *back.ins], grad.outs,
            biased=grad.static.get("biased", True), **static,
        )  # fmt: skip
        flow.replace([back], grad, fused)
