"""Calls of TensorFlow functions as scripts write them; `record` keeps what TensorFlow gives.

/path/to/python-with-tensorflow -m tests.cli.tf_calls
"""

import json
from pathlib import Path

import numpy as np

PATH = Path(__file__).with_name("tensorflow_values.json")

X = np.array([[0.5, -1.25, 2.0], [3.5, 0.25, -0.75]], "float32")
Y = np.array([[1.5, 0.5, 2.0], [-0.5, 4.0, 0.75]], "float32")
P = np.array([[0.5, 1.25, 2.0], [3.5, 0.25, 0.75]], "float32")
B = X > 0
K = np.array([2, 0, 1], "int32")
H = np.array([[0, 1, 0], [0, 0, 1]], "float32")


def calls(tf):
    """name -> result, for every function that is offered."""
    found = {}
    for name in ["mean", "sum", "max", "min", "prod", "logsumexp"]:
        reduce = getattr(tf, f"reduce_{name}")
        found[f"reduce_{name}"] = [reduce(X), reduce(X, 1), reduce(X, axis=0, keepdims=True)]
        found[f"math.reduce_{name}"] = getattr(tf.math, f"reduce_{name}")(input_tensor=X, axis=1)
    for name in ["any", "all"]:
        found[f"reduce_{name}"] = [getattr(tf, f"reduce_{name}")(B, axis=1)]
        found[f"math.reduce_{name}"] = getattr(tf.math, f"reduce_{name}")(B)
    found["math.reduce_std"] = tf.math.reduce_std(X, axis=0)
    found["math.reduce_variance"] = tf.math.reduce_variance(X)
    for name in [
        "exp",
        "square",
        "sign",
        "round",
        "floor",
        "sin",
        "cos",
        "tan",
        "tanh",
        "sigmoid",
        "negative",
        "abs",
    ]:
        found[name] = getattr(tf, name)(X)
        found[f"math.{name}"] = getattr(tf.math, name)(X)
    found["sqrt"], found["math.sqrt"] = tf.sqrt(P), tf.math.sqrt(P)
    for name in ["log", "log1p", "rsqrt"]:
        found[f"math.{name}"] = getattr(tf.math, name)(P)
    for name in ["erf", "softplus", "is_nan", "is_finite"]:
        found[f"math.{name}"] = getattr(tf.math, name)(X)
    two = "maximum minimum add subtract multiply divide equal not_equal greater less"
    for name in f"{two} greater_equal less_equal".split():
        found[name] = getattr(tf, name)(X, Y)
        found[f"math.{name}"] = getattr(tf.math, name)(x=X, y=Y)
    for name in ["logical_and", "logical_or"]:
        found[name] = getattr(tf, name)(B, ~B)
        found[f"math.{name}"] = getattr(tf.math, name)(B, B)
    found["logical_not"] = found["math.logical_not"] = tf.logical_not(B)
    found["pow"], found["math.pow"] = tf.pow(P, 2.0), tf.math.pow(P, Y)
    found["math.divide_no_nan"] = tf.math.divide_no_nan(X, np.float32([0, 1, 2]))
    found["argmax"] = [tf.argmax(X), tf.argmax(X, axis=1), tf.argmax(X, -1)]
    found["argmin"] = tf.argmin(input=X, axis=1)
    found["math.argmax"], found["math.argmin"] = tf.math.argmax(X, 1), tf.math.argmin(X)
    found["cast"] = [tf.cast(X, tf.int32), tf.cast(B, "float32")]
    found["clip_by_value"] = tf.clip_by_value(X, clip_value_min=-1.0, clip_value_max=1.0)
    found["concat"] = [tf.concat([X, Y], 0), tf.concat(values=[X, Y], axis=-1)]
    found["convert_to_tensor"] = tf.convert_to_tensor([1.0, 2.0])
    found["constant"] = [tf.constant(3.0), tf.constant([1, 2]), tf.constant(2.0, shape=(2, 2))]
    found["cumsum"], found["math.cumsum"] = tf.cumsum(X), tf.math.cumsum(X, axis=1)
    found["expand_dims"] = tf.expand_dims(X, axis=-1)
    found["eye"] = [tf.eye(3), tf.eye(2, 3, dtype=tf.float32)]
    found["linalg.eye"] = tf.linalg.eye(2)
    found["fill"] = tf.fill([2, 3], 1.5)
    found["gather"] = [tf.gather(K, K), tf.gather(X, K, axis=1)]
    found["linspace"] = tf.linspace(0.0, 1.0, 5)
    found["norm"] = [tf.norm(X), tf.norm(X, axis=1)]
    found["linalg.norm"] = tf.linalg.norm(X, axis=0, keepdims=True)
    found["one_hot"] = [tf.one_hot(K, 4), tf.one_hot(K, depth=3, axis=0)]
    found["ones"], found["zeros"] = tf.ones((2, 3)), tf.zeros([2], tf.int32)
    found["ones_like"], found["zeros_like"] = tf.ones_like(X), tf.zeros_like(K)
    found["range"] = [tf.range(4), tf.range(1, 7, 2), tf.range(0.0, 1.0, 0.25)]
    found["repeat"] = tf.repeat(X, 2, axis=0)
    found["reshape"] = tf.reshape(X, (3, -1))
    found["shape"], found["size"] = tf.shape(X), tf.size(X)
    found["squeeze"] = [tf.squeeze(X[None]), tf.squeeze(X[None, :, :1], axis=0)]
    found["stack"] = tf.stack([X, Y], axis=1)
    found["unstack"] = tf.unstack(X, axis=1)
    found["stop_gradient"] = tf.stop_gradient(X)
    found["tensordot"] = tf.tensordot(X, Y, axes=[[0], [0]])
    found["tile"] = tf.tile(X, [1, 2])
    found["transpose"] = [tf.transpose(X), tf.transpose(X[None], perm=[2, 0, 1])]
    found["where"] = tf.where(B, X, Y)
    found["matmul"] = [tf.matmul(X, Y, transpose_b=True), tf.matmul(X, Y, transpose_a=True)]
    found["linalg.matmul"] = tf.linalg.matmul(X, Y.T)
    found["einsum"] = tf.einsum("ij,kj->ik", X, Y)
    for name in ["relu", "relu6", "elu", "selu", "softplus"]:
        found[f"nn.{name}"] = getattr(tf.nn, name)(features=X)
    found["nn.gelu"] = [tf.nn.gelu(X), tf.nn.gelu(X, approximate=True)]
    found["nn.leaky_relu"] = [tf.nn.leaky_relu(X), tf.nn.leaky_relu(X, alpha=0.1)]
    found["nn.sigmoid"], found["nn.tanh"] = tf.nn.sigmoid(X), tf.nn.tanh(X)
    found["nn.silu"], found["nn.swish"] = tf.nn.silu(X), tf.nn.swish(X)
    found["nn.softmax"] = [tf.nn.softmax(X), tf.nn.softmax(X, axis=0)]
    found["nn.log_softmax"] = tf.nn.log_softmax(X)
    for name in ["sigmoid", "softmax"]:
        function = getattr(tf.nn, f"{name}_cross_entropy_with_logits")
        found[f"nn.{name}_cross_entropy_with_logits"] = function(labels=H, logits=X)
    sparse = tf.nn.sparse_softmax_cross_entropy_with_logits
    found["nn.sparse_softmax_cross_entropy_with_logits"] = sparse(labels=K[:2], logits=X)
    return {**found, **{f"backend.{name}": value for name, value in backend_calls(tf).items()}}


