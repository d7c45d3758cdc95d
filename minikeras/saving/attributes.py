"""Texts in the attributes of HDF5 objects, read from the bytes of the file.

The HDF5 library reads strings of variable length without checking what a damaged file says about
their sizes, and crashes the process. Attributes are looked for in the header of their object, where
all but huge ones are.
"""

import struct

from .raw import UNDEFINED, Damaged, Raw, number

__all__ = ["attribute_names", "has_more_attributes", "text_attributes"]

ATTRIBUTE, ATTRIBUTE_INFO = 0x0C, 0x15
FIXED_STRING, VARIABLE = 3, 9


def text_attributes(raw: Raw, address: int) -> dict[str, list[bytes]]:
    """Name to texts (one for a scalar) of the text attributes of the object at `address`."""
    found = {}
    for kind, body in raw.messages(address):
        if kind == ATTRIBUTE:
            name, texts = _attribute(raw, body)
            if texts is not None:
                found[name] = texts
    return found


def attribute_names(raw: Raw, address: int) -> set[str]:
    """The names of all attributes in the header of the object, texts or not."""
    return {_parts(body)[0] for kind, body in raw.messages(address) if kind == ATTRIBUTE}


def has_more_attributes(raw: Raw, address: int) -> bool:
    """Whether the object keeps attributes outside of its header."""
    for kind, body in raw.messages(address):
        if kind == ATTRIBUTE_INFO and len(body) >= 10:
            return number(body, 4 if body[1] & 1 else 2, 8) != UNDEFINED
    return False


def _attribute(raw: Raw, body: bytes) -> tuple[str, list[bytes] | None]:
    name, datatype, dataspace, data = _parts(body)
    count = _elements(dataspace)
    if len(datatype) < 8 or count is None:
        return name, None
    size = number(datatype, 4, 4)
    if len(data) < count * size:
        raise Damaged(f"the attribute {name!r} is cut short")
    parts = [data[size * i : size * (i + 1)] for i in range(count)]
    if datatype[0] & 15 == FIXED_STRING:
        return name, [part.rstrip(b"\0") for part in parts]
    if datatype[0] & 15 == VARIABLE and datatype[1] & 15 == 1 and size == 16:
        return name, [_variable(raw, part) for part in parts]
    return name, None


def _parts(body: bytes) -> tuple[str, bytes, bytes, bytes]:
    """Name, datatype, dataspace and data of an attribute."""
    if len(body) < 9 or body[0] not in (1, 2, 3) or (body[0] > 1 and body[1]):
        raise Damaged("an attribute is of an unknown kind")
    at, pieces = 9 if body[0] == 3 else 8, []
    for place in (2, 4, 6):
        size = number(body, place, 2)
        pieces.append(body[at : at + size])
        if len(pieces[-1]) != size:
            raise Damaged("an attribute is cut short")
        at += -(-size // 8) * 8 if body[0] == 1 else size
    name = pieces[0].partition(b"\0")[0].decode("utf-8", "replace")
    return name, pieces[1], pieces[2], body[at:]


def _variable(raw: Raw, reference: bytes) -> bytes:
    """A string of variable length: its length, and its place in a heap."""
    length, heap, index = struct.unpack("<IQI", reference)
    if length == 0:
        return b""
    head = raw.read(heap, 16)
    if head[:4] != b"GCOL":
        raise Damaged("a text is not where it should be")
    at, end = heap + 16, heap + number(head, 8, 8)
    while at + 16 <= end:
        entry, _, _, size = struct.unpack("<HHIQ", raw.read(at, 16))
        if entry == 0:
            break
        if entry == index:
            if size < length:
                raise Damaged("a text is cut short")
            return raw.read(at + 16, length).rstrip(b"\0")
        at += 16 + -(-size // 8) * 8
    raise Damaged("a text is missing")


def _elements(dataspace: bytes) -> int | None:
    """How many values a dataspace holds, None if it is empty or not understood."""
    if len(dataspace) < 4 or dataspace[0] not in (1, 2):
        return None
    rank, start = dataspace[1], 8 if dataspace[0] == 1 else 4
    if (dataspace[0] == 2 and dataspace[3] == 2) or rank > 1:
        return None
    return 1 if rank == 0 else number(dataspace, start, 8)
