import numpy as np
import pytest

from minikeras.core import catalog
from minikeras.core.configurable import Configurable
from minikeras.core.registry import register


class Base(Configurable):
    _config_skip = ("autocast",)
    _config_optional = ("penalty",)

    def __init__(self, *, penalty=None, trainable=True, autocast=True, name=None, **kwargs):
        assert not kwargs, kwargs
        self.penalty, self.trainable, self.name = penalty, trainable, name


class Sized(Base):
    def __init__(self, size, axes=(1, 2), **kwargs):
        super().__init__(**kwargs)
        self.size, self.axes = size, axes


def test_arguments_are_read_up_the_bases_and_down_again():
    assert list(Sized(3).get_config()) == ["trainable", "name", "size", "axes"]
    assert Sized(3, name="s").get_config() == {
        "trainable": True,
        "name": "s",
        "size": 3,
        "axes": (1, 2),
    }


def test_configs_make_equal_objects():
    first = Sized(3, axes=[0], trainable=False, penalty=0.5)
    assert Sized.from_config(first.get_config()).get_config() == first.get_config()


def test_optional_arguments_appear_when_set_or_redeclared():
    class Redeclared(Base):
        def __init__(self, penalty=None, **kwargs):
            super().__init__(penalty=penalty, **kwargs)

    assert "penalty" not in Sized(1).get_config()
    assert Sized(1, penalty=2.0).get_config()["penalty"] == 2.0
    assert Redeclared().get_config()["penalty"] is None


def test_reading_stops_at_a_constructor_without_kwargs():
    class Closed(Sized):
        def __init__(self, rate):
            super().__init__(1)
            self.rate = rate

    assert Closed(0.5).get_config() == {"rate": 0.5}


def test_inherited_constructors_need_nothing():
    class Same(Sized):
        pass

    assert Same(4).get_config()["size"] == 4


def test_an_argument_that_is_not_kept_is_named():
    class Forgetful(Base):
        def __init__(self, rate, **kwargs):
            super().__init__(**kwargs)

    with pytest.raises(TypeError, match=r"Forgetful.*'rate'.*self\.rate"):
        Forgetful(1).get_config()


def test_an_argument_that_cannot_be_written_is_named():
    class Holder(Base):
        def __init__(self, thing, **kwargs):
            super().__init__(**kwargs)
            self.thing = thing

    for thing in (object(), lambda x: x):
        with pytest.raises(TypeError, match="Holder.*'thing'"):
            Holder(thing).get_config()


def test_star_arguments_are_refused():
    class Starred(Base):
        def __init__(self, *sizes, **kwargs):
            super().__init__(**kwargs)

    with pytest.raises(TypeError, match=r"\*sizes"):
        Starred(1).get_config()


def test_an_overridden_config_wins_and_may_extend_that_of_its_bases():
    class Handmade(Sized):
        def __init__(self, size, secret=0, **kwargs):
            super().__init__(size, **kwargs)
            self.hidden = secret

        def get_config(self):
            return {**super().get_config(), "secret": self.hidden}

    class Derived(Handmade):
        def __init__(self, extra=1, **kwargs):
            super().__init__(**kwargs)
            self.extra = extra

    config = Handmade(2, secret=5).get_config()
    assert (config["size"], config["secret"]) == (2, 5)
    config = Derived(size=2, secret=5, extra=7).get_config()
    assert (config["size"], config["secret"], config["extra"]) == (2, 5, 7)
    assert Derived.from_config(config).hidden == 5


def test_values_become_plain(monkeypatch):
    monkeypatch.setitem(catalog._exact, "layers", {})
    register("layers", name="Sized")(Sized)
    config = Sized(np.float32(0.5), axes=[Sized(1)]).get_config()
    assert config["size"] == 0.5
    assert type(config["size"]) is float
    assert config["axes"][0]["class_name"] == "Sized"
    back = Sized.from_config(config)
    assert type(back.axes[0]) is Sized


def test_configs_written_by_hand_reach_the_constructor_as_they_are():
    record = {"module": "nowhere", "class_name": "X", "config": {}}

    class Handmade(Base):
        def __init__(self, part, **kwargs):
            super().__init__(**kwargs)
            self.part = part

        def get_config(self):
            return {"part": record}

    assert Handmade.from_config({"part": record}).part is record


def test_an_argument_kept_elsewhere_can_be_pointed_to():
    class Renamed(Base):
        def __init__(self, dtype=None, **kwargs):
            super().__init__(**kwargs)
            self.policy = dtype

        def _config_argument(self, name):
            return self.policy if name == "dtype" else super()._config_argument(name)

    assert Renamed("float16").get_config()["dtype"] == "float16"


def test_arguments_passed_on_as_a_whole_are_those_of_the_class_above():
    class Base(Configurable):
        def __init__(self, factor=2.0, axis=-1):
            self.factor, self.axis = factor, axis

    class PassesOn(Base):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)

    assert PassesOn(3.0, axis=1).get_config() == {"factor": 3.0, "axis": 1}


def test_any_number_of_things_needs_a_config_written_by_hand():
    class Stack(Configurable):
        def __init__(self, *things, **kwargs):
            self.things = things

    with pytest.raises(TypeError, match="takes \\*things, which a config cannot hold"):
        Stack(1, 2).get_config()