def backend_calls(tf):
    """name -> result, for the functions of ``tf.keras.backend``."""
    k, found = tf.keras.backend, {}
    x, y, p, h, b = (tf.constant(value) for value in (X, Y, P, H, B))
    for name in ["mean", "sum", "max", "min", "prod", "std", "var"]:
        found[name] = [getattr(k, name)(x), getattr(k, name)(x, axis=1, keepdims=True)]
    for name in ["any", "all"]:
        found[name] = getattr(k, name)(b, axis=0)
    one = "square exp round sign sin cos sigmoid tanh softplus softsign abs ndim"
    for name in one.split():
        found[name] = getattr(k, name)(x)
    found["sqrt"], found["log"] = k.sqrt(p), k.log(p)
    for name in [
        "maximum",
        "minimum",
        "equal",
        "not_equal",
        "greater",
        "less",
        "greater_equal",
        "less_equal",
    ]:
        found[name] = getattr(k, name)(x, y)
    found["argmax"], found["argmin"] = k.argmax(x), k.argmin(x, axis=0)
    found["binary_crossentropy"] = [
        k.binary_crossentropy(h, k.constant(p / 4)),
        k.binary_crossentropy(h, x, from_logits=True),
    ]
    found["categorical_crossentropy"] = k.categorical_crossentropy(h, p)
    found["sparse_categorical_crossentropy"] = k.sparse_categorical_crossentropy(
        k.constant(K[:2], dtype="int32"), x, from_logits=True
    )
    found["cast"], found["cast_to_floatx"] = k.cast(x, "int32"), k.cast_to_floatx([1, 2])
    found["clip"] = k.clip(x, -1, 1)
    found["concatenate"] = [k.concatenate([x, y]), k.concatenate([x, y], axis=0)]
    found["constant"], found["cumsum"] = k.constant([1.0, 2.0]), k.cumsum(x)
    found["dot"] = k.dot(x, k.constant(Y.T))
    found["elu"], found["relu"], found["softmax"] = k.elu(x), k.relu(x), k.softmax(x)
    found["expand_dims"], found["flatten"] = k.expand_dims(x), k.flatten(x)
    found["batch_flatten"] = k.batch_flatten(x[None])
    found["gather"], found["l2_normalize"] = k.gather(x, K[1:2]), k.l2_normalize(x, axis=1)
    found["one_hot"] = k.one_hot(K, 3)
    found["ones"], found["zeros"] = k.ones((2, 2)), k.zeros((3,))
    found["ones_like"], found["zeros_like"] = k.ones_like(x), k.zeros_like(x)
    found["permute_dimensions"] = k.permute_dimensions(x[None], (2, 0, 1))
    found["pow"], found["repeat_elements"] = k.pow(x, 2), k.repeat_elements(x, 2, axis=1)
    found["reshape"], found["shape"] = k.reshape(x, (3, 2)), k.shape(x)
    found["squeeze"], found["stack"] = k.squeeze(x[None], 0), k.stack([x, y])
    found["stop_gradient"], found["tile"] = k.stop_gradient(x), k.tile(x, [2, 1])
    found["transpose"] = k.transpose(x)
    variable = k.variable(x)
    k.set_value(variable, y)
    found["set_value"] = found["get_value"] = found["eval"] = k.get_value(variable)
    found["variable"], found["int_shape"] = k.eval(variable), k.int_shape(x)
    return found


def plain(result):
    """Results as lists of numbers."""
    if isinstance(result, list):
        return [plain(one) for one in result]
    return np.asarray(result).tolist()


if __name__ == "__main__":
    import tensorflow

    recorded = {name: plain(value) for name, value in calls(tensorflow).items()}
    lines = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in sorted(recorded.items()))
    PATH.write_text(f"{{\n{lines}\n}}\n")
