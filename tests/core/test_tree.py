from collections import OrderedDict, defaultdict, namedtuple

import pytest

from minikeras.core import tree

Point = namedtuple("Point", "x y")
NEST = {"b": [1, (2, None)], "a": Point(3, {"z": 4})}


def test_leaves_come_by_sorted_keys_and_none_is_one():
    assert tree.flatten(NEST) == [3, 4, 1, 2, None]
    assert tree.flatten(7) == [7]
    assert tree.flatten([]) == []
    assert tree.flatten(OrderedDict(b=1, a=2)) == [1, 2]
    assert tree.flatten({1: "one", "a": "A"}) == ["one", "A"]


def test_paths_name_keys_and_indices():
    assert tree.flatten_with_path({"b": [1, 2], "a": None}) == [
        (("a",), None),
        (("b", 0), 1),
        (("b", 1), 2),
    ]


def test_a_nest_is_rebuilt_with_its_types_and_key_order():
    rebuilt = tree.pack_sequence_as(NEST, [30, 40, 10, 20, 50])
    assert rebuilt == {"b": [10, (20, 50)], "a": Point(30, {"z": 40})}
    assert list(rebuilt) == ["b", "a"]
    assert isinstance(rebuilt["a"], Point)
    default = tree.map_structure(str, defaultdict(list, a=1))
    assert default == {"a": "1"}
    assert default["missing"] == []


def test_packing_counts_the_leaves():
    with pytest.raises(ValueError, match="has 2 leaves. Received: 3"):
        tree.pack_sequence_as({"a": 0, "b": 0}, [1, 2, 3])


def test_map_matches_dicts_by_key():
    pairs = tree.map_structure(lambda a, b: (a, b), {"b": 1, "a": 2}, OrderedDict(b=5, a=6))
    assert pairs == {"b": (1, 5), "a": (2, 6)}
    with pytest.raises(ValueError, match="at least one"):
        tree.map_structure(max)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ([1, 2], (1, 2), r"differ at the root: expected a list.*Received: a tuple"),
        ([1, 2], [1, [2]], r"differ at \[1\]: expected a leaf.*Received: a list with 1 entries"),
        ([1], [1, 2], "expected 1 entries. Received: 2 entries"),
        ({"a": {"b": 1}}, {"a": {"c": 1}}, r"at \['a'\]: expected keys \['b'\].*\['c'\]"),
        (Point(1, 2), (1, 2), "expected a Point"),
    ],
)
def test_differing_structures_are_named(a, b, message):
    with pytest.raises(ValueError, match=message):
        tree.assert_same_structure(a, b)
    with pytest.raises(ValueError, match=message):
        tree.map_structure(lambda *_: 0, a, b)


def test_same_paths_let_lists_match_tuples():
    tree.assert_same_paths([1, {"a": 2}], (3, {"a": 4}))
    with pytest.raises(ValueError, match="different paths"):
        tree.assert_same_paths([1, 2], [1])


def test_map_up_to_hands_over_what_lies_below():
    assert tree.map_structure_up_to([0, 0], lambda a, b: (a, b), [[1], 3], [4, 5]) == [
        ([1], 4),
        (3, 5),
    ]
    with pytest.raises(ValueError, match="expected a list with 2 entries"):
        tree.map_structure_up_to([0, 0], lambda a: a, [1])


def test_shapes_count_as_leaves():
    shapes = {"a": (None, 3), "b": [(1, 2)]}
    assert tree.map_shape_structure(len, shapes) == {"a": 2, "b": [2]}
    with pytest.raises(ValueError, match="nest of shapes"):
        tree.map_shape_structure(len, "x")


def test_traverse_goes_both_ways():
    assert tree.lists_to_tuples([1, {"a": [2]}]) == (1, {"a": (2,)})
    assert tree.traverse(lambda part: "list" if isinstance(part, list) else None, ([1], 2)) == (
        "list",
        2,
    )
    drop = tree.traverse(lambda part: tree.MAP_TO_NONE if part == 1 else None, [1, 2])
    assert drop == [None, 2]


def test_only_containers_are_nested():
    assert all(tree.is_nested(part) for part in ([], (), {}, Point(1, 2)))
    assert not any(tree.is_nested(part) for part in (None, "ab", 3, {1, 2}))
