"""Strings and whole numbers to their places in a vocabulary: `StringLookup`, `IntegerLookup`."""

from __future__ import annotations

from typing import Any

from ..core.registry import register
from ..core.validate import one_of
from .index_lookup import IndexLookup


@register("layers")
class StringLookup(IndexLookup):
    """From tokens of text to numbers, and back.

    A token that is not in the vocabulary has a number for unknown ones; the others follow, in the
    order of the vocabulary.

    Args:
        max_tokens: Bound for the number of tokens, special ones included, when `adapt` learns them.
        num_oov_indices: How many numbers unknown tokens share: 1; more, by a hash of the token; or
            0, when they are an error.
        mask_token: Token for padding: number 0 with output_mode='int', left out in other modes.
        oov_token: What unknown numbers become when `invert`.
        vocabulary: Tokens, a list or array; or the path of a text file with one a line. Otherwise
            `adapt` learns them.
        idf_weights: Weights of the tokens, for 'tf_idf'.
        invert: From numbers to tokens (an array of `str` objects; Keras gives bytes).
        output_mode: "int": the numbers; "one_hot": a row of zeros and a 1 for each; "multi_hot":
            one row for all tokens of a sample (the last axis); "count": how often each occurs;
            "tf_idf": that times the weights.
        pad_to_max_tokens: Rows of length `max_tokens`, however many tokens there are.
        encoding: Of bytes.
        salt: Key of the hash for unknown tokens: one whole number or two.

    >>> import minikeras as keras
    >>> layer = keras.layers.StringLookup(vocabulary=["to", "be"])
    >>> layer([["to", "be", "or", "not"]])
    array([[1, 2, 0, 0]])
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str = "[UNK]",
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        salt: Any = None,
        **kwargs: Any,
    ):
        super().__init__(
            max_tokens=max_tokens,
            num_oov_indices=num_oov_indices,
            mask_token=mask_token,
            oov_token=oov_token,
            vocabulary=vocabulary,
            idf_weights=idf_weights,
            invert=invert,
            output_mode=output_mode,
            pad_to_max_tokens=pad_to_max_tokens,
            sparse=sparse,
            encoding=encoding,
            name=name,
            salt=salt,
            **kwargs,
        )


@register("layers")
class IntegerLookup(IndexLookup):
    """From whole numbers of any size to small ones that count, and back.

    Args:
        max_tokens, num_oov_indices, vocabulary, idf_weights, invert, output_mode,
            pad_to_max_tokens: As those of StringLookup.
        mask_token: Whole number that means padding.
        oov_token: What unknown numbers become when `invert`.
        vocabulary_dtype: Only "int64".
        oov_method: How unknown numbers are spread over several: "floormod", the rest of a division,
            or "farmhash", a hash of their digits.
        salt: Key of that hash.

    >>> import minikeras as keras
    >>> layer = keras.layers.IntegerLookup()
    >>> layer.adapt([12, 1138, 42, 42])
    >>> layer([[12, 42, 7]])
    array([[3, 1, 0]])
    """

    text = False

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = "int64",
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        one_of(vocabulary_dtype, ("int64",), "vocabulary_dtype", "IntegerLookup")
        super().__init__(
            max_tokens=max_tokens,
            num_oov_indices=num_oov_indices,
            mask_token=mask_token,
            oov_token=oov_token,
            vocabulary=vocabulary,
            idf_weights=idf_weights,
            invert=invert,
            output_mode=output_mode,
            sparse=sparse,
            pad_to_max_tokens=pad_to_max_tokens,
            oov_method=oov_method,
            salt=salt,
            name=name,
            **kwargs,
        )
