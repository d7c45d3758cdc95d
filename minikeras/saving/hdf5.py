"""HDF5 read with suspicion: no links, no outside storage, no sizes that the file does not hold."""

import functools
import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from .attributes import attribute_names, has_more_attributes, text_attributes
from .files import require_file
from .raw import Damaged, Raw
from .structure import check_structure

__all__ = ["Reader", "in_memory", "reading", "write_names"]

# What one attribute of an old HDF5 file can hold (Keras's own limit): longer lists are split.
ATTRIBUTE_BYTES = 64512
# Trained weights hardly compress. Twenty times the file leaves room for zeros, none for a bomb.
EXPANSION = 20
LIBRARY_ERRORS = (OSError, RuntimeError, KeyError, TypeError, MemoryError, UnicodeError)
SMALL = 16 * 2**20


@contextmanager
def in_memory() -> Iterator[tuple[Any, io.BytesIO]]:
    """A new HDF5 file in memory and the buffer that holds it once the block ends."""
    import h5py

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        yield file, buffer


def write_names(group: Any, key: str, names: list[str]) -> None:
    """Store a list of names as an attribute, split into `key0`, `key1`, ... when it is too long."""
    encoded = [name.encode("utf-8") for name in names]
    longest = max((len(name) for name in encoded), default=1)
    per_part = ATTRIBUTE_BYTES // max(longest, 1)
    if per_part == 0:
        raise ValueError(f"A name of {longest} bytes is too long for an HDF5 attribute.")
    if len(encoded) <= per_part:
        group.attrs[key] = encoded
        return
    parts = -(-len(encoded) // per_part)
    for number, part in enumerate(np.array_split(np.asarray(encoded), parts)):
        group.attrs[f"{key}{number}"] = part


@contextmanager
def reading(source: Any, name: str) -> Iterator["Reader"]:
    """A `Reader` of the HDF5 file at path `source`, or of one held in a BytesIO.

    `name` is what errors call the file. Raises FileNotFoundError, PermissionError, or ValueError
    when it is not HDF5 or is damaged.
    """
    import h5py

    with ExitStack() as stack:
        file = source
        if isinstance(source, str):
            require_file(source)
            file = stack.enter_context(open(source, "rb"))
        try:
            raw = Raw(file)
            check_structure(raw)
            file.seek(0)
            opened = stack.enter_context(h5py.File(source, "r"))
        except (Damaged, *LIBRARY_ERRORS) as error:
            raise ValueError(f"{name} is not an HDF5 file, or is damaged: {error}.") from error
        yield Reader(opened, name, raw)


def _guarded(method: Callable) -> Callable:
    """What the HDF5 library raises on a damaged file becomes a ValueError that names the file."""

    @functools.wraps(method)
    def call(self: Any, *args: Any) -> Any:
        try:
            return method(self, *args)
        except (Damaged, *LIBRARY_ERRORS) as error:
            raise ValueError(f"{self.name} is damaged or cut short: {error}") from error

    return call


class Reader:
    """An open HDF5 file that hands out groups, names and arrays after checking each of them."""

    def __init__(self, file: Any, name: str, raw: Raw):
        self.root, self.name, self.raw, self.size = file, name, raw, raw.size

    @_guarded
    def group(self, path: str, parent: Any = None) -> Any:
        """The group at `path` below `parent` (the root), or None when there is none."""
        found = self._walk(path, parent)
        if found is not None and not self._is_group(found):
            raise ValueError(f"{self.name}: {path!r} should be a group and is not.")
        return found

    @_guarded
    def stored(self, path: str, parent: Any = None) -> "Stored":
        """The numbers at `path` below `parent`: checked, but not read yet."""
        found = self._walk(path, parent)
        if found is None or self._is_group(found) or not hasattr(found, "shape"):
            raise ValueError(f"{self.name} has no data at {path!r}.")
        self._check(found, path)
        return Stored(found, self.name)

    @_guarded
    def keys(self, group: Any) -> list[str]:
        """The names in a group; numbers in numeric order ("2" before "10")."""
        names = list(group.keys())
        return sorted(names, key=lambda name: (not name.isdigit(), name.zfill(20)))

    @_guarded
    def text(self, key: str, group: Any = None) -> str | None:
        """The text of an attribute, or None when there is none."""
        texts = self._texts(key, self.root if group is None else group)
        if texts is not None and len(texts) != 1:
            raise ValueError(f"{self.name}: the attribute {key!r} should be one text.")
        return None if texts is None else texts[0].decode("utf-8")

    @_guarded
    def names(self, key: str, group: Any) -> list[str]:
        """A list of names kept in one attribute, or in `key0`, `key1`, ... when it was split."""
        texts, part = self._texts(key, group), 0
        while texts is None or part:
            more = self._texts(f"{key}{part}", group)
            if more is None:
                break
            texts, part = [*(texts or []), *more], part + 1
        return [text.decode("utf-8") for text in texts or []]

    @_guarded
    def has_names(self, key: str, group: Any) -> bool:
        """Whether a group has a list of names of this key, whole or split."""
        return key in group.attrs or f"{key}0" in group.attrs

    def _texts(self, key: str, group: Any) -> list[bytes] | None:
        """The texts in an attribute; [] for an empty list, which has no type of its own."""
        address = _address(group)[1]
        texts = text_attributes(self.raw, address).get(key)
        if texts is None and key in group.attrs:
            if group.attrs.get_id(key).shape == (0,):
                return []
            found = None
            if key not in attribute_names(self.raw, address) and has_more_attributes(
                self.raw, address
            ):
                found = np.atleast_1d(group.attrs[key]).tolist()  # kept outside of the header
            if found is None or not all(isinstance(text, str | bytes) for text in found):
                raise ValueError(f"{self.name}: the attribute {key!r} should be text and is not.")
            texts = [text.encode() if isinstance(text, str) else text for text in found]
        return texts

    @_guarded
    def values(self, skip: tuple[str, ...] = ()) -> int:
        """How many numbers the file holds, leaving out the groups at the root that `skip` names.

        Raises ValueError when the declared sizes go beyond what a file of this length can hold.
        """
        plain = filtered = count = 0
        for dataset in self._datasets(skip):
            self._check(dataset, dataset.name)
            count += dataset.size
            if dataset.id.get_create_plist().get_nfilters():
                filtered += dataset.size * dataset.dtype.itemsize
            else:
                plain += dataset.size * dataset.dtype.itemsize
        if plain > self.size or filtered > max(SMALL, EXPANSION * self.size):
            raise ValueError(
                f"{self.name} declares {plain + filtered} bytes of data in a file of {self.size}. "
                "It is damaged or not to be trusted."
            )
        return count

    def _datasets(self, skip: tuple[str, ...]) -> Iterator[Any]:
        """Every dataset once. Iterative: a hostile file nests deeper than the stack allows."""
        seen: set[Any] = set()
        waiting = [self.root[name] for name in self._hard_links(self.root) if name not in skip]
        while waiting:
            item = waiting.pop()
            address = _address(item)
            if address in seen:
                continue
            seen.add(address)
            if self._is_group(item):
                waiting.extend(item[name] for name in self._hard_links(item))
            elif hasattr(item, "shape"):
                yield item

    def _hard_links(self, group: Any) -> list[str]:
        import h5py

        return [
            name for name in group if group.get(name, getlink=True, getclass=True) is h5py.HardLink
        ]

    def _walk(self, path: str, parent: Any) -> Any:
        """Follow `path` name by name; links that lead elsewhere are refused."""
        import h5py

        here = self.root if parent is None else parent
        for name in path.split("/"):
            if name in ("", ".", ".."):
                raise ValueError(f"{self.name}: the path {path!r} is not allowed.")
            if not self._is_group(here) or name not in here:
                return None
            link = here.get(name, getlink=True, getclass=True)
            if link is not h5py.HardLink:
                raise ValueError(
                    f"{self.name}: {path!r} is a {link.__name__}, which is not allowed."
                )
            here = here[name]
        return here

    def _is_group(self, item: Any) -> bool:
        return hasattr(item, "keys")

    def _check(self, dataset: Any, path: str) -> None:
        """Refuse data that lies elsewhere, is not numbers, or declares more than is stored."""
        where = f"{self.name}: the data at {path!r}"
        if dataset.shape is None or dataset.external or dataset.is_virtual:
            raise ValueError(f"{where} is not stored in the file itself, which is not allowed.")
        dtype = dataset.dtype
        brain = (
            dtype.kind == "V" and dtype.itemsize == 2 and self.text("dtype", dataset) == "bfloat16"
        )
        if not brain and (dtype.kind not in "fiub" or dtype.itemsize > 8):
            raise ValueError(f"{where} must be numbers. Received: dtype {dtype}.")
        declared = dataset.size * dtype.itemsize
        stored = dataset.id.get_storage_size()
        filtered = dataset.id.get_create_plist().get_nfilters() > 0
        limit = max(SMALL, EXPANSION * stored) if filtered else min(stored, self.size)
        if declared > limit:
            raise ValueError(
                f"{where} declares {declared} bytes and stores {stored}. "
                "The file is damaged or not to be trusted."
            )


class Stored:
    """Numbers in a file whose shape and dtype have been checked; `read` fetches them."""

    def __init__(self, dataset: Any, name: str):
        self.dataset, self.name = dataset, name
        self.shape: tuple[int, ...] = tuple(dataset.shape)
        self.brain = dataset.dtype.kind == "V"  # bfloat16, which numpy does not know
        self.dtype = np.dtype("float32") if self.brain else dataset.dtype.newbyteorder("=")

    @_guarded
    def read(self) -> np.ndarray:
        """The numbers in native byte order; bfloat16 comes as float32."""
        array = np.asarray(self.dataset[()])
        if self.brain:  # the upper half of a float32
            return (array.view("<u2").astype("<u4") << 16).view("<f4").reshape(self.shape)
        return array.astype(self.dtype, copy=False)


def _address(item: Any) -> Any:
    import h5py

    info = h5py.h5o.get_info(item.id)  # type: ignore[attr-defined]
    return info.fileno, info.addr
