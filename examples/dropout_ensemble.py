"""Dropout is a kind of ensemble: ask many sub-networks, or the whole network once.

    python examples/dropout_ensemble.py --plot

Every mini-batch trains another sub-network, all sharing their weights. For the answer one may draw
many of them and average their probabilities (Monte Carlo: call the model with `training=True`), or
ask the whole network once, which is what `predict` does and costs one pass. The two agree well; a
single sub-network does worse. The spread of the sub-networks' answers says where the network is in
doubt. For comparison: an honest ensemble of networks trained apart, without dropout.
"""

import numpy as np
from common import (
    BLUE,
    GREEN,
    ORANGE,
    RED,
    classifier,
    compiled,
    few_digits,
    save,
    settings,
    subplots,
    table,
)

import minikeras as keras
from minikeras.layers import Dense, Dropout

COUNTS = (1, 2, 5, 10, 20, 50, 100)


def train_with_dropout(train, options):
    layers = [keras.Input((64,)), Dense(256, activation="relu"), Dropout(0.5)]
    layers += [Dense(256, activation="relu"), Dropout(0.5), Dense(10, activation="softmax")]
    model = compiled(keras.Sequential(layers))
    model.fit(*train, epochs=options.epochs, verbose=0)
    return model


def train_apart(train, options, count=10):
    """Networks without dropout, each from its own start."""
    models = []
    for _ in range(count):
        models.append(compiled(classifier((256, 256))))
        models[-1].fit(*train, epochs=options.epochs, verbose=0)
    return models


def score(probabilities, labels):
    """Accuracy and cross entropy of averaged probabilities of shape (images, classes)."""
    right = probabilities.argmax(axis=1) == labels
    chosen = probabilities[np.arange(len(labels)), labels]
    return right.mean(), -np.log(np.maximum(chosen, 1e-7)).mean()


def doubt(samples, labels):
    """Spread of the answers (standard deviation of the winning class), for right and wrong ones."""
    mean = samples.mean(axis=0)
    winner = mean.argmax(axis=1)
    spread = samples[:, np.arange(len(labels)), winner].std(axis=0)
    return spread[winner == labels], spread[winner != labels]


def plot(options, curve, whole, apart, spreads):
    figure, (left, right) = subplots(1, 2, size=(10, 3.8))
    left.plot(COUNTS, curve, "o-", color=BLUE, label="mean of sub-networks")
    left.axhline(whole[1], color=GREEN, linestyle="--", label="whole network, once")
    for result, name in zip(apart, ("one network", "ten networks"), strict=True):
        style = ":" if name.startswith("one") else "-."
        left.axhline(result[1], color=ORANGE, linestyle=style, label=f"no dropout, {name}")
    left.set(xscale="log", xlabel="number of sub-networks", ylabel="cross entropy, test part")
    left.set_xticks(COUNTS, COUNTS)
    left.minorticks_off()
    left.legend()
    bins = np.linspace(0, 0.5, 21)
    for values, name, colour in zip(spreads, ("right", "wrong"), (BLUE, RED), strict=True):
        share = np.full(len(values), 1 / max(1, len(values)))
        label = f"{name} answers ({len(values)})"
        right.hist(values, bins, weights=share, color=colour, alpha=0.6, label=label)
    right.set(xlabel="spread of the winner's probability", ylabel="share of the images")
    right.set_title("Sub-networks disagree where they err")
    right.legend()
    save(figure, options, "dropout_ensemble")


def main(arguments=None):
    options = settings(__doc__, arguments, epochs=(100, "passes over the digits"))
    train, (x, y) = few_digits(300, wrong=0)
    model = train_with_dropout(train, options)
    samples = np.stack([np.asarray(model(x, training=True)) for _ in range(COUNTS[-1])])
    averages = {count: score(samples[:count].mean(axis=0), y) for count in COUNTS}
    whole = score(model.predict(x, verbose=0), y)
    answers = [one.predict(x, verbose=0) for one in train_apart(train, options)]
    apart = score(answers[0], y), score(np.mean(answers, axis=0), y)

    rows = {"one sub-network": averages[1]}
    rows |= {f"mean of {count} sub-networks": averages[count] for count in (10, 100)}
    rows |= {"whole network, once": whole}
    rows |= {"no dropout, one network": apart[0], "no dropout, ten networks": apart[1]}
    print("Trained on 300 digits; on the test part:")
    table(
        ["answer", "accuracy", "cross entropy"],
        [[name, f"{right:.3f}", f"{entropy:.3f}"] for name, (right, entropy) in rows.items()],
    )
    spreads = doubt(samples, y)
    means = [float(part.mean()) if len(part) else float("nan") for part in spreads]
    print(
        f"Spread of the sub-networks: {means[0]:.2f} for right answers, {means[1]:.2f} for wrong."
    )
    if options.plot:
        plot(options, [averages[count][1] for count in COUNTS], whole, apart, spreads)
    return averages, whole, apart, means


if __name__ == "__main__":
    main()
