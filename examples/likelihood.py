"""Losses from likelihood: coloured balls, Gaussian noise, and errors measured in per cent.

    python examples/likelihood.py --plot

A network states how probable each answer is; the best weights are those that make the data in hand
most probable. The logarithm turns that product into a sum, and its negative is a loss:

* red and blue balls: it is the cross entropy, and its minimum is at the share of red balls;
* y = f(x) + Gaussian noise: it is the squared error, and sigma, which does not change where the
  minimum is, is estimated afterwards from the residuals;
* noise that multiplies (y is off by so many per cent): it is the squared error of the logarithms.

Ink in the digits serves as data for the second part; the data of the third are made here.
"""

import numpy as np
from common import BLUE, ORANGE, RED, digits, save, settings, subplots, table

import minikeras as keras
from minikeras.layers import Dense
from minikeras.optimizers import Adam

BALLS = np.array([1, 0, 1, 0, 0], "float32")  # R B R B B; 1 is red


def likelihood(red):
    """How probable the drawn balls are if red has probability `red`."""
    return red ** BALLS.sum() * (1 - red) ** (1 - BALLS).sum()


def learn_share_of_red(options):
    """A network with a single weight, its bias, trained on the balls by cross entropy."""
    model = keras.Sequential([keras.Input((1,)), Dense(1, activation="sigmoid")])
    model.compile(optimizer=Adam(0.1), loss="binary_crossentropy")
    nothing = np.zeros((len(BALLS), 1), "float32")
    model.fit(nothing, BALLS[:, None], batch_size=len(BALLS), epochs=options.epochs, verbose=0)
    return float(model.predict(nothing[:1], verbose=0)[0, 0])


def ink_of_lower_half(options):
    """The ink of the lower half of a digit told from the points of its upper half.

    Returns targets and predictions for the test part, and the residuals of the training part.
    """
    (x, _), (x_test, _) = digits()
    parts = [(rows[:, :32], rows[:, 32:].sum(axis=1, keepdims=True)) for rows in (x, x_test)]
    (upper, ink), (upper_test, ink_test) = parts
    layers = [Dense(16, activation="relu", kernel_regularizer="l2"), Dense(1)]
    model = keras.Sequential([keras.Input((32,)), *layers])
    model.compile(optimizer=Adam(0.01), loss="mse")
    model.fit(upper, ink, epochs=options.epochs, verbose=0)
    residuals = ink - model.predict(upper, verbose=0)
    return ink_test[:, 0], model.predict(upper_test, verbose=0)[:, 0], residuals[:, 0]


def gaussian_loss(error, sigma):
    """Mean of minus the log likelihood of errors under N(0, sigma^2)."""
    return float(np.log(sigma * np.sqrt(2 * np.pi)) + (error**2).mean() / (2 * sigma**2))


def prices(rng, count=400):
    """Prices that grow by powers of ten with x, each off by some 30 per cent."""
    x = rng.uniform(0, 1, (count, 1)).astype("float32")
    return x, (10 ** (1 + 3 * x) * np.exp(0.3 * rng.standard_normal((count, 1)))).astype("float32")


def fit_prices(loss, options):
    """Predictions on a grid, and the typical error in per cent, for one of the two losses."""
    x, y = prices(np.random.default_rng(options.seed))
    layers = [Dense(16, activation="tanh"), Dense(1, activation="exponential")]
    model = keras.Sequential([keras.Input((1,)), *layers])
    model.compile(optimizer=Adam(0.02), loss=loss)
    model.fit(x, y, epochs=options.epochs, verbose=0)
    grid = np.linspace(0, 1, 101, dtype="float32")[:, None]
    off = np.median(np.abs(model.predict(x, verbose=0) / y - 1))
    return grid, model.predict(grid, verbose=0), float(off)


def plot(options, share, ink, fits):
    figure, (balls, noise, money) = subplots(1, 3, size=(13, 3.8))
    red = np.linspace(0.01, 0.99, 99)
    balls.plot(red, -np.log(likelihood(red)) / len(BALLS), color=BLUE)
    marks = ((0.8, "bad", RED), (0.5, "better", ORANGE), (share, "learnt", "black"))
    for at, name, colour in marks:
        height = -np.log(likelihood(at)) / len(BALLS)
        balls.plot(at, height, "o", color=colour, label=f"{name}: {at:.2f}")
    balls.set(xlabel="stated probability of red", ylabel="-log(likelihood) / n", ylim=(0.5, 2))
    balls.set_title("Two red and three blue balls")
    balls.legend()

    target, predicted, residuals = ink
    sigma = residuals.std()
    noise.hist(target - predicted, bins=25, density=True, color=BLUE, alpha=0.6, label="test part")
    e = np.linspace(-4 * sigma, 4 * sigma, 200)
    bell = np.exp(-(e**2) / (2 * sigma**2)) / (sigma * np.sqrt(2 * np.pi))
    noise.plot(e, bell, color="black", label=f"N(0, {sigma:.1f}$^2$)")
    noise.set(
        xlabel="residual (points of full ink)", ylabel="density", title="Ink of the lower half"
    )
    noise.legend()

    x, y = prices(np.random.default_rng(options.seed))
    money.plot(x, y, ".", color="#bbbbbb", markersize=4, label="data")
    for (name, (grid, prediction, _)), colour in zip(fits.items(), (ORANGE, BLUE), strict=True):
        money.plot(grid, prediction, color=colour, label=name)
    money.set(xlabel="x", ylabel="price", yscale="log", title="Errors in per cent")
    money.legend()
    save(figure, options, "likelihood")


def main(arguments=None):
    options = settings(__doc__, arguments, epochs=(200, "passes over each data set"))
    share = learn_share_of_red(options)
    print("Red and blue balls, two of five red:")
    table(
        ["probability of red", "likelihood", "cross entropy"],
        [
            [f"{h:.3f} ({name})", f"{likelihood(h):.5f}", f"{-np.log(likelihood(h)) / 5:.4f}"]
            for name, h in (("bad", 0.8), ("better", 0.5), ("learnt", share))
        ],
    )

    target, predicted, residuals = ink = ink_of_lower_half(options)
    sigma = float(residuals.std())
    error = target - predicted
    inside = float((np.abs(error) < 2 * sigma).mean())
    print(f"Ink of the lower half: sigma = {sigma:.2f} from the residuals of the training part.")
    print(f"Within two sigma lie {inside:.1%} of the test part (Gaussian noise: 95.4%).")
    tried = "  ".join(
        f"{k:g} sigma: {gaussian_loss(residuals, k * sigma):.3f}" for k in (0.5, 0.8, 1, 1.25, 2)
    )
    print(f"-log(likelihood) of the training part: {tried}\n")

    names = {"squared error": "mse", "squared error of logarithms": "msle"}
    fits = {name: fit_prices(loss, options) for name, loss in names.items()}
    print("Prices from 10 to 10,000, noise of 30%:")
    table(
        ["loss", "at x = 0 (true 10)", "at x = 1 (true 10000)", "typical error"],
        [[n, f"{p[0, 0]:.1f}", f"{p[-1, 0]:.0f}", f"{o:.0%}"] for n, (_, p, o) in fits.items()],
    )
    if options.plot:
        plot(options, share, ink, fits)
    return share, sigma, inside


if __name__ == "__main__":
    main()
