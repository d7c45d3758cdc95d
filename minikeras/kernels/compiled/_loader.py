"""Addresses of compiled kernels: from memory, else from the cache, else from the compiler.

A *unit* is one compiled function: a kernel of ``table.py`` for one float type, or one of
``NATIVE``. Numba is imported only when a unit is neither loaded nor cached.
"""

import hashlib
import importlib
import importlib.metadata
import json
import platform
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ..table import FAMILY
from . import _cache, _engine, _together

PREFIX = "minikeras."
# Functions that are not kernels, and their files.
NATIVE = dict.fromkeys(("run", "work", "stop", "spin"), "pool") | {"gemm_block": "gemm"}


class Loader:
    """Loads units into this process, compiling what no cache holds.

    Args:
        target: the CPU; the host by default.
        cache: where object files are kept; the user's cache by default.
        lock: held while a unit is loaded.
        notify: called before each compilation with the seconds spent on earlier ones, and the
            folder that will keep the code (None without one).

    Attributes:
        compiled: symbols of the units that this process had to compile.
    """

    def __init__(
        self,
        target: _engine.Target | None = None,
        cache: _cache.Cache | None = None,
        lock: Any = None,
        notify: Callable[[float, Path | None], None] | None = None,
    ):
        self.target = target or _engine.host_target()
        self._cache = cache or _cache.Cache(_cache.default_folder(), cache_key(self.target))
        self._engine = _engine.Engine(self.target)
        self._addresses: dict[str, int] = {}
        self._lock = lock or threading.RLock()
        self._notify = notify
        self._seconds = 0.0
        self.compiled: list[str] = []

    @property
    def folder(self) -> Path | None:
        """The folder that keeps the code, None without one."""
        return self._cache.folder

    def address(self, name: str, floats: str = "") -> int:
        """Address of a unit, for instance ``("gemm", "float32")``."""
        symbol = symbol_of(name, floats)
        address = self._addresses.get(symbol)
        if address is None:
            with self._lock:
                address = self._addresses.get(symbol) or self._load(symbol, name, floats)
        return address

    def prepare(self, units: Iterable[tuple[str, str]], processes: int) -> None:
        """Have units compiled that no cache holds, by several processes if there are many."""
        lacking = [unit for unit in dict.fromkeys(units) if self._lacks(symbol_of(*unit))]
        if min(processes, len(lacking) // _together.WORTH) > 1 and self._cache.folder is not None:
            lacking.sort(key=_length, reverse=True)
            _together.compile_together(lacking, processes, self.address)

    def compile_ahead(self, name: str, floats: str) -> None:
        """Compile a unit for the cache, unless it is there."""
        symbol = symbol_of(name, floats)
        if self._lacks(symbol):
            self._store(symbol, *self._compile(name, floats))

    def _lacks(self, symbol: str) -> bool:
        return symbol not in self._addresses and not self._cache.has(symbol)

    def _store(self, symbol: str, needs: list, code: bytes) -> None:
        self._cache.write(symbol, json.dumps(needs).encode() + b"\n" + code)

    def _compile(self, name: str, floats: str) -> tuple[list, bytes]:
        """`compile_unit`, announced and timed."""
        if self._notify is not None:
            self._notify(self._seconds, self._cache.folder)
        start = time.perf_counter()
        result = compile_unit(name, floats, self.target)
        self._seconds += time.perf_counter() - start
        return result

    def _load(self, symbol: str, name: str, floats: str) -> int:
        entry = self._cache.read(symbol)
        if entry is None:
            needs, code = self._compile(name, floats)
            self.compiled.append(symbol)
            self._store(symbol, needs, code)
        else:
            head, _, code = entry.partition(b"\n")
            needs = json.loads(head)
        for need in needs:
            self.address(*need)
        address = self._engine.load(symbol, code)
        self._addresses[symbol] = address
        return address


def _length(unit: tuple[str, str]) -> int:
    """Bytes of the source of a unit's family, which say about how long it takes to compile."""
    return (Path(__file__).parent / f"{FAMILY[unit[0]]}.py").stat().st_size


def symbol_of(name: str, floats: str) -> str:
    """Name of a unit's function inside its object file."""
    return f"{PREFIX}{name}.{floats}"


def unit_of(symbol: str) -> tuple[str, str]:
    """The (name, floats) of a unit whose symbol this is."""
    name, floats = symbol.removeprefix(PREFIX).split(".")
    return name, floats


def compile_unit(name: str, floats: str, target: _engine.Target) -> tuple[list, bytes]:
    """Compile one unit: the units that it calls, as (name, floats) pairs, and its object file."""
    jit = importlib.import_module("._jit", __package__)
    module = importlib.import_module(f".{FAMILY.get(name) or NATIVE[name]}", __package__)
    return jit.compile_unit(getattr(module, name), name, floats, target)


def cache_key(target: _engine.Target) -> str:
    """Everything the machine code depends on: CPU, versions, and the text of all kernel sources."""
    parts = [target.triple, target.cpu, target.features, platform.python_version()]
    parts.append(sys.implementation.cache_tag or "")
    for package in ("numba", "llvmlite"):
        try:
            parts.append(importlib.metadata.version(package))
        except importlib.metadata.PackageNotFoundError:
            parts.append("none")
    here = Path(__file__).parent
    shared = [here.parent / "table.py", here.parent / "formulas.py"]
    for source in [*shared, *sorted(here.glob("*.py"))]:
        parts.append(f"{source.name} {hashlib.sha256(source.read_bytes()).hexdigest()}")
    return "\n".join(parts)
