"""Files in folders, one for each class, as batches: what text and images have in common."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..core import output, seeds, validate
from .chained import ChainedDataset

__all__ = ["Choice", "FileDataset", "open_directory", "text_dataset_from_directory"]

LABEL_MODES = ("int", "categorical", "binary", None)
SUBSETS = ("training", "validation", "both", None)


class Choice(NamedTuple):
    """The arguments that say which files are taken, and with which labels."""

    directory: Any
    labels: Any
    label_mode: str | None
    class_names: Sequence[str] | None
    batch_size: int | None
    shuffle: bool
    seed: int | None
    validation_split: float | None
    subset: str | None
    follow_links: bool
    verbose: bool
    format: str


class FileDataset(ChainedDataset):
    """Batches of what `read` makes of files, and of their labels.

    Attributes:
        class_names: The classes in the order of their numbers; None without labels.
        file_paths: The files, in order.
    """

    def __init__(
        self,
        file_paths: list[str],
        labels: np.ndarray | None,
        class_names: list[str] | None,
        batch_size: int | None,
        read: Callable[[list[str]], np.ndarray],
    ):
        super().__init__()
        self.file_paths, self.class_names = file_paths, class_names
        self._labels, self._size, self._read = labels, batch_size, read

    def __len__(self) -> int:
        return math.ceil(len(self.file_paths) / (self._size or 1))

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < len(self):
            raise IndexError(f"There are {len(self)} batches. Received: index {index}.")
        size = self._size or 1
        rows = slice(index * size, (index + 1) * size)
        values = self._read(self.file_paths[rows])
        labels = None if self._labels is None else self._labels[rows]
        if self._size is None:
            values, labels = values[0], None if labels is None else labels[0]
        return values if labels is None else (values, labels)


def text_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """Text files (`.txt`, UTF-8) in folders, one for each class, as batches for `fit`.

    Args:
        directory: The folder that holds a folder of each class.
        labels: "inferred" from the folders; a list of whole numbers, one for each file in the order
            of their paths; or None.
        label_mode: "int": whole numbers; "binary": 0 or 1 as floats, (batch, 1); "categorical":
            rows of zeros and a one; None: no labels.
        class_names: The folders to take, in the order of the numbers of the classes.
        batch_size: Files of a batch; None for files one by one.
        max_length: Characters of a text that are kept.
        shuffle: Whether the files come in a random order (one for good; `fit` then shuffles the
            batches). Else they come in that of their paths, in `fit` too.
        seed: Of this order.
        validation_split: The share of the files that are kept apart, the last ones.
        subset: Which part to give: "training", "validation", or "both" as a list of two.
        follow_links: Whether links to folders are followed.
        format: "tf" or "grain", whose batches are the same here.
        verbose: Whether to say how many files were found.

    Returns:
        A `PyDataset` with `class_names` and `file_paths`, that can be changed by `map`. Its batches
        are arrays of `str` objects, (batch,), or pairs of them and labels.

    Raises:
        ValueError: No such files, or arguments that do not go together.
    """
    choice = Choice(
        *(directory, labels, label_mode, class_names, batch_size, shuffle, seed),
        *(validation_split, subset, follow_links, verbose, format),
    )
    if max_length is not None:
        validate.positive_int(max_length, "max_length", "text_dataset_from_directory")
    return open_directory(choice, (".txt",), lambda paths: _texts(paths, max_length))


def _texts(paths: list[str], max_length: int | None) -> np.ndarray:
    result = np.empty(len(paths), object)
    for place, path in enumerate(paths):
        with open(path, encoding="utf-8", newline="") as file:
            try:
                result[place] = file.read(-1 if max_length is None else max_length)
            except UnicodeDecodeError as error:
                raise ValueError(f"The file {path!r} is no UTF-8 text: {error}.") from error
    return result


def open_directory(
    choice: Choice, endings: tuple[str, ...], read: Callable[[list[str]], np.ndarray]
) -> Any:
    """The data set, or both, of files with these endings; `read` makes an array of some of them."""
    choice = _checked(choice)
    seed = seeds.next_seed() % 2**32 if choice.seed is None else choice.seed
    paths, labels, names = _found(choice, endings)
    if choice.shuffle:
        order = np.arange(len(paths))
        np.random.RandomState(seed).shuffle(order)
        paths = [paths[place] for place in order]
        labels = None if labels is None else labels[order]
    if choice.label_mode == "binary" and names is not None and len(names) != 2:
        raise ValueError(
            f"label_mode='binary' needs two classes. Received: {len(names)} of them, {names}."
        )
    if labels is not None:
        labels = _encoded(labels, choice.label_mode, len(names or ()))

    def part(rows: slice) -> FileDataset:
        chosen = None if labels is None else labels[rows]
        files = FileDataset(paths[rows], chosen, names, choice.batch_size, read)
        files.in_order = not choice.shuffle
        return files

    return _parts(choice, len(paths), part)


def _parts(choice: Choice, count: int, part: Callable[[slice], FileDataset]) -> Any:
    """All files, or what `subset` asks for."""
    if choice.validation_split is None:
        return part(slice(None))
    apart = int(choice.validation_split * count)
    if not 0 < apart < count:
        raise ValueError(
            f"`validation_split` leaves one part without files. Received: "
            f"{choice.validation_split} of {count} files."
        )
    rows = {"training": slice(count - apart), "validation": slice(count - apart, None)}
    chosen = ("training", "validation") if choice.subset == "both" else (choice.subset,)
    if choice.verbose:
        for name in chosen:
            output.say(f"Using {len(range(count)[rows[name]])} files for {name}.")  # type: ignore[index]
    found = [part(rows[name]) for name in chosen]  # type: ignore[index]
    return found if choice.subset == "both" else found[0]


def _checked(choice: Choice) -> Choice:
    name = "dataset_from_directory"
    validate.one_of(choice.label_mode, LABEL_MODES, "label_mode", name)
    validate.one_of(choice.subset, SUBSETS, "subset", name)
    validate.one_of(choice.format, ("tf", "grain"), "format", name)
    if choice.batch_size is not None:
        validate.positive_int(choice.batch_size, "batch_size", name)
    split = choice.validation_split or None
    if split is not None and not 0 < validate.fraction(split, "validation_split", name) < 1:
        raise ValueError(f"`validation_split` must lie between 0 and 1. Received: {split}.")
    if (split is None) != (choice.subset is None):
        raise ValueError(
            "`validation_split` and `subset` go together. Received: "
            f"validation_split={split}, subset={choice.subset!r}."
        )
    if split is not None and choice.shuffle and choice.seed is None:
        raise ValueError(
            "`validation_split` of shuffled files needs a `seed`, so that no file is in both "
            "parts. Received: seed=None."
        )
    given = isinstance(choice.labels, list | tuple)
    if not given and choice.labels not in ("inferred", None):
        raise ValueError(
            "`labels` must be 'inferred', None, or a list of whole numbers, one for each file. "
            f"Received: {choice.labels!r}."
        )
    if choice.class_names is not None and choice.labels != "inferred":
        raise ValueError(
            "`class_names` are for labels='inferred'. "
            f"Received: class_names={list(choice.class_names)}, labels={choice.labels!r}."
        )
    labels = None if choice.label_mode is None else choice.labels
    label_mode = None if labels is None else choice.label_mode
    return choice._replace(labels=labels, label_mode=label_mode, validation_split=split)


def _found(
    choice: Choice, endings: tuple[str, ...]
) -> tuple[list[str], np.ndarray | None, list[str] | None]:
    """Files, their numbers and the classes, in the order of paths."""
    directory = os.fspath(choice.directory)
    if not os.path.isdir(directory):
        raise ValueError(f"`directory` must be a folder. Received: {directory!r}.")
    names = _classes(directory, choice)
    paths: list[str] = []
    numbers: list[int] = []
    for number, name in enumerate(names or [""]):
        files = list(_files(os.path.join(directory, name), endings, choice.follow_links))
        paths += files
        numbers += [number] * len(files)
    if not paths:
        raise ValueError(
            f"There are no files that end in {', '.join(endings)} in {directory!r}"
            + (f", in its folders {', '.join(names)}." if names else ".")
        )
    labels = None if choice.labels is None else np.array(numbers, np.int32)
    if isinstance(choice.labels, list | tuple):
        if len(choice.labels) != len(paths):
            raise ValueError(
                f"`labels` must hold one number for each of the {len(paths)} files. "
                f"Received: {len(choice.labels)}."
            )
        labels = np.array([validate.integer(n, "labels") for n in choice.labels], np.int32)
        names = [str(label) for label in sorted(set(labels.tolist()))]
    if choice.verbose:
        belonging = "" if labels is None else f" belonging to {len(names or ())} classes"
        output.say(f"Found {len(paths)} files{belonging}.")
    return paths, labels, None if labels is None else names


def _classes(directory: str, choice: Choice) -> list[str] | None:
    """The folders of the classes; None where folders do not matter."""
    if choice.labels != "inferred":
        return None
    folders = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir())
    folders = [name for name in folders if not name.startswith(".")]
    if choice.class_names is None:
        if not folders:
            raise ValueError(
                f"{directory!r} holds no folders, from which labels are inferred. Make a folder "
                "for each class, or pass labels=None."
            )
        return folders
    unknown = [name for name in choice.class_names if name not in folders]
    if unknown:
        raise ValueError(
            f"`class_names` must be folders in {directory!r}, which holds: {', '.join(folders)}. "
            f"Received also: {', '.join(map(str, unknown))}."
        )
    return list(choice.class_names)


def _files(folder: str, endings: tuple[str, ...], follow_links: bool) -> Iterator[str]:
    for where, _, names in sorted(os.walk(folder, followlinks=follow_links)):
        for name in sorted(names):
            if name.lower().endswith(endings):
                yield os.path.join(where, name)


def _encoded(labels: np.ndarray, mode: str | None, classes: int) -> np.ndarray:
    if mode == "binary":
        return labels.astype(np.float32)[:, None]
    if mode == "categorical":
        return (labels[:, None] == np.arange(classes)).astype(np.float32)
    return labels
