"""Layers for text and categories: Keras's values, in models, in files, and what they refuse."""

import copy
import json
import pickle
from pathlib import Path

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers
from minikeras.layers.fingerprints import siphash64
from minikeras.layers.values import ValueLayer
from minikeras.saving import deserialize_keras_object, serialize_keras_object

from .category_cases import CASES, TEXTS, learned

RECORDED = json.loads(
    Path(__file__).with_name("recorded_categories.json").read_text(encoding="utf-8")
)
TOKENS = ["a", "b", "c"]


def made(name):
    case = CASES[name]
    layer = getattr(layers, case.kind)(**case.arguments)
    if case.data is not None:
        layer.adapt(case.data)
    return layer


def inputs_of(name):
    given = CASES[name].inputs
    return [np.array(part) for part in given] if isinstance(given, tuple) else np.array(given)


def more(name):
    weights = CASES[name].weights
    return {} if weights is None else {"count_weights": np.array(weights, "float32")}


def assert_recorded(output, name):
    expected = RECORDED[name]
    assert list(output.shape) == expected["shape"]
    if output.dtype.kind == "f":
        np.testing.assert_allclose(output, expected["output"], rtol=1e-6, atol=1e-7)
    else:
        assert output.tolist() == expected["output"]
        assert output.dtype == object or output.dtype == expected["dtype"]


# --- values ---


@pytest.mark.parametrize("name", CASES)
def test_outputs_and_what_is_learned_are_those_of_keras(name):
    layer = made(name)
    assert learned(layer) == RECORDED[name]["learned"]
    assert_recorded(layer(inputs_of(name), **more(name)), name)


@pytest.mark.parametrize("name", [name for name in CASES if CASES[name].weights is None])
def test_models_compute_the_same_recorded_and_replayed(name):
    layer, x = made(name), inputs_of(name)
    parts = x if isinstance(x, list) else [x]
    entrances = [
        keras.Input(part.shape[1:], dtype="string" if part.dtype.kind == "U" else part.dtype)
        for part in parts
    ]
    output = layer(entrances if isinstance(x, list) else entrances[0])
    model = keras.Model(entrances, output)
    single = name.startswith("string_one_axis") or name == "encoding_multi_hot_flat"
    if single and "one_hot" not in name:
        return  # an axis of items without one of samples
    length_depends = name.startswith("text") and None in output.shape[1:]
    expected = RECORDED[name]
    if not length_depends:
        assert list(output.shape[1:]) == expected["shape"][1:]
        assert_recorded(model.predict(x, verbose=0), name)
        assert_recorded(model.predict(x, verbose=0, batch_size=len(parts[0])), name)
    else:
        with pytest.warns(UserWarning, match="output_sequence_length"):
            found = model.predict(x, verbose=0, batch_size=len(parts[0]))
        assert_recorded(found, name)


def test_sip_hash_is_that_of_its_paper():
    key = [0x0706050403020100, 0x0F0E0D0C0B0A0908]  # appendix A
    assert int(siphash64([bytes(range(15))], key)[0]) == 0xA129CA6149BE45E5


# --- ways to give text ---


@pytest.mark.parametrize(
    "given",
    [
        ["a b", "q"],
        np.array(["a b", "q"]),
        np.array(["a b", "q"], object),
        np.array([b"a b", b"q"]),
        np.array([["a b"], ["q"]]),
        (b"a b", "q"),
    ],
    ids=["list", "str", "object", "bytes", "column", "mixed"],
)
def test_text_comes_as_lists_or_arrays_of_any_kind(given):
    layer = layers.TextVectorization(vocabulary=TOKENS, output_sequence_length=2)
    assert layer(given).tolist() == [[2, 3], [1, 0]]
    model = keras.Sequential([layer])
    assert model.predict(given, verbose=0).tolist() == [[2, 3], [1, 0]]


