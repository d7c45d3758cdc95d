"""A variational autoencoder: codes that fill a known cloud, from which new digits can be drawn.

    python examples/autoencoder_variational.py --plot

For an image the encoder gives no code but a mean and a standard deviation; the code is drawn from
that Gaussian, and the decoder has to live with what it gets. The loss is the reconstruction error
plus the Kullback-Leibler divergence between that Gaussian and the standard one, which for each
number of the code is (mean^2 + sigma^2 - 1) / 2 - log(sigma). So all codes together fill the
standard Gaussian without holes: to make a new digit, draw a code from it and decode it.

A plain autoencoder has no reason to use any particular region: between and around its codes are
holes, and what it decodes from there is a blot. How good drawn digits are is judged by a classifier
trained on real ones: how sure is it of what it sees, and does every digit come up? With too large a
factor of the divergence, the encoder gives up: all codes are alike, and so are all digits.
"""

import numpy as np
from common import (
    classifier,
    compiled,
    digits,
    save,
    settings,
    show,
    show_classes,
    subplots,
    table,
)

import minikeras as keras
from minikeras import ops
from minikeras.layers import Dense
from minikeras.optimizers import Adam

# name, numbers in the code: factor of the divergence; 0 is a plain autoencoder, without noise
KINDS = {
    ("plain", 2): 0.0,
    ("variational", 2): 1.0,
    ("plain", 8): 0.0,
    ("variational", 8): 1.0,
    ("divergence x 4", 8): 4.0,
}


class Sampling(keras.layers.Layer):
    """Draws a code from the Gaussian of a mean and the logarithm of a variance."""

    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, mean, log_variance):
        noise = keras.random.normal(ops.shape(mean), seed=self.seed_generator)
        self.add_loss(self.factor * ops.mean(ops.sum(divergence(mean, log_variance), axis=-1)))
        return mean + ops.exp(log_variance / 2) * noise


def divergence(mean, log_variance):
    """The divergence of a Gaussian from the standard one, for each number of the code."""
    return (ops.square(mean) + ops.exp(log_variance) - 1 - log_variance) / 2


def reconstruction(x, again):
    """Cross entropy, summed over the 64 points."""
    return 64 * keras.losses.binary_crossentropy(x, again)


def networks(size, factor):
    """Encoder (to the means), decoder, and the whole."""
    image = keras.Input((64,))
    hidden = Dense(128, activation="relu")(Dense(128, activation="relu")(image))
    mean = Dense(size, name="mean")(hidden)
    code = Sampling(factor)(mean, Dense(size)(hidden)) if factor else mean
    decoder = keras.Sequential(
        [
            keras.Input((size,)),
            Dense(128, activation="relu"),
            Dense(128, activation="relu"),
            Dense(64, activation="sigmoid"),
        ]
    )
    return keras.Model(image, mean), decoder, keras.Model(image, decoder(code))


def train(size, factor, options):
    keras.utils.set_random_seed(options.seed)
    (x, _), _ = digits()
    encoder, decoder, model = networks(size, factor)
    model.compile(optimizer=Adam(0.002), loss=reconstruction)
    model.fit(x, x, epochs=options.epochs, batch_size=64, verbose=0)
    return encoder, decoder


def judgement(judge, images):
    """How sure a classifier is of what it sees, and how often it sees the rarest digit."""
    answers = judge.predict(images, verbose=0)
    shares = np.bincount(answers.argmax(axis=1), minlength=10) / len(answers)
    return float(answers.max(axis=1).mean()), float(shares.min())


def plot(options, found, labels):
    figure, axes = subplots(2, 3, size=(13, 8.5))
    plane = np.stack(np.meshgrid(np.linspace(-2, 2, 15), np.linspace(2, -2, 15)), axis=-1)
    plane = plane.reshape(-1, 2).astype("float32")
    for row, name in zip(axes, ("plain", "variational"), strict=True):
        codes, decoder, *_ = found[name, 2]
        show_classes(row[0], codes, labels)
        row[0].set(title=f"{name}: codes of test images")
        row[0].set(xlabel="first number", ylabel="second number")
        show(row[1], decoder.predict(plane, verbose=0), 15, "decoded from -2 to 2", vmin=0, vmax=1)
        drawn = found[name, 8][2][:225]
        show(row[2], drawn, 15, "drawn, code of 8 numbers", vmin=0, vmax=1)
    save(figure, options, "autoencoder_variational")


def main(arguments=None):
    options = settings(__doc__, arguments, epochs=(120, "passes over the digits"))
    train_part, (x, labels) = digits()
    judge = compiled(classifier((64,)))
    judge.fit(*train_part, epochs=30, verbose=0)
    rng = np.random.default_rng(options.seed)
    found, rows = {}, []
    for (name, size), factor in KINDS.items():
        encoder, decoder = train(size, factor, options)
        codes = encoder.predict(x, verbose=0)
        drawn = decoder.predict(rng.standard_normal((2000, size)).astype("float32"), verbose=0)
        error = float(np.square(decoder.predict(codes, verbose=0) - x).mean())
        sure, rarest = judgement(judge, drawn)
        found[name, size] = codes, decoder, drawn, error, sure, rarest
        deviation = f"{codes.std(axis=0).max():.2f}"
        rows.append([f"{name}, {size}", deviation, f"{error:.4f}", f"{sure:.0%}", f"{rarest:.1%}"])
    print("Codes of the test part, and 2000 digits drawn from the standard Gaussian:")
    table(
        [
            "autoencoder, code",
            "largest deviation",
            "squared error",
            "sure of drawn",
            "rarest digit",
        ],
        rows,
    )
    sure, rarest = judgement(judge, x)
    print(f"Of real digits the classifier is sure by {sure:.0%}, and the rarest has {rarest:.1%}.")
    if options.plot:
        plot(options, found, labels)
    return found


if __name__ == "__main__":
    main()
