"""Every public name of these rooms of Keras: there, with its arguments, and tested by value."""

import json

import pytest

from minikeras.core.registry import find
from tests.conftest import reference_folder
from tests.coverage import api, report
from tests.coverage.table import ABSTRACT, DIFFERENCES, HOW, PENDING

NAMES = [(room, name) for room in api.API for name in api.names(room)]
every_name = pytest.mark.parametrize(("room", "name"), NAMES, ids=[f"{r}.{n}" for r, n in NAMES])


@every_name
def test_the_name_is_there(room, name):
    member = api.ours(room, name)
    assert member is not None
    assert isinstance(member, type) == (name in api.API[room]["classes"])
    assert not api.member_faults(room, name)


@every_name
def test_it_takes_the_arguments_of_keras(room, name):
    assert not api.signature_faults(room, name)


@every_name
def test_its_values_are_tested(room, name):
    assert api.value_fault(room, name) is None


@pytest.mark.parametrize("room", api.API)
def test_strings_that_keras_takes_mean_the_same(room):
    left_out = [*PENDING.get(room, "").split(), *ABSTRACT]
    for word, target in api.API[room]["strings"].items():
        if target not in left_out:
            assert getattr(find(room, word), "__name__", None) == target, word


def test_what_is_pending_is_really_missing():
    """An entry goes when its name has come."""
    for room, listed in PENDING.items():
        for name in listed.split():
            assert name in api.API[room]["names"], name
            assert api.ours(room, name) is None, f"{room}.{name} is there"


def test_the_table_lists_each_name_once_and_no_others():
    for room, ways in HOW.items():
        listed = [name for names in ways.values() for name in names.split()]
        assert sorted(listed) == sorted(api.names(room)), room
    for name in DIFFERENCES:
        room, _, last = name.rpartition(".")
        assert last in api.API[room]["names"], name


def test_differences_are_differences():
    for name, arguments in DIFFERENCES.items():
        room, _, last = name.rpartition(".")
        found, _ = api.accepted(api.ours(room, last))
        wanted = api.of_keras(api.API[room]["names"][last])
        for argument, reason in arguments.items():
            assert reason
            if argument.startswith("."):
                assert not hasattr(api.ours(room, last), argument[1:]), argument
            else:
                same = argument in found and found[argument] == wanted[argument]
                assert not same, argument


def test_a_wrong_signature_is_noticed(monkeypatch):
    signature = "(delta=2.0, sign=1, reduction='sum_over_batch_size', name='huber_loss')"
    monkeypatch.setitem(api.API["losses"]["names"], "Huber", signature)
    faults = api.signature_faults("losses", "Huber")
    assert faults[:2] == ["delta=1.0, not 2.0", "no argument sign"]
    assert faults[2].startswith("order")


def test_missing_evidence_is_noticed(monkeypatch):
    room = {"vectors": "Loss", "class": "get", "tests/losses/test_losses.py::test_x": "ctc"}
    monkeypatch.setitem(HOW, "losses", room)
    assert api.value_fault("losses", "Loss") == "no reference values"
    assert api.value_fault("losses", "get") == "no covered class has this function"
    assert api.value_fault("losses", "ctc").startswith("there is no test")
    assert api.value_fault("losses", "CTC").startswith("no entry")


def test_the_report_has_a_line_per_room():
    lines = report.lines()
    assert [line.split()[0] for line in lines[1:-1]] == list(api.API)
    assert lines[-1].split()[0] == "all"


def test_the_copy_is_that_of_the_whole_list():
    spec = reference_folder("spec", "keras_api.json")
    if spec is None:
        pytest.skip("the whole list is not there")
    whole = json.loads(spec.read_text())["names"]
    copy = json.loads(api.COPY.read_text())
    for room, content in copy.items():
        found = {
            name.rpartition(".")[2]: entry["signature"]
            for name, entry in whole.items()
            if name.rpartition(".")[0] == room
        }
        assert content["names"] == found