def test_one_text_gives_one_row_of_numbers():
    assert layers.TextVectorization(vocabulary=TOKENS)("b a").tolist() == [3, 2]
    assert layers.StringLookup(vocabulary=TOKENS)("b").tolist() == 2


def test_one_text_without_a_dimension_is_looked_up():
    lookup = LOOKUP(vocabulary=TOKENS, mask_token="")
    assert [int(lookup(text)) for text in ("b", "q", "", np.array("c"))] == [3, 1, 0, 4]
    back = LOOKUP(vocabulary=TOKENS, mask_token="", invert=True)
    assert [str(back(np.array(number))) for number in (3, 1, 0)] == ["b", "[UNK]", ""]
    whole = VECTORIZE(split=None, standardize=None, vocabulary=["to be"])
    assert int(whole("to be")) == 2


def test_no_values_at_all_give_rows_without_ones():
    for mode in ("multi_hot", "count"):
        encode = ENCODE(3, mode)
        np.testing.assert_array_equal(encode(np.zeros((2, 0), int)), np.zeros((2, 3)))
        np.testing.assert_array_equal(encode(np.zeros(0, int)), np.zeros(3))
    assert layers.Hashing(3, mask_value="")(np.array([], str)).shape == (0,)


def test_crossed_features_may_be_lists_and_single_values():
    crossing = layers.HashedCrossing(5)
    words, numbers = ["A", "B"], [101, 102]
    wanted = crossing([np.array(words), np.array(numbers)])
    np.testing.assert_array_equal(crossing((words, numbers)), wanted)
    assert int(crossing(("A", 101))) == wanted[0]


def test_functions_standardize_and_split_arrays_of_text():
    layer = layers.TextVectorization(
        standardize=lambda texts: np.char.replace(texts, "-", " "),
        split=lambda texts: [text.split(" ") for text in texts],
        vocabulary=["a", "B"],
    )
    assert layer(["a-B", "b"]).tolist() == [[2, 3], [1, 0]]


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return np.array([["b", "a"], ["b", "c"]][index]), np.zeros(2)


DATA = {
    "list": (lambda: ["b", "a", "b", "c"], {}),
    "array": (lambda: np.array([["b"], ["a"], ["b"], ["c"]]), {}),
    "dataset": (Batches, {}),
    "generator": (lambda: iter([np.array(["b", "a"]), ["b", "c"]]), {}),
    "steps": (lambda: iter([["b", "a"], ["b", "c"], ["z", "z"]]), {"steps": 2}),
}


@pytest.mark.parametrize("form", DATA)
@pytest.mark.parametrize("kind", ["StringLookup", "TextVectorization"])
def test_layers_adapt_to_arrays_lists_datasets_and_generators(kind, form):
    data, options = DATA[form]
    layer = getattr(layers, kind)()
    layer.adapt(data(), **options)
    assert layer.get_vocabulary(include_special_tokens=False) == ["b", "c", "a"]


def test_adapting_anew_forgets_what_was_learned():
    layer = layers.StringLookup()
    layer.adapt(["a", "a", "b"])
    layer.adapt(["c", "d"])
    assert layer.get_vocabulary() == ["[UNK]", "d", "c"]
    layer.set_vocabulary(["x"])
    assert layer.get_vocabulary() == ["[UNK]", "x"]


def test_state_is_updated_batch_by_batch():
    layer = layers.TextVectorization(output_mode="tf_idf")
    for batch in (TEXTS[:2], TEXTS[2:]):
        layer.update_state(batch)
    layer.finalize_state()
    whole = layers.TextVectorization(output_mode="tf_idf")
    whole.adapt(TEXTS)
    assert layer.get_vocabulary() == whole.get_vocabulary()
    np.testing.assert_array_equal(layer(TEXTS), whole(TEXTS))


