"""Models whose files go to Keras and come back: every layer class is in one of them.

Each function builds its model with the package it is given, `keras` or `minikeras`, and with the
same numbers in it, so that files of the two can be compared.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

MODELS: dict[str, Callable[[Any], Any]] = {}
# Keras runs these on TensorFlow only, and reads no .h5 file of those below, even its own
OF_TEXT = {"text", "categories", "categories_learned"}
NOT_IN_H5 = {
    "operators": "operations are no layers there",
    "images": "the brightness layer cannot be copied, which the format asks for",
    "colours": "as images",
    "normalization_axes": "several axes come back as one",
    "attention": "'dot' comes back as the function of that name",
    "categories_learned": "there is no place for a vocabulary",
}
ADAPTED = ("mean", "variance", "count")  # learned by `adapt`
WORDS = np.array(["the", "quick", "fox", "lazy", "dog", "unknown"])


def model(make: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Put the function into the table under its own name; numbers are filled in when it runs."""
    MODELS[make.__name__] = lambda keras: filled(make(keras))
    return make


def filled(made: Any) -> Any:
    """The model with numbers that no initialiser gives; what must not be negative is positive."""
    rng = np.random.default_rng(5)
    values = []
    for weight, value in zip(made.weights, made.get_weights(), strict=True):
        if weight.name not in ADAPTED:
            least = -0.5 if weight.trainable else 0.1
            value = rng.uniform(least, 0.5, value.shape).astype("float32")
        values.append(value)
    made.set_weights(values)
    return made


def inputs_of(made: Any) -> list[np.ndarray]:
    """Three samples for every input of a model; text where it takes text."""
    rng = np.random.default_rng(7)
    arrays = []
    for symbol in made.inputs:
        shape, kind = (3, *symbol.shape[1:]), str(symbol.dtype)
        shape = tuple(size or 5 for size in shape)
        if kind == "string":
            arrays.append(rng.choice(WORDS, shape).astype(object))
        elif kind.startswith("int"):
            arrays.append(rng.integers(0, 6, shape).astype(kind))
        else:
            arrays.append(rng.uniform(-1, 1, shape).astype(kind))
    return arrays


def outputs_of(made: Any, arrays: list[np.ndarray], text: Any = None) -> list[np.ndarray]:
    """What the model computes at inference; `text` makes tensors where arrays hold text."""
    if text is not None:
        arrays = [
            text(array.tolist()) if array.dtype == object else text(array) for array in arrays
        ]
    found = made(arrays if len(arrays) > 1 else arrays[0], training=False)
    return [np.asarray(one) for one in (found if isinstance(found, list | tuple) else [found])]


# --- dense, activations, shapes ---


@model
def dense(keras):
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(4, "relu", kernel_regularizer="l2", bias_constraint="non_neg"),
            layers.ActivityRegularization(l1=0.1),
            layers.Activation("tanh"),
            layers.BatchNormalization(momentum=0.9),
            layers.Dropout(0.3, seed=4),
            layers.RepeatVector(3),
            layers.Permute((2, 1)),
            layers.Reshape((2, 6)),
            layers.EinsumDense("abc,cd->abd", (2, 4), bias_axes="d", activation="gelu"),
            layers.Identity(),
            layers.Flatten(),
            layers.Rescaling(0.5, 0.1),
            layers.UnitNormalization(),
            layers.Softmax(),
        ]
    )


@model
def activations(keras):
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((3, 4)),
            layers.PReLU(shared_axes=[1]),
            layers.LeakyReLU(0.2),
            layers.ELU(0.7),
            layers.ReLU(max_value=2.0, negative_slope=0.1),
            layers.GaussianNoise(0.2),
            layers.GaussianDropout(0.2, seed=2),
            layers.AlphaDropout(0.2),
            layers.Lambda(keras.activations.relu),
            layers.Softmax(axis=-1),
        ]
    )


@model
def merging(keras):
    layers = keras.layers
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    pairs = [
        getattr(layers, kind)()([a, b])
        for kind in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")
    ]
    pairs.append(layers.Dot(axes=1, normalize=True)([a, b]))
    return keras.Model([a, b], layers.Concatenate(axis=-1)(pairs))


@model
def operators(keras):
    ops = keras.ops
    x = keras.Input((4,))
    y = ops.tanh(2.0 * x + 1.0) - x**2
    return keras.Model(x, keras.layers.Dense(2)(ops.concatenate([y, -x], axis=-1)))


# --- normalisation ---


