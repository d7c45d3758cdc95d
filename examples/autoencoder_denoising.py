"""A denoising autoencoder: give back the clean image that a spoilt one was made from.

    python examples/autoencoder_denoising.py --plot

Noise is added to the input during training, and the clean image is asked for. With it, even a code
with more numbers than the image has points cannot just copy: to clean an image the network must
know what digits look like. The noise is a layer of one's own, which draws anew for every batch and
does nothing outside of training; `Dropout` on the input spoils the image in another way.

Compared are: an autoencoder of the same size trained without noise, which gives the noise back with
the image; and the mean over each point and its neighbours, which blurs the digit with the noise.
"""

import numpy as np
from common import digits, save, settings, show, subplots, table

import minikeras as keras
from minikeras import ops
from minikeras.layers import Dense, Dropout
from minikeras.optimizers import Adam

SPOILT_BY = {"noise": 0.4, "missing points": 0.4}
TRAINED = ("clean", *SPOILT_BY)


class Noise(keras.layers.Layer):
    """Adds normal noise of a standard deviation, within 0 and 1, in training only."""

    def __init__(self, deviation, **kwargs):
        super().__init__(**kwargs)
        self.deviation = deviation
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, x, training=None):
        if not training:
            return x
        noise = keras.random.normal(ops.shape(x), 0, self.deviation, seed=self.seed_generator)
        return ops.clip(x + noise, 0, 1)


class Missing(Dropout):
    """Points of the image become paper; unlike in dropout, the others stay as they are."""

    def call(self, x, training=None):
        return super().call(x, training=training) * (1 - self.rate if training else 1)


def spoiler(name):
    return Noise(SPOILT_BY[name]) if name == "noise" else Missing(SPOILT_BY[name])


def train(name, options):
    """An autoencoder with a code of 128 numbers, twice as many as the image has points."""
    keras.utils.set_random_seed(options.seed)
    (x, _), _ = digits()
    image = keras.Input((64,))
    spoilt = image if name == "clean" else spoiler(name)(image)
    code = Dense(128, activation="relu", name="code")(Dense(256, activation="relu")(spoilt))
    again = Dense(64, activation="sigmoid")(Dense(256, activation="relu")(code))
    model = keras.Model(image, again)
    model.compile(optimizer=Adam(0.001), loss="binary_crossentropy")
    model.fit(x, x, epochs=options.epochs, verbose=0)
    return model


def blurred(x):
    """The mean over each point and its neighbours, of half its weight."""
    images = np.pad(x.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))
    along = (images[:, :-2] + 2 * images[:, 1:-1] + images[:, 2:]) / 4
    return ((along[..., :-2] + 2 * along[..., 1:-1] + along[..., 2:]) / 4).reshape(-1, 64)


def error(x, again):
    return float(np.square(x - again).mean())


def plot(options, shown):
    figure, axes = subplots(1, len(shown), size=(11, 4))
    for axis, (name, rows) in zip(np.atleast_1d(axes), shown.items(), strict=True):
        images = np.concatenate([images[:8] for images in rows.values()])
        show(axis, images, 8, f"Spoilt by {name}", vmin=0, vmax=1)
        axis.set_yticks([9 * row + 3.5 for row in range(len(rows))], list(rows))
        axis.tick_params(length=0)
    save(figure, options, "autoencoder_denoising")


def main(arguments=None):
    options = settings(__doc__, arguments, epochs=(100, "passes over the digits"))
    _, (x, _) = digits()
    models = {name: train(name, options) for name in TRAINED}
    shown = {}
    for name in SPOILT_BY:
        spoilt = np.asarray(spoiler(name)(x, training=True))
        rows = {"clean": x, "spoilt": spoilt, "blurred": blurred(spoilt)}
        rows |= {f"trained on\n{n}": m.predict(spoilt, verbose=0) for n, m in models.items()}
        shown[name] = rows
    errors = {name: {n: error(x, r) for n, r in rows.items()} for name, rows in shown.items()}
    print("Squared error against the clean image, test part:")
    table(
        ["what is seen", *(f"spoilt by {name}" for name in SPOILT_BY)],
        [
            [row.replace("\n", " "), *(f"{errors[name][row]:.4f}" for name in SPOILT_BY)]
            for row in list(errors["noise"])[1:]
        ],
    )
    if options.plot:
        plot(options, shown)
    return errors


if __name__ == "__main__":
    main()
