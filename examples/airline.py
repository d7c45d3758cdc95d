"""Airline passengers: an LSTM forecasts months that it has not seen, year by year.

    python examples/airline.py --plot

Monthly totals of international airline passengers, 1949 to 1960, in thousands (Box and Jenkins,
"Time Series Analysis", series G). The network reads the changes of the logarithm over two years,
standardised, and says the next change. The test walks forward: before each year the network learns
from all months before it, then tells each month of that year from the true months before (one month
ahead), and once the whole year from its own forecasts (a year ahead). The same is asked of two
rules that need no learning: the month of last year, and that times the growth since then.
"""

import numpy as np
from common import BLUE, GREY, ORANGE, RED, save, settings, subplots, table

import minikeras as keras
from minikeras.layers import LSTM, Dense

FIRST_YEAR, YEAR = 1949, 12
PASSENGERS = np.array(
    [
        *(112, 118, 132, 129, 121, 135, 148, 148, 136, 119, 104, 118),
        *(115, 126, 141, 135, 125, 149, 170, 170, 158, 133, 114, 140),
        *(145, 150, 178, 163, 172, 178, 199, 199, 184, 162, 146, 166),
        *(171, 180, 193, 181, 183, 218, 230, 242, 209, 191, 172, 194),
        *(196, 196, 236, 235, 229, 243, 264, 272, 237, 211, 180, 201),
        *(204, 188, 235, 227, 234, 264, 302, 293, 259, 229, 203, 229),
        *(242, 233, 267, 269, 270, 315, 364, 347, 312, 274, 237, 278),
        *(284, 277, 317, 313, 318, 374, 413, 405, 355, 306, 271, 306),
        *(315, 301, 356, 348, 355, 422, 465, 467, 404, 347, 305, 336),
        *(340, 318, 362, 348, 363, 435, 491, 505, 404, 359, 310, 337),
        *(360, 342, 406, 396, 420, 472, 548, 559, 463, 407, 362, 405),
        *(417, 391, 419, 461, 472, 535, 622, 606, 508, 461, 390, 432),
    ],
    "float64",
)
TESTED = (1958, 1959, 1960)
WINDOW = 2 * YEAR


class Forecaster:
    """Standardised changes of the logarithm, and a network that continues them."""

    def __init__(self, units, seed):
        keras.utils.set_random_seed(seed)
        self.model = keras.Sequential([keras.Input((WINDOW, 1)), LSTM(units), Dense(1)])
        self.model.compile("adam", "mse")

    def learn(self, months, epochs):
        """Train on every window of two years and the change that follows it."""
        changes = np.diff(np.log(months))
        self.mean, self.scale = changes.mean(), changes.std()
        z = self._scaled(changes)
        windows = np.lib.stride_tricks.sliding_window_view(z[:-1], WINDOW)
        self.model.fit(windows[..., None], z[WINDOW:, None], 16, epochs, verbose=0)

    def _scaled(self, changes):
        return ((changes - self.mean) / self.scale).astype("float32")

    def next(self, months):
        """The month after `months`."""
        z = self._scaled(np.diff(np.log(months[-WINDOW - 1 :])))
        change = self.model.predict(z[None, :, None], verbose=0)[0, 0] * self.scale + self.mean
        return months[-1] * np.exp(change)


def last_year(months):
    """The month of last year."""
    return months[-YEAR]


def last_year_grown(months):
    """The month of last year, times the growth since then as far as it is known."""
    return months[-YEAR] * months[-1] / months[-YEAR - 1]


def one_ahead(rule, start):
    """Each month of the year that begins at `start`, from the true months before it."""
    return np.array([rule(PASSENGERS[: start + k]) for k in range(YEAR)])


def year_ahead(rule, start):
    """The same year from the months before `start`, each forecast standing for a true month."""
    months = PASSENGERS[:start]
    for _ in range(YEAR):
        months = np.append(months, rule(months))
    return months[start:]


def walk(units, epochs, starts, seed):
    """Forecasts of the tested years by each rule: name -> (one month ahead, a year ahead).

    Those of the network are the mean of several, which began with other weights.
    """
    rules = {"month of last year": last_year, "... times growth": last_year_grown}
    found = {name: ([], []) for name in (*rules, "LSTM")}
    networks = [Forecaster(units, seed + k) for k in range(starts)]
    for year in TESTED:
        start = (year - FIRST_YEAR) * YEAR
        for network in networks:
            network.learn(PASSENGERS[:start], epochs)
        for name, rule in rules.items():
            found[name][0].append(one_ahead(rule, start))
            found[name][1].append(year_ahead(rule, start))
        nexts = [network.next for network in networks]
        found["LSTM"][0].append(np.mean([one_ahead(rule, start) for rule in nexts], 0))
        found["LSTM"][1].append(np.mean([year_ahead(rule, start) for rule in nexts], 0))
    return {name: tuple(np.concatenate(years) for years in pair) for name, pair in found.items()}


def error(forecast):
    """Mean absolute error in per cent of the true number."""
    truth = PASSENGERS[-len(forecast) :]
    return 100 * float(np.mean(np.abs(forecast / truth - 1)))


def draw(found, options):
    figure, axes = subplots(1, 2, size=(11, 4), width_ratios=(3, 2))
    years = FIRST_YEAR + np.arange(len(PASSENGERS)) / YEAR
    test = years[-len(TESTED) * YEAR :]
    axes[0].plot(years, PASSENGERS, color=GREY, label="passengers")
    axes[0].plot(test, found["LSTM"][0], color=BLUE, label="LSTM, one month ahead")
    axes[0].plot(test, found["LSTM"][1], "--", color=RED, label="LSTM, a year ahead")
    axes[0].axvspan(test[0], test[-1], color=GREY, alpha=0.1, linewidth=0)
    axes[0].set(title="Forecasts of 1958 to 1960", ylabel="thousands", xlabel="year")
    axes[0].set(xlim=(1954, 1961), ylim=(150, 650))
    axes[0].legend(loc="upper left")
    places = np.arange(len(found))
    for shift, which, colour, label in ((-0.2, 0, BLUE, "one month"), (0.2, 1, ORANGE, "a year")):
        errors = [error(pair[which]) for pair in found.values()]
        bars = axes[1].barh(places + shift, errors, 0.38, color=colour, label=f"{label} ahead")
        axes[1].bar_label(bars, fmt="%.1f", padding=3, fontsize=9)
    axes[1].set(title="Mean error, per cent", yticks=places, yticklabels=list(found))
    axes[1].set(xlim=(0, 1.5 * max(error(f) for pair in found.values() for f in pair)))
    axes[1].invert_yaxis()
    axes[1].legend(loc="lower right")
    save(figure, options, "airline")


def main(arguments=None):
    options = settings(
        __doc__,
        arguments,
        units=(32, "units of the LSTM"),
        epochs=(300, "passes over the windows before each year"),
        starts=(3, "networks whose forecasts are averaged"),
    )
    found = walk(options.units, options.epochs, options.starts, options.seed)
    rows = [[name, *(f"{error(f):.1f} %" for f in pair)] for name, pair in found.items()]
    table(["error in 1958-1960", "one month ahead", "a year ahead"], rows)
    if options.plot:
        draw(found, options)
    return found


if __name__ == "__main__":
    main()
