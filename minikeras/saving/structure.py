"""Whether the groups of an HDF5 file hang together, found out before the library follows them.

In a damaged file the library may walk in circles until memory ends. Files of the newer layout carry
checksums, which the library verifies; those of the older layout, which Keras writes, are checked
here: groups are B-trees of symbol tables whose names lie in local heaps.
"""

from .raw import UNDEFINED, Damaged, Raw, number

__all__ = ["check_structure"]

SYMBOL_TABLE, LAYOUT = 0x11, 0x08
GROUP_TREE, CHUNK_TREE = 0, 1
MAX_LEVEL = 32  # of a B-tree: each level holds at least twice as much as the next
CHUNKED = 2


def check_structure(raw: Raw) -> None:
    """Raise Damaged when a group of the older layout is not what it should be."""
    if raw.version > 1:
        return
    at = 56 if raw.version == 0 else 60  # the entry of the root group ends the superblock
    waiting = [number(raw.read(at, 16), 8, 8)]
    nodes: set[int] = set()
    objects: set[int] = set()
    while waiting:
        address = waiting.pop()
        if address in objects:
            continue
        objects.add(address)
        for kind, body in raw.messages(address):
            if kind == SYMBOL_TABLE:
                waiting += _members(raw, number(body, 0, 8), number(body, 8, 8), nodes)
            elif kind == LAYOUT:
                _check_layout(raw, body, nodes)


def _members(raw: Raw, tree: int, heap: int, nodes: set[int]) -> list[int]:
    """The addresses of the objects in a group."""
    names = _check_heap(raw, heap)
    found = []
    for table in _leaves(raw, tree, GROUP_TREE, 8, nodes):
        if table in nodes:
            raise Damaged("a group goes in circles")
        nodes.add(table)
        head = raw.read(table, 8)
        if head[:4] != b"SNOD":
            raise Damaged("a group has no table of members")
        count = number(head, 6, 2)
        entries = raw.read(table + 8, 40 * count)
        for at in range(0, 40 * count, 40):
            if number(entries, at, 8) >= names:
                raise Damaged("a name in a group is missing")
            if number(entries, at + 8, 8) != UNDEFINED:  # as of a soft link
                found.append(number(entries, at + 8, 8))
    return found


def _check_heap(raw: Raw, address: int) -> int:
    """Check a heap of names and its list of free places; how many bytes it holds."""
    head = raw.read(address, 32)
    if head[:4] != b"HEAP":
        raise Damaged("a group has no names")
    size, free, data = (number(head, at, 8) for at in (8, 16, 24))
    content = raw.read(data, size)
    if content and content[-1]:
        raise Damaged("a name in a group does not end")
    last = -1
    for _ in range(size // 16 + 1):
        if free in (1, UNDEFINED):  # 1 is the library's own end of the list
            return size
        if free % 8 or free == last or number(content, free + 8, 8) > size - free:
            break
        last, free = free, number(content, free, 8)
    raise Damaged("the free places of a group go in circles")


def _leaves(
    raw: Raw, address: int, kind: int, key: int, nodes: set[int], expected: int | None = None
) -> list[int]:
    """What the leaves of a B-tree point to; `key` is the size of the keys between them."""
    if address in nodes:
        raise Damaged("a tree goes in circles")
    nodes.add(address)
    head = raw.read(address, 24)
    if head[:4] != b"TREE" or head[4] != kind:
        raise Damaged("a tree is not where it should be")
    level, used = head[5], number(head, 6, 2)
    if level > MAX_LEVEL or expected not in (None, level):
        raise Damaged("a tree has lost a level")
    body = raw.read(address + 24, used * (key + 8) + key)
    children = [number(body, at, 8) for at in range(key, used * (key + 8), key + 8)]
    if level == 0:
        return children
    return [leaf for c in children for leaf in _leaves(raw, c, kind, key, nodes, level - 1)]


def _check_layout(raw: Raw, body: bytes, nodes: set[int]) -> None:
    """Walk the tree of the parts of a chunked dataset."""
    if len(body) > 11 and body[0] == 3 and body[1] == CHUNKED:
        tree = number(body, 3, 8)
        if tree != UNDEFINED:
            _leaves(raw, tree, CHUNK_TREE, 8 + 8 * body[2], nodes)
