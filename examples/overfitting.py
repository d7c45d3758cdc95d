"""Underfitting and overfitting: errors by size of the network and by amount of data.

    python examples/overfitting.py --plot

Networks learn digits, 27 in 100 of them mislabelled. Too small a network gets neither training nor
test part right; with more units the training error falls to nothing, wrong labels included, while
the test error has its best in the middle. With more images, learning by heart gets too hard: the
training error rises to the share of wrong labels and the test error falls.

With scikit-learn installed, two other methods stand beside: nearest neighbours, whose bias grows
with their number k, and support vector machines. Mind the convention: in scikit-learn a larger C
allows fewer violations of the margin, hence less bias and more variance; lecture notes may use C
for the budget of violations, the other way round.
"""

from common import GREEN, RED, classifier, compiled, few_digits, save, settings, subplots, table

import minikeras as keras
from minikeras.optimizers import Adam

UNITS, COUNTS = (1, 2, 4, 8, 16, 64, 256), (50, 100, 200, 400, 800, 1438)


def errors(units, count, options):
    """Error on training and test part in per cent, of a network with one hidden layer."""
    keras.utils.set_random_seed(options.seed)
    train, test = few_digits(count)
    model = compiled(classifier((units,)), Adam(0.003))
    epochs = max(1, options.epochs * 500 // count)  # as many steps for every amount of data
    model.fit(*train, epochs=epochs, verbose=0)
    return [100 * (1 - model.evaluate(*part, verbose=0)[1]) for part in (train, test)]


def other_methods():
    """Errors of scikit-learn's neighbours and support vector machines; None where it is missing."""
    try:
        from sklearn.neighbors import KNeighborsClassifier
        from sklearn.svm import SVC
    except ImportError:
        return None
    methods = {f"{k} neighbours": KNeighborsClassifier(k) for k in (1, 5, 25, 100)}
    methods |= {f"SVM, C = {c:g}": SVC(C=c) for c in (0.02, 1, 100)}
    (x, y), (x_test, y_test) = few_digits(500)
    found = {}
    for name, method in methods.items():
        method.fit(x, y)
        found[name] = [100 * (1 - method.score(*part)) for part in ((x, y), (x_test, y_test))]
    return found


def plot(options, by_size, by_count):
    figure, axes = subplots(1, 2, size=(10, 3.8), sharey=True)
    for axis, found in zip(axes, (by_size, by_count), strict=True):
        parts = zip(*found.values(), strict=True)
        for values, label, colour in zip(parts, ("training", "test"), (GREEN, RED), strict=True):
            axis.plot(list(found), values, "o-", color=colour, label=f"{label} part")
        axis.set(xscale="log", ylim=(0, 100))
        axis.set_xticks(list(found), list(found))
        axis.minorticks_off()
    axes[0].set(xlabel="hidden units", ylabel="error (%)", title="500 images")
    axes[1].set(xlabel="training images", title="64 hidden units")
    axes[0].legend()
    save(figure, options, "overfitting")


def rows_of(found, name):
    return [
        [name.format(key), *(f"{error:.1f}" for error in errors)] for key, errors in found.items()
    ]


def main(arguments=None):
    options = settings(__doc__, arguments, epochs=(100, "passes over 500 images"))
    by_size = {units: errors(units, 500, options) for units in UNITS}
    by_count = {count: errors(64, count, options) for count in COUNTS}
    print("Digits, 3 of 10 labels of the training part drawn at random; error in per cent:")
    rows = rows_of(by_size, "{:3d} units, 500 images") + rows_of(by_count, "64 units, {} images")
    table(["network and data", "training", "test"], rows)
    others = other_methods()
    if others is None:
        print("For nearest neighbours and SVM beside them: pip install scikit-learn")
    else:
        table(["scikit-learn, 500 images", "training", "test"], rows_of(others, "{}"))
    if options.plot:
        plot(options, by_size, by_count)
    return by_size, by_count


if __name__ == "__main__":
    main()
