"""What Keras has (keras_api.json), what we have, and how the two compare."""

import ast
import fnmatch
import importlib
import inspect
import json
from functools import cache
from pathlib import Path
from typing import Any

from tests.conftest import GOLDEN
from tests.coverage.table import DIFFERENCES, HOW, PENDING
from tests.parity import reference

ROOT = GOLDEN.parents[1]
COPY = Path(__file__).parent / "keras_api.json"
API: dict[str, dict[str, Any]] = json.loads(COPY.read_text())
NONE = inspect.Parameter.empty
NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def names(room: str) -> list[str]:
    """Public names of Keras in a room that are to be there."""
    return [name for name in API[room]["names"] if name not in PENDING.get(room, "").split()]


def ours(room: str, name: str) -> Any:
    """Our object of that name; None if there is none."""
    return getattr(importlib.import_module(f"minikeras.{room}"), name, None)


# --- signatures -----------------------------------------------------------------------------------


def of_keras(signature: str) -> dict[str, Any]:
    """Named parameters and their defaults, of a signature as text."""
    arguments = ast.parse(f"def f{signature}: pass").body[0].args  # type: ignore[attr-defined]
    missing = [NONE] * (len(arguments.args) - len(arguments.defaults))
    defaults = [*missing, *map(ast.literal_eval, arguments.defaults)]
    return dict(zip([a.arg for a in arguments.args], defaults, strict=True))


def _of_function(function: Any) -> tuple[dict[str, Any], bool]:
    parameters = inspect.signature(function).parameters.values()
    passes_on = any(p.kind is p.VAR_KEYWORD for p in parameters)
    return {p.name: p.default for p in parameters if p.kind in NAMED}, passes_on


def accepted(member: Any) -> tuple[dict[str, Any], list[str]]:
    """Named parameters with their defaults, through `**kwargs` up to base classes; and the names
    that may be given by position."""
    if not isinstance(member, type):
        found, _ = _of_function(member)
        return found, list(found)
    found, own = {}, None
    for base in member.__mro__:
        if "__init__" not in base.__dict__ or base is object:
            continue
        here, passes_on = _of_function(base.__init__)
        here.pop("self")
        own = list(here) if own is None else own
        found = {**here, **found}
        if not passes_on:
            break
    return found, own or []


def signature_faults(room: str, name: str) -> list[str]:
    """Where our signature does not take what Keras's takes."""
    wanted = of_keras(API[room]["names"][name])
    found, places = accepted(ours(room, name))
    excused = DIFFERENCES.get(f"{room}.{name}", {})
    faults = []
    for argument, default in wanted.items():
        if argument in excused:
            continue
        if argument not in found:
            faults.append(f"no argument {argument}")
        elif found[argument] != default or (found[argument] is NONE) != (default is NONE):
            faults.append(f"{argument}={found[argument]!r}, not {default!r}")
    order = [a for a in places if a in wanted]
    if not excused and order != list(wanted)[: len(order)]:
        faults.append(f"order {order}, not {list(wanted)}")
    further = [a for a in places if a not in wanted and found[a] is NONE]
    further = [] if excused else further
    return [*faults, *(f"{a} is needed and not known to Keras" for a in further)]


def member_faults(room: str, name: str) -> list[str]:
    """Public members that are not there."""
    excused = DIFFERENCES.get(f"{room}.{name}", {})
    members = API[room]["members"].get(name, ())
    return [m for m in members if f".{m}" not in excused and not hasattr(ours(room, name), m)]


# --- evidence of values ---------------------------------------------------------------------------


@cache
def tests_of(file: str) -> tuple[set[str], str]:
    """Names of the test functions of a file, and its text."""
    path = ROOT / file
    text = path.read_text() if path.is_file() else ""
    tree = ast.parse(text)
    return {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}, text


def evidence(room: str, name: str) -> str | None:
    """What the table says about a name."""
    return next((how for how, listed in HOW[room].items() if name in listed.split()), None)


def _covered_classes(room: str) -> list[type]:
    return [
        member
        for name in names(room)
        if isinstance(member := ours(room, name), type)
        and evidence(room, name) not in (None, "class", "alias")
    ]


def _is_alias(room: str, name: str) -> bool:
    """Whether another covered name, of this room or of another, means the same object."""
    return any(
        ours(other, twin) is ours(room, name) and evidence(other, twin) not in (None, "alias")
        for other in API
        for twin in names(other)
        if (other, twin) != (room, name)
    )


def _walks(patterns: list[str]) -> bool:
    index = json.loads((GOLDEN / "index.json").read_text())["optim"]
    return all(
        any(
            fnmatch.fnmatchcase(case, pattern) and not reference.is_pending("optim", case)
            for case in index
        )
        for pattern in patterns
    )


def value_fault(room: str, name: str) -> str | None:
    """Why there is no evidence that the values of a name are tested; None if there is."""
    how = evidence(room, name)
    if how is None:
        return "no entry in tests/coverage/table.py"
    if how == "vectors":
        table = room.rpartition(".")[2]
        known = name in API[room]["vectors"] and not reference.is_pending(table, name)
        return None if known else "no reference values"
    if how == "class":
        found = any(c.__dict__.get("function") is ours(room, name) for c in _covered_classes(room))
        return None if found else "no covered class has this function"
    if how == "alias":
        return None if _is_alias(room, name) else "no covered name means the same object"
    if how.startswith("walks "):
        return None if _walks(how.split()[1:]) else "no training run of Keras is recorded"
    file, _, test = how.partition("::")
    functions, text = tests_of(file)
    if test not in functions:
        return f"there is no test {how}"
    return None if name in text else f"{file} does not name it"
