"""Lessons of the examples about sequences: word vectors, a network that adds, one that writes."""

import numpy as np

import minikeras as keras
from tests.examples.conftest import Examples


def test_neighbours_of_a_word_lie_within_the_window(examples: Examples):
    module = examples.module("word2vec")
    numbers = np.arange(100, 160)
    word, near = module.neighbours(numbers, np.random.default_rng(0))
    distance = np.abs(word - near)
    assert distance.min() == 1
    assert distance.max() == module.WINDOW
    assert (np.bincount(distance)[1:-1] > np.bincount(distance)[2:]).all()


def test_frequent_words_are_thinned_out_and_rare_ones_kept(examples: Examples):
    module = examples.module("word2vec")
    numbers = np.concatenate([np.full(9000, 2), np.full(5, 3), np.full(95, 1)])
    kept = module.thinned(numbers, np.bincount(numbers), np.random.default_rng(0))
    assert (kept == 3).sum() == 5
    assert (kept == 2).sum() < 1000
    assert (kept == 1).sum() == 0


def test_words_of_one_company_get_vectors_side_by_side(examples: Examples, monkeypatch):
    module = examples.module("word2vec")
    monkeypatch.setattr(module, "FREQUENT", 1.0)  # there are few words
    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(0)
    groups = [np.arange(2, 7), np.arange(7, 12)]  # each sentence is of one group
    text = np.concatenate([rng.choice(groups[k % 2], 12) for k in range(200)])
    data = module.Company(text, 12, 256, seed=1)
    model = module.network(12, 8)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.02), loss)
    model.fit(data, epochs=4, verbose=0)
    vectors = module.unit_vectors(model)
    words = [str(k) for k in range(12)]
    assert {int(word) for word, _ in module.nearest("3", words, vectors, 4)} == {2, 4, 5, 6}


def test_sums_are_written_units_first_and_carries_counted(examples: Examples):
    module = examples.module("addition")
    questions, answers = module.written(np.array([47, 5]), np.array([25, 95]), 2)
    assert ["".join(row) for row in questions] == ["74+52", "5+59 "]
    assert ["".join(row) for row in answers] == ["27 ", "001"]
    assert module.carries(np.array([47, 5, 12]), np.array([25, 95, 30])).tolist() == [1, 2, 0]
    assert ["".join(row) for row in module.before(answers)] == ["^27", "^00"]


def test_the_halves_answer_as_the_whole_network_would(examples: Examples):
    module = examples.module("addition")
    keras.utils.set_random_seed(2)
    questions, answers = module.written(np.arange(10), np.arange(10)[::-1], 1)
    whole, encoder, decoder = module.networks(16)
    given = module.answer(questions, encoder, decoder, answers.shape[1])
    told = [module.rows(questions), module.rows(module.before(given))]
    chances = whole.predict(told, verbose=0)
    assert (np.array(module.SIGNS)[chances.argmax(axis=-1)] == given).all()


def test_pieces_of_a_text_go_on_from_one_to_the_next(examples: Examples):
    module = examples.module("character_model")
    read = module.pieces(np.arange(101), rows=2, length=10)
    assert len(read) == 5
    for (x, y), (after, _) in zip(read, read[1:], strict=False):
        assert (y == x + 1).all()
        assert (after[:, 0] == y[:, -1]).all()


def test_a_low_temperature_keeps_to_what_the_network_is_sure_of(examples: Examples):
    module = examples.module("character_model")
    _, rows = module.main(["--epochs", "3", "--units", "32", "--write", "150"])
    shares = [float(share.rstrip("%")) for _, share in rows]
    assert shares[0] > shares[-1]
