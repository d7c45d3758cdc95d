"""Texts in the attributes of HDF5 objects, read from the bytes of the file.

The HDF5 library reads strings of variable length without checking what a damaged file says about
their sizes, and crashes the process. This module follows the format (HDF5 File Format Specification
3.0, sections III.E and IV.A) with every offset checked. Attributes are looked for in the header of
their object, where all but huge ones are.
"""

import os
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

__all__ = ["Attributes", "Damaged"]

CONTINUATION, ATTRIBUTE, ATTRIBUTE_INFO = 0x10, 0x0C, 0x15
FIXED_STRING, VARIABLE = 3, 9
UNDEFINED = 2**64 - 1
MAX_BLOCKS = 1000


class Damaged(ValueError):
    """What the file says cannot be so."""


class Attributes:
    """The text attributes of objects in an open HDF5 file.

    `base` is where the file proper begins: after its user block, if it has one.
    """

    def __init__(self, file: BinaryIO, base: int):
        self.file, self.base = file, base
        self.size = file.seek(0, os.SEEK_END)
        version = self._read(8, 1)[0]
        widths = self._read(13, 2) if version < 2 else self._read(9, 2)
        if widths != b"\x08\x08":
            raise Damaged("its addresses are not of 8 bytes")

    def texts(self, address: int) -> dict[str, list[bytes]]:
        """Name to texts (one for a scalar) of the text attributes of the object at `address`."""
        found = {}
        for kind, body in self._messages(address):
            if kind == ATTRIBUTE:
                name, texts = self._attribute(body)
                if texts is not None:
                    found[name] = texts
        return found

    def names(self, address: int) -> set[str]:
        """The names of all attributes in the header of the object, texts or not."""
        return {
            self._attribute_parts(body)[0]
            for kind, body in self._messages(address)
            if kind == ATTRIBUTE
        }

    def has_more(self, address: int) -> bool:
        """Whether the object keeps attributes outside of its header."""
        for kind, body in self._messages(address):
            if kind == ATTRIBUTE_INFO and len(body) >= 10:
                at = 4 if body[1] & 1 else 2
                return _number(body, at, 8) != UNDEFINED
        return False

    def _read(self, at: int, count: int) -> bytes:
        at += self.base
        if at < 0 or count < 0 or at + count > self.size:
            raise Damaged(f"it points {at + count - self.size} bytes beyond its end")
        self.file.seek(at)
        return self.file.read(count)

    def _messages(self, address: int) -> Iterator[tuple[int, bytes]]:
        """(kind, body) of the messages in an object's header and its continuations."""
        start = self._read(address, 16)
        newer = start[:4] == b"OHDR"
        tracked = False
        if newer:
            flags = start[5]
            tracked = bool(flags & 4)
            at = 6 + (16 if flags & 32 else 0) + (4 if flags & 16 else 0)
            width = 1 << (flags & 3)
            blocks = [(address + at + width, _number(self._read(address + at, width), 0, width))]
        elif start[0] == 1:
            blocks = [(address + 16, _number(start, 8, 4))]
        else:
            raise Damaged("an object has no header")
        for count, (at, length) in enumerate(blocks):
            if count > MAX_BLOCKS:
                raise Damaged("an object's header goes in circles")
            for kind, body in _split(self._read(at, length), newer, tracked):
                if kind != CONTINUATION:
                    yield kind, body
                    continue
                at, length = _number(body, 0, 8), _number(body, 8, 8)
                blocks.append((at + 4, length - 8) if newer else (at, length))

    def _attribute(self, body: bytes) -> tuple[str, list[bytes] | None]:
        name, datatype, dataspace, data = self._attribute_parts(body)
        count = _elements(dataspace)
        if len(datatype) < 8 or count is None:
            return name, None
        size = _number(datatype, 4, 4)
        if len(data) < count * size:
            raise Damaged(f"the attribute {name!r} is cut short")
        parts = [data[size * i : size * (i + 1)] for i in range(count)]
        if datatype[0] & 15 == FIXED_STRING:
            return name, [part.rstrip(b"\0") for part in parts]
        if datatype[0] & 15 == VARIABLE and datatype[1] & 15 == 1 and size == 16:
            return name, [self._variable(part) for part in parts]
        return name, None

    def _attribute_parts(self, body: bytes) -> tuple[str, bytes, bytes, bytes]:
        if len(body) < 9 or body[0] not in (1, 2, 3) or (body[0] > 1 and body[1]):
            raise Damaged("an attribute is of an unknown kind")
        at, pieces = 9 if body[0] == 3 else 8, []
        for place in (2, 4, 6):
            size = _number(body, place, 2)
            pieces.append(body[at : at + size])
            if len(pieces[-1]) != size:
                raise Damaged("an attribute is cut short")
            at += -(-size // 8) * 8 if body[0] == 1 else size
        name = pieces[0].partition(b"\0")[0].decode("utf-8", "replace")
        return name, pieces[1], pieces[2], body[at:]

    def _variable(self, reference: bytes) -> bytes:
        """A string of variable length: its length, and its place in a heap."""
        length, heap, index = struct.unpack("<IQI", reference)
        if length == 0:
            return b""
        head = self._read(heap, 16)
        if head[:4] != b"GCOL":
            raise Damaged("a text is not where it should be")
        at, end = heap + 16, heap + _number(head, 8, 8)
        while at + 16 <= end:
            number, _, _, size = struct.unpack("<HHIQ", self._read(at, 16))
            if number == 0:
                break
            if number == index:
                if size < length:
                    raise Damaged("a text is cut short")
                return self._read(at + 16, length).rstrip(b"\0")
            at += 16 + -(-size // 8) * 8
        raise Damaged("a text is missing")


def _split(block: bytes, newer: bool, tracked: bool) -> Iterator[tuple[int, bytes]]:
    """The messages in one block of a header."""
    head = 4 + 2 * tracked if newer else 8
    at = 0
    while at + head <= len(block):
        kind, size = (
            (block[at], _number(block, at + 1, 2))
            if newer
            else (_number(block, at, 2), _number(block, at + 2, 2))
        )
        body = block[at + head : at + head + size]
        if len(body) != size:
            raise Damaged("a header is cut short")
        flags = block[at + 3] if newer else block[at + 4]
        if not flags & 2:  # a shared message is stored elsewhere
            yield kind, body
        at += head + size


def _elements(dataspace: bytes) -> int | None:
    """How many values a dataspace holds, None if it is empty or not understood."""
    if len(dataspace) < 4 or dataspace[0] not in (1, 2):
        return None
    rank, start = dataspace[1], 8 if dataspace[0] == 1 else 4
    if (dataspace[0] == 2 and dataspace[3] == 2) or rank > 1:
        return None
    return 1 if rank == 0 else _number(dataspace, start, 8)


def _number(data: Any, at: int, width: int) -> int:
    if at + width > len(data):
        raise Damaged("a number is cut short")
    return int.from_bytes(data[at : at + width], "little")
