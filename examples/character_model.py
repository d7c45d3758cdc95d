"""A recurrent network that writes: the next character of a text, then a page of its own.

    python examples/character_model.py --plot

An LSTM reads a text character by character and says which one comes next. Its states go on from
one piece of the text to the next, while gradients end at the border of a piece (truncated
backpropagation through time). What it says are chances, from which the next character is drawn,
read in turn, and so on. A low temperature sharpens the chances, so that it keeps to what it is sure
of; a high one flattens them (after Graves 2013 and Karpathy 2015). Without `--text` it reads what
this library says of itself.
"""

import numpy as np
from common import BLUE, COLOURS, GREY, ORANGE, save, settings, subplots, table, text

import minikeras as keras
from minikeras.layers import LSTM, Dense, Embedding, StringLookup

TEMPERATURES = (0.3, 0.7, 1.0, 1.5)
BEGINNING = "The "
ASKED = BEGINNING + "w"  # what follows this, and with which chances?
LN2 = np.log(2)


def network(signs, units, rows):
    """Reads `rows` texts at once and remembers how each went on."""
    read = keras.Input(batch_shape=(rows, None), dtype="int64")
    hidden = LSTM(units, return_sequences=True, stateful=True)(Embedding(signs, 32)(read))
    return keras.Model(read, Dense(signs)(hidden))


def pieces(numbers, rows, length):
    """The text in `rows` columns, cut into pieces of `length`; piece after piece goes on."""
    steps = (len(numbers) - 1) // rows // length * length
    read = numbers[: rows * steps].reshape(rows, steps)
    next_ones = numbers[1 : rows * steps + 1].reshape(rows, steps)
    cut = range(0, steps, length)
    return [(read[:, k : k + length], next_ones[:, k : k + length]) for k in cut]


class Pieces(keras.utils.PyDataset):
    """The pieces of a text, in order."""

    def __init__(self, numbers, rows, length):
        super().__init__()
        self.pieces = pieces(numbers, rows, length)

    def __len__(self):
        return len(self.pieces)

    def __getitem__(self, index):
        return self.pieces[index]


def forget(model):
    """Empty the states."""
    for layer in model.layers:
        if isinstance(layer, LSTM):
            layer.reset_state()


class Beginning(keras.callbacks.Callback):
    """Each pass over the text, and each test, begins with empty states."""

    def on_epoch_begin(self, epoch, logs=None):
        forget(self.model)

    def on_test_begin(self, logs=None):
        forget(self.model)


def one_by_one(model, signs, units):
    """The same network for one text, a character at a time."""
    single = network(signs, units, 1)
    single.set_weights(model.get_weights())
    return single


def written(model, lookup, start, count, temperature, rng):
    """Text that the network writes after a start."""
    letters = np.array(lookup.get_vocabulary())
    forget(model)
    scores = model.predict(lookup([list(start)]), verbose=0)[0, -1]
    result = []
    for _ in range(count):
        chances = np.exp((scores - scores.max()) / temperature)
        chances[0] = 0  # the unknown character
        chosen = rng.choice(len(chances), p=chances / chances.sum())
        result.append(letters[chosen])
        scores = model.predict(np.array([[chosen]]), verbose=0)[0, -1]
    return start + "".join(result)


def real_words(sample, words):
    """The share of words that are in the text that was read."""
    found = sample.lower().split()
    return np.mean([word in words for word in found])


def plot(options, history, baseline, spread):
    figure, (left, right) = subplots(1, 2, size=(11.5, 4))
    epochs = range(1, len(history["loss"]) + 1)
    left.plot(epochs, np.array(history["loss"]) / LN2, color=BLUE, label="text that it learns")
    left.plot(epochs, np.array(history["val_loss"]) / LN2, color=ORANGE, label="text kept back")
    left.axhline(baseline, color=GREY, linestyle=":", label="how frequent each character is")
    left.set(xlabel="epoch", ylabel="bits for each character", title="Learning")
    left.legend()
    letters, chances = spread
    for k, (temperature, values) in enumerate(chances.items()):
        right.plot(values, ".-", color=COLOURS[k], label=f"temperature {temperature}")
    right.set(ylabel="chance", title=f"What may come after {ASKED!r}")
    names = ["space" if letter == " " else repr(letter)[1:-1] for letter in letters]
    right.set_xticks(range(len(letters)), names)
    right.legend()
    save(figure, options, "character_model")


def likeliest(model, lookup, count=12):
    """The likeliest characters after a beginning, and their chances at each temperature."""
    forget(model)
    scores = model.predict(lookup([list(ASKED)]), verbose=0)[0, -1]
    order = np.argsort(-scores)[:count]
    letters = [lookup.get_vocabulary()[k] for k in order]
    found = {}
    for temperature in TEMPERATURES:
        chances = np.exp((scores - scores.max()) / temperature)
        found[temperature] = (chances / chances.sum())[order]
    return letters, found


def main(arguments=None):
    options = settings(
        __doc__,
        arguments,
        text=("", "file to read"),
        units=(128, "units of the LSTM"),
        rows=(16, "places of the text that are read at once"),
        length=(50, "characters from one update to the next"),
        epochs=(25, "passes over the text"),
        write=(300, "characters to write at each temperature"),
    )
    whole = text(options.text)
    lookup = StringLookup()
    lookup.adapt(list(whole))
    numbers, signs = lookup(list(whole)), lookup.vocabulary_size()
    border = int(0.9 * len(numbers))
    train = Pieces(numbers[:border], options.rows, options.length)
    test = Pieces(numbers[border:], options.rows, options.length)
    model = network(signs, options.units, options.rows)
    model.compile(
        keras.optimizers.Adam(0.004, clipnorm=1.0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    history = model.fit(
        train,
        validation_data=test,
        epochs=options.epochs,
        shuffle=False,
        callbacks=[Beginning()],
        verbose=0,
    ).history
    share = np.bincount(numbers[:border], minlength=signs)[1:] / border
    baseline = -np.sum(share * np.log2(np.maximum(share, 1e-12)))
    print(f"{len(whole)} characters, {signs - 1} different ones.")
    print(f"Bits for each: {baseline:.2f} by how frequent they are;")
    print(
        f"{history['loss'][-1] / LN2:.2f} by the network, "
        f"{history['val_loss'][-1] / LN2:.2f} on text that it has not read "
        f"(at best {min(history['val_loss']) / LN2:.2f}).\n"
    )
    single, rng = one_by_one(model, signs, options.units), np.random.default_rng(options.seed)
    words, rows = set(whole.lower().split()), []
    for temperature in TEMPERATURES:
        sample = written(single, lookup, BEGINNING, options.write, temperature, rng)
        rows.append([temperature, f"{real_words(sample, words):.0%}"])
        print(f"--- temperature {temperature} ---\n{sample}\n")
    table(["temperature", "words that are in the text"], rows)
    if options.plot:
        plot(options, history, baseline, likeliest(single, lookup))
    return history, rows


if __name__ == "__main__":
    main()