@model
def normalization(keras):
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((4, 3, 6)),
            layers.GroupNormalization(3, epsilon=0.01),
            layers.LayerNormalization(center=False),
            layers.RMSNormalization(epsilon=0.01),
            layers.BatchNormalization(axis=1, scale=False),
            layers.SpectralNormalization(layers.Conv2D(2, 2), power_iterations=2),
            layers.SpectralNormalization(layers.Dense(3)),
            layers.Normalization(mean=[0.1, 0.2, 0.3], variance=[1.0, 2.0, 3.0]),
        ]
    )


@model
def normalization_axes(keras):
    layer = keras.layers.LayerNormalization(axis=[1, 3], epsilon=0.01)
    return keras.Sequential([keras.Input((4, 3, 6)), layer])


@model
def normalization_learned(keras):
    layer = keras.layers.Normalization()
    made = keras.Sequential([keras.Input((3,)), layer, keras.layers.Dense(2)])
    layer.adapt(np.arange(12, dtype="float32").reshape(4, 3) ** 2)
    return made


# --- convolution ---


@model
def convolution_1d(keras):
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((9, 2)),
            layers.ZeroPadding1D(1),
            layers.Conv1D(4, 3, padding="causal", dilation_rate=2, activation="relu"),
            layers.SpatialDropout1D(0.2),
            layers.Conv1D(4, 2, groups=2, use_bias=False),
            layers.Conv1DTranspose(3, 3, strides=2, output_padding=1),
            layers.Cropping1D((1, 2)),
            layers.MaxPooling1D(2),
            layers.UpSampling1D(2),
            layers.DepthwiseConv1D(2, depth_multiplier=2),
            layers.AveragePooling1D(2, padding="same"),
            layers.SeparableConv1D(3, 2, activation="tanh"),
            layers.AdaptiveAveragePooling1D(3),
            layers.AdaptiveMaxPooling1D(2),
        ]
    )


@model
def convolution_2d(keras):
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((7, 6, 2)),
            layers.ZeroPadding2D(((1, 0), (2, 1))),
            layers.Conv2D(3, (3, 2), kernel_regularizer="l2", activation="relu"),
            layers.SpatialDropout2D(0.2, seed=1),
            layers.Conv2DTranspose(2, 3, strides=2, padding="same", output_padding=1),
            layers.Cropping2D(((1, 0), (2, 1))),
            layers.MaxPooling2D((2, 1)),
            layers.UpSampling2D(2, interpolation="bilinear"),
            layers.DepthwiseConv2D(3, depth_multiplier=2, dilation_rate=2),
            layers.AveragePooling2D(2),
            layers.SeparableConv2D(3, 2, strides=2, depth_multiplier=2),
            layers.AdaptiveAveragePooling2D((2, 1)),
            layers.AdaptiveMaxPooling2D(1),
        ]
    )


@model
def convolution_3d(keras):
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((3, 4, 3, 2)),
            layers.ZeroPadding3D((0, 1, 0)),
            layers.Conv3D(2, (1, 2, 2), padding="same"),
            layers.SpatialDropout3D(0.2),
            layers.Conv3DTranspose(2, 2, strides=(1, 2, 1)),
            layers.Cropping3D((1, 0, 1)),
            layers.UpSampling3D((2, 1, 2)),
            layers.MaxPooling3D(2),
            layers.AveragePooling3D((1, 2, 1)),
            layers.AdaptiveAveragePooling3D((1, 2, 1)),
            layers.AdaptiveMaxPooling3D((1, 2, 1)),
        ]
    )


@model
def channels_first(keras):
    layers, first = keras.layers, {"data_format": "channels_first"}
    x = keras.Input((2, 5, 4))
    y = layers.ZeroPadding2D(1, **first)(x)
    y = layers.UpSampling2D(2, **first)(y)
    return keras.Model(x, layers.GlobalMaxPooling2D(**first)(y))


@model
def global_pooling(keras):
    layers, found = keras.layers, []
    inputs = [keras.Input(shape) for shape in ((4, 2), (3, 4, 2), (2, 3, 2, 2))]
    for rank, x in enumerate(inputs, 1):
        found.append(getattr(layers, f"GlobalMaxPooling{rank}D")()(x))
        kept = getattr(layers, f"GlobalAveragePooling{rank}D")(keepdims=True)(x)
        found.append(layers.Flatten()(kept))
    return keras.Model(inputs, layers.Concatenate()(found))


# --- images ---


