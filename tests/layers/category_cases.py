"""Layers for text and categories whose outputs and vocabularies real Keras recorded."""

from typing import Any, NamedTuple

import numpy as np


class Case(NamedTuple):
    """A layer of `keras.layers` by its class name, what it adapts to, and an input."""

    kind: str
    arguments: dict[str, Any]
    inputs: Any
    data: Any = None
    weights: Any = None


TEXTS = [
    "The quick brown fox jumps over the lazy dog.",
    "  The dog, the dog!  It's (really) lazy...\tand\nslow ",
    "ÜBER die Brücke geht der Fuchs; ÉTÉ 2024 – naïve",
    "",
    "no\u00a0break \u2003 em-space x_y @home #1",
]
NEW = ["the fox and the hen", "Dog dog DOG", "", "ÜBER über été étÉ", "a\u00a0b lazy-dog"]
WORDS = [["a", "b", "c"], ["c", "c", "d"], ["e", "", "a"], ["m", "zz", "[UNK]"]]
VOCABULARY = ["a", "b", "c", "d"]
IDS = [[12, 7, 7, -3], [0, 12, 5, 2**40], [7, 7, 7, 1000]]
LETTERS = [["A"], ["B"], ["C"], ["D"], [""], ["a longer text of more than sixteen bytes"]]
LONG = [["x" * n + "é" * (n % 3)] for n in (0, 1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33)]
LONG += [["Keras " * n] for n in (8, 10, 11, 12, 21, 22, 40, 200)]
NUMBERS = np.random.default_rng(3).normal(size=(40, 3)).round(3).tolist()


def _texts(**arguments: Any) -> Case:
    return Case("TextVectorization", arguments, NEW, TEXTS)


def _strings(data: Any = None, **arguments: Any) -> Case:
    return Case("StringLookup", arguments, WORDS, data)


def _ids(data: Any = None, **arguments: Any) -> Case:
    return Case("IntegerLookup", arguments, IDS, data)


TF_IDF = {"output_mode": "tf_idf", "vocabulary": VOCABULARY, "idf_weights": [0.1, 0.2, 0.3, 0.7]}
MANY = {"vocabulary": ["a"], "num_oov_indices": 4}
COUNT, HOT, ONE = ({"output_mode": mode} for mode in ("count", "multi_hot", "one_hot"))

