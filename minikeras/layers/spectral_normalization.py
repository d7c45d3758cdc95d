"""Weights of a layer divided by their largest singular value."""

from __future__ import annotations

from typing import Any

from .. import initializers, ops
from ..autodiff.context import context
from ..autodiff.tensor import Tensor
from ..core.registry import register
from ..core.validate import positive_int
from ..ops import nn
from .base import Layer
from .input_spec import InputSpec
from .plumbing import Wrapper


@register("layers")
class SpectralNormalization(Wrapper):
    """Keeps the largest singular value of a layer's weights at about 1 while training.

    Each training call estimates it by power iteration from the vector of the last call and divides
    the weights by it, in place (Miyato et al. 2018). The gradient takes the two singular vectors
    for constants. Inference uses the weights as they are.

    Args:
        layer: A layer with a `kernel` or `embeddings`.
        power_iterations: Steps of the power iteration per call.

    >>> import numpy as np, minikeras as keras
    >>> layer = keras.layers.SpectralNormalization(keras.layers.Dense(3), power_iterations=50)
    >>> _ = layer(np.ones((2, 4), "float32"), training=True)
    >>> float(np.linalg.svd(layer.layer.kernel.numpy())[1][0].round(3))
    1.0
    """

    def __init__(self, layer: Any, power_iterations: int = 1, **kwargs: Any):
        super().__init__(layer, **kwargs)
        self._start = initializers.TruncatedNormal(stddev=0.02)
        self.power_iterations = positive_int(
            power_iterations, "power_iterations", "SpectralNormalization"
        )

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self.input_spec = InputSpec(min_ndim=1, axes={-1: input_shape[-1]})
        self.kernel = _weights_of(self.layer)
        self.vector_u = self.add_weight(
            (1, self.kernel.shape[-1]),
            self._start,
            dtype=self.kernel.dtype,
            trainable=False,
            name="vector_u",
        )

    def save_own_variables(self, store: Any) -> None:
        """Keep the weights of the layer here, too, as Keras does."""
        for number, variable in enumerate((self.kernel, self.vector_u)):
            store[str(number)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Take over what `save_own_variables` stored."""
        for number, variable in enumerate((self.kernel, self.vector_u)):
            variable.assign(store[str(number)])

    def call(self, inputs: Any, training: bool = False) -> Any:
        if training:
            vector, kernel = self.normalized_weights()
            self.vector_u.assign(vector)
            self.kernel.assign(kernel)
            if isinstance(kernel, Tensor):  # gradients pass through the division
                context.lifted[id(self.kernel)] = (self.kernel, kernel)
        return self.layer(inputs)

    def normalized_weights(self) -> tuple[Any, Any]:
        """The vector and the weights that the next training call would set.

        Weights that are all zero have no largest singular value: they, and the vector, stay.
        """
        zero = ops.all(ops.equal(self.kernel, 0))
        weights = ops.reshape(self.kernel, (-1, self.kernel.shape[-1]))
        u = ops.convert_to_tensor(self.vector_u)
        for _ in range(self.power_iterations):
            v = nn.normalize(ops.matmul(u, ops.transpose(weights)), axis=None)
            u = nn.normalize(ops.matmul(v, weights), axis=None)
        u, v = ops.stop_gradient(u), ops.stop_gradient(v)
        largest = ops.matmul(ops.matmul(v, weights), ops.transpose(u))
        divisor = ops.where(zero, 1.0, ops.reshape(largest, ()))
        return ops.where(zero, self.vector_u, u), ops.divide(self.kernel, divisor)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self.layer.compute_output_shape(input_shape)


def _weights_of(layer: Layer) -> Any:
    for name in ("kernel", "embeddings"):
        if getattr(layer, name, None) is not None:
            return getattr(layer, name)
    raise ValueError(
        "SpectralNormalization needs a layer with a `kernel` or `embeddings`. "
        f"Received: {type(layer).__name__}."
    )
