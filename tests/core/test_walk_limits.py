import pytest

from minikeras.core.limits import claim, value_budget
from minikeras.core.walk import attributes, members, private_last, walk


class Leaf:
    def __init__(self, name):
        self.name = name


class Node:
    __slots__ = ("__dict__", "slotted")

    def __init__(self, **parts):
        self.__dict__.update(parts)


def is_leaf(value):
    return isinstance(value, Leaf)


def is_node(value):
    return isinstance(value, Node)


def names(found):
    return [("/".join(map(str, path)), leaf.name) for path, leaf in found]


def tree():
    shared = Leaf("shared")
    return Node(
        _hidden=Leaf("hidden"),
        z=Leaf("z"),
        a=[Leaf("a0"), {"k": (shared,)}],
        m=Node(inner=Leaf("inner"), again=shared),
        text="text",
    )


def test_leaves_come_in_the_order_of_creation():
    assert names(walk(tree(), is_leaf, is_node)) == [
        ("_hidden", "hidden"),
        ("z", "z"),
        ("a/0", "a0"),
        ("a/1/k/0", "shared"),
        ("m/inner", "inner"),
    ]


def test_leaves_come_sorted_with_private_names_last():
    found = names(walk(tree(), is_leaf, is_node, key=private_last))
    assert [path for path, _ in found] == ["a/0", "a/1/k/0", "m/inner", "z", "_hidden"]


def test_bookkeeping_is_skipped_by_name():
    found = names(walk(tree(), is_leaf, is_node, skip=lambda owner: ("a", "again", "_hidden")))
    assert [name for _, name in found] == ["z", "inner"]


def test_cycles_end():
    root = Node(leaf=Leaf("leaf"))
    root.me, root.loop = root, [root]
    root.loop.append(root.loop)
    assert names(walk(root, is_leaf, is_node)) == [("leaf", "leaf")]


def test_wanted_values_may_be_entered_too():
    root = Node(a=Node(b=Node()))
    assert [path for path, _ in walk(root, is_node, is_node)] == [("a",), ("a", "b")]
    assert members(root, is_node) == [root.a]


def test_slots_are_attributes():
    node = Node(a=1)
    node.slotted = Leaf("slotted")
    assert [name for name, _ in attributes(node)] == ["a", "slotted"]
    assert [leaf.name for leaf in members(node, is_leaf)] == ["slotted"]


def test_budget_is_shared_by_all_claims_within():
    claim(10**12)
    with value_budget(10):
        claim(6, "kernel")
        with pytest.raises(ValueError, match="'bias' of 5 values.*only 4 more"):
            claim(5, "bias")
        with value_budget(100):
            claim(50)
        claim(4)
    claim(10**12)