def test_a_vocabulary_may_be_a_file(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("zwei\nÜber\n", encoding="utf-8")
    for given in (str(path), path):
        layer = layers.StringLookup(vocabulary=given)
        assert layer.get_vocabulary() == ["[UNK]", "zwei", "Über"]
        assert layer.get_config()["vocabulary"] is None
    path.write_text("5\n-7\n")
    assert layers.IntegerLookup(vocabulary=str(path))([-7, 5, 0]).tolist() == [2, 1, 0]


# --- in models ---


def vectorizer(**arguments):
    layer = layers.TextVectorization(output_sequence_length=4, **arguments)
    layer.adapt(["good film", "bad film", "a good one", "so bad"])
    return layer


def classifier():
    keras.utils.set_random_seed(1)
    words = layers.CategoryEncoding(8, output_mode="count")
    text = keras.Input((1,), dtype="string")
    model = keras.Sequential([text, vectorizer(), words, layers.Dense(1, "sigmoid")])
    model.compile(keras.optimizers.Adam(0.05), "binary_crossentropy", metrics=["accuracy"])
    return model


REVIEWS = np.array(["good film", "a bad one", "so good", "bad bad film"] * 8)
LIKED = np.array([1.0, 0, 1, 0] * 8)


def test_a_model_learns_from_text():
    model = classifier()
    model.fit(REVIEWS, LIKED, epochs=40, verbose=0)
    assert model.evaluate(REVIEWS, LIKED, verbose=0)[1] == 1.0


@pytest.mark.parametrize("form", ["list", "column", "generator", "dataset", "eager"])
def test_training_is_the_same_however_the_text_comes(form):
    def weights_after(x, y, **how):
        model = classifier()
        if form == "eager":
            model.compile(keras.optimizers.Adam(0.05), "binary_crossentropy", run_eagerly=True)
        model.fit(x, y, epochs=3, verbose=0, **how)
        return model.get_weights()

    class Rows(keras.utils.PyDataset):
        def __len__(self):
            return 4

        def __getitem__(self, index):
            return REVIEWS[8 * index : 8 * index + 8], LIKED[8 * index : 8 * index + 8]

    expected = classifier()
    expected.fit(REVIEWS, LIKED, epochs=3, verbose=0, batch_size=8, shuffle=False)
    if form in ("list", "column", "eager"):
        x = {"list": REVIEWS.tolist(), "column": REVIEWS[:, None], "eager": REVIEWS}[form]
        found = weights_after(x, LIKED, batch_size=8, shuffle=False)
    elif form == "dataset":
        found = weights_after(Rows(), None, shuffle=False)
    else:
        endless = (batch for _ in range(3) for batch in Rows())
        found = weights_after(endless, None, steps_per_epoch=4)
    for a, b in zip(expected.get_weights(), found, strict=True):
        np.testing.assert_array_equal(a, b)


def test_text_is_split_weighed_and_validated_like_numbers():
    model = classifier()
    found = model.fit(
        REVIEWS, LIKED, validation_split=0.25, class_weight={0: 1.0, 1: 2.0}, verbose=0
    ).history
    assert "val_loss" in found
    model.fit(REVIEWS, LIKED, validation_data=(REVIEWS[:4], LIKED[:4]), verbose=0)
    assert model.train_on_batch(REVIEWS[:4], LIKED[:4])[0] > 0
    assert model.predict_on_batch(REVIEWS[:4]).shape == (4, 1)
    with pytest.raises(ValueError, match="also values of type NoneType"):
        model.predict(np.array([None, "good"], object))


def test_padding_is_masked_behind_an_embedding():
    words = vectorizer()
    embedding = layers.Embedding(words.vocabulary_size(), 3, mask_zero=True)
    model = keras.Sequential([words, embedding, layers.LSTM(2)])
    short = model.predict(["good film"], verbose=0)
    cut = layers.TextVectorization(
        vocabulary=words.get_vocabulary(), output_sequence_length=2
    )  # fmt: skip
    np.testing.assert_allclose(
        keras.Sequential([cut, *model.layers[1:]]).predict(["good film"], verbose=0),
        short,
        rtol=1e-6,
    )


def test_shuffled_text_keeps_its_targets():
    model = keras.Sequential([layers.StringLookup(vocabulary=TOKENS), layers.CategoryEncoding(4)])
    model.add(layers.Dense(1, use_bias=False))
    model.compile(keras.optimizers.SGD(0.5), "mse")
    x, y = np.array([["a"], ["b"], ["c"]] * 20), np.array([1.0, 2, 3] * 20)
    model.fit(x, y, epochs=40, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0][1:, 0], [1, 2, 3], atol=1e-3)


