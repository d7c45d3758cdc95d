"""From tokens to numbers and back by a vocabulary: the base of StringLookup and IntegerLookup."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from ..core import settings
from ..core.text import as_text, is_text
from ..core.validate import integer, non_negative_int, one_of
from .fingerprints import as_bytes, farmhash64, siphash64
from .values import (
    OLD_MODES,
    Shape,
    ValueLayer,
    batches_of,
    by_value,
    encode,
    encoded_shape,
    no_sparse,
)
from .vocabulary import FILE, TokenCounts, Vocabulary, are_lines, read_tokens, write_tokens

MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")


class IndexLookup(ValueLayer):
    """What StringLookup and IntegerLookup share; they say what the arguments mean."""

    text = True  # tokens are text; otherwise whole numbers
    _config_skip = ("has_input_vocabulary", "encoding")

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: Any = None,
        oov_token: Any = None,
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: Any = None,
        vocabulary_size: int | None = None,
        has_input_vocabulary: bool | None = None,
        encoding: str = "utf-8",
        **kwargs: Any,
    ):
        kwargs.pop("dtype", None)  # outputs are int64, or floats of the default type
        super().__init__(**kwargs)
        owner = type(self).__name__
        self.encoding = encoding
        self.max_tokens = max_tokens
        self.num_oov_indices = non_negative_int(num_oov_indices, "num_oov_indices", owner)
        self.mask_token, self.oov_token = mask_token, oov_token
        self.invert = bool(invert)
        self.output_mode = one_of(
            OLD_MODES.get(output_mode, output_mode), MODES, "output_mode", owner
        )
        self.sparse = no_sparse(sparse, owner)
        self.pad_to_max_tokens = bool(pad_to_max_tokens)
        self.oov_method = one_of(oov_method, ("floormod", "farmhash"), "oov_method", owner)
        self.salt = two_salts(salt, owner)
        self._check_arguments(idf_weights)
        self._check_special("mask_token", mask_token)
        self._check_special("oov_token", oov_token)
        self._given = _Given(vocabulary, idf_weights)
        self._fixed = vocabulary is not None or bool(has_input_vocabulary)
        self._size = vocabulary_size
        self._table = Vocabulary()
        self._idf: np.ndarray | None = None
        self._counts = TokenCounts()
        if vocabulary is not None:
            if self.output_mode == "tf_idf" and idf_weights is None:
                raise ValueError(
                    f"{owner}: a `vocabulary` needs `idf_weights` when output_mode='tf_idf'. "
                    "Received: none. Pass one weight for each token, or `adapt` the layer."
                )
            self.set_vocabulary(vocabulary, idf_weights)

    def _check_arguments(self, idf_weights: Any) -> None:
        owner, mode = type(self).__name__, self.output_mode
        if self.max_tokens is not None and integer(self.max_tokens, "max_tokens", owner) <= 1:
            raise ValueError(
                f"{owner}: `max_tokens` must be greater than 1. Received: {self.max_tokens}."
            )
        if self.pad_to_max_tokens and self.max_tokens is None:
            raise ValueError(f"{owner}: pad_to_max_tokens=True needs `max_tokens`. Received: none.")
        if self.invert and mode != "int":
            raise ValueError(
                f"{owner}: invert=True gives tokens, which needs output_mode='int'. "
                f"Received: output_mode={mode!r}."
            )
        if idf_weights is not None and mode != "tf_idf":
            raise ValueError(
                f"{owner}: `idf_weights` are for output_mode='tf_idf'. "
                f"Received: output_mode={mode!r}."
            )
        if self.salt is not None and not self.text and self.oov_method != "farmhash":
            raise ValueError(
                f"{owner}: `salt` needs oov_method='farmhash'. "
                f"Received: oov_method={self.oov_method!r}."
            )

    def _check_special(self, name: str, token: Any) -> None:
        owner = type(self).__name__
        if token is None or (self.text and isinstance(token, str | bytes)):
            return
        if self.text:
            raise ValueError(f"{owner}: `{name}` must be text. Received: {token!r}.")
        integer(token, name, owner)

    # --- the vocabulary ---

    @property
    def _oov_start(self) -> int:
        return 1 if self.mask_token is not None and self.output_mode == "int" else 0

    @property
    def _token_start(self) -> int:
        return self._oov_start + self.num_oov_indices

    @property
    def _specials(self) -> list[Any]:
        return [self.mask_token] * self._oov_start + [self.oov_token] * self.num_oov_indices

    @property
    def vocabulary_dtype(self) -> str:
        return "string" if self.text else "int64"

    def vocabulary_size(self) -> int:
        """How many tokens there are, those for padding and unknown ones included."""
        return len(self._table) + self._token_start

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The tokens in the order of their numbers; without those for padding and unknown ones
        if `include_special_tokens` is False."""
        specials = self._specials if include_special_tokens else []
        return [*specials, *self._table.tokens]

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Give the layer its tokens, in place of those that it has.

        Args:
            vocabulary: Tokens, a list or an array of one dimension; or the path of a text file with
                one a line. Those for padding and unknown ones may stand at the front.
            idf_weights: One for each token, for output_mode='tf_idf' only.

        Raises:
            ValueError: No tokens, some of them twice, too many for `max_tokens`, or weights that
                are missing or do not fit.
            RuntimeError: Another number of tokens than before, on which the output's shape depends.
        """
        weighted = self.output_mode == "tf_idf"
        if weighted == (idf_weights is None):
            raise ValueError(
                f"{type(self).__name__}: `idf_weights` are for output_mode='tf_idf', which needs "
                f"them. Received: output_mode={self.output_mode!r}, idf_weights={idf_weights}."
            )
        if isinstance(vocabulary, str | Path):
            if weighted:
                raise ValueError(
                    "A vocabulary file cannot be combined with output_mode='tf_idf'. Received: "
                    f"{str(vocabulary)!r}. Read it, and pass its tokens and their weights."
                )
            tokens = read_tokens(vocabulary, not self.text)
            self._check_repeated(tokens)
            self._use(tokens, None)
            return
        given = self._as_tokens(vocabulary)
        start = self._token_start
        with_specials = given[:start] == self._specials
        tokens = given[start:] if with_specials else given
        self._check_tokens(given, tokens)
        idf = self._idf_of(given, idf_weights, 0 if with_specials else start) if weighted else None
        self._use(tokens, idf)

    def _as_tokens(self, vocabulary: Any) -> list[Any]:
        array = vocabulary if isinstance(vocabulary, np.ndarray) else np.asarray(list(vocabulary))
        if array.size == 0:
            raise ValueError(
                f"{type(self).__name__} needs at least one token. Received: an empty vocabulary."
            )
        if array.ndim != 1:
            raise ValueError(
                f"A vocabulary must have one dimension. Received: shape {array.shape}."
            )
        if self.text:
            return as_text(array, "vocabulary", self.encoding).tolist()
        if array.dtype.kind not in "iu":
            raise ValueError(
                f"{type(self).__name__}: `vocabulary` must hold whole numbers. "
                f"Received: {array.dtype} values."
            )
        return array.tolist()

    def _check_repeated(self, tokens: list[Any]) -> None:
        if len(set(tokens)) != len(tokens):
            repeated = [token for token, count in Counter(tokens).items() if count > 1]
            raise ValueError(
                "Each token of a vocabulary must be there once. "
                f"Received more than once: {repeated[:10]}."
            )

    def _check_tokens(self, given: list[Any], tokens: list[Any]) -> None:
        self._check_repeated(tokens)
        reserved = {"mask_token": self.mask_token}
        if self.invert:
            reserved["oov_token"] = self.oov_token
        for name, token in reserved.items():
            if token is not None and token in tokens:
                raise ValueError(
                    f"The {name} {token!r} stands among the tokens of the vocabulary, at place "
                    f"{given.index(token)}. Leave out the tokens for padding and unknown ones, or "
                    f"put them first, in this order: {self._specials}."
                )
        size = len(tokens) + self._token_start
        if self.max_tokens is not None and size > self.max_tokens:
            raise ValueError(
                f"The vocabulary has {size} tokens, those for padding and unknown ones included. "
                f"Received: max_tokens={self.max_tokens}. Pass fewer tokens, or raise it."
            )

    def _idf_of(self, given: list[Any], idf_weights: Any, missing: int) -> np.ndarray:
        """Weights for all tokens: unknown ones have the mean, places that are not used have 0."""
        weights = np.asarray(idf_weights)
        if weights.ndim != 1 or len(weights) != len(given):
            raise ValueError(
                f"`idf_weights` must hold one number for each of the {len(given)} tokens of the "
                f"vocabulary. Received: shape {weights.shape}."
            )
        front = np.full(missing, np.average(weights))
        return self._padded(np.concatenate([front, weights]))

    def _padded(self, weights: np.ndarray) -> np.ndarray:
        weights = weights.astype(settings.floatx())
        if not self.pad_to_max_tokens:
            return weights
        return np.pad(weights, (0, (self.max_tokens or 0) - len(weights)))

    def _use(self, tokens: list[Any], idf: np.ndarray | None) -> None:
        """Take these tokens, unless that would change the shape of the output."""
        size = len(tokens) + self._token_start
        depends = self.output_mode != "int" and not self.pad_to_max_tokens
        if depends and self._size is not None and size != self._size:
            raise RuntimeError(
                f"The vocabulary of layer '{self.name}' cannot change in size, on which the shape "
                f"of its output depends (output_mode={self.output_mode!r}). Received: {size} "
                f"tokens instead of {self._size}. Make a new layer, or use pad_to_max_tokens=True."
            )
        self._table, self._size = Vocabulary(tokens), size
        self._idf = self._idf if idf is None else idf

    # --- learning it ---

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Make a vocabulary of the tokens in data: the most frequent ones first.

        Args:
            data: An array or list of tokens, each row (each token, if there is one dimension) being
                a document; or an iterable of batches, such as a `PyDataset` or a generator (of a
                batch that is a tuple the inputs count), in which a batch of one dimension is a
                document.
            steps: How many batches to take, all by default.

        Raises:
            ValueError: The layer was given a vocabulary.
        """
        self.reset_state()
        whole = isinstance(data, list | tuple | np.ndarray)
        for batch in batches_of(data, steps, type(self).__name__, lists_are_arrays=True):
            tokens = self._keys(self._converted(batch))
            self.update_state(tokens[:, None] if whole and tokens.ndim == 1 else tokens)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Count the tokens of a batch."""
        tokens = self._keys(self._converted(data))
        rows = tokens.reshape(1, -1) if tokens.ndim < 2 else tokens.reshape(len(tokens), -1)
        self.count(rows.tolist())

    def count(self, documents: list[list[Any]]) -> None:
        """Count the tokens of documents of any lengths."""
        if self._fixed:
            raise ValueError(
                f"Layer '{self.name}' was given its vocabulary, so it cannot be adapted. Make it "
                "without `vocabulary`, or give it another one with `set_vocabulary`."
            )
        self._counts.add(documents, self.output_mode == "tf_idf")

    def finalize_state(self) -> None:
        """Make the vocabulary of what was counted."""
        counts = self._counts
        if self._fixed or not counts.tokens:
            return
        for token in (self.mask_token, self.oov_token):
            counts.drop(token)
        room = None if self.max_tokens is None else max(0, self.max_tokens - self._token_start)
        tokens = counts.most_frequent(room)
        idf = None
        if self.output_mode == "tf_idf":
            learned = counts.inverse_document_frequencies(tokens).astype(settings.floatx())
            front = np.full(self._token_start, learned.mean() if len(learned) else 0)
            idf = self._padded(np.concatenate([front, learned]))
        self._use(tokens, idf)
        self.reset_state()

    def reset_state(self) -> None:
        """Forget what was counted; the vocabulary stays."""
        self._counts = TokenCounts()

    # --- computing ---

    def call(self, inputs: Any) -> Any:
        mode = self.output_mode
        if mode != "int" and self._depth is None:
            raise RuntimeError(
                f"Layer '{self.name}' has no vocabulary yet, on which the shape of its output "
                f"depends (output_mode={mode!r}). Pass `vocabulary`, or call `adapt` first."
            )
        dtype = "int64" if mode == "int" else settings.floatx()
        if self.invert:
            dtype = "object" if self.text else "int64"
        return by_value(self._compute, self.compute_output_shape, dtype, inputs)

    @property
    def _depth(self) -> int | None:
        return self.max_tokens if self.pad_to_max_tokens else self._size

    def compute_output_shape(self, input_shape: Any) -> Shape:
        return encoded_shape(tuple(input_shape), self.output_mode, self._depth)

    def _compute(self, inputs: np.ndarray) -> np.ndarray:
        if self.invert:
            return self._tokens_at(inputs)
        return self.encoded(self.numbers(self._keys(inputs)))

    def encoded(self, numbers: np.ndarray) -> np.ndarray:
        """Numbers in the form of the output mode."""
        mode, dtype = self.output_mode, settings.floatx()
        if mode == "int":
            return numbers
        if mode != "tf_idf":
            return encode(numbers, mode, self._depth or 0, dtype)
        if self._idf is None:
            raise RuntimeError(
                f"Layer '{self.name}' has no weights for output_mode='tf_idf'. Call `adapt`, or "
                "`set_vocabulary` with `idf_weights`."
            )
        return encode(numbers, "count", self._depth or 0, dtype) * self._idf

    def numbers(self, keys: np.ndarray) -> np.ndarray:
        """The number of each token; -1 for one that does not count (masked, in other modes)."""
        if not len(self._table) and self._size is None:
            raise RuntimeError(
                f"Layer '{self.name}' has no vocabulary yet. Pass `vocabulary`, or call `adapt` "
                "or `set_vocabulary` first."
            )
        places = self._table.places(keys)
        unknown = np.asarray(places < 0)  # arrays, also where there is one key of no dimension
        numbers = np.asarray(places + self._token_start)
        if self.mask_token is not None:
            masked = np.asarray(keys == self.mask_token)
            numbers[masked] = 0 if self.output_mode == "int" else -1
            unknown &= ~masked
        if unknown.any():
            numbers[unknown] = self._unknown(keys[unknown])
        return numbers

    def _unknown(self, keys: np.ndarray) -> Any:
        """Numbers for tokens that are not in the vocabulary."""
        buckets = self.num_oov_indices
        if buckets == 0:
            raise ValueError(
                f"With num_oov_indices=0 all tokens must be in the vocabulary of layer "
                f"'{self.name}'. Received also: {keys[:10].tolist()}. Use num_oov_indices=1."
            )
        if buckets == 1:
            return self._oov_start
        if not self.text and self.oov_method == "floormod":
            return keys % buckets + self._oov_start
        texts = as_bytes(keys.tolist())
        hashed = farmhash64(texts) if self.salt is None else siphash64(texts, self.salt)
        return (hashed % np.uint64(buckets)).astype(np.int64) + self._oov_start

    def _tokens_at(self, inputs: np.ndarray) -> np.ndarray:
        numbers = _whole_numbers(inputs, type(self).__name__)
        dtype = object if self.text else np.int64
        found = self._table.at(numbers - self._token_start, self.oov_token, dtype)
        if self.mask_token is None:
            return found
        found = np.array(found, dtype)  # an array also where there is one number of no dimension
        found[np.asarray(numbers == 0)] = self.mask_token
        return found

    def _keys(self, inputs: np.ndarray) -> np.ndarray:
        if self.text:
            if not is_text(inputs) and np.asarray(inputs).size:
                raise ValueError(
                    f"StringLookup takes text. Received: {np.asarray(inputs).dtype} values. Use "
                    "IntegerLookup for whole numbers."
                )
            return as_text(inputs, "inputs", self.encoding)
        return _whole_numbers(inputs, "IntegerLookup")

    # --- files ---

    @property
    def input_vocabulary(self) -> Any:
        """The vocabulary given to the constructor; None if there was none, or a file of it."""
        return self._given.vocabulary

    def _config_argument(self, name: str) -> Any:
        if name == "vocabulary":
            return self.get_vocabulary() if self._needs_config else self._given.vocabulary
        if name == "idf_weights":
            if not self._needs_config or self._idf is None:
                return self._given.idf_weights
            return self._idf[: self.vocabulary_size()].tolist()
        if name == "vocabulary_size":
            return self._size
        return super()._config_argument(name)

    @property
    def _needs_config(self) -> bool:
        """Whether tokens that were learned cannot be the lines of a file: they hold line breaks."""
        return self._given.vocabulary is None and not are_lines(self._table.tokens)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        refuse_path(config.get("vocabulary"))
        return super().from_config(config)

    def get_build_config(self) -> dict[str, Any]:
        return {}

    def save_own_variables(self, store: Any) -> None:
        """Store what is saved beside the vocabulary: the weights for 'tf_idf'."""
        if self._idf is not None:
            store["idf_weights"] = self._idf

    def load_own_variables(self, store: Any) -> None:
        """Take over what `save_own_variables` stored."""
        if self.output_mode == "tf_idf" and "idf_weights" in store:
            self._idf = np.asarray(store["idf_weights"], settings.floatx())

    def save_assets(self, dir_path: Any) -> None:
        """Write the vocabulary to a folder, unless it is in the configuration."""
        if self._given.vocabulary is None and not self._needs_config:
            write_tokens(dir_path, self.get_vocabulary())

    def load_assets(self, dir_path: Any) -> None:
        """Read what `save_assets` wrote."""
        if self._given.vocabulary is not None:
            return
        tokens = read_tokens(Path(dir_path, FILE), not self.text, self._size)
        start = self._token_start
        if tokens[:start] == self._specials[: len(tokens)]:
            tokens = tokens[start:]
        self._check_repeated(tokens)
        if tokens:  # none: it was saved before it had a vocabulary
            self._use(tokens, None)


class _Given:
    """What a constructor was given: kept apart, so that nobody looks through it for layers."""

    def __init__(self, vocabulary: Any, idf_weights: Any):
        from_file = isinstance(vocabulary, str | Path)
        self.vocabulary = None if from_file else _as_list(vocabulary)
        self.idf_weights = _as_list(idf_weights)


def _as_list(values: Any) -> Any:
    return None if values is None else np.asarray(values).tolist()


def _whole_numbers(values: Any, owner: str) -> np.ndarray:
    array = np.asarray(values)
    if array.dtype.kind == "f" and np.array_equal(array, np.rint(array)):
        array = array.astype(np.int64)
    if array.dtype.kind not in "iub":
        what = "text" if is_text(array) else f"{array.dtype} values"
        raise ValueError(f"{owner} takes whole numbers. Received: {what}.")
    return array.astype(np.int64)


def refuse_path(vocabulary: Any) -> None:
    """A configuration may come from anywhere, and must not name files of this machine."""
    if isinstance(vocabulary, str | Path):
        raise ValueError(
            "A configuration must hold a vocabulary itself, not the path of a file. "
            f"Received: vocabulary={str(vocabulary)!r}."
        )


def two_salts(salt: Any, owner: str) -> list[int] | None:
    """The key of SipHash: two whole numbers, of which the second is the first if there is one."""
    if salt is None:
        return None
    parts = list(salt) if isinstance(salt, list | tuple) else [salt, salt]
    if len(parts) != 2:
        raise ValueError(
            f"{owner}: `salt` must be a whole number, or two of them. Received: {salt!r}."
        )
    return [integer(part, "salt", owner) for part in parts]
