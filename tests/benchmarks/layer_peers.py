"""A single layer in each library: what runs it forward, and forward and backward.

Every library runs it as it would inside a training step: minikeras as a recorded program, Keras on
JAX under `jax.jit`, Keras on TensorFlow in a `tf.function`, PyTorch eagerly. Images lie in the
library's own memory. Backward gives the gradients of half the sum of the squares of what comes out,
for the images and for all weights: the output is its own gradient, so nothing else is timed.
"""

import os
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from layer_cases import Case


class LayerRunner(NamedTuple):
    forward: Callable[[], Any]
    both: Callable[[], Any]
    shape: tuple[int, ...]  # of what comes out, in the order that the case asks for


def keras_layer(keras: Any, case: Case) -> Any:
    """The layer, from any library with Keras's interface, not yet built."""
    words: dict[str, Any] = {
        "kernel_size": case.kernel,
        "strides": case.stride,
        "padding": "same" if case.same else "valid",
        "data_format": "channels_first" if case.channels_first else "channels_last",
    }
    kinds = {
        "conv": "Conv{}D",
        "depthwise": "DepthwiseConv{}D",
        "separable": "SeparableConv{}D",
        "transpose": "Conv{}DTranspose",
    }
    if case.kind != "depthwise":
        words["filters"] = case.filters
    if case.kind == "conv":
        words["groups"] = case.groups
    if case.dilation > 1:
        words["dilation_rate"] = case.dilation
    return getattr(keras.layers, kinds[case.kind].format(case.rank))(**words)


def images(case: Case) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(case.shape, dtype=np.float32)


def minikeras(case: Case) -> LayerRunner:
    import minikeras as keras
    from minikeras.autodiff import Tape
    from minikeras.autodiff.spec import spec_of
    from minikeras.program import Program, Recording

    layer, x = keras_layer(keras, case), images(case)
    layer.build(case.shape)

    def forward(x: Any) -> list[Any]:
        return [layer(x)]

    def both(x: Any) -> list[Any]:
        with Tape() as tape:
            watched = [tape.watch(value) for value in (x, *layer.trainable_variables)]
            y = layer(watched[0])
        return [y, *tape.gradient(y, watched, seed=y)]

    programs = [Program(Recording.of(function, [spec_of(x)])) for function in (forward, both)]
    for program in programs:
        np.copyto(program.inputs[0], x)
    return LayerRunner(programs[0].run, programs[1].run, programs[0].outputs[0].shape)


def keras(case: Case) -> LayerRunner:
    make = {"jax": _jax, "tensorflow": _tensorflow}[os.environ["KERAS_BACKEND"]]
    return make(case)


def _jax(case: Case) -> LayerRunner:
    import jax
    import keras

    layer, x = keras_layer(keras, case), jax.numpy.asarray(images(case))
    layer.build(case.shape)
    weights = [variable.value for variable in layer.trainable_variables]

    def forward(weights: Any, x: Any) -> Any:
        return layer.stateless_call(weights, [], x)[0]

    def both(weights: Any, x: Any) -> Any:
        y, pull = jax.vjp(forward, weights, x)
        return y, pull(y)

    compiled, compiled_both = jax.jit(forward), jax.jit(both)
    return LayerRunner(
        lambda: jax.block_until_ready(compiled(weights, x)),
        lambda: jax.block_until_ready(compiled_both(weights, x)),
        compiled(weights, x).shape,
    )


def _tensorflow(case: Case) -> LayerRunner:
    import keras
    import tensorflow as tf

    layer, x = keras_layer(keras, case), tf.constant(images(case))
    layer.build(case.shape)
    weights = [variable.value for variable in layer.trainable_variables]

    @tf.function
    def forward(x: Any) -> Any:
        return layer(x)

    @tf.function
    def both(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
        return y, tape.gradient(y, [x, *weights], output_gradients=y)

    return LayerRunner(lambda: forward(x), lambda: both(x), tuple(forward(x).shape))


def torch(case: Case, channels_last: bool = False) -> LayerRunner:
    import torch

    x, layer = torch.from_numpy(images(case)), torch_layer(torch.nn, case)
    if not case.channels_first:
        x = x.movedim(-1, 1)
    orders = {2: torch.channels_last, 3: torch.channels_last_3d}
    order = orders[case.rank] if channels_last else torch.contiguous_format
    x = x.contiguous(memory_format=order)
    layer = layer.to(memory_format=order) if channels_last else layer
    watched = x.clone(memory_format=torch.preserve_format).requires_grad_()

    @torch.inference_mode()
    def forward() -> Any:
        return layer(x)

    def both() -> None:
        watched.grad = None
        layer.zero_grad()
        y = layer(watched)
        y.backward(y.detach())

    y = forward()
    return LayerRunner(forward, both, tuple((y if case.channels_first else y.movedim(1, -1)).shape))


def torch_layer(nn: Any, case: Case) -> Any:
    kind = getattr(nn, f"Conv{case.rank}d")
    reach = (case.kernel - 1) * case.dilation
    words = {"stride": case.stride, "dilation": case.dilation}
    if case.kind == "transpose":
        transposed = getattr(nn, f"ConvTranspose{case.rank}d")
        more = {"padding": reach // 2, "output_padding": case.stride - 1}
        return transposed(case.channels, case.filters, case.kernel, **words, **more)
    words["padding"] = reach // 2 if case.same else 0
    if case.kind == "conv":
        return kind(case.channels, case.filters, case.kernel, groups=case.groups, **words)
    alone = {"groups": case.channels, "bias": case.kind == "depthwise", **words}
    depthwise = kind(case.channels, case.channels, case.kernel, **alone)
    if case.kind == "depthwise":
        return depthwise
    return nn.Sequential(depthwise, kind(case.channels, case.filters, 1))


def torch_cl(case: Case) -> LayerRunner:
    if case.channels_first:
        raise ValueError("the images lie channels first in memory")
    return torch(case, channels_last=True)


LAYER_PEERS: dict[str, Callable[[Case], LayerRunner]] = {
    "minikeras": minikeras,
    "keras": keras,
    "torch": torch,
    "torch-cl": torch_cl,
}
