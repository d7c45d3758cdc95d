import pytest

from minikeras.core import catalog
from minikeras.core.configurable import Configurable
from minikeras.core.registry import (
    custom_object_scope,
    find,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    names_of,
    register,
    register_keras_serializable,
    resolve,
)
from minikeras.core.serialize import serialize


@pytest.fixture(autouse=True)
def own_tables(monkeypatch):
    """Every test works on its own copy of the tables."""
    for name in ("_exact", "_tolerant"):
        copied = {kind: dict(table) for kind, table in getattr(catalog, name).items()}
        monkeypatch.setattr(catalog, name, copied)
    for name in ("_paths", "_by_path", "_global_objects", "_global_names"):
        monkeypatch.setattr(catalog, name, dict(getattr(catalog, name)))


@pytest.fixture
def glorot():
    @register("initializers", "xavier", name="GlorotTest")
    class GlorotTest(Configurable):
        def __init__(self, seed=None):
            self.seed = seed

    return GlorotTest


@pytest.mark.parametrize(
    "name", ["GlorotTest", "glorot_test", "GLOROT_TEST", "glorottest", "xavier"]
)
def test_names_give_new_instances_whatever_their_spelling(glorot, name):
    made = resolve("initializers", name, seed=3)
    assert type(made) is glorot
    assert made.seed == 3
    assert resolve("initializers", name) is not made


def test_objects_pass_classes_are_made_and_none_stays(glorot):
    made = glorot()
    assert resolve("initializers", made) is made
    assert type(resolve("initializers", glorot)) is glorot
    assert resolve("initializers", None) is None
    assert resolve("activations", abs) is abs


def test_records_with_and_without_a_module_are_read(glorot):
    record = serialize(glorot(4))
    assert record == {
        "module": "keras.initializers",
        "class_name": "GlorotTest",
        "config": {"seed": 4},
        "registered_name": None,
    }
    assert resolve("initializers", record).seed == 4
    old = {"class_name": "GlorotTest", "config": {"seed": 5}}
    assert resolve("initializers", old).seed == 5


def test_functions_are_returned_and_their_own_name_beats_an_alias():
    @register("losses")
    class TestedError:
        pass

    @register("losses", "TE")
    def tested_error(y_true, y_pred):
        return 0

    assert resolve("losses", "tested_error") is tested_error
    assert resolve("losses", "te") is tested_error
    assert type(resolve("losses", "TestedError")) is TestedError
    assert "tested_error" in names_of("losses")
    assert find("losses", "nothing_of_the_kind") is None


@pytest.mark.parametrize("spec", ["glorot_tset", 3, {"a": 1}.keys()])
def test_unknown_specs_are_refused(glorot, spec):
    with pytest.raises(ValueError, match=r"Unknown initializer.*keras.initializers.*Received: "):
        resolve("initializers", spec)


def test_unknown_names_get_a_suggestion(glorot):
    with pytest.raises(ValueError, match="Did you mean 'glorot_test'"):
        resolve("initializers", "glorot_tset")
    with pytest.raises(ValueError, match="Did you mean 'optimizers'"):
        register("optimizer")


def test_custom_objects_win_over_built_ins(glorot):
    class Mine(Configurable):
        pass

    with custom_object_scope({"glorot_test": Mine, "mine": abs}):
        assert type(resolve("initializers", "glorot_test")) is Mine
        assert resolve("activations", "mine") is abs
    assert type(resolve("initializers", "glorot_test")) is glorot


def test_registered_objects_are_known_by_package_and_name():
    @register_keras_serializable("pkg", name="Other")
    class Mine(Configurable):
        pass

    assert get_registered_name(Mine) == "pkg>Other"
    assert get_registered_object("pkg>Other") is Mine
    assert get_custom_objects()["pkg>Other"] is Mine
    assert get_registered_name(int) == "int"
    assert get_registered_object("pkg>None") is None
    assert get_registered_object("a", custom_objects={"a": 1}) == 1
    assert get_registered_object("a", module_objects={"a": 2}) == 2


def test_scopes_nest_and_end():
    with custom_object_scope({"a": 1}), custom_object_scope({"b": 2}):
        assert (get_registered_object("a"), get_registered_object("b")) == (1, 2)
    assert get_registered_object("a") is None


def test_classes_without_config_cannot_be_registered_as_serializable():
    with pytest.raises(ValueError, match="no `get_config` method"):
        register_keras_serializable()(type("Bare", (), {}))


@pytest.mark.parametrize(
    "module",
    [
        "keras.initializers",
        "keras",
        "keras.src.initializers.random_initializers",
        "tensorflow.python.keras.initializers",
    ],
)
def test_paths_of_other_versions_lead_to_the_kind(glorot, module):
    assert catalog.find_by_path(module, "GlorotTest") is glorot


@pytest.mark.parametrize("module", ["os", "keras.layers", "keras_evil.initializers", ""])
def test_other_paths_lead_nowhere(glorot, module):
    assert catalog.find_by_path(module, "GlorotTest") is None
