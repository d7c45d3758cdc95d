"""Only tests of the programs are collected; the benchmarks themselves are started by hand."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent
collect_ignore = [p.name for p in HERE.glob("*.py") if p.name[:5] != "test_"]


class Script:
    """The scripts of this folder, which import each other as their neighbours."""

    def __getattr__(self, name: str) -> ModuleType:
        return importlib.import_module(name)


@pytest.fixture(autouse=True)
def _as_many_threads_as_before() -> Iterator[None]:
    from minikeras import kernels

    before = kernels.num_threads()
    yield
    kernels.set_num_threads(before)


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Script:
    monkeypatch.syspath_prepend(str(HERE))
    return Script()
