import enum
import json

import numpy as np
import pytest

from minikeras.core import catalog
from minikeras.core import serialize as serialization
from minikeras.core.configurable import Configurable
from minikeras.core.registry import register, register_keras_serializable
from minikeras.core.serialize import deserialize, serialize, serialize_function


@pytest.fixture(autouse=True)
def own_tables(monkeypatch):
    for name in ("_exact", "_tolerant"):
        copied = {kind: dict(table) for kind, table in getattr(catalog, name).items()}
        monkeypatch.setattr(catalog, name, copied)
    for name in ("_paths", "_by_path", "_global_objects", "_global_names"):
        monkeypatch.setattr(catalog, name, dict(getattr(catalog, name)))


class Part(Configurable):
    def __init__(self, size=1):
        self.size = size


class Whole(Configurable):
    def __init__(self, left=None, right=None):
        self.left, self.right = left, right


@pytest.fixture
def parts():
    register("layers", name="Part")(Part)
    register("layers", name="Whole")(Whole)


def through_json(value):
    return json.loads(json.dumps(value))


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        3,
        2.5,
        "text",
        [1, [2, None]],
        {"a": {"b": [1.0]}},
        slice(1, None, 2),
        Ellipsis,
        b"bytes",
    ],
)
def test_values_survive_the_round_trip(value):
    assert deserialize(through_json(serialize(value))) == value


def test_arrays_survive_and_numpy_numbers_become_plain():
    array = np.arange(6, dtype="int16").reshape(2, 3)
    back = deserialize(through_json(serialize({"a": array})))["a"]
    np.testing.assert_array_equal(back, array)
    assert back.dtype == array.dtype
    assert serialize([np.float32(0.5), np.array(3), np.dtype("int8")]) == [0.5, 3, "int8"]
    assert type(serialize(np.float64(0.5))) is float
    assert type(serialize(enum.IntEnum("E", "a").a)) is int


def test_specials_have_the_layout_of_keras():
    assert serialize(slice(1, None)) == {
        "class_name": "__slice__",
        "config": {"start": 1, "stop": None, "step": None},
    }
    assert serialize(Ellipsis) == {"class_name": "__ellipsis__", "config": {}}
    assert serialize(np.ones(2, "float32")) == {
        "class_name": "__numpy__",
        "config": {"value": [1.0, 1.0], "dtype": "float32"},
    }
    assert serialize(b"x") == {"class_name": "__bytes__", "config": {"value": "x"}}


def test_built_ins_carry_their_public_path(parts):
    record = serialize(Whole(Part(2), [Part(3)]))
    assert list(record) == ["module", "class_name", "config", "registered_name"]
    assert record["module"] == "keras.layers"
    assert record["registered_name"] is None
    assert record["config"]["left"] == {
        "module": "keras.layers",
        "class_name": "Part",
        "config": {"size": 2},
        "registered_name": None,
    }
    back = deserialize(through_json(record))
    assert (back.left.size, back.right[0].size) == (2, 3)


def test_classes_keras_hides_repeat_their_name():
    hidden = register("layers", name="Hidden", module="keras.src.models.hidden")(
        type("Hidden", (Configurable,), {})
    )
    record = serialize(hidden())
    assert (record["module"], record["registered_name"]) == ("keras.src.models.hidden", "Hidden")
    assert type(deserialize(record)) is hidden


def test_custom_classes_go_by_registered_name():
    Mine = register_keras_serializable("pkg")(type("Mine", (Part,), {}))
    record = serialize(Mine(4))
    assert record["registered_name"] == "pkg>Mine"
    assert record["module"] == __name__
    assert type(deserialize(record)) is Mine


def test_custom_classes_may_be_passed_by_name():
    record = serialize(Part(4))
    assert record["registered_name"] == "Part"
    with pytest.raises(TypeError, match="Could not find the class 'Part'.*custom_objects"):
        deserialize(record)
    assert deserialize(record, custom_objects={"Part": Part}).size == 4


def test_classes_of_the_main_script_have_no_module():
    scripted = type("Scripted", (Part,), {"__module__": "__main__"})
    assert serialize(scripted())["module"] is None


def test_functions_are_bare_names_in_configs_and_records_elsewhere():
    @register("activations", "wiggle")
    def wobble(x):
        return x

    @register_keras_serializable("pkg")
    def mine(x):
        return x

    assert serialize_function(wobble) == "wobble"
    record = serialize(wobble)
    assert record == {
        "module": "builtins",
        "class_name": "function",
        "config": "wobble",
        "registered_name": "function",
    }
    assert deserialize(record) is wobble
    assert serialize_function(mine)["config"] == "pkg>mine"
    assert deserialize(serialize(mine)) is mine
    dropped_package = {**serialize(mine), "config": "mine"}
    assert deserialize(dropped_package) is mine
    with pytest.raises(TypeError, match="Could not find the function 'woble'.*'wobble'"):
        deserialize({**record, "config": "woble"})


