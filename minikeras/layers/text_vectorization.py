"""From text to numbers of its words: TextVectorization."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from ..core import settings
from ..core.registry import register
from ..core.text import as_text, is_text
from ..core.validate import one_of, positive_int
from .index_lookup import refuse_path
from .lookup import StringLookup
from .values import OLD_MODES, Shape, ValueLayer, batches_of, by_value, no_sparse

MODES = ("int", "multi_hot", "count", "tf_idf")
PUNCTUATION = "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'"
STANDARDS = ("lower_and_strip_punctuation", "lower", "strip_punctuation")
SPLITS = ("whitespace", "character")
WORD = re.compile(r"[^ \t\n\r\f\v]+")  # no other characters of Unicode separate words
LOWER = {ord(a): a.lower() for a in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}  # nor are others made small
STRIP = dict.fromkeys(map(ord, PUNCTUATION))

Rows = list[list[str]]


@register("layers")
class TextVectorization(ValueLayer):
    """From text to numbers of its words (or characters, or groups of words).

    A text is made uniform, split into words, and these are looked up in a vocabulary. With
    ``output_mode="int"`` number 0 is padding and 1 an unknown word; the most frequent word is 2.

    Args:
        max_tokens: Bound for the number of words, special ones included, when `adapt` learns them.
        standardize: "lower_and_strip_punctuation", "lower", "strip_punctuation" (A to Z and the
            punctuation of ASCII only), None, or a function from an array of text to another one.
        split: "whitespace" (of ASCII), "character", None (each item is a word), or a function from
            an array of texts to a list of lists of words.
        ngrams: Also groups of up to so many neighbouring words; a tuple: of these sizes only.
        output_mode: "int": the numbers, in order; "multi_hot": a row with a 1 for each word of the
            text; "count": with how often each occurs; "tf_idf": that, times the logarithm of how
            rare a word is among documents.
        output_sequence_length: Words of each text with "int": more are cut, fewer filled up with 0.
            Without it the longest text of a batch decides, so that a model runs without being
            recorded, which is slower.
        pad_to_max_tokens: Rows of length `max_tokens`, however many words there are.
        vocabulary: Words, a list or array; or the path of a text file with one a line. Otherwise
            `adapt` learns them.
        idf_weights: Weights of the words, for 'tf_idf'.
        encoding: Of bytes.

    Input: text, (batch,) or (batch, 1). Output: int64 (batch, words), or floats (batch, tokens).

    >>> import minikeras as keras
    >>> layer = keras.layers.TextVectorization(output_sequence_length=4)
    >>> layer.adapt(["To be, or not to be."])
    >>> layer.get_vocabulary()
    ['', '[UNK]', 'to', 'be', 'or', 'not']
    >>> layer(["To do or not to do?"])
    array([[2, 1, 4, 5]])
    """

    _config_skip = ("has_input_vocabulary",)

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: Any = "lower_and_strip_punctuation",
        split: Any = "whitespace",
        ngrams: Any = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        vocabulary_size: int | None = None,
        has_input_vocabulary: bool | None = None,
        **kwargs: Any,
    ):
        kwargs.pop("dtype", None)  # outputs are int64, or floats of the default type
        super().__init__(name=name, **kwargs)
        owner = "TextVectorization"
        self.standardize = _choice(standardize, STANDARDS, "standardize")
        self.split = _choice(split, SPLITS, "split")
        self.ngrams = ngrams
        self._widths = _widths(ngrams)
        self.output_mode = one_of(
            OLD_MODES.get(output_mode, output_mode), MODES, "output_mode", owner
        )
        self.output_sequence_length = output_sequence_length
        if output_sequence_length is not None:
            positive_int(output_sequence_length, "output_sequence_length", owner)
            if self.output_mode != "int":
                raise ValueError(
                    f"{owner}: `output_sequence_length` is for output_mode='int'. Received: "
                    f"output_mode={self.output_mode!r}."
                )
        if ragged:
            raise ValueError(
                f"{owner}: ragged outputs are not supported. Received: ragged={ragged!r}. Leave it "
                "out: shorter texts are filled up with 0, and Embedding(mask_zero=True) skips it."
            )
        self.sparse, self.ragged = no_sparse(sparse, owner), False
        self.encoding = encoding
        self._lookup_layer = StringLookup(
            max_tokens=max_tokens,
            vocabulary=vocabulary,
            idf_weights=idf_weights,
            pad_to_max_tokens=pad_to_max_tokens,
            mask_token="",
            output_mode=self.output_mode,
            encoding=encoding,
            vocabulary_size=vocabulary_size,
            has_input_vocabulary=has_input_vocabulary,
        )

    # --- the vocabulary ---

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """The words in the order of their numbers, those for padding and unknown ones first."""
        return self._lookup_layer.get_vocabulary(include_special_tokens)

    def vocabulary_size(self) -> int:
        """How many words there are, those for padding and unknown ones included."""
        return self._lookup_layer.vocabulary_size()

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Give the layer its words, as `StringLookup.set_vocabulary`."""
        self._lookup_layer.set_vocabulary(vocabulary, idf_weights)

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Make a vocabulary of the words in texts: the most frequent ones first.

        Args:
            data: An array or list of texts, or an iterable of batches of them (of a batch that is a
                tuple the inputs count).
            batch_size: For compatibility: no result depends on it.
            steps: How many batches to take, all by default.

        Raises:
            ValueError: The layer was given a vocabulary.
        """
        del batch_size
        self.reset_state()
        for batch in batches_of(data, steps, "TextVectorization", lists_are_arrays=True):
            self.update_state(batch)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Count the words of a batch of texts."""
        texts = self._texts(self._converted(data))
        found = self._preprocessed(
            texts[:, None] if self.split is None and texts.ndim == 1 else texts
        )
        rows = found.reshape(len(found), -1).tolist() if isinstance(found, np.ndarray) else found
        self._lookup_layer.count(rows)

    def finalize_state(self) -> None:
        """Make the vocabulary of what was counted."""
        self._lookup_layer.finalize_state()

    def reset_state(self) -> None:
        """Forget what was counted; the vocabulary stays."""
        self._lookup_layer.reset_state()

    # --- computing ---

    def call(self, inputs: Any) -> Any:
        depth, mode = self._lookup_layer._depth, self.output_mode
        if mode != "int" and depth is None:
            raise RuntimeError(
                f"Layer '{self.name}' has no vocabulary yet, on which the shape of its output "
                f"depends (output_mode={mode!r}). Pass `vocabulary`, or call `adapt` first."
            )
        dtype = "int64" if mode == "int" else settings.floatx()
        return by_value(self._compute, self.compute_output_shape, dtype, inputs)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        shape = tuple(input_shape)
        if self.split is not None:
            _check_last_axis(shape)
            shape = (*(shape[:-1] if len(shape) > 1 else shape), None)
        elif self._widths is not None and shape:
            shape = (*shape[:-1], None if shape[-1] is None else self._groups(shape[-1]))
        if self.output_mode != "int":
            return self._lookup_layer.compute_output_shape(shape)
        length = self.output_sequence_length
        return shape if length is None or not shape else (*shape[:-1], length)

    def _groups(self, words: int) -> int:
        return sum(max(0, words - width + 1) for width in self._widths or (1,))

    def _compute(self, inputs: np.ndarray) -> np.ndarray:
        found = self._preprocessed(self._texts(inputs))
        lookup, length = self._lookup_layer, self.output_sequence_length
        if isinstance(found, np.ndarray):
            numbers = lookup.numbers(found)
            if self.output_mode == "int" and length is not None:
                numbers = _to_length(numbers, length)
            return lookup.encoded(numbers)
        shape = inputs.shape[:-1] if inputs.ndim > 1 else inputs.shape
        lengths = np.fromiter(map(len, found), np.int64, len(found))
        words = np.empty(lengths.sum(), object)
        words[:] = [word for row in found for word in row]
        rows = _as_rows(lookup.numbers(words), lengths, self.output_mode, length)
        return lookup.encoded(rows.reshape(*shape, rows.shape[1]))

    def _texts(self, inputs: Any) -> np.ndarray:
        if not is_text(inputs) and np.asarray(inputs).size:
            raise ValueError(
                f"TextVectorization takes text. Received: {np.asarray(inputs).dtype} values of "
                f"shape {np.shape(inputs)}."
            )
        return as_text(inputs, "inputs", self.encoding)

    def _preprocessed(self, texts: np.ndarray) -> Rows | np.ndarray:
        """The words of each text: lists where texts are split, else an array."""
        texts = self._standardized(texts)
        if self.split is None:
            return texts if self._widths is None else self._grouped_array(texts)
        _check_last_axis(texts.shape)
        rows = self._rows(texts.reshape(-1))
        if self._widths is None:
            return rows
        return [_grouped(row, self._widths) for row in rows]

    def _grouped_array(self, words: np.ndarray) -> np.ndarray:
        flat = [_grouped(row, self._widths or (1,)) for row in words.reshape(-1, words.shape[-1])]
        return np.array(flat, object).reshape(*words.shape[:-1], -1)

    def _standardized(self, texts: np.ndarray) -> np.ndarray:
        chosen = self.standardize
        if callable(chosen):
            result = as_text(chosen(texts.astype(str)), "what `standardize` returns", self.encoding)
            if result.shape != texts.shape:
                raise ValueError(
                    "The function `standardize` must return as many texts as it is given. Received:"
                    f" shape {result.shape} for {texts.shape}."
                )
            return result
        if chosen is None:
            return texts
        table = {**(LOWER if "lower" in chosen else {}), **(STRIP if "strip" in chosen else {})}
        result = np.empty(texts.size, object)
        result[:] = [text.translate(table) for text in texts.reshape(-1)]
        return result.reshape(texts.shape)

    def _rows(self, texts: np.ndarray) -> Rows:
        """The words of each text."""
        if callable(self.split):
            return _lists(self.split(texts.astype(str)), len(texts))
        if self.split == "character":
            return [list(text) for text in texts]
        return [WORD.findall(text) for text in texts]

    # --- files ---

    def _config_argument(self, name: str) -> Any:
        lookup = self._lookup_layer
        if name in ("max_tokens", "pad_to_max_tokens"):
            return getattr(lookup, name)
        if name in ("vocabulary", "idf_weights"):
            return lookup._config_argument(name)
        if name == "vocabulary_size":
            return lookup.vocabulary_size()
        return super()._config_argument(name)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        refuse_path(config.get("vocabulary"))
        if isinstance(config.get("ngrams"), list):
            config = {**config, "ngrams": tuple(config["ngrams"])}
        return super().from_config(config)

    def save_own_variables(self, store: Any) -> None:
        """Store what is saved beside the vocabulary: the weights for 'tf_idf'."""
        self._lookup_layer.save_own_variables(store)

    def load_own_variables(self, store: Any) -> None:
        """Take over what `save_own_variables` stored."""
        self._lookup_layer.load_own_variables(store)

    def save_assets(self, dir_path: Any) -> None:
        """Write the vocabulary to a folder, unless it is in the configuration."""
        self._lookup_layer.save_assets(dir_path)

    def load_assets(self, dir_path: Any) -> None:
        """Read what `save_assets` wrote."""
        self._lookup_layer.load_assets(dir_path)


