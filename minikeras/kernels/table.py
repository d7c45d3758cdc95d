"""Names and signatures of all kernels, family by family.

A signature maps each argument to its kind, in order:

* ``F1``, ``F2``, ... contiguous array of the working float type with that many dimensions;
* ``i1``, ``I1``, ``u1``, ``d1`` contiguous int64, int32, uint8, float64 array (digit: dimensions);
* ``int``, ``float`` one number (int64, float64).

``out`` before the kind marks an array that the kernel writes, ``inout`` one that it updates. An
array of size 0 stands for "none" where the kernel's own file says so. The file of the same family
in ``compiled`` holds a factory of that name, the one in ``reference`` its numpy twin.
"""

from .formulas import RULES

CHUNK = 4096  # numbers of a flat vector that are summed in one go, whatever the number of tasks
ROWS = 64  # rows of a matrix for which sums of its columns are taken at once, likewise

# Convolutions: a row of int64 numbers says what is convolved with what; from axis on, three numbers
# (depth, height, width; 1 for those that are missing) belong together.
CONV_IMAGES, CONV_CHANNELS, CONV_FILTERS, CONV_GROUPS = range(4)
CONV_IN, CONV_OUT, CONV_KERNEL, CONV_STRIDE, CONV_DILATION, CONV_PAD = range(4, 22, 3)
CONV_BOX = 1 << 20  # bytes: what one output pixel reads, between first and last tap, must fit
CONV_POOL_PIXELS = 512  # two rows of a result that is pooled at once, most pixels
CONV_POOL_SOURCE = 384 << 10  # bytes of what they read
CONV_POOL_BYTES = 2048  # of the filters of one pixel
CONV_OFFSETS = 1 << 15  # most taps times channels of a group

# Activation functions and elementary functions of one number: name -> names of their parameters.
# Each is two kernels, the function and its gradient.
FUNCTIONS: dict[str, tuple[str, ...]] = {
    "relu": (),
    "leaky_relu": ("slope",),
    "clipped_relu": ("slope", "top", "threshold"),
    "relu6": (),
    "elu": ("alpha",),
    "celu": ("alpha",),
    "selu": (),
    "sigmoid": (),
    "tanh": (),
    "tanh_shrink": (),
    "softplus": (),
    "log_sigmoid": (),
    "silu": (),
    "mish": (),
    "gelu": (),
    "gelu_tanh": (),
    "hard_sigmoid": (),
    "hard_silu": (),
    "hard_tanh": (),
    "softsign": (),
    "soft_shrink": ("threshold",),
    "hard_shrink": ("threshold",),
    "threshold": ("threshold", "value"),
    "squareplus": ("b",),
    "sparse_plus": (),
    "sparse_sigmoid": (),
    "exp": (),
    "log": (),
    "erf": (),
    "square": (),
    "sqrt": (),
    "absolute": (),
}


def _function(parameters: tuple[str, ...]) -> dict[str, str]:
    return {"x": "F1", **dict.fromkeys(parameters, "float"), "y": "out F1"}


def _gradient(parameters: tuple[str, ...]) -> dict[str, str]:
    numbers = dict.fromkeys(parameters, "float")
    return {"g": "F1", "x": "F1", "y": "F1", **numbers, "dx": "out F1"}


def _optimizer(slots: tuple[str, ...]) -> dict[str, str]:
    """Signature of an optimizer step."""
    return {"segments": "i2", "g": "F1", **dict.fromkeys(slots, "inout F1"), "hyper": "d1"}


def _row_loss(name: str, *numbers: str) -> dict[str, dict[str, str]]:
    """Signatures of a loss of one number per row, and of its gradient for the predictions."""
    given = {"p": "F2", "t": "F2", **dict.fromkeys(numbers, "float")}
    return {name: {**given, "loss": "out F1"}, f"{name}_grad": {"g": "F1", **given, "dp": "out F2"}}


_BINARY = {"x": "F1", "y": "F1", "z": "out F1"}

