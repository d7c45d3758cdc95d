"""`get`, `serialize` and `deserialize` of every room: names, records and back."""

import importlib

import pytest

ROOMS = {  # room -> a name that strings may give, and an argument to change
    "losses": ("Huber", {"delta": 0.5}),
    "metrics": ("Precision", {"thresholds": 0.3}),
    "optimizers": ("Adam", {"beta_1": 0.5}),
    "optimizers.schedules": ("ExponentialDecay", {"decay_rate": 0.5}),
    "initializers": ("RandomNormal", {"stddev": 0.5}),
    "regularizers": ("L1L2", {"l1": 0.5}),
    "constraints": ("MaxNorm", {"max_value": 0.5}),
}
NEEDED = {"ExponentialDecay": {"initial_learning_rate": 0.1, "decay_steps": 5}}
every_room = pytest.mark.parametrize("room", ROOMS)


def room_of(name: str):
    return importlib.import_module(f"minikeras.{name}")


@every_room
def test_a_record_makes_an_object_with_the_same_arguments(room):
    module = room_of(room)
    name, changed = ROOMS[room]
    one = getattr(module, name)(**NEEDED.get(name, {}), **changed)
    record = module.serialize(one)
    assert record["class_name"] == name
    assert record["module"] == f"keras.{room}"
    again = module.deserialize(record)
    assert type(again) is type(one)
    assert again.get_config() == one.get_config()
    key, value = next(iter(changed.items()))
    assert again.get_config()[key] == value


@every_room
def test_a_record_of_ones_own_class_needs_the_class(room):
    module = room_of(room)
    name, changed = ROOMS[room]
    own = type("OnesOwn", (getattr(module, name),), {})
    record = module.serialize(own(**NEEDED.get(name, {}), **changed))
    assert type(module.deserialize(record, {"OnesOwn": own})) is own
    with pytest.raises((TypeError, ValueError), match="OnesOwn"):
        module.deserialize(record)


@pytest.mark.parametrize("room", [r for r in ROOMS if r != "optimizers.schedules"])
def test_names_classes_objects_and_none(room):
    module = room_of(room)
    name, _ = ROOMS[room]
    kind = getattr(module, name)
    for given in (name, kind, kind()):
        assert isinstance(module.get(given), kind)
    one = kind()
    assert module.get(one) is one
    assert module.get(None) is None
    assert isinstance(module.get(module.serialize(one)), kind)
    with pytest.raises(ValueError, match=f"Unknown .*Did you mean.*Received: '{name}r'"):
        module.get(f"{name}r")
    with pytest.raises(ValueError, match="Received: 5"):
        module.get(5)