def test_functions_are_looked_up_in_the_kind_their_module_tells():
    def loss_form():
        return "loss"

    def metric_form():
        return "metric"

    register("losses", name="both")(loss_form)
    register("metrics", name="both")(metric_form)
    record = {"class_name": "function", "config": "both", "registered_name": "both"}
    assert deserialize({**record, "module": "keras.metrics"}) is metric_form
    assert deserialize({**record, "module": "keras.losses"}) is loss_form
    assert deserialize(record, kind="metrics") is metric_form


def test_lambdas_cannot_be_saved():
    with pytest.raises(TypeError, match="lambda cannot be saved.*def"):
        serialize({"f": lambda x: x})


@pytest.mark.parametrize("thing", [object(), Part, {1, 2}])
def test_what_no_file_can_hold_is_refused(thing):
    with pytest.raises(TypeError, match="Cannot save .*get_config"):
        serialize(thing)


def test_shared_objects_are_read_once(parts):
    shared = {**serialize(Part(7)), "shared_object_id": 12}
    other = {**serialize(Part(7)), "shared_object_id": 13}
    back = deserialize({"a": shared, "b": [shared, other]})
    assert back["a"] is back["b"][0]
    assert back["a"] is not back["b"][1]
    assert deserialize(shared) is not back["a"]


def test_a_layer_that_occurs_twice_becomes_one_layer_again(parts):
    @register("layers")
    class Shared(Part):
        def get_build_config(self):
            return None

    one, other = Shared(7), Shared(7)
    record = through_json(serialize({"a": one, "b": [Whole(one, other)]}))
    back = deserialize(record)
    assert back["a"] is back["b"][0].left
    assert back["a"] is not back["b"][0].right
    assert "shared_object_id" not in record["b"][0]["config"]["right"]
    assert "shared_object_id" not in serialize(one)


def test_build_and_compile_configs_are_carried_out(parts):
    @register("layers")
    class Built(Part):
        built = False

        def get_build_config(self):
            return {"input_shape": (None, 3)}

        def build_from_config(self, config):
            self.built = config

        def get_compile_config(self):
            return {"optimizer": Part(9)}

        def compile_from_config(self, config):
            self.compiled = deserialize(config)

    record = through_json(serialize(Built()))
    back = deserialize(record)
    assert back.built == {"input_shape": [None, 3]}
    assert back.compiled["optimizer"].size == 9
    assert not hasattr(deserialize({**record, "compile_config": {}}), "compiled")


def test_the_optimizer_prefix_of_old_files_is_dropped(parts):
    old = {"class_name": "Custom>Part", "config": {"size": 3}}
    assert deserialize(old, kind="layers").size == 3


HOSTILE = [
    {"class_name": "__lambda__", "config": {"code": "4wEAAAA=", "value": ["x", None, None]}},
    {"class_name": "__typespec__", "config": [], "module": "os", "registered_name": None},
    {"class_name": "system", "config": {}, "module": "os", "registered_name": None},
    {"class_name": "get_file", "config": {}, "module": "keras.utils", "registered_name": None},
    {"class_name": "function", "config": "system", "module": "os", "registered_name": "x"},
    {"class_name": "function", "config": {"a": 1}, "module": "builtins"},
    {"class_name": "Part", "config": [1], "module": "keras.layers"},
    {"class_name": "Part", "config": {}, "module": "keras.layers", "registered_name": "os>x"},
    {"class_name": ["Part"], "config": {}},
    {"class_name": "__numpy__", "config": {"value": [1], "dtype": "object"}},
    {"class_name": "__numpy__", "config": {"value": 0, "dtype": "(1000000000,)f8"}},
    {"class_name": "__numpy__", "config": {"value": "a", "dtype": "U1000000000"}},
    {"class_name": "__numpy__", "config": {"value": [[1], [1, 2]], "dtype": "float32"}},
    {"class_name": "__numpy__", "config": {"value": [1]}},
]


@pytest.mark.parametrize("record", HOSTILE, ids=lambda record: str(record)[:60])
@pytest.mark.parametrize("safe_mode", [True, False])
def test_hostile_records_are_refused(parts, record, safe_mode):
    with pytest.raises((TypeError, ValueError)):
        deserialize(record, safe_mode=safe_mode)


def test_deep_nesting_is_an_error_not_a_crash():
    record = []
    for _ in range(100_000):
        record = [record]
    with pytest.raises(ValueError, match="nested too deeply"):
        deserialize(record)


def test_errors_of_constructors_say_what_was_read(parts):
    with pytest.raises(TypeError, match="sizes") as info:
        deserialize({"class_name": "Part", "config": {"sizes": 3}, "module": "keras.layers"})
    assert "while reading 'Part'" in info.value.__notes__[0]


def test_upper_rooms_can_add_specials(monkeypatch):
    monkeypatch.setattr(serialization, "_readers", dict(serialization._readers))
    monkeypatch.setattr(serialization, "_writers", list(serialization._writers))
    serialization.add_special(
        "__complex__",
        complex,
        lambda z: {"parts": [z.real, z.imag]},
        lambda c: complex(*c["parts"]),
    )
    assert deserialize(through_json(serialize([1 + 2j]))) == [1 + 2j]
