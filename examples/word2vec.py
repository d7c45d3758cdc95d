"""Word vectors from nothing but text: skip-gram with negative sampling.

    python examples/word2vec.py --text BOOK.txt --plot

A word is known by the company it keeps. A network of two tables of vectors is shown a word of the
text and one from its neighbourhood, and should say yes; and the word and one drawn by lot, and
should say no (after Mikolov et al. 2013). All it has is the scalar product of two vectors, so words
with the same neighbours end up side by side. Words that are everywhere are left out more often than
not. Without `--text` it reads what this library says of itself, which is short: vectors of a whole
book are better.
"""

import numpy as np
from common import BLUE, ORANGE, RED, save, settings, subplots, table, text

import minikeras as keras
from minikeras.layers import Dot, Embedding, Flatten, TextVectorization

WINDOW, DRAWN = 4, 5  # neighbours on each side; words drawn by lot for each neighbour
FREQUENT = 1e-3  # words with a larger share of the text than this are thinned out
PROBES = ("layer", "weights", "loss", "batch", "rows", "each", "input", "of", "after", "text")


def numbered(words, vocabulary):
    """The words of a text as numbers, and the word of each number."""
    layer = TextVectorization(max_tokens=vocabulary)
    layer.adapt([words])
    return layer([words])[0], layer.get_vocabulary()


def thinned(numbers, counts, rng):
    """The text without the unknown words, and with fewer of the most frequent ones."""
    share = counts / counts.sum()
    kept = np.sqrt(FREQUENT / np.maximum(share, FREQUENT))
    return numbers[(numbers > 1) & (rng.random(len(numbers)) < kept[numbers])]


def neighbours(numbers, rng):
    """Pairs of a word and one of its neighbourhood, whose size is drawn anew for each word."""
    reach = rng.integers(1, WINDOW + 1, len(numbers))
    pairs = []
    for distance in range(1, WINDOW + 1):
        near = np.flatnonzero(reach >= distance)
        for place in (near - distance, near + distance):
            inside = (place >= 0) & (place < len(numbers))
            pairs.append((numbers[near[inside]], numbers[place[inside]]))
    return np.concatenate(pairs, axis=1)


class Company(keras.utils.PyDataset):
    """Batches of words, of their neighbours (right) and words drawn by lot (wrong)."""

    def __init__(self, numbers, vocabulary, batch, seed):
        super().__init__()
        self.numbers, self.batch = numbers, batch
        self.rng = np.random.default_rng(seed)
        self.counts = np.bincount(numbers, minlength=vocabulary).astype(float)
        self.counts[:2] = 0
        lots = self.counts**0.75  # rare words are drawn more often than they occur
        self.lots = np.cumsum(lots / lots.sum())
        self.on_epoch_end()

    def on_epoch_end(self):
        text = thinned(self.numbers, self.counts, self.rng)
        self.pairs = neighbours(text, self.rng)
        self.order = self.rng.permutation(self.pairs.shape[1])

    def __len__(self):
        return max(1, len(self.numbers) * WINDOW // 2 // self.batch)

    def __getitem__(self, index):
        chosen = self.order[(index * self.batch + np.arange(self.batch)) % len(self.order)]
        word, near = self.pairs[:, chosen]
        drawn = np.searchsorted(self.lots, self.rng.random((self.batch, DRAWN)))
        answers = np.zeros((self.batch, 1 + DRAWN), "float32")
        answers[:, 0] = 1
        return (word[:, None], np.concatenate([near[:, None], drawn], axis=1)), answers


def network(vocabulary, size):
    """Says by a scalar product how well each of several words goes with one word."""
    word = keras.Input((1,), dtype="int64", name="word")
    others = keras.Input((1 + DRAWN,), dtype="int64", name="others")
    near = Embedding(vocabulary, size, embeddings_initializer="zeros", name="near")(others)
    meant = Embedding(vocabulary, size, name="meant")(word)
    return keras.Model([word, others], Flatten()(Dot(axes=2)([meant, near])))


def unit_vectors(model):
    """The vectors of all words, of length 1, around their mean."""
    vectors = model.get_layer("meant").get_weights()[0]
    vectors = vectors - vectors[2:].mean(axis=0)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def nearest(word, words, vectors, count=5):
    """The words whose vectors point most nearly the same way, and the cosines of the angles."""
    closeness = vectors @ vectors[words.index(word)]
    closeness[[0, 1, words.index(word)]] = -2
    order = np.argsort(-closeness)[:count]
    return [(words[k], float(closeness[k])) for k in order]


def plot(options, words, vectors, losses):
    from matplotlib.ticker import MaxNLocator

    figure, (left, right) = subplots(1, 2, size=(14, 7.5), gridspec_kw={"width_ratios": [1, 3.2]})
    left.plot(range(1, len(losses) + 1), losses, color=BLUE)
    left.set(xlabel="epoch", ylabel="cross entropy", title="Learning")
    left.xaxis.set_major_locator(MaxNLocator(integer=True))
    shown = vectors[2 : 2 + options.shown]
    _, _, axes = np.linalg.svd(shown - shown.mean(axis=0), full_matrices=False)
    places = (shown - shown.mean(axis=0)) @ axes[:2].T
    right.scatter(*places.T, s=8, color=ORANGE)
    for word, place in zip(words[2:], places, strict=False):
        probe = word in PROBES
        right.annotate(word, place, fontsize=8 + probe, color=RED if probe else "black")
    right.set(title=f"The {len(shown)} most frequent words, in two principal components")
    right.set(xticks=[], yticks=[])
    save(figure, options, "word2vec")


def main(arguments=None):
    options = settings(
        __doc__,
        arguments,
        text=("", "file to read"),
        vocabulary=(600, "different words that get a vector"),
        size=(32, "numbers of a vector"),
        epochs=(40, "passes over the text"),
        shown=(100, "words in the picture"),
    )
    numbers, words = numbered(text(options.text), options.vocabulary)
    data = Company(numbers, len(words), 256, options.seed)
    model = network(len(words), options.size)
    model.compile(
        keras.optimizers.Adam(0.01), keras.losses.BinaryCrossentropy(from_logits=True)
    )  # fmt: skip
    losses = model.fit(data, epochs=options.epochs, verbose=0).history["loss"]
    vectors = unit_vectors(model)
    print(f"{len(numbers)} words of text, {len(words) - 2} different ones with a vector.")
    print(f"Cross entropy {losses[0]:.3f} in the first epoch, {losses[-1]:.3f} in the last.\n")
    probes = [word for word in PROBES if word in words]
    found = {word: nearest(word, words, vectors) for word in probes}
    rows = [[word, *(f"{w} {c:.2f}" for w, c in near)] for word, near in found.items()]
    table(["word", "nearest", "", "", "", ""], rows)
    if options.plot:
        plot(options, words, vectors, losses)
    return losses, found


if __name__ == "__main__":
    main()