@model
def images(keras):
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((6, 5, 3)),
            layers.RandomFlip("horizontal", seed=1),
            layers.RandomRotation(0.1, fill_mode="nearest"),
            layers.RandomTranslation(0.1, (-0.2, 0.1)),
            layers.RandomZoom(0.1, 0.2, "wrap", "nearest"),
            layers.RandomShear((0.1, 0.2), (0.0, 0.2)),
            layers.RandomCrop(6, 5),
            layers.RandomContrast(0.2, value_range=(0, 1)),
            layers.RandomBrightness((-0.1, 0.2), value_range=(0, 1)),
            layers.CenterCrop(4, 4),
            layers.Resizing(3, 5, crop_to_aspect_ratio=True),
            layers.Pipeline([layers.Rescaling(2.0), layers.RandomInvert(seed=3)]),
            layers.Conv2D(2, 2),
        ]
    )


@model
def colours(keras):
    layers, span = keras.layers, {"value_range": (0, 1)}
    return keras.Sequential(
        [
            keras.Input((4, 4, 3)),
            layers.RandomColorDegeneration(0.5, **span),
            layers.RandomColorJitter(**span, brightness_factor=0.1, seed=2),
            layers.RandomErasing(0.5),
            layers.RandomGaussianBlur(0.5, **span),
            layers.RandomGrayscale(0.3),
            layers.RandomHue(0.3, **span),
            layers.RandomPosterization(4, **span),
            layers.RandomSaturation(0.3, **span),
            layers.RandomSharpness(0.8, **span),
            layers.Solarization(0.1, 0.2, **span),
            layers.AutoContrast((0, 1)),
            layers.AugMix(**span, num_chains=2),
            layers.CutMix(0.5),
            layers.MixUp(0.3),
            layers.RandAugment(**span, num_ops=1),
        ]
    )


@model
def equalization(keras):
    pipeline = keras.layers.Pipeline([keras.layers.Equalization((0, 1))])
    return keras.Sequential([keras.Input((4, 4, 3)), pipeline])


# --- sequences ---


@model
def embedding(keras):
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((5,), dtype="int32"),
            layers.Embedding(6, 3, mask_zero=True),
            layers.LSTM(2, return_sequences=True),
            layers.GRU(3),
        ]
    )


@model
def embedding_reversible(keras):
    x = keras.Input((4,), dtype="int32")
    layer = keras.layers.ReversibleEmbedding(6, 3, tie_weights=False)
    return keras.Model(x, layer(keras.layers.LayerNormalization()(layer(x)), reverse=True))


@model
def recurrent(keras):
    layers = keras.layers
    every = {"return_sequences": True}
    return keras.Sequential(
        [
            keras.Input((4, 2)),
            layers.Masking(0.5),
            layers.SimpleRNN(3, "relu", recurrent_regularizer="l2", **every),
            layers.LSTM(2, unit_forget_bias=False, recurrent_activation="hard_sigmoid", **every),
            layers.GRU(3, reset_after=False, go_backwards=True, dropout=0.1, **every),
            layers.GRU(2, recurrent_dropout=0.2, seed=3, **every),
            layers.LSTM(2, use_bias=False, unroll=True),
        ]
    )


@model
def recurrent_stateful(keras):
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input(batch_shape=(3, 4, 2)),
            layers.LSTM(2, stateful=True, return_sequences=True),
            layers.GRU(2, stateful=True),
        ]
    )


@model
def recurrent_states(keras):
    layers = keras.layers
    source, target = keras.Input((None, 2), name="source"), keras.Input((None, 3), name="target")
    _, h, c = layers.LSTM(4, return_state=True, name="encoder")(source)
    decoder = layers.LSTM(4, return_sequences=True, return_state=True, name="decoder")
    y, h, _ = decoder(target, initial_state=[h, c])
    return keras.Model([source, target], [layers.Dense(2, name="head")(y), h])


@model
def cells(keras):
    layers = keras.layers
    stacked = [layers.LSTMCell(2), layers.SimpleRNNCell(3)]
    return keras.Sequential(
        [
            keras.Input((4, 2)),
            layers.RNN(layers.GRUCell(3, dropout=0.1), return_sequences=True),
            layers.RNN(layers.StackedRNNCells(stacked), return_sequences=True),
            layers.RNN([layers.GRUCell(2), layers.LSTMCell(2, recurrent_dropout=0.2)]),
        ]
    )


