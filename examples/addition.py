"""Sequence to sequence: a network that learns to add from examples of sums written in digits.

    python examples/addition.py --plot

An encoder reads "47+25" digit by digit and keeps what matters in its states; a decoder starts from
these states and writes "72" digit by digit, each time told the digit before: the right one while it
learns, its own when it answers. It is never told what a digit is worth, nor that one carries. A
part of all sums is kept back, so that learning by heart does not help. The numbers are written
backwards, units first, because that is the order in which one carries (after Sutskever et al. 2014
and Zaremba and Sutskever 2014).
"""

import numpy as np
from common import BLUE, COLOURS, GREY, save, settings, subplots, table

import minikeras as keras
from minikeras.layers import LSTM, CategoryEncoding, Dense, StringLookup

SIGNS = [*"0123456789", "+", " ", "^"]  # ^ stands before the answer
TESTED = 1000  # sums, at most
LOOKUP = StringLookup(vocabulary=SIGNS, num_oov_indices=0)
ONE_HOT = CategoryEncoding(len(SIGNS), output_mode="one_hot")


def written(a, b, digits):
    """Sums as arrays of characters: questions "74+52  ", answers "27 ", both units first."""
    width = digits + 1
    questions = [
        f"{str(p)[::-1]}+{str(q)[::-1]}".ljust(2 * digits + 1) for p, q in zip(a, b, strict=True)
    ]
    answers = [str(p + q)[::-1].ljust(width) for p, q in zip(a, b, strict=True)]
    return np.array([list(text) for text in questions]), np.array([list(t) for t in answers])


def rows(characters):
    """Characters as rows of zeros and a one."""
    return np.reshape(ONE_HOT(LOOKUP(characters)), (*characters.shape, len(SIGNS)))


def before(answers):
    """What the decoder is told: each answer a step later, a sign for the start in front."""
    start = np.full((len(answers), 1), "^")
    return np.concatenate([start, answers[:, :-1]], axis=1)


def networks(units):
    """The network that learns; and its two halves, which answer digit by digit."""
    question = keras.Input((None, len(SIGNS)), name="question")
    told = keras.Input((None, len(SIGNS)), name="told")
    states = [keras.Input((units,), name=name) for name in ("h", "c")]
    decoder = LSTM(units, return_sequences=True, return_state=True, name="decoder")
    digit = Dense(len(SIGNS), activation="softmax", name="digit")
    _, *meaning = LSTM(units, return_state=True, name="encoder")(question)
    whole = keras.Model([question, told], digit(decoder(told, initial_state=meaning)[0]))
    encoder = keras.Model(question, meaning)
    output, *after = decoder(told, initial_state=states)
    return whole, encoder, keras.Model([told, *states], [digit(output), *after])


def answer(questions, encoder, decoder, width):
    """What the network writes, each digit given what it wrote before."""
    states = encoder.predict(rows(questions), verbose=0)
    characters = np.full((len(questions), 1), "^")
    for _ in range(width):
        told = [rows(characters[:, -1:]), *states]
        chances, *states = decoder.predict(told, verbose=0)
        best = np.array(SIGNS)[chances[:, -1].argmax(axis=1)]
        characters = np.concatenate([characters, best[:, None]], axis=1)
    return characters[:, 1:]


class Exam(keras.callbacks.Callback):
    """After each epoch: the share of right digits at each place, and of right answers."""

    def __init__(self, questions, answers, encoder, decoder):
        self.questions, self.answers = questions, answers
        self.halves, self.places, self.right = (encoder, decoder), [], []

    def on_epoch_end(self, epoch, logs=None):
        given = answer(self.questions, *self.halves, self.answers.shape[1])
        right = given == self.answers
        self.places.append(right.mean(axis=0))
        self.right.append(right.all(axis=1).mean())


def carries(a, b):
    """How often one carries in each sum."""
    count, carry = np.zeros(len(a), int), np.zeros(len(a), int)
    while (a > 0).any() or (b > 0).any():
        carry = (a % 10 + b % 10 + carry) // 10
        count += carry
        a, b = a // 10, b // 10
    return count


def plot(options, exam):
    figure, axis = subplots(1, 1, size=(7.5, 4.2))
    epochs = range(1, len(exam.right) + 1)
    names = ["units", "tens", "hundreds", "thousands", "ten thousands"]
    for place, (name, values) in enumerate(zip(names, np.transpose(exam.places), strict=False)):
        axis.plot(epochs, values, color=COLOURS[place + 1], label=name, alpha=0.8)
    axis.plot(epochs, exam.right, color=BLUE, linewidth=2.5, label="the whole answer")
    axis.axhline(0.1, color=GREY, linestyle=":", linewidth=1)
    axis.set(xlabel="epoch", ylabel="share that is right", ylim=(0, 1.02))
    axis.set_title("Sums that the network has never seen")
    axis.legend(loc="lower right")
    save(figure, options, "addition")


def main(arguments=None):
    options = settings(
        __doc__,
        arguments,
        digits=(2, "digits of the numbers"),
        samples=(6000, "sums to learn from"),
        units=(96, "units of encoder and decoder"),
        epochs=(30, "passes over them"),
    )
    rng = np.random.default_rng(options.seed)
    largest = 10**options.digits
    tested = min(TESTED, largest**2 // 5)
    pairs = rng.permutation(largest**2)[: options.samples + tested]
    a, b = pairs // largest, pairs % largest
    questions, answers = written(a, b, options.digits)
    test, train = slice(0, tested), slice(tested, None)
    whole, encoder, decoder = networks(options.units)
    whole.compile(keras.optimizers.Adam(0.003), "categorical_crossentropy")
    exam = Exam(questions[test], answers[test], encoder, decoder)
    whole.fit(
        [rows(questions[train]), rows(before(answers[train]))],
        rows(answers[train]),
        batch_size=64,
        epochs=options.epochs,
        callbacks=[exam],
        verbose=0,
    )
    given = answer(questions[test], encoder, decoder, answers.shape[1])
    right = (given == answers[test]).all(axis=1)
    print(f"{len(a) - tested} sums to learn from, {tested} of the others to be tested on.")
    print(f"Right answers to those: {right.mean():.1%}.\n")
    found = ["".join(row[::-1]).strip() or "-" for row in given]
    shown = [*range(8), *np.flatnonzero(~right)[:3]]
    table(
        ["sum", "answer", ""],
        [[f"{a[k]}+{b[k]}", found[k], "" if right[k] else f"no: {a[k] + b[k]}"] for k in shown],
    )
    carried = carries(a[test], b[test])
    lines = [
        [count, int((carried == count).sum()), f"{right[carried == count].mean():.1%}"]
        for count in np.unique(carried)
    ]
    table(["carried", "sums", "right"], lines)
    if options.plot:
        plot(options, exam)
    return exam.right


if __name__ == "__main__":
    main()
