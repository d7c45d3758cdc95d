"""The golden files are part of the whole set, and small; no case is left out silently."""

import fnmatch
import json
from pathlib import Path

from tests.parity.reference import PENDING, info, records


def test_golden_files_stay_under_one_megabyte(golden: Path):
    assert sum(path.stat().st_size for path in golden.rglob("*") if path.is_file()) < 1_000_000


def test_golden_files_are_copies_of_the_whole_set(golden: Path, keras_fixtures: Path):
    filtered = {
        f"vectors/{kind}.{end}" for kind in ("losses", "metrics") for end in ("json", "npz")
    }
    names = [
        path.relative_to(golden).as_posix()
        for path in golden.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    ]
    different = [
        name
        for name in names
        if name not in filtered
        and (golden / name).read_bytes() != (keras_fixtures / name).read_bytes()
    ]
    assert not different


def test_pending_patterns_match_something_in_the_whole_set(keras_fixtures: Path):
    index = info(keras_fixtures, "index.json")
    known = {"models": set(index["models"]), "optim": set(index["optim"]), "fit": set(index["fit"])}
    for kind in ("losses", "metrics", "activations", "schedules", "initializers"):
        content = json.loads((keras_fixtures / "vectors" / f"{kind}.json").read_text())
        content = content["cases"] if isinstance(content, dict) else content
        known[kind] = {record.get("cls") or record["name"] for record in content}
    for kind, patterns in PENDING.items():
        for pattern in patterns:
            assert fnmatch.filter(known[kind], pattern), f"{kind}: {pattern}"


def test_something_of_each_table_is_compared():
    for kind in ("losses", "metrics", "activations", "schedules", "initializers"):
        assert records(kind), kind
