"""Share of the multiply-add peak that the convolutions of the workloads reach."""

import argparse
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from peak import WIDTHS, best, gflops
from workloads import CONVOLUTIONAL, WORKLOADS, Conv, MaxPool

Result = tuple[str, float, str]
TURNS = 20
WORK = 4e8  # additions and multiplications in a turn, or one call


class Layer(NamedTuple):
    shape: tuple[int, ...]  # of one image
    part: Conv
    images: int
    first: bool  # of its network: nobody asks for the gradient of its input


def layers() -> Iterator[tuple[str, Layer]]:
    """Each convolution of the workloads, and what it works on."""
    for name in CONVOLUTIONAL:
        workload = WORKLOADS[name]
        *sizes, channels = workload.shape
        for part in workload.layers:
            if isinstance(part, Conv):
                shape = (*sizes, channels)
                text = f"{name} {'x'.join(map(str, shape))} -> {part.filters}"
                yield text, Layer(shape, part, workload.batch, part is workload.layers[0])
                sizes = [n if part.same else n - part.size + 1 for n in sizes]
                channels = part.filters
            elif isinstance(part, MaxPool):
                sizes = [n // part.size for n in sizes]


def conv_share(options: argparse.Namespace) -> Iterator[Result]:
    """Forward, gradient of the weights and of the input: share of the peak of the cores in use.

    Winograd's way is measured too where it applies, by the arithmetic of the direct way.
    """
    from minikeras import config, kernels

    threads = options.threads
    kernels.set_num_threads(threads)
    peak = best(WIDTHS if options.isa == "native" else WIDTHS[1:])
    for text, layer in layers():
        for winograd in (False, True):
            config.set_winograd(winograd)
            for kind, (program, flops) in programs(layer).items():
                if winograd and not _is_winograd(program):
                    continue
                value = share(program.run, flops, peak) / threads
                way = " by Winograd" if winograd else ""
                yield f"{text}{way}, {kind}", value, f"{value:.0%} of the FMA peak"


def _is_winograd(program: Any) -> bool:
    return any("winograd" in getattr(call, "name", "") for call in program.calls)


def share(run: Callable[[], Any], flops: float, peak: Any) -> float:
    """In turn with the peak, because the clock drifts; the best of each, as for products."""
    repeat = max(1, int(WORK / flops))
    run()
    turns = [(gflops(run, flops, repeat), peak.gflops(40_000)) for _ in range(TURNS)]
    found, peaks = zip(*turns, strict=True)
    return max(found) / max(peaks)


def programs(layer: Layer) -> dict[str, tuple[Any, float]]:
    """Recorded programs of the layer and its gradients, and the arithmetic of each."""
    from minikeras import ops
    from minikeras.autodiff import Tape
    from minikeras.ops.convolution import fused_conv

    part, padding = layer.part, "same" if layer.part.same else "valid"
    arrays = _arrays(layer)

    def forward(x: Any, kernel: Any, bias: Any) -> list[Any]:
        bias = bias if part.bias else None
        words = padding, "channels_last", 1, part.activation, "conv_share"
        return [fused_conv(x, kernel, bias, 1, *words)]

    def gradient(of: str) -> Callable[..., list[Any]]:
        def function(x: Any, kernel: Any, g: Any) -> list[Any]:
            with Tape() as tape:
                given = {"x": tape.watch(x), "kernel": tape.watch(kernel)}
                y = ops.conv(*given.values(), padding=padding)
            return tape.gradient(y, [given[of]], seed=g)

        return function

    arrays["g"] = np.asarray(ops.conv(arrays["x"], arrays["kernel"], padding=padding))
    made = {
        "forward": _program(forward, arrays, "x", "kernel", "bias"),
        "gradient of the weights": _program(gradient("kernel"), arrays, "x", "kernel", "g"),
    }
    if not layer.first:
        made["gradient of the input"] = _program(gradient("x"), arrays, "x", "kernel", "g")
    flops = 2.0 * arrays["g"].size * arrays["kernel"][..., 0].size
    return {kind: (program, flops) for kind, program in made.items()}


def _arrays(layer: Layer) -> dict[str, np.ndarray]:
    rng, (*sizes, channels), part = np.random.default_rng(0), layer.shape, layer.part
    shapes = {
        "x": (layer.images, *layer.shape),
        "kernel": (*[part.size] * len(sizes), channels, part.filters),
        "bias": (part.filters,),
    }
    return {name: rng.standard_normal(shape, np.float32) for name, shape in shapes.items()}


def _program(function: Callable[..., list[Any]], arrays: dict[str, np.ndarray], *names: str) -> Any:
    """The recorded function, bound to copies of some of the arrays."""
    from minikeras.autodiff.spec import spec_of
    from minikeras.program import Program, Recording

    given = [arrays[name] for name in names]
    program = Program(Recording.of(function, [spec_of(array) for array in given]))
    for buffer, array in zip(program.inputs, given, strict=True):
        np.copyto(buffer, array)
    return program
