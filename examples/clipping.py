"""Exploding gradients, and how clipping keeps them on the road.

    python examples/clipping.py --plot

Where many layers multiply, the loss has cliffs: one step from a cliff's face throws the weights far
away. Clipping keeps the direction of the step and bounds its length (`clipnorm` for each weight
matrix, `global_clipnorm` for all together), or bounds each entry, which bends it (`clipvalue`).

Shown: what the three do to two gradients; a cliff with a single weight, used twenty times in a row
as a recurrent network would; and a deep network for the digits with weights that start too large.
"""

import numpy as np
from common import BLUE, classifier, compiled, digits, save, settings, subplots, table

import minikeras as keras
from minikeras import autodiff
from minikeras.initializers import VarianceScaling
from minikeras.optimizers import SGD

CLIPS = {
    "none": {},
    "clipvalue": {"clipvalue": 1.0},
    "clipnorm": {"clipnorm": 1.0},
    "global_clipnorm": {"global_clipnorm": 1.0},
}
CLIPS_OF_DIGITS = {
    "none": {},
    "clipvalue": {"clipvalue": 0.02},
    "clipnorm": {"clipnorm": 0.3},
    "global_clipnorm": {"global_clipnorm": 1.0},
}
TIMES = 20


def clipped(gradients, **clip):
    """The gradients that an optimizer with this setting steps along."""
    variables = [keras.Variable(np.zeros(len(g), "float64")) for g in gradients]
    SGD(1.0, **clip).apply([np.array(g, "float64") for g in gradients], variables)
    return [-v.numpy() for v in variables]


def cliff(w):
    """The loss of a weight that is used twenty times: its power should be 0.5."""
    return (w**TIMES - 0.5) ** 2


def descend(start=1.22, steps=40, **clip):
    """The way of the weight, from half way up the cliff."""
    weight, optimizer = keras.Variable(np.array(start)), SGD(0.01, **clip)
    way = [start]
    for _ in range(steps):
        optimizer.apply([autodiff.grad(cliff)(weight)], [weight])
        way.append(float(weight.numpy()))
        if not np.abs(way[-1]) < 10:  # thrown off: there is no way back
            break
    return np.array(way)


def train(options, **clip):
    """Training loss after each epoch of a deep network that starts with weights too large."""
    keras.utils.set_random_seed(options.seed)
    (x, y), _ = digits()
    large = VarianceScaling(4.0, "fan_in", seed=keras.SeedGenerator(options.seed))
    model = compiled(classifier((64,) * 8, kernel_initializer=large), SGD(0.2, **clip))
    with np.errstate(all="ignore"):
        return model.fit(x, y, epochs=options.epochs, verbose=0).history


def plot(options, ways, runs):
    figure, (left, right) = subplots(1, 2, size=(10, 3.9))
    w = np.linspace(-0.2, 1.25, 300)
    left.plot(w, cliff(w), color="black", linewidth=1)
    for name in ("none", "clipnorm"):
        way = ways[name]
        left.plot(way, cliff(way), ".-", markersize=6, linewidth=0.8, label=f"clipping: {name}")
    thrown = f"without clipping, one step\nthrows w to {ways['none'][1]:.0f}"
    left.text(0.3, 600, thrown, color=BLUE, ha="center")
    left.set(xlim=(-0.2, 1.3), ylim=(1e-4, 1e4), yscale="log", xlabel="weight w")
    left.set(ylabel=f"loss $(w^{{{TIMES}}} - 0.5)^2$", title="A cliff")
    left.legend(loc="lower left")
    for name, run in runs.items():
        label = " ".join([name, *map(str, CLIPS_OF_DIGITS[name].values())])
        right.plot(range(1, len(run["loss"]) + 1), run["loss"], label=label)
    right.set(xlabel="epoch", ylabel="loss, training part", yscale="log")
    right.set_title("Eight layers, weights too large at the start")
    right.legend(title="clipping")
    save(figure, options, "clipping")


def main(arguments=None):
    options = settings(__doc__, arguments, epochs=(20, "passes over the digits"))
    gradients = [[3.0, 4.0], [0.3, 0.4]]
    print("Two gradients, as the optimizer uses them:")
    table(
        ["clipping at 1", *(str(g) for g in gradients)],
        [
            [n, *(str(g.round(3).tolist()) for g in clipped(gradients, **c))]
            for n, c in CLIPS.items()
        ],
    )
    ways = {name: descend(**clip) for name, clip in CLIPS.items()}
    runs = {name: train(options, **clip) for name, clip in CLIPS_OF_DIGITS.items()}
    print("A cliff with one weight, and a deep network for the digits:")
    table(
        ["clipping", "first step to", "last weight", "loss, digits", "accuracy, training"],
        [
            [
                n,
                f"{way[1]:.3g}",
                f"{way[-1]:.3g}",
                f"{r['loss'][-1]:.3g}",
                f"{r['accuracy'][-1]:.3f}",
            ]
            for (n, way), r in zip(ways.items(), runs.values(), strict=True)
        ],
    )
    if options.plot:
        plot(options, ways, runs)
    return ways, runs


if __name__ == "__main__":
    main()
