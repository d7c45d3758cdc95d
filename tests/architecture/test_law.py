"""Imports look down, and the checker that says so can say no."""

from pathlib import Path

import pytest

from tests.architecture import law


@pytest.mark.parametrize("path", law.sources(), ids=lambda path: law.module_of(path))
def test_imports_look_down(path: Path):
    found = law.violations(law.module_of(path), path.read_text(), path.name == "__init__.py")
    assert not found, "\n".join(found)


BROKEN = {
    "an upward import": ("minikeras.ops.math", "from minikeras.layers import base", "room layers"),
    "a relative upward import": ("minikeras.ops.math", "from ..layers import base", "room layers"),
    "a room beside it": ("minikeras.losses.base", "import minikeras.metrics", "room metrics"),
    "the package from inside": ("minikeras.layers.dense", "import minikeras", "facade"),
    "a name of the package": ("minikeras.layers.dense", "from minikeras import Dense", "facade"),
    "a room of the top floor": (
        "minikeras.layers.dense",
        "from minikeras import datasets",
        "facade",
    ),
    "the kernels from graph": ("minikeras.graph.node", "from minikeras import kernels", "kernels"),
    "a type-only import": (
        "minikeras.ops.math",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import minikeras.models",
        "room models",
    ),
    "an import inside a function": (
        "minikeras.layers.dense",
        "def build():\n    from minikeras.core import names",
        "inside a function",
    ),
    "an import by string": (
        "minikeras.layers.dense",
        "import importlib\nimportlib.import_module('minikeras.core')",
        "inside a function",
    ),
    "an import by a computed string": (
        "minikeras.layers.dense",
        "import importlib\ndef f(name):\n    importlib.import_module(name)",
        "inside a function",
    ),
    "another library at the top": ("minikeras.ops.math", "import scipy.special", "scipy"),
    "h5py at the top": ("minikeras.saving.h5", "import h5py", "h5py"),
    "numba outside the kernels": ("minikeras.ops.math", "import numba", "numba"),
}
SOUND = {
    "a room below": ("minikeras.layers.dense", "from minikeras import activations, ops"),
    "the module next to it": ("minikeras.layers.dense", "from .base import Layer"),
    "a relative import of a room below": ("minikeras.layers.dense", "from ..core import names"),
    "numpy and the standard library": ("minikeras.core.tree", "import json\nimport numpy as np"),
    "h5py in a function of saving": ("minikeras.saving.h5", "def read():\n    import h5py"),
    "numba in a function of kernels": ("minikeras.kernels.cache", "def f():\n    import numba"),
    "a computed name inside the kernels": (
        "minikeras.kernels.table",
        "import importlib\ndef f(name):\n    importlib.import_module(f'.{name}', __package__)",
    ),
    "a facade of a facade": ("minikeras.wrappers.sk", "from minikeras import datasets, models"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_the_law_rejects(case: str):
    module, source, reason = BROKEN[case]
    found = law.violations(module, source)
    assert found, case
    assert reason in found[0]


@pytest.mark.parametrize("case", SOUND)
def test_the_law_accepts(case: str):
    assert not law.violations(*SOUND[case])


def test_every_room_below_the_top_has_a_rule():
    assert set(law.ALLOWED) == {room for rooms in law.FLOORS for room in rooms}


def test_no_rule_allows_a_higher_floor():
    floor = {room: level for level, rooms in enumerate(law.FLOORS) for room in rooms}
    for room, allowed in law.ALLOWED.items():
        assert all(floor[other] <= floor[room] for other in allowed), room