def _choice(value: Any, options: tuple[str, ...], name: str) -> Any:
    """One of the options, None, or a function (as such or as a record)."""
    if value is None or callable(value):
        return value
    return one_of(value, options, name, "TextVectorization")


def _widths(ngrams: Any) -> tuple[int, ...] | None:
    if ngrams is None:
        return None
    if isinstance(ngrams, tuple):
        return tuple(positive_int(width, "ngrams", "TextVectorization") for width in ngrams)
    return tuple(range(1, positive_int(ngrams, "ngrams", "TextVectorization") + 1))


def _check_last_axis(shape: Shape) -> None:
    if len(shape) > 1 and shape[-1] not in (1, None):
        raise ValueError(
            "TextVectorization splits whole texts, so its input must have the shape (batch,) or "
            f"(batch, 1). Received: shape {shape}. For words that are split already, use "
            "split=None."
        )


def _grouped(words: Any, widths: tuple[int, ...]) -> list[str]:
    """Groups of neighbouring words of each width, joined by blanks."""
    return [
        " ".join(words[at : at + width]) for width in widths for at in range(len(words) - width + 1)
    ]


def _lists(split: Any, count: int) -> Rows:
    """What a function of the user's made of texts, as lists of words."""
    if hasattr(split, "tolist"):
        split = split.tolist()
    rows = [list(row) for row in split] if isinstance(split, list | tuple) else None
    if rows is None or len(rows) != count or any(isinstance(row, str) for row in split):
        raise ValueError(
            "The function `split` must return a list of words for each text. "
            f"Received: {type(split).__name__}"
            + (f" of {len(split)} for {count} texts." if hasattr(split, "__len__") else ".")
        )
    return rows


def _to_length(numbers: np.ndarray, length: int) -> np.ndarray:
    """The last axis cut, or filled up with 0."""
    numbers = numbers[..., :length]
    missing = length - numbers.shape[-1]
    return np.pad(numbers, [(0, 0)] * (numbers.ndim - 1) + [(0, missing)])


def _as_rows(numbers: np.ndarray, lengths: np.ndarray, mode: str, length: int | None) -> np.ndarray:
    """Numbers of the words of all texts as rows, filled up with what means padding."""
    width = int(lengths.max(initial=0)) if length is None else length
    rows = np.full((len(lengths), width), 0 if mode == "int" else -1, np.int64)
    ends = np.cumsum(lengths)
    place = np.arange(len(numbers)) - np.repeat(ends - lengths, lengths)
    row = np.repeat(np.arange(len(lengths)), lengths)
    inside = place < width
    rows[row[inside], place[inside]] = numbers[inside]
    return rows