CASES = {
    "text": _texts(),
    "text_lower": _texts(standardize="lower"),
    "text_strip": _texts(standardize="strip_punctuation"),
    "text_plain": _texts(standardize=None),
    "text_characters": _texts(split="character"),
    "text_unsplit": _texts(split=None),
    "text_ngrams": _texts(ngrams=3, output_sequence_length=9),
    "text_pairs": _texts(ngrams=(2,)),
    "text_short": _texts(output_sequence_length=3),
    "text_long": _texts(output_sequence_length=12),
    "text_few": _texts(max_tokens=6),
    "text_multi_hot": _texts(max_tokens=40, pad_to_max_tokens=True, **HOT),
    "text_count": _texts(max_tokens=8, **COUNT),
    "text_tf_idf": _texts(output_mode="tf_idf"),
    "text_tf_idf_ngrams": _texts(output_mode="tf-idf", ngrams=2, max_tokens=12),
    "text_tf_idf_padded": _texts(output_mode="tf_idf", max_tokens=50, pad_to_max_tokens=True),
    "text_given": Case("TextVectorization", {"vocabulary": ["dog", "the", "été"]}, NEW),
    "text_given_specials": Case("TextVectorization", {"vocabulary": ["", "[UNK]", "dog"]}, NEW),
    "text_columns": Case("TextVectorization", {}, [[text] for text in NEW], TEXTS),
    "text_split_before": Case("TextVectorization", {"split": None}, WORDS, WORDS),
    "text_split_before_long": Case(
        "TextVectorization", {"split": None, "ngrams": 2, "output_sequence_length": 7}, WORDS, WORDS
    ),
    "text_split_before_count": Case("TextVectorization", {"split": None, **COUNT}, WORDS, WORDS),
    "string": _strings(WORDS),
    "string_given": _strings(vocabulary=VOCABULARY),
    "string_masked": _strings(vocabulary=VOCABULARY, mask_token="m"),
    "string_masked_learned": _strings(WORDS, mask_token=""),
    "string_several_unknown": _strings(vocabulary=["b"], num_oov_indices=3, mask_token=""),
    "string_salted": _strings(vocabulary=["b"], num_oov_indices=5, salt=[3, 9]),
    "string_one_hot": _strings(vocabulary=VOCABULARY, **ONE),
    "string_multi_hot": _strings(vocabulary=VOCABULARY, mask_token="m", **HOT),
    "string_count": _strings(WORDS, max_tokens=4, **COUNT),
    "string_count_padded": _strings(WORDS, max_tokens=9, pad_to_max_tokens=True, **COUNT),
    "string_tf_idf": _strings(**TF_IDF),
    "string_tf_idf_learned": _strings(WORDS, output_mode="tf_idf"),
    "string_tf_idf_padded": _strings(**TF_IDF, max_tokens=7, pad_to_max_tokens=True),
    "string_tf_idf_specials": _strings(
        output_mode="tf_idf", vocabulary=["[UNK]", *VOCABULARY], idf_weights=[1, 2, 3, 4, 5]
    ),
    "string_invert": Case(
        "StringLookup", {"vocabulary": VOCABULARY, "invert": True}, [[0, 1, 4, 5, -1]]
    ),
    "string_invert_masked": Case(
        "StringLookup",
        {"vocabulary": VOCABULARY, "invert": True, "mask_token": "", "num_oov_indices": 2},
        [[0, 1, 2, 3, 6, 7]],
    ),
    "string_one_axis": Case("StringLookup", {"vocabulary": VOCABULARY, **HOT}, ["a", "c", "q"]),
    "string_one_axis_one_hot": Case("StringLookup", {"vocabulary": VOCABULARY, **ONE}, ["a", "q"]),
    "string_column_one_hot": Case(
        "StringLookup", {"vocabulary": VOCABULARY, **ONE}, [["a"], ["q"]]
    ),
    "string_column_count": Case(
        "StringLookup", {"vocabulary": VOCABULARY, **COUNT}, [["a"], ["q"]]
    ),
    "string_list": Case(
        "StringLookup", {"output_mode": "tf_idf"}, WORDS, ["b", "a", "b", "a", "c"]
    ),
    "integer": _ids(IDS),
    "integer_given": _ids(vocabulary=[7, 12]),
    "integer_masked": _ids(IDS, mask_token=7),
    "integer_several_unknown": _ids(vocabulary=[7], num_oov_indices=3),
    "integer_farmhash": _ids(vocabulary=[7], num_oov_indices=4, oov_method="farmhash"),
    "integer_salted": _ids(vocabulary=[7], num_oov_indices=4, oov_method="farmhash", salt=5),
    "integer_count": _ids(IDS, **COUNT),
    "integer_invert": Case(
        "IntegerLookup", {"vocabulary": [7, 12], "invert": True, "oov_token": -9}, [[0, 1, 2, 3]]
    ),
    "hashing": Case("Hashing", {"num_bins": 3}, LETTERS),
    "hashing_lengths": Case("Hashing", {"num_bins": 2**40 + 3}, LONG),
    "hashing_masked": Case("Hashing", {"num_bins": 3, "mask_value": ""}, LETTERS),
    "hashing_salted": Case("Hashing", {"num_bins": 3, "salt": [133, 137]}, LETTERS),
    "hashing_salted_lengths": Case("Hashing", {"num_bins": 2**40 + 3, "salt": 2**40 + 1}, LONG),
    "hashing_integers": Case("Hashing", {"num_bins": 50, "mask_value": 7}, IDS),
    "hashing_int32": Case("Hashing", {"num_bins": 50, "dtype": "int32"}, IDS),
    "hashing_one_hot": Case("Hashing", {"num_bins": 4, **ONE}, LETTERS),
    "hashing_multi_hot": Case("Hashing", {"num_bins": 5, **HOT}, WORDS),
    "hashing_count": Case("Hashing", {"num_bins": 5, **COUNT}, IDS),
    "crossing": Case(
        "HashedCrossing", {"num_bins": 5}, (["A", "B", "A", "B", "A"], [101, 101, 101, 102, 102])
    ),
    "crossing_columns": Case(
        "HashedCrossing",
        {"num_bins": 97},
        ([["A"], ["longer é text"]], [[-4], [2**50]], [[1], [2]]),
    ),
    "crossing_one_hot": Case(
        "HashedCrossing", {"num_bins": 5, **ONE}, ([["A"], ["B"]], [[1], [2]])
    ),
    "crossing_one_hot_flat": Case("HashedCrossing", {"num_bins": 5, **ONE}, (["A", "B"], [1, 2])),
    "encoding_one_hot": Case("CategoryEncoding", {"num_tokens": 4, **ONE}, [3, 2, 0, 1]),
    "encoding_one_hot_column": Case("CategoryEncoding", {"num_tokens": 4, **ONE}, [[3], [2]]),
    "encoding_one_hot_rows": Case("CategoryEncoding", {"num_tokens": 4, **ONE}, [[3, 0], [2, 1]]),
    "encoding_multi_hot": Case("CategoryEncoding", {"num_tokens": 4}, [[0, 1], [0, 0], [3, 1]]),
    "encoding_multi_hot_flat": Case("CategoryEncoding", {"num_tokens": 4}, [0, 1, 1]),
    "encoding_count": Case(
        "CategoryEncoding", {"num_tokens": 4, **COUNT}, [[0, 1], [0, 0], [3, 1]]
    ),
    "encoding_weighted": Case(
        "CategoryEncoding",
        {"num_tokens": 4, **COUNT},
        [[0, 1], [0, 0], [3, 1]],
        weights=[[0.1, 0.2], [0.3, 0.5], [1.5, -2.0]],
    ),
    "bins": Case("Discretization", {"bin_boundaries": [-1.0, 0.0, 0.5]}, [*NUMBERS, [-1, 0, 0.5]]),
    "bins_one_hot": Case("Discretization", {"bin_boundaries": [0.0, 0.5], **ONE}, NUMBERS[:4]),
    "bins_multi_hot": Case("Discretization", {"bin_boundaries": [0.0, 0.5], **HOT}, NUMBERS[:4]),
    "bins_count": Case("Discretization", {"bin_boundaries": [0.0, 0.5], **COUNT}, NUMBERS[:4]),
    "bins_learned": Case("Discretization", {"num_bins": 4}, NUMBERS, np.array(NUMBERS)),
    "bins_learned_coarsely": Case(
        "Discretization", {"num_bins": 6, "epsilon": 0.07}, NUMBERS, np.array(NUMBERS)
    ),
    "bins_learned_by_batches": Case("Discretization", {"num_bins": 7}, NUMBERS, NUMBERS),
}


def learned(layer: Any) -> Any:
    """What adapting taught a layer, in plain values."""
    if hasattr(layer, "get_vocabulary"):
        return [
            token.item() if hasattr(token, "item") else token for token in layer.get_vocabulary()
        ]
    return getattr(layer, "bin_boundaries", None)
