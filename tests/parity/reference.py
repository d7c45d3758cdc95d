"""Where the Keras reference values are, and how near to them a result must be.

`cases(kind)` lists what there is to compare with: always the files of `tests/golden`, and the rest
of the whole set when `MINIKERAS_TEST_DATA` names its folder. What is not built yet is listed in
`PENDING`; all else is run.
"""

import fnmatch
import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tests.conftest import GOLDEN, reference_folder

VALUES = 1e-5  # predictions and vectors, relative to max(1, |reference|)
TRAJECTORIES = 1e-4  # losses and weights along a training

PENDING: dict[str, tuple[str, ...]] = {}  # patterns of names


class Case(NamedTuple):
    """One reference file, or family of files, of a root folder."""

    root: Path
    name: str

    @property
    def id(self) -> str:
        return f"{'golden' if self.root == GOLDEN else 'full'}-{self.name}"


def is_pending(kind: str, name: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in PENDING.get(kind, ()))


def roots() -> list[Path]:
    full = reference_folder("fixtures", "keras315")
    return [GOLDEN, *([full] if full is not None and full.is_dir() else [])]


def cases(kind: str, pattern: str) -> list[Case]:
    """Cases of a folder by the files that match `pattern`; each once, golden ones first."""
    found: dict[str, Case] = {}
    for root in roots():
        for path in sorted((root / kind).glob(pattern)):
            name = path.parent.name if "/" in pattern else path.name[: -len(pattern) + 1]
            found.setdefault(name, Case(root, name))
    return [case for case in found.values() if not is_pending(kind, case.name)]


def records(kind: str) -> list[tuple[Case, dict[str, Any]]]:
    """The cases of a table in `vectors`, each with the root that holds its arrays."""
    found: dict[str, tuple[Case, dict[str, Any]]] = {}
    for root in roots():
        content = json.loads((root / "vectors" / f"{kind}.json").read_text())
        for number, record in enumerate(content["cases"] if isinstance(content, dict) else content):
            name = record.get("cls") or record["name"]
            key = record.get("id") or f"{number:03d}"
            if not is_pending(kind, name):
                found.setdefault(key, (Case(root, f"{key}-{name}"), record))
    return list(found.values())


@cache
def arrays(root: Path, *parts: str) -> dict[str, np.ndarray]:
    with np.load(root.joinpath(*parts), allow_pickle=False) as file:
        return {name: file[name] for name in file}


@cache
def info(root: Path, *parts: str) -> dict[str, Any]:
    return json.loads(root.joinpath(*parts).read_text())


def numbered(content: dict[str, np.ndarray], prefix: str) -> list[np.ndarray]:
    """The arrays `prefix000`, `prefix001`, ... or `prefix0`, `prefix1`, ... in order."""
    names = [name for name in content if name.startswith(prefix) and name[len(prefix) :].isdigit()]
    return [content[name] for name in sorted(names, key=lambda name: int(name[len(prefix) :]))]


def nest(arrays: list[Any], structure: dict[str, Any]) -> Any:
    """Arrays in the structure that a model takes or gives: one, a list, or a dict."""
    if structure["kind"] == "dict":
        return dict(zip(structure["keys"], arrays, strict=True))
    return list(arrays) if structure["kind"] == "list" else arrays[0]


def flat(value: Any, structure: dict[str, Any]) -> list[np.ndarray]:
    if structure["kind"] == "dict":
        return [np.asarray(value[key]) for key in structure["keys"]]
    return [np.asarray(v) for v in (value if structure["kind"] == "list" else [value])]


def assert_near(value: Any, reference: Any, tolerance: float, what: str = "") -> None:
    """|value - reference| <= tolerance * max(1, |reference|), and equal shapes."""
    value, reference = np.asarray(value, "float64"), np.asarray(reference, "float64")
    assert value.shape == reference.shape, f"{what}: shape {value.shape}, not {reference.shape}"
    error = np.abs(value - reference) / np.maximum(1.0, np.abs(reference))
    worst = float(error.max(initial=0.0)) if not np.isnan(error).any() else float("nan")
    assert worst <= tolerance, f"{what}: differs from Keras by {worst:.2e}"


def assert_relative(
    value: Any, reference: Any, tolerance: float, what: str = "", least: float = 0.0
) -> None:
    """Along a training: relative to the largest number of the reference array, or to `least`."""
    value, reference = np.asarray(value, "float64"), np.asarray(reference, "float64")
    assert value.shape == reference.shape, f"{what}: shape {value.shape}, not {reference.shape}"
    scale = max(float(np.abs(reference).max(initial=0.0)), least) or 1.0
    worst = float(np.abs(value - reference).max(initial=0.0)) / scale
    assert worst <= tolerance, f"{what}: differs from Keras by {worst:.2e} of {scale:.3g}"
