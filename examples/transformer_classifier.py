"""A small transformer reads texts and says of which kind they are.

    python examples/transformer_classifier.py --plot
    python examples/transformer_classifier.py --reviews imdb.npz

By default the texts are pieces of what this library says of itself, half of them written from
their end to their start: the same letters, so that only their order tells which. The last quarter
is the test. With the file of IMDB's reviews (`keras.datasets.imdb`), the kinds are for and against
a film. The network adds a learned vector for each place to that of each letter or word, mixes
places by attention of several heads, and takes the mean of all places that are not padding.
"""

import numpy as np
from common import BLUE, ORANGE, save, settings, subplots, table, text

import minikeras as keras
from minikeras import layers, ops

LENGTH, STRIDE = 60, 12  # letters of a piece, and from the start of one to that of the next
WORDS, LONGEST = 10_000, 200  # of reviews


@keras.saving.register_keras_serializable("examples")
class Places(layers.Layer):
    """Adds a learned vector for each place of a sequence (batch, places, size)."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape):
        self.vectors = self.add_weight(shape=input_shape[1:], initializer="uniform")

    def call(self, inputs):
        return inputs + self.vectors


def block(x, heads, width, rate):
    """Attention, then a dense layer for each place; both are added to what comes in."""
    attention = layers.MultiHeadAttention(heads, width // heads, dropout=rate, name="attention")
    y = layers.LayerNormalization(name="before_attention")(x)
    x = layers.Add()([x, attention(y, y)])
    y = layers.Dense(2 * width, "gelu")(layers.LayerNormalization()(x))
    return layers.Add()([x, layers.Dropout(rate)(layers.Dense(width)(y))])


def classifier(symbols, length, width=32, heads=4, rate=0.1):
    """Numbers of letters or words (batch, length), 0 for padding, to the chance of kind 1."""
    inputs = keras.Input((length,), dtype="int32")
    x = Places()(layers.Embedding(symbols, width, mask_zero=True)(inputs))
    x = layers.LayerNormalization()(block(x, heads, width, rate))
    outputs = layers.Dense(1, "sigmoid")(layers.GlobalAveragePooling1D()(x))
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(2e-3), "binary_crossentropy", metrics=["accuracy"])
    return model


def pieces(whole, letters):
    """Pieces of a text as numbers of letters, each as it is (0) and from its end (1)."""
    starts = range(0, len(whole) - LENGTH, STRIDE)
    straight = [" ".join(whole[s : s + LENGTH].split()[1:-1]) for s in starts]
    straight = [piece for piece in straight if piece]  # a long word may leave nothing
    both = [*straight, *(piece[::-1] for piece in straight)]
    numbers = [[letters.index(c) + 1 for c in piece] for piece in both]
    x = keras.utils.pad_sequences(numbers, LENGTH, padding="post", truncating="post")
    return x, np.repeat(np.float32([0, 1]), len(straight))


def backwards():
    """Training and test pieces, straight and backwards, and how many letters there are."""
    whole = " ".join(text().lower().split())
    letters = "".join(sorted(set(whole)))
    cut = len(whole) * 3 // 4
    return pieces(whole[:cut], letters), pieces(whole[cut:], letters), len(letters) + 1


def reviews(path):
    """Training and test reviews from a file of IMDB's."""
    parts = keras.datasets.imdb.load_data(path, num_words=WORDS)
    train, test = (
        (keras.utils.pad_sequences(x, LONGEST), np.asarray(y, "float32")) for x, y in parts
    )
    return train, test, WORDS


def draw(model, run, x, options):
    """Learning curves, and which places the first text's places look at."""
    figure, axes = subplots(1, 2)
    epochs = np.arange(1, len(run.history["accuracy"]) + 1)
    axes[0].plot(epochs, run.history["accuracy"], color=BLUE, label="training part")
    axes[0].plot(epochs, run.history["val_accuracy"], color=ORANGE, label="test part")
    axes[0].set(title="Learning", xlabel="epoch", ylabel="accuracy")
    axes[0].legend()
    attention = model.get_layer("attention")
    before = keras.Model(model.input, model.get_layer("before_attention").output)(x[:1])
    scores = np.asarray(attention(before, before, return_attention_scores=True)[1])[0]
    count = int(ops.sum(ops.not_equal(x[0], 0)))
    picture = axes[1].imshow(scores.mean(0)[:count, :count], cmap="Blues")
    axes[1].set(title="Weights of attention, mean of the heads", xlabel="place looked at")
    axes[1].set_ylabel("place that looks")
    axes[1].grid(False)
    figure.colorbar(picture, ax=axes[1], shrink=0.8)
    save(figure, options, "transformer_classifier")


def main(arguments=None):
    options = settings(
        __doc__,
        arguments,
        epochs=(15, "passes over the training part"),
        reviews=("", "file imdb.npz; the library's own text without it"),
    )
    train, test, symbols = reviews(options.reviews) if options.reviews else backwards()
    model = classifier(symbols, train[0].shape[1])
    run = model.fit(*train, 64, options.epochs, validation_data=test, verbose=0)
    accuracy = [run.history[name][-1] for name in ("accuracy", "val_accuracy")]
    rows = zip(("training", "test"), map(len, (train[1], test[1])), accuracy, strict=True)
    table(["part", "texts", "accuracy"], [(part, n, f"{share:.3f}") for part, n, share in rows])
    if options.plot:
        draw(model, run, test[0], options)
    return accuracy[1]


if __name__ == "__main__":
    main()