@model
def bidirectional(keras):
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((4, 2)),
            layers.Bidirectional(layers.LSTM(2, return_sequences=True)),
            layers.Bidirectional(layers.RNN(layers.GRUCell(2), return_sequences=True), "ave"),
            layers.Bidirectional(
                layers.SimpleRNN(2), backward_layer=layers.GRU(3, go_backwards=True)
            ),
        ]
    )


@model
def time_distributed(keras):
    layers = keras.layers
    inner = keras.Sequential([keras.Input((4, 2)), layers.Conv1D(2, 2), layers.Flatten()])
    return keras.Sequential(
        [
            keras.Input((3, 4, 2)),
            layers.TimeDistributed(inner),
            layers.TimeDistributed(layers.Dense(2, "relu")),
            layers.TimeDistributed(layers.BatchNormalization()),
        ]
    )


@model
def conv_lstm(keras):
    layers = keras.layers
    one, two, three = (
        keras.Input((3, 4, 2)),
        keras.Input((2, 4, 3, 2)),
        keras.Input((2, 3, 3, 2, 1)),
    )
    y1 = layers.ConvLSTM1D(2, 2, return_sequences=True)(one)
    y1 = layers.ConvLSTM1D(1, 2, padding="same", dropout=0.1)(y1)
    y2 = layers.ConvLSTM2D(2, (2, 1), strides=2, use_bias=False, go_backwards=True)(two)
    y3 = layers.ConvLSTM3D(1, 2, recurrent_activation="hard_sigmoid")(three)
    return keras.Model([one, two, three], [y1, y2, y3])


# --- attention ---


@model
def attention(keras):
    layers = keras.layers
    q, v = keras.Input((3, 4), name="q"), keras.Input((5, 4), name="v")
    found = [
        layers.Attention(use_scale=True, score_mode="concat")([q, v]),
        layers.Attention(dropout=0.1, seed=1)([q, v, v]),
        layers.AdditiveAttention()([q, v]),
    ]
    return keras.Model([q, v], found)


@model
def attention_heads(keras):
    layers = keras.layers
    x, memory = keras.Input((3, 4)), keras.Input((5, 2))
    y = layers.MultiHeadAttention(2, 3, dropout=0.1)(x, x, use_causal_mask=True)
    y = layers.LayerNormalization()(layers.Add()([x, y]))
    y = layers.MultiHeadAttention(2, 2, use_bias=False, output_shape=4)(y, memory)
    y = layers.GroupQueryAttention(2, 4, 2)(y, x, x)
    return keras.Model([x, memory], y)


@model
def nested(keras):
    layers = keras.layers
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3, "relu"), layers.Dense(2)])
    x = keras.Input((4,))
    deep = keras.Model(x, layers.Dense(4)(inner(x)), name="deep")
    y = keras.Input((4,))
    shared = layers.Dense(4, name="shared")
    return keras.Model(y, layers.Add()([shared(deep(y)), shared(y)]), name="outer")


# --- text and categories ---


@model
def text(keras):
    layers = keras.layers
    words = ["", "[UNK]", "fox", "dog", "the"]
    return keras.Sequential(
        [
            keras.Input((), dtype="string"),
            layers.TextVectorization(vocabulary=words, output_sequence_length=2),
            layers.Embedding(5, 2),
        ]
    )


@model
def categories(keras):
    layers = keras.layers
    word, number = keras.Input((1,), dtype="string"), keras.Input((1,), dtype="int64")
    amount = keras.Input((1,))
    crossed = layers.HashedCrossing(7, output_mode="one_hot")((word, number))
    found = [
        layers.StringLookup(vocabulary=["fox", "dog"], output_mode="one_hot")(word),
        layers.IntegerLookup(vocabulary=[1, 4], num_oov_indices=2, output_mode="multi_hot")(number),
        layers.CategoryEncoding(8, output_mode="one_hot")(layers.Hashing(8, salt=3)(word)),
        layers.Discretization(bin_boundaries=[-0.5, 0.5], output_mode="one_hot")(amount),
        crossed,
    ]
    return keras.Model([word, number, amount], layers.Dense(2)(layers.Concatenate()(found)))


@model
def categories_learned(keras):
    layers = keras.layers
    strings, cuts = layers.StringLookup(), layers.Discretization(num_bins=3)
    strings.adapt(np.array(["the", "fox", "the", "dog"]))
    cuts.adapt(np.arange(30, dtype="float32")[:, None] / 30)
    word, amount = keras.Input((1,), dtype="string"), keras.Input((1,))
    return keras.Model([word, amount], [strings(word), cuts(amount)])
