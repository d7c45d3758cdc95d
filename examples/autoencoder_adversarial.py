"""An adversarial autoencoder: one network seeks what the other fails to reconstruct.

    python examples/autoencoder_adversarial.py --plot

The autoencoder learns to reproduce its input. At the same time another network, the seeker, learns
to change images, each point by 0.3 at most, into inputs that the autoencoder cannot reproduce; and
these the autoencoder has to learn, too. Each is the teacher of the other, with an optimizer of its
own in one `train_step`. (Some books call another network by this name: one whose codes are made to
look like drawn from a given distribution, by a judge as in `gan.py`.)

In the end the worst inputs within the same reach are sought by gradient ascent on the images. The
autoencoder that had the seeker for a partner reproduces them better than one that saw digits only;
also digits moved by a point, which neither saw, and the digits themselves. But a partner who
changes points at random does more for it: to each image the seeker has one answer at a time, which
the autoencoder soon knows, while chance never repeats itself.
"""

import numpy as np
from common import BLUE, ORANGE, digits, save, settings, show, subplots, table

import minikeras as keras
from minikeras import ops
from minikeras.layers import Dense
from minikeras.optimizers import Adam

REACH, STEPS = 0.3, 40
PARTNERS = ("nobody", "seeker", "chance")


def autoencoder():
    widths = [Dense(128, activation="relu"), Dense(64), Dense(128, activation="relu")]
    return keras.Sequential([keras.Input((64,)), *widths, Dense(64, activation="sigmoid")])


class Duel(keras.Model):
    """An autoencoder and its partner, who changes the images that it has to reproduce."""

    def __init__(self, autoencoder, partner):
        super().__init__()
        self.autoencoder, self.partner = autoencoder, partner
        hidden = Dense(128, activation="relu")
        self.seeker = keras.Sequential([keras.Input((64,)), hidden, Dense(64, activation="tanh")])
        self.seeker_optimizer = Adam(0.003)
        self.seed_generator = keras.random.SeedGenerator()
        self.means = [keras.metrics.Mean(name) for name in ("digits", "changed digits")]

    def changed(self, x):
        if self.partner == "nobody":
            return x
        if self.partner == "chance":
            change = keras.random.uniform(ops.shape(x), -1, 1, seed=self.seed_generator)
        else:
            change = self.seeker(x)
        return ops.clip(x + REACH * change, 0, 1)

    def error(self, x):
        return ops.mean(ops.square(self.autoencoder(x) - x))

    def train_step(self, x):
        with keras.GradientTape(persistent=True) as tape:
            digits, others = self.error(x), self.error(self.changed(x))
            loss = (digits + others) / 2
            gain = -others
        self.learn(tape, loss, self.autoencoder, self.optimizer)
        if self.partner == "seeker":
            self.learn(tape, gain, self.seeker, self.seeker_optimizer)
        for mean, value in zip(self.means, (digits, others), strict=True):
            mean.update_state(value)
        return {mean.name: mean.result() for mean in self.means}

    def learn(self, tape, loss, network, optimizer):
        gradients = tape.gradient(loss, network.trainable_variables)
        optimizer.apply_gradients(zip(gradients, network.trainable_variables, strict=True))


def train(partner, options):
    keras.utils.set_random_seed(options.seed)
    (x, _), _ = digits()
    duel = Duel(autoencoder(), partner)
    duel.compile(optimizer=Adam(0.003))
    return duel.autoencoder, duel.fit(x, epochs=options.epochs, verbose=0).history


def worst(network, x, rng):
    """Images within reach of `x` that the network reproduces badly, by gradient ascent."""
    change = rng.uniform(-REACH, REACH, x.shape).astype("float32")
    for _ in range(STEPS):
        with keras.GradientTape() as tape:
            images = tape.watch(np.clip(x + change, 0, 1))
            error = ops.sum(ops.square(network(images) - images))
        change += 0.05 * np.sign(tape.gradient(error, images))
        change = np.clip(change, -REACH, REACH)
    return np.clip(x + change, 0, 1)


def judge(network, options):
    """Errors on digits, on the worst inputs, and on digits moved to the right by a point."""
    _, (x, _) = digits()
    moved = np.pad(x.reshape(-1, 8, 8)[:, :, :-1], ((0, 0), (0, 0), (1, 0))).reshape(-1, 64)
    seen = {"digits": x, "worst": worst(network, x, np.random.default_rng(0)), "moved": moved}
    again = {name: network.predict(images, verbose=0) for name, images in seen.items()}
    errors = {name: float(np.square(again[name] - seen[name]).mean()) for name in seen}
    return errors, (seen["worst"], again["worst"])


def plot(options, found, histories):
    figure, (left, right) = subplots(1, 2, size=(12, 3.8), width_ratios=[3, 2])
    rows, names = [digits()[1][0][:12]], ["digit"]
    for partner in ("nobody", "seeker"):
        rows += [images[:12] for images in found[partner][1]]
        names += [f"worst (partner: {partner})", "reproduced"]
    show(left, np.concatenate(rows), 12, vmin=0, vmax=1)
    left.set_yticks([9 * row + 3.5 for row in range(len(names))], names)
    left.tick_params(length=0)
    lines = [("nobody", "digits"), ("seeker", "digits"), ("seeker", "changed digits")]
    for partner, name in lines:
        style = "--" if name == "changed digits" else "-"
        values, colour = histories[partner][name], BLUE if partner == "nobody" else ORANGE
        epochs = range(1, len(values) + 1)
        right.plot(epochs, values, style, color=colour, label=f"partner: {partner}, {name}")
    right.set(xlabel="epoch", ylabel="squared error, training part", yscale="log")
    right.set_yticks([0.002, 0.005, 0.01, 0.02, 0.05], ["0.002", "0.005", "0.01", "0.02", "0.05"])
    right.minorticks_off()
    right.legend()
    save(figure, options, "autoencoder_adversarial")


def main(arguments=None):
    options = settings(__doc__, arguments, epochs=(60, "passes over the digits"))
    found, histories = {}, {}
    for partner in PARTNERS:
        network, histories[partner] = train(partner, options)
        found[partner] = judge(network, options)
    print("Squared error of the reproduction, test part:")
    table(
        ["partner in training", "digits", "worst inputs", "moved by a point"],
        [
            [partner, *(f"{errors[name]:.4f}" for name in ("digits", "worst", "moved"))]
            for partner, (errors, _) in found.items()
        ],
    )
    if options.plot:
        plot(options, found, histories)
    return {partner: errors for partner, (errors, _) in found.items()}


if __name__ == "__main__":
    main()
