"""The scripts of `examples/`, imported and run in this process."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


class Examples:
    """Runs the examples in a folder of their own."""

    def __init__(self, output: Path):
        self.output = output

    def module(self, name: str) -> ModuleType:
        return importlib.import_module(name)

    def options(self, **numbers: Any) -> SimpleNamespace:
        """What an example reads from its command line."""
        return SimpleNamespace(seed=1, **numbers)

    def run(self, name: str, *arguments: str) -> Any:
        """What `main` of an example returns."""
        return self.module(name).main([*arguments, "--output", str(self.output)])


@pytest.fixture
def examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Examples]:
    monkeypatch.syspath_prepend(EXAMPLES)
    before = set(sys.modules)
    monkeypatch.setitem(importlib.import_module("common").STYLE, "savefig.dpi", 30)  # quick
    yield Examples(tmp_path / "output")
    for name in set(sys.modules) - before:  # `common` must not stay behind for other tests
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(str(EXAMPLES)):
            del sys.modules[name]
