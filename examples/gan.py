"""Generator against discriminator: new digits from noise, by a training step of one's own.

    python examples/gan.py --plot

The generator makes images of random numbers. The discriminator is shown real and made ones and says
which is which; the generator is trained to have its images taken for real. Each has an optimizer of
its own, and neither knows the other's loss: no case for `compile(loss=...)`, but for ten lines of
`train_step`.

What the generator makes is judged by a classifier of real digits: how sure is it of what it sees,
and does every digit come up? To tell skill from memory, the distance to the nearest training image
is compared with that of real test images. The discriminator soon errs more often, but never becomes
a coin: the two go on learning from each other without an end.
"""

import numpy as np
from common import classifier, compiled, digits, save, settings, show, subplots, table

import minikeras as keras
from minikeras import ops
from minikeras.layers import Dense, LeakyReLU
from minikeras.losses import BinaryCrossentropy
from minikeras.optimizers import Adam

NOISE = 16


def network(inputs, widths, outputs, activation=None):
    layers = [keras.Input((inputs,))]
    for width in widths:
        layers += [Dense(width), LeakyReLU(0.2)]
    return keras.Sequential([*layers, Dense(outputs, activation=activation)])


class GAN(keras.Model):
    """A generator and a discriminator; as a layer it makes images of noise."""

    def __init__(self):
        super().__init__()
        self.generator = network(NOISE, (128, 128), 64, "sigmoid")
        self.discriminator = network(64, (128, 128), 1)
        self.seed_generator = keras.random.SeedGenerator()
        self.right = keras.metrics.BinaryAccuracy("discriminator right", threshold=0)

    def compile(self, generator_optimizer, discriminator_optimizer):
        super().compile()
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer
        self.loss_of = BinaryCrossentropy(from_logits=True)

    def call(self, noise):
        return self.generator(noise)

    def train_step(self, real):
        shape = (ops.shape(real)[0], NOISE)
        noise = keras.random.normal(shape, seed=self.seed_generator)
        labels = ops.concatenate([ops.ones_like(noise[:, :1]), ops.zeros_like(noise[:, :1])])
        with keras.GradientTape() as tape:
            made = ops.stop_gradient(self.generator(noise))
            answers = self.discriminator(ops.concatenate([real, made]))
            loss = self.loss_of(labels * 0.9, answers)  # never quite sure: slopes stay alive
        learn(tape, loss, self.discriminator, self.discriminator_optimizer)
        with keras.GradientTape() as tape:
            praise = self.discriminator(self.generator(noise))
            loss = self.loss_of(ops.ones_like(praise), praise)
        learn(tape, loss, self.generator, self.generator_optimizer)
        self.right.update_state(labels, answers)
        return {"right": self.right.result()}


def learn(tape, loss, network, optimizer):
    gradients = tape.gradient(loss, network.trainable_variables)
    optimizer.apply_gradients(zip(gradients, network.trainable_variables, strict=True))


class Gallery(keras.callbacks.Callback):
    """What the generator makes of the same noise, at some epochs."""

    def __init__(self, noise, epochs):
        self.noise, self.epochs, self.pictures = noise, epochs, {}

    def on_epoch_end(self, epoch, logs=None):
        if epoch + 1 in self.epochs:
            self.pictures[epoch + 1] = self.model.predict(self.noise, verbose=0)


def nearest(images, among):
    """Mean distance from each image to the nearest one of another set."""
    squares = (images**2).sum(axis=1)[:, None] + (among**2).sum(axis=1) - 2 * images @ among.T
    return float(np.sqrt(squares.clip(0).min(axis=1)).mean())


def judged(judge, images, x):
    """Sureness of a classifier, shares of rarest and commonest digit, nearest training image."""
    answers = judge.predict(images, verbose=0)
    shares = np.bincount(answers.argmax(axis=1), minlength=10) / len(answers)
    sure = float(answers.max(axis=1).mean())
    return sure, float(shares.min()), float(shares.max()), nearest(images, x)


def plot(options, history, pictures):
    figure, axes = subplots(1, len(pictures) + 1, size=(14, 3.4))
    for axis, (epoch, images) in zip(axes, pictures.items(), strict=False):
        show(axis, images[:64], 8, f"epoch {epoch}", vmin=0, vmax=1)
    axes[-1].plot(range(1, len(history["right"]) + 1), history["right"])
    axes[-1].axhline(0.5, color="grey", linestyle=":")
    axes[-1].set(xlabel="epoch", title="discriminator right", ylim=(0.4, 1))
    save(figure, options, "gan")


def main(arguments=None):
    options = settings(__doc__, arguments, epochs=(300, "passes over the digits"))
    (x, y), (x_test, _) = digits()
    judge = compiled(classifier((64,)))
    judge.fit(x, y, epochs=30, verbose=0)
    noise = np.random.default_rng(options.seed).standard_normal((2000, NOISE)).astype("float32")
    when = sorted({1, options.epochs // 10 or 1, options.epochs})
    gallery = Gallery(noise, when)
    model = GAN()
    model.compile(Adam(0.0005, beta_1=0.5), Adam(0.0005, beta_1=0.5))
    history = model.fit(x, epochs=options.epochs, callbacks=[gallery], verbose=0).history
    pictures = gallery.pictures
    found = {f"made, epoch {epoch}": judged(judge, images, x) for epoch, images in pictures.items()}
    found["real, test part"] = judged(judge, x_test, x)
    print("Judged by a classifier of real digits:")
    table(
        ["images", "sure", "rarest digit", "commonest", "nearest training image"],
        [
            [name, *(f"{share:.1%}" for share in shares), f"{distance:.2f}"]
            for name, (*shares, distance) in found.items()
        ],
    )
    print(f"In the last epoch the discriminator was right on {history['right'][-1]:.0%}.")
    if options.plot:
        plot(options, history, pictures)
    return found, history


if __name__ == "__main__":
    main()