TABLE: dict[str, dict[str, dict[str, str]]] = {
    "gemm": {
        "gemm": {
            "a": "F2", "b": "F2", "bias": "F1", "c": "inout F2",
            "ta": "int", "tb": "int", "act": "int", "accumulate": "int",
        },
    },
    "conv": {
        "conv": {
            "x": "F1", "w": "F1", "bias": "F1", "y": "out F1", "geometry": "i1", "act": "int",
        },
        "conv_input_grad": {
            "g": "F1", "y": "F1", "w": "F1", "bias": "F1", "dx": "out F1", "geometry": "i1",
            "slope": "int", "act": "int",
        },
        "conv_turn_weights": {"w": "F1", "turned": "out F1", "geometry": "i1"},
        "conv_weights_grad": {
            "x": "F1", "g": "F1", "y": "F1", "geometry": "i1", "slope": "int",
            "parts": "out F2", "biases": "out F2",
        },
    },
    "winograd": {
        "winograd": {
            "x": "F1", "gate": "F1", "u": "F1", "bias": "F1", "y": "out F1", "geometry": "i1",
            "width": "int", "slope": "int", "act": "int", "transposed": "int",
        },
        "winograd_weights": {
            "w": "F1", "u": "out F1", "inputs": "int", "outputs": "int", "reverse": "int",
            "width": "int",
        },
        "winograd_weights_grad": {
            "x": "F1", "g": "F1", "y": "F1", "geometry": "i1", "width": "int", "slope": "int",
            "parts": "out F2", "biases": "out F2",
        },
        "winograd_weights_sum": {
            "parts": "F2", "dw": "out F1", "inputs": "int", "outputs": "int", "width": "int",
        },
    },
    "conv_pool": {
        "conv_relu_pool": {
            "x": "F1", "w": "F1", "bias": "F1", "y": "out F1", "index": "out u1", "geometry": "i1",
        },
        "conv_pool_weights_grad": {
            "x": "F1", "g": "F1", "index": "u1", "geometry": "i1", "parts": "out F2",
            "biases": "out F2",
        },
    },
    "conv_depthwise": {
        "depthwise": {"x": "F1", "w": "F1", "bias": "F1", "y": "out F1", "geometry": "i1"},
        "depthwise_input_grad": {"g": "F1", "w": "F1", "dx": "out F1", "geometry": "i1"},
        "depthwise_weights_grad": {
            "x": "F1", "g": "F1", "parts": "out F2", "biases": "out F2", "geometry": "i1",
        },
    },
    "pooling": {
        "max_pool": {
            "x": "F1", "y": "out F1", "index": "out u1", "geometry": "i1", "gated": "int",
        },
        "max_pool_grad": {"g": "F1", "index": "u1", "dx": "out F1", "geometry": "i1"},
        "wide_max_pool": {"x": "F1", "y": "out F1", "index": "out I1", "geometry": "i1"},
        "wide_max_pool_grad": {"g": "F1", "index": "I1", "dx": "out F1", "geometry": "i1"},
        "average_pool": {"x": "F1", "y": "out F1", "geometry": "i1"},
        "average_pool_grad": {"g": "F1", "dx": "out F1", "geometry": "i1"},
    },
    "elementwise": {
        **{name: _function(parameters) for name, parameters in FUNCTIONS.items()},
        **{f"{name}_grad": _gradient(parameters) for name, parameters in FUNCTIONS.items()},
        "add": _BINARY,
        "subtract": _BINARY,
        "multiply": _BINARY,
        "divide": _BINARY,
        "maximum": _BINARY,
        "minimum": _BINARY,
        "scale": {"x": "F1", "a": "float", "z": "out F1"},
        "accumulate": {"x": "F1", "y": "inout F1"},
        "add_scaled": {"x": "F1", "a": "float", "y": "inout F1"},
    },
    "softmax": {
        "softmax": {"x": "F2", "y": "out F2"},
        "softmax_grad": {"g": "F2", "y": "F2", "dx": "out F2"},
        "log_softmax": {"x": "F2", "y": "out F2"},
        "log_softmax_grad": {"g": "F2", "y": "F2", "dx": "out F2"},
    },
    "losses": {
        "sparse_cross_entropy": {"p": "F2", "labels": "i1", "eps": "float", "loss": "out F1"},
        "sparse_cross_entropy_grad": {
            "g": "F1", "p": "F2", "labels": "i1", "eps": "float", "dp": "out F2",
        },
        "cross_entropy": {"p": "F2", "t": "F2", "eps": "float", "loss": "out F1"},
        "cross_entropy_grad": {"g": "F1", "p": "F2", "t": "F2", "eps": "float", "dp": "out F2"},
        "sparse_softmax_then_cross_entropy_grad": {
            "g": "F1", "p": "F2", "labels": "i1", "eps": "float", "dz": "out F2",
        },
        "softmax_then_cross_entropy_grad": {
            "g": "F1", "p": "F2", "t": "F2", "eps": "float", "dz": "out F2",
        },
        "sparse_softmax_cross_entropy": {
            "logits": "F2", "labels": "i1", "probs": "out F2", "loss": "out F1",
        },
        "sparse_softmax_cross_entropy_grad": {
            "g": "F1", "probs": "F2", "labels": "i1", "dlogits": "out F2",
        },
        "softmax_cross_entropy": {
            "logits": "F2", "t": "F2", "probs": "out F2", "loss": "out F1",
        },
        "softmax_cross_entropy_grad": {
            "g": "F1", "probs": "F2", "t": "F2", "dlogits": "out F2",
        },
        "squared_error": {"p": "F2", "t": "F2", "loss": "out F1"},
        "squared_error_grad": {"g": "F1", "p": "F2", "t": "F2", "dp": "out F2"},
        "absolute_error": {"p": "F2", "t": "F2", "loss": "out F1"},
        "absolute_error_grad": {"g": "F1", "p": "F2", "t": "F2", "dp": "out F2"},
        "binary_cross_entropy": {"p": "F2", "t": "F2", "eps": "float", "loss": "out F1"},
        "binary_cross_entropy_grad": {
            "g": "F1", "p": "F2", "t": "F2", "eps": "float", "dp": "out F2",
        },
        "sigmoid_cross_entropy": {"p": "F2", "t": "F2", "loss": "out F1"},
        "sigmoid_cross_entropy_grad": {"g": "F1", "p": "F2", "t": "F2", "dp": "out F2"},
    },
    "differences": {
        **_row_loss("huber", "delta"),
        **_row_loss("log_cosh"),
        **_row_loss("percentage_error", "eps"),
        **_row_loss("logarithmic_error", "eps"),
        **_row_loss("poisson", "eps"),
        **_row_loss("divergence", "eps"),
        **_row_loss("cosine", "eps"),
    },
    "ctc": {
        "ctc": {
            "logits": "F3", "labels": "i2", "lengths": "i1", "frames": "i1", "blank": "int",
            "norms": "out d2", "alphas": "out d3", "loss": "out F1",
        },
        "ctc_grad": {
            "g": "F1", "logits": "F3", "labels": "i2", "lengths": "i1", "frames": "i1",
            "blank": "int", "norms": "d2", "alphas": "d3", "dlogits": "out F3",
        },
    },
    "recurrent_lstm": {
        "lstm": {
            "w": "F2", "h0": "F2", "c0": "F2", "mask": "u2", "keep": "F2", "backwards": "int",
            "gates": "inout F3", "cells": "out F3", "before": "out F3", "outputs": "out F3",
            "h": "out F2", "c": "out F2",
        },
        "lstm_grad": {
            "w": "F2", "c0": "F2", "gates": "F3", "cells": "F3", "g_outputs": "F3", "g_h": "F2",
            "g_c": "F2", "mask": "u2", "keep": "F2", "backwards": "int",
            "dz": "out F3", "dh0": "out F2", "dc0": "out F2", "sums": "out F2",
        },
    },
    "recurrent_columns": {
        "lstm_columns": {
            "turns": "inout i1", "yields": "int", "w": "F2", "h0": "F2", "c0": "F2", "mask": "u2",
            "keep": "F2", "backwards": "int", "gates": "inout F3", "cells": "out F3",
            "before": "out F3", "outputs": "out F3", "h": "out F2", "c": "out F2",
        },
        "gru_columns": {
            "turns": "inout i1", "yields": "int", "w": "F2", "bias": "F1", "h0": "F2",
            "mask": "u2", "keep": "F2", "backwards": "int", "gates": "inout F3",
            "inside": "out F3", "before": "out F3", "outputs": "out F3", "h": "out F2",
        },
        "simple_rnn_columns": {
            "turns": "inout i1", "yields": "int", "w": "F2", "h0": "F2", "mask": "u2",
            "keep": "F2", "act": "int", "backwards": "int", "z": "inout F3", "before": "out F3",
            "outputs": "out F3", "h": "out F2",
        },
    },
    "recurrent_gru": {
        "gru_after": {
            "w": "F2", "bias": "F1", "h0": "F2", "mask": "u2", "keep": "F2", "backwards": "int",
            "gates": "inout F3", "inside": "out F3", "before": "out F3", "outputs": "out F3",
            "h": "out F2",
        },
        "gru_after_grad": {
            "w": "F2", "h0": "F2", "gates": "F3", "inside": "F3", "outputs": "F3",
            "g_outputs": "F3", "g_h": "F2", "mask": "u2", "keep": "F2", "backwards": "int",
            "dz": "out F3", "di": "out F3", "dh0": "out F2", "sums": "out F2",
        },
        "gru_before": {
            "w": "F2", "h0": "F2", "mask": "u2", "keep": "F2", "backwards": "int",
            "gates": "inout F3", "inside": "out F3", "before": "out F3", "outputs": "out F3",
            "h": "out F2",
        },
        "gru_before_grad": {
            "w": "F2", "h0": "F2", "gates": "F3", "before": "F3", "outputs": "F3",
            "g_outputs": "F3", "g_h": "F2", "mask": "u2", "keep": "F2", "backwards": "int",
            "dz": "out F3", "dh0": "out F2", "sums": "out F2",
        },
    },
    "recurrent_simple": {
        "simple_rnn": {
            "w": "F2", "h0": "F2", "mask": "u2", "keep": "F2", "act": "int", "backwards": "int",
            "z": "inout F3", "before": "out F3", "outputs": "out F3", "h": "out F2",
        },
        "simple_rnn_grad": {
            "w": "F2", "outputs": "F3", "g_outputs": "F3", "g_h": "F2", "mask": "u2",
            "keep": "F2", "act": "int", "backwards": "int", "dz": "out F3", "dh0": "out F2",
            "sums": "out F2",
        },
    },
    "optimizers": {name: _optimizer(rule.slots) for name, rule in RULES.items()},
    "clip": {
        "clip_value": {"g": "inout F1", "limit": "float"},
        "chunk_squares": {"g": "F1", "segments": "i2", "sums": "inout d1"},
        "clip_norms": {"g": "inout F1", "segments": "i2", "sums": "d1", "limit": "float"},
        "clip_global_norm": {"g": "inout F1", "segments": "i2", "sums": "d1", "limit": "float"},
    },
    "gradients": {
        "unscale": {"g": "inout F1", "divisor": "d1"},
        "release": {"g": "inout F1", "total": "inout F1", "steps": "float"},
        "unscale_and_check": {"g": "inout F1", "divisor": "d1", "found": "out i1"},
        "average_weights": {"segments": "i2", "average": "inout F1", "momentum": "d1"},
    },
    "lamb": {
        "lamb_moments": {
            "segments": "i2", "g": "inout F1", "momentum": "inout F1", "velocity": "inout F1",
            "sums": "inout d1", "hyper": "d1",
        },
        "lamb_step": {"segments": "i2", "g": "F1", "sums": "d1", "hyper": "d1"},
    },
    "adafactor": {
        "adafactor_squares": {
            "w": "inout F2", "g": "F2", "r": "inout F2", "partial": "out F2",
            "of_weights": "out d1", "decays": "int", "hyper": "d1",
        },
        "adafactor_factors": {
            "r": "F2", "c": "inout F2", "partial": "F2", "factors": "out F2", "hyper": "d1",
        },
        "adafactor_scale": {
            "g": "inout F2", "factors": "F2", "c": "F2", "v": "out F2", "of_steps": "out d1",
        },
        "adafactor_vector": {
            "w": "inout F1", "g": "inout F1", "v": "inout F1", "of_weights": "out d1",
            "of_steps": "out d1", "decays": "int", "hyper": "d1",
        },
        "adafactor_step": {
            "w": "inout F2", "g": "F2", "of_weights": "d1", "of_steps": "d1", "hyper": "d1",
        },
    },
    "muon": {
        "muon_momentum": {
            "g": "inout F1", "momentum": "inout F1", "sums": "out d1", "hyper": "d1",
        },
        "muon_normalise": {"g": "F1", "sums": "d1", "x": "out F1"},
        "muon_polynomial": {"x": "F2", "y": "F2", "q": "out F2", "hyper": "d1"},
        "muon_step": {
            "w": "inout F1", "x": "F1", "decays": "int", "scale": "float", "hyper": "d1",
        },
    },
    "metrics": {
        "sparse_accuracy": {"p": "F2", "labels": "i1", "hit": "out F1"},
        "categorical_accuracy": {"t": "F2", "p": "F2", "hit": "out F1"},
        "binary_accuracy": {"t": "F2", "p": "F2", "threshold": "float", "hit": "out F1"},
        "top_k_accuracy": {"p": "F2", "labels": "i1", "k": "int", "hit": "out F1"},
    },
    "counts": {
        "confusion_update": {
            "t": "F2", "p": "F2", "w": "F1", "thresholds": "F1", "order": "i1", "even": "int",
            "first": "int", "last": "int", "counts": "out d3",
            "tp": "inout F2", "fp": "inout F2", "tn": "inout F2", "fn": "inout F2",
        },
        "fbeta_update": {
            "t": "F2", "p": "F2", "w": "F1", "threshold": "float", "sums": "out d2",
            "tp": "inout F1", "fp": "inout F1", "fn": "inout F1", "positives": "inout F1",
        },
        "r2_update": {
            "t": "F2", "p": "F2", "w": "F1", "sums": "out d2", "squares": "inout F1",
            "total": "inout F1", "residual": "inout F1", "count": "inout F1", "size": "inout F1",
        },
        "pairs_update": {
            "t": "i1", "p": "i1", "w": "F1", "ignored": "int", "sums": "out d2",
            "matrix": "inout F2", "whole": "inout I2",
        },
        "class_of_rows": {"x": "F2", "label": "out i1"},
        "class_of_numbers": {"x": "F1", "threshold": "float", "label": "out i1"},
        "keep_top_k": {"x": "F2", "k": "int", "y": "out F2"},
    },
    "reduce": {
        "column_sum": {"x": "F2", "out": "out F1"},
        "activation_grad_bias": {
            "g": "F2", "y": "F2", "dz": "out F2", "db": "out F1", "act": "int",
        },
        "weighted_sum": {"x": "F1", "w": "F1", "divisor": "float", "total": "out F1"},
        "weighted_sum_grad": {"g": "F1", "w": "F1", "divisor": "float", "dx": "out F1"},
        "mean_update": {"x": "F1", "w": "F1", "total": "inout F1", "count": "inout F1"},
    },
    "rows": {
        "gather_rows": {"source": "u2", "index": "i1", "start": "int", "out": "out u2"},
        "gather_float64": {"source": "d2", "index": "i1", "start": "int", "out": "out F2"},
        "gather_uint8": {"source": "u2", "index": "i1", "start": "int", "out": "out F2"},
        "gather_int32": {"source": "I2", "index": "i1", "start": "int", "out": "out F2"},
        "gather_int64": {"source": "i2", "index": "i1", "start": "int", "out": "out F2"},
        "gather_labels_uint8": {"source": "u2", "index": "i1", "start": "int", "out": "out i2"},
        "gather_labels_int32": {"source": "I2", "index": "i1", "start": "int", "out": "out i2"},
        "copy_rows": {"source": "u2", "start": "int", "out": "out u2"},
    },
    "embedding": {
        "row_numbers_int32": {"ids": "I1", "rows": "int", "index": "out i1"},
        "row_numbers_int64": {"ids": "i1", "rows": "int", "index": "out i1"},
        "row_numbers_float": {"ids": "F1", "rows": "int", "index": "out i1"},
        "add_rows": {"g": "F2", "index": "i1", "table": "inout F2"},
        "clear": {"x": "out F1"},
        "mark_rows": {"index": "i1", "value": "int", "marks": "inout u1"},
        "chain_rows": {
            "index": "i1", "following": "out I1", "places": "inout I1", "marks": "inout u1",
            "positions": "inout I1", "numbers": "inout I1", "near": "inout i1",
        },
    },
    "attention": {
        "attention": {
            "q": "F4", "k": "F4", "v": "F4", "mask": "u4", "key": "i1", "scale": "float",
            "causal": "int", "empty": "int", "rate": "float",
            "out": "out F4", "largest": "out F3", "total": "out F3",
        },
        "attention_grad": {
            "g": "F4", "q": "F4", "k": "F4", "v": "F4", "mask": "u4", "key": "i1",
            "largest": "F3", "total": "F3", "scale": "float", "causal": "int", "rate": "float",
            "dq": "out F4", "dk": "out F4", "dv": "out F4",
        },
    },
    "dropout": {
        "dropout": {"x": "F1", "key": "i1", "first": "int", "rate": "float", "y": "out F1"},
        "next_key": {"state": "inout i1", "key": "out i1"},
        "random_uniform": {
            "key": "i1", "first": "int", "low": "float", "high": "float", "out": "out F1",
        },
        "random_normal": {
            "key": "i1", "first": "int", "mean": "float", "deviation": "float", "out": "out F1",
        },
    },
    "augmentation": {
        "affine_images": {
            "x": "F4", "maps": "F2", "order": "int", "mode": "int", "fill": "float", "y": "out F4",
        },
        "affine_images_grad": {
            "g": "F4", "maps": "F2", "order": "int", "mode": "int", "dx": "out F4",
        },
    },
    "layer_norm": {
        "layer_norm": {
            "x": "F2", "gamma": "F1", "beta": "F1", "eps": "float", "centred": "int",
            "y": "out F2", "mean": "out F1", "factor": "out F1",
        },
        "layer_norm_grad": {
            "g": "F2", "x": "F2", "mean": "F1", "factor": "F1", "gamma": "F1", "centred": "int",
            "dx": "out F2", "of_gamma": "out F2", "of_beta": "out F2",
        },
    },
    "norm": {
        "batch_sums": {"x": "F2", "step": "int", "sums": "out d2"},
        "batch_moments": {
            "sums": "d2", "rows": "int", "step": "int", "mean": "out F1", "variance": "out F1",
        },
        "normalise": {
            "x": "F2", "mean": "F1", "variance": "F1", "gamma": "F1", "beta": "F1",
            "eps": "float", "y": "out F2",
        },
        "batch_norm_grad_sums": {
            "g": "F2", "x": "F2", "mean": "F2", "lines": "F2", "step": "int", "sums": "out d2",
        },
        "batch_norm_grad_factors": {
            "sums": "d2", "variance": "F1", "gamma": "F1", "eps": "float", "rows": "int",
            "factors": "out F2", "dgamma": "out F1", "dbeta": "out F1",
        },
        "batch_norm_grad": {
            "g": "F2", "x": "F2", "mean": "F2", "lines": "F2", "factors": "F2", "dx": "out F2",
        },
        "moving_average": {"moving": "inout F1", "batch": "F1", "momentum": "float"},
    },
    "group_norm": {
        "group_lines": {
            "sums": "d2", "groups": "int", "rows": "int", "gamma": "F1", "beta": "F1",
            "eps": "float", "mean": "out F2", "factor": "out F2", "lines": "out F2",
        },
        "group_norm_grad_factors": {
            "sums": "d2", "groups": "int", "rows": "int", "factor": "F2", "gamma": "F1",
            "factors": "out F2", "dgamma": "out F2", "dbeta": "out F2",
        },
    },
    "norm_fused": {
        "norm_lines": {
            "mean": "F1", "variance": "F1", "gamma": "F1", "beta": "F1", "bias": "F1",
            "eps": "float", "lines": "out F2",
        },
        "scale_shift": {"x": "F2", "lines": "F2", "sets": "int", "act": "int", "y": "out F2"},
        "scale_relu_pool": {
            "x": "F1", "lines": "F2", "width": "int", "y": "out F1", "index": "out u1",
        },
        "pool_norm_grad_sums": {
            "g": "F1", "index": "u1", "x": "F1", "mean": "F1", "width": "int", "step": "int",
            "sums": "out d2",
        },
        "pool_norm_grad": {
            "g": "F1", "index": "u1", "x": "F1", "mean": "F1", "factors": "F2", "width": "int",
            "dx": "out F1",
        },
    },
}  # fmt: skip

SIGNATURES = {name: signature for family in TABLE.values() for name, signature in family.items()}
FAMILY = {name: family for family, names in TABLE.items() for name in names}

# (family, positive code of a failed task) -> what was wrong
FAILURES = {
    ("losses", 1): "A label is not a class: labels go from 0 up to the number of predictions of a "
    "sample, that one excluded.",
    ("ctc", 1): "A label is not a class, or a length goes beyond the labels or frames of a sample.",
    ("embedding", 1): "A number that was looked up is no row of the table: numbers go from 0 up to "
    "the number of rows (an Embedding's input_dim), that one excluded; negative ones count from "
    "the end.",
    ("embedding", 2): "More rows of a table are used than there was room made for.",
    ("recurrent_columns", 1): "The recurrent weights are too many for a thread to keep.",
    ("recurrent_columns", 2): "Tasks need more words to take turns.",
    ("rows", 1): "A row number is not in the source.",
    ("rows", 2): "The rows asked for go beyond the source or the index.",
}
