"""The bytes of an HDF5 file and the headers of its objects, with every offset checked.

What the HDF5 library does not check before it follows it is read here first (HDF5 File Format
Specification 3.0, sections II to IV).
"""

import os
from collections.abc import Iterator
from typing import Any, BinaryIO

__all__ = ["UNDEFINED", "Damaged", "Raw", "number"]

SIGNATURE = b"\x89HDF\r\n\x1a\n"
UNDEFINED = 2**64 - 1
CONTINUATION = 0x10
MAX_BLOCKS = 1000


class Damaged(ValueError):
    """What the file says cannot be so."""


class Raw:
    """The bytes of an open file, by addresses as HDF5 counts them.

    Raises Damaged when the file is not HDF5, or when something in it points beyond its end.
    """

    def __init__(self, file: BinaryIO):
        self.file = file
        self.size = file.seek(0, os.SEEK_END)
        self.base = 0  # the file proper begins after its user block, if it has one
        while self.base < self.size and not self._signed():
            self.base = max(512, 2 * self.base)
        if self.base >= self.size:
            raise Damaged("it is not an HDF5 file")
        self.version = self.read(8, 1)[0]
        widths = self.read(13, 2) if self.version < 2 else self.read(9, 2)
        if widths != b"\x08\x08":
            raise Damaged("its addresses are not of 8 bytes")

    def read(self, at: int, count: int) -> bytes:
        """`count` bytes at an address."""
        at += self.base
        if at < 0 or count < 0 or at + count > self.size:
            raise Damaged("something in it lies beyond its end")
        self.file.seek(at)
        return self.file.read(count)

    def messages(self, address: int) -> Iterator[tuple[int, bytes]]:
        """(kind, body) of the messages in an object's header and its continuations."""
        start = self.read(address, 16)
        newer, tracked = start[:4] == b"OHDR", False
        if newer:
            flags = start[5]
            tracked = bool(flags & 4)
            at = address + 6 + (16 if flags & 32 else 0) + (4 if flags & 16 else 0)
            width = 1 << (flags & 3)
            blocks = [(at + width, number(self.read(at, width), 0, width))]
        elif start[0] == 1:
            blocks = [(address + 16, number(start, 8, 4))]
        else:
            raise Damaged("an object has no header")
        for count, (at, length) in enumerate(blocks):
            if count > MAX_BLOCKS:
                raise Damaged("the header of an object goes in circles")
            for kind, body in _split(self.read(at, length), newer, tracked):
                if kind != CONTINUATION:
                    yield kind, body
                    continue
                at, length = number(body, 0, 8), number(body, 8, 8)
                blocks.append((at + 4, length - 8) if newer else (at, length))

    def _signed(self) -> bool:
        self.file.seek(self.base)
        return self.file.read(len(SIGNATURE)) == SIGNATURE


def number(data: Any, at: int, width: int) -> int:
    """The number of `width` bytes at a place in `data`."""
    if at + width > len(data):
        raise Damaged("a number is cut short")
    return int.from_bytes(data[at : at + width], "little")


def _split(block: bytes, newer: bool, tracked: bool) -> Iterator[tuple[int, bytes]]:
    """The messages in one block of a header."""
    head = 4 + 2 * tracked if newer else 8
    at = 0
    while at + head <= len(block):
        kind, size, flags = (
            (block[at], number(block, at + 1, 2), block[at + 3])
            if newer
            else (number(block, at, 2), number(block, at + 2, 2), block[at + 4])
        )
        body = block[at + head : at + head + size]
        if len(body) != size:
            raise Damaged("a header is cut short")
        if not flags & 2:  # a shared message is stored elsewhere
            yield kind, body
        at += head + size
