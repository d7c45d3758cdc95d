"""Binary cross entropy is softplus((1 - 2y) f): one curve for both answers.

    python examples/logistic_loss.py --plot

A network whose last number is f says "1" with probability s(f) and "0" with s(-f), together
s((2y - 1) f). The negative logarithm of that is softplus((1 - 2y) f), with softplus(a) =
log(1 + exp(a)). Its argument is positive exactly where the answer is wrong, and there the slope is
near 1; where the answer is right, the slope fades. It also stays finite where the logarithm of a
rounded probability does not.

The script compares the two forms number by number, then tells the digits 3 and 8 apart with both:
the weights come out the same.
"""

import numpy as np
from common import BLUE, ORANGE, digits, save, settings, subplots, table

import minikeras as keras
from minikeras import autodiff, losses, ops
from minikeras.layers import Dense

PAIR = (3, 8)


def softplus_loss(y_true, f):
    """The loss as the formula says it, usable in `compile`."""
    return ops.mean(ops.softplus((1 - 2 * y_true) * f), axis=-1)


def compare(f, y):
    """Both forms of the loss at numbers `f` with answers `y`, and their slopes."""
    rows = y[:, None], f[:, None]
    entropy = losses.binary_crossentropy(*rows, from_logits=True)
    slope = autodiff.grad(lambda f: ops.sum(softplus_loss(rows[0], f)))(rows[1])
    return np.asarray(softplus_loss(*rows)), np.asarray(entropy), np.asarray(slope)[:, 0]


def train(loss, options):
    """A linear classifier of 3 against 8: its weights and its accuracy on the test part."""
    keras.utils.set_random_seed(options.seed)
    (x, y), (x_test, y_test) = digits()
    model = keras.Sequential([keras.Input((64,)), Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss=loss)
    model.fit(*only(x, y), epochs=options.epochs, verbose=0)
    x_test, y_test = only(x_test, y_test)
    right = (model.predict(x_test, verbose=0) > 0) == y_test
    return np.concatenate([w.ravel() for w in model.get_weights()]), right.mean()


def only(x, y):
    """The images of the two digits, and 1 for the second of them."""
    chosen = np.isin(y, PAIR)
    return x[chosen], (y[chosen, None] == PAIR[1]).astype("float32")


def plot(options):
    f = np.linspace(-6, 6, 121)
    figure, (left, right) = subplots(1, 2)
    for y, colour in ((1.0, BLUE), (0.0, ORANGE)):
        loss, _, slope = compare(f, np.full_like(f, y))
        left.plot(f, loss, color=colour, label=f"y = {y:.0f}")
        right.plot(f, np.abs(slope), color=colour, label=f"y = {y:.0f}")
    left.set(xlabel="f, the last number of the network", ylabel="softplus((1 - 2y) f)")
    left.set_title("The loss")
    right.set(xlabel="f, the last number of the network", ylabel="size of the slope")
    right.set_title("Wrong: much slope; right: hardly any")
    for axis in (left, right):
        axis.axvline(0, color="black", linewidth=0.8)
        axis.legend(loc="upper center")
    save(figure, options, "logistic_loss")


def main(arguments=None):
    options = settings(__doc__, arguments, epochs=(100, "passes over the 3s and 8s"))
    f, y = np.array([-50.0, -2.0, 0.5, 3.0, 200.0]), np.array([1.0, 1.0, 1.0, 0.0, 0.0])
    columns = zip(f, y, *compare(f, y), strict=True)
    print("The two forms of the loss, and the slope, for an answer y:")
    table(
        ["f", "y", "softplus((1 - 2y) f)", "binary cross entropy", "slope"],
        [[f"{a:g}", f"{b:.0f}", f"{c:.6f}", f"{d:.6f}", f"{e:.4f}"] for a, b, c, d, e in columns],
    )
    from_library = losses.BinaryCrossentropy(from_logits=True)
    ours, right = train(softplus_loss, options)
    theirs, _ = train(from_library, options)
    difference = float(np.abs(ours - theirs).max())
    print(
        f"{PAIR[0]} against {PAIR[1]}: {right:.1%} of the test part right; the weights of the two"
    )
    print(f"forms differ by at most {difference:.1e}.")
    if options.plot:
        plot(options)
    return difference, right


if __name__ == "__main__":
    main()