def test_text_and_numbers_are_inputs_of_one_model():
    words, size = keras.Input((1,), dtype="string", name="words"), keras.Input((2,), name="size")
    hashed = layers.Hashing(4, output_mode="one_hot")(words)
    model = keras.Model([words, size], layers.Dense(1)(layers.Concatenate()([hashed, size])))
    model.compile("sgd", "mse")
    data = {"words": np.array(["x", "y", "z"]), "size": np.ones((3, 2))}
    model.fit(data, np.ones(3), epochs=2, verbose=0)
    assert model.predict(data, verbose=0).shape == (3, 1)
    assert model([data["words"][:, None], data["size"]]).shape == (3, 1)


def test_a_subclass_looks_up_words_in_its_call():
    class Counts(keras.Model):
        def __init__(self):
            super().__init__()
            self.words = layers.TextVectorization(vocabulary=TOKENS, output_mode="count")
            self.out = layers.Dense(2)

        def call(self, x):
            return self.out(self.words(x))

    model = Counts()
    model.compile("sgd", "mse")
    model.fit(np.array(["a b", "c"]), np.zeros((2, 2)), verbose=0)
    assert model.predict(["a", "q"], verbose=0).shape == (2, 2)


def test_a_vocabulary_set_after_the_first_call_is_used_from_then_on():
    layer = vectorizer()
    model = keras.Sequential([layer])
    before = model.predict(["good"], verbose=0)
    layer.set_vocabulary(["so", "good"])
    assert before.tolist() == [[2, 0, 0, 0]]
    assert model.predict(["good"], verbose=0).tolist() == [[3, 0, 0, 0]]
    assert model(np.array(["so"])).tolist() == [[2, 0, 0, 0]]


# --- copies and files ---


@pytest.mark.parametrize("name", [name for name in CASES if CASES[name].weights is None])
@pytest.mark.parametrize("way", ["deepcopy", "pickle", "archive"])
def test_copies_and_files_hold_what_was_learned(name, way, tmp_path):
    layer = made(name)
    if way == "archive":
        parts = inputs_of(name) if isinstance(inputs_of(name), list) else [inputs_of(name)]
        dtypes = ["string" if part.dtype.kind == "U" else part.dtype for part in parts]
        pairs = zip(parts, dtypes, strict=True)
        entrances = [keras.Input(part.shape[1:], dtype=dtype) for part, dtype in pairs]
        output = layer(entrances if len(entrances) > 1 else entrances[0])
        keras.Model(entrances, output).save(tmp_path / "one.keras")
        again = keras.models.load_model(tmp_path / "one.keras").layers[-1]
    else:
        again = copy.deepcopy(layer) if way == "deepcopy" else pickle.loads(pickle.dumps(layer))
    assert again.get_config() == layer.get_config()
    assert_recorded(again(inputs_of(name)), name)


@pytest.mark.parametrize("name", ["string_given", "hashing", "bins_learned", "text_given"])
def test_a_record_makes_the_same_layer(name):
    layer = made(name)
    twin = deserialize_keras_object(json.loads(json.dumps(serialize_keras_object(layer))))
    assert twin.get_config() == layer.get_config()
    assert_recorded(twin(inputs_of(name)), name)


def test_archives_hold_vocabularies_where_keras_looks_for_them(tmp_path):
    import zipfile

    model = classifier()
    model.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        text = archive.read("assets/layers/text_vectorization/vocabulary.txt").decode()
        inner = archive.read("assets/layers/text_vectorization/_lookup_layer/vocabulary.txt")
    assert text == inner.decode() == "\n[UNK]\ngood\nfilm\nbad\nso\none\na"
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        again.predict(REVIEWS, verbose=0), model.predict(REVIEWS, verbose=0)
    )
    again.fit(REVIEWS, LIKED, verbose=0)


def test_files_of_the_older_format_have_no_place_for_what_was_learned(tmp_path):
    with pytest.raises(ValueError, match="no place for assets/.*End the name in `.keras`"):
        classifier().save(tmp_path / "model.h5")
    model = keras.Sequential([layers.TextVectorization(vocabulary=TOKENS, output_mode="count")])
    model.build((None, 1))
    model.save(tmp_path / "given.h5")
    again = keras.models.load_model(tmp_path / "given.h5")
    assert again.predict(["a b"], verbose=0).tolist() == [[0, 1, 1, 0]]


@pytest.mark.parametrize(
    "member", ["assets/../../x", "assets/layers/../y", "assets//etc/z", "assets/layers/dense/v.txt"]
)
def test_further_members_of_an_archive_go_nowhere(member, tmp_path):
    import zipfile

    path = tmp_path / "deep" / "model.keras"
    path.parent.mkdir()
    classifier().save(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(member, "harm")
    keras.models.load_model(path)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["deep", "model.keras"]


def test_a_configuration_may_not_name_a_file():
    for kind in (layers.StringLookup, layers.TextVectorization):
        config = kind().get_config()
        with pytest.raises(ValueError, match="not the path of a file.*/etc/passwd"):
            kind.from_config({**config, "vocabulary": "/etc/passwd"})


# --- what is refused ---

LOOKUP, VECTORIZE, ENCODE = layers.StringLookup, layers.TextVectorization, layers.CategoryEncoding
REFUSED = {
    "sparse": (lambda: LOOKUP(output_mode="count", sparse=True), "sparse outputs are not supp"),
    "ragged": (lambda: VECTORIZE(ragged=True), "ragged outputs are not supported"),
    "mode": (lambda: LOOKUP(output_mode="counts"), "Did you mean 'count'"),
    "text_mode": (lambda: VECTORIZE(output_mode="one_hot"), "must be one of 'int'"),
    "split": (lambda: VECTORIZE(split="words"), "`split` must be one of 'whitespace'"),
    "standard": (lambda: VECTORIZE(standardize="upper"), "must be one of 'lower_and_strip"),
    "ngrams": (lambda: VECTORIZE(ngrams="2"), "`ngrams` must be a positive integer"),
    "length": (lambda: VECTORIZE(output_mode="count", output_sequence_length=3), "is for output_m"),
    "one_token": (lambda: LOOKUP(max_tokens=1), "must be greater than 1"),
    "pad": (lambda: LOOKUP(pad_to_max_tokens=True, output_mode="count"), "needs `max_tokens`"),
    "no_numbers": (lambda: LOOKUP(num_oov_indices=-1), "at least 0"),
    "invert": (lambda: LOOKUP(invert=True, output_mode="count"), "needs output_mode='int'"),
    "idf": (lambda: LOOKUP(vocabulary=TOKENS, idf_weights=[1, 2, 3]), "are for output_mode='tf_i"),
    "no_idf": (lambda: LOOKUP(vocabulary=TOKENS, output_mode="tf_idf"), "needs `idf_weights`"),
    "few_idf": (
        lambda: LOOKUP(vocabulary=TOKENS, output_mode="tf_idf", idf_weights=[1.0]),
        "one number for each of the 3 tokens",
    ),
    "salt": (lambda: layers.IntegerLookup(salt=3), "`salt` needs oov_method='farmhash'"),
    "salts": (lambda: layers.Hashing(3, salt=[1, 2, 3]), "a whole number, or two of them"),
    "empty": (lambda: LOOKUP(vocabulary=[]), "at least one token"),
    "twice": (lambda: LOOKUP(vocabulary=["a", "b", "a"]), r"more than once: \['a'\]"),
    "reserved": (lambda: LOOKUP(vocabulary=["a", "m"], mask_token="m"), "mask_token 'm' stands"),
    "reserved_oov": (lambda: LOOKUP(vocabulary=["a", "[UNK]"], invert=True), "oov_token"),
    "many": (lambda: LOOKUP(vocabulary=TOKENS, max_tokens=3), "has 4 tokens"),
    "nested": (lambda: LOOKUP(vocabulary=[["a"]]), "one dimension"),
    "numbers": (lambda: layers.IntegerLookup(vocabulary=["a"]), "must hold whole numbers"),
    "mask_text": (lambda: layers.IntegerLookup(mask_token="a"), "`mask_token` must be"),
    "oov_text": (lambda: layers.IntegerLookup(oov_token="a"), "`oov_token` must be"),
    "mask_number": (lambda: LOOKUP(mask_token=0), "`mask_token` must be text"),
    "file": (lambda: LOOKUP(vocabulary="/no/such/file"), "does not exist"),
    "adapted": (lambda: LOOKUP(vocabulary=TOKENS).adapt(["a"]), "was given its vocabulary"),
    "steps": (lambda: LOOKUP().adapt(["a"], steps=3), "`steps` counts batches"),
    "adapt_numbers": (lambda: VECTORIZE().adapt([1, 2]), "takes text"),
    "not_text": (lambda: LOOKUP(vocabulary=TOKENS)(np.ones(3)), "StringLookup takes text.*Integer"),
    "not_ids": (lambda: layers.IntegerLookup(vocabulary=[1])(["a"]), "takes whole numbers.*text"),
    "mixed": (lambda: LOOKUP(vocabulary=TOKENS)(np.array(["a", None], object)), "NoneType"),
    "lengths": (lambda: LOOKUP(vocabulary=TOKENS)([["a"], ["b", "c"]]), "lists of different leng"),
    "unknown": (lambda: LOOKUP(vocabulary=TOKENS, num_oov_indices=0)(["q"]), r"also: \['q'\]"),
    "wide": (lambda: VECTORIZE(vocabulary=TOKENS)([["a", "b"]]), r"\(batch, 1\).*split=None"),
    "function": (
        lambda: VECTORIZE(vocabulary=TOKENS, split=lambda t: t)(["a"]),
        "must return a list of words for each text",
    ),
    "shrinks": (
        lambda: VECTORIZE(vocabulary=TOKENS, standardize=lambda t: t[:1])(["a", "b"]),
        r"as many texts as it is given.*\(1,\) for \(2,\)",
    ),
    "bins": (lambda: layers.Hashing(0), "`num_bins` must be a positive integer"),
    "hash_dtype": (lambda: layers.Hashing(3, dtype="float32"), "'int32' or 'int64'"),
    "mask": (lambda: layers.Hashing(3, mask_value=1)(["a"]), "of the kind of the inputs"),
    "hash_bool": (lambda: layers.Hashing(3)(np.array([True])), "takes text or whole numbers"),
    "alone": (lambda: layers.HashedCrossing(3)(np.array(["a"])), "at least two inputs"),
    "shapes": (
        lambda: layers.HashedCrossing(3)([np.array(["a"]), np.array([1, 2])]),
        r"\(1,\), \(2,\)",
    ),
    "wide_cross": (lambda: layers.HashedCrossing(3)([np.ones((2, 3), int)] * 2), r"\(batch, 1\)"),
    "cross_float": (lambda: layers.HashedCrossing(3)([np.ones(2)] * 2), "text or whole numbers"),
    "no_count": (lambda: ENCODE(), "needs `num_tokens`.*IntegerLookup"),
    "negative": (lambda: ENCODE(3)([[0, -1]]), "from 0 to 2.*-1 to 0"),
    "large": (lambda: ENCODE(3)([[0, 3]]), "from 0 to 2.*0 to 3"),
    "halves": (lambda: ENCODE(3)(np.array([0.5])), "takes whole numbers.*Discretization"),
    "weights": (lambda: ENCODE(3)([[0]], count_weights=[[1.0]]), "are for output_mode='count'"),
    "weights_shape": (
        lambda: ENCODE(3, "count")([[0]], count_weights=[[1.0, 2.0]]),
        r"\(1, 2\) for \(1, 1\)",
    ),
    "neither": (lambda: layers.Discretization(), "needs either `bin_boundaries`"),
    "both": (lambda: layers.Discretization([0.0], num_bins=3), "needs either `bin_boundaries`"),
    "descending": (lambda: layers.Discretization([1.0, 0.0]), "must ascend"),
    "epsilon": (lambda: layers.Discretization(num_bins=3, epsilon=0), "above 0"),
    "given_bins": (lambda: layers.Discretization([0.0]).adapt(np.ones(3)), "cannot be adapted"),
    "no_bins": (lambda: layers.Discretization(num_bins=3)(np.ones(3)), "has no bins yet"),
    "dense": (lambda: layers.Dense(3)(np.array([["a"]])), "takes numbers.*TextVectorization"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_makes_no_sense_is_refused_with_advice(name):
    mistake, message = REFUSED[name]
    with pytest.raises(ValueError, match=message):
        mistake()


def test_a_layer_without_a_vocabulary_says_so():
    for mode in ("int", "count"):
        with pytest.raises(RuntimeError, match="has no vocabulary yet.*`adapt`"):
            layers.StringLookup(output_mode=mode)(["a"])


def test_a_vocabulary_that_decides_the_shape_keeps_its_size():
    layer = layers.StringLookup(output_mode="count", vocabulary=TOKENS)
    layer.set_vocabulary(["x", "y", "z"])
    with pytest.raises(RuntimeError, match="cannot change in size.*3 tokens instead of 4"):
        layer.set_vocabulary(["x", "y"])


def test_models_refuse_text_for_numbers_and_numbers_for_text():
    model = keras.Sequential([vectorizer()])
    model.predict(["good"], verbose=0)
    with pytest.raises(ValueError, match="takes text as `x`.*dtype float32"):
        model.predict(np.ones((2, 1)))
    plain = keras.Sequential([layers.Dense(1)])
    with pytest.raises(ValueError, match="`x` must hold numbers.*Encode it as numbers"):
        plain.predict(np.array(["a", "b"]))
    plain.compile("sgd", "mse")
    with pytest.raises(ValueError, match="`y` must hold numbers"):
        plain.fit(np.ones((2, 1)), ["a", "b"], verbose=0)


def test_tokens_that_are_unknown_are_told_while_a_model_predicts():
    lookup = layers.StringLookup(vocabulary=TOKENS, num_oov_indices=0)
    model = keras.Sequential([keras.Input((1,), dtype="string"), lookup])
    with pytest.raises(ValueError, match=r"all tokens must be in the vocabulary.*\['q'\]"):
        model.predict(["a", "q"], verbose=0)
    assert model.predict(["b"], verbose=0).tolist() == [[1]]


def test_every_layer_for_values_has_recorded_cases():
    kinds = {
        kind.__name__
        for kind in vars(layers).values()
        if isinstance(kind, type) and issubclass(kind, ValueLayer)
    }
    assert kinds == {case.kind for case in CASES.values()}
    assert set(CASES) == set(RECORDED)
