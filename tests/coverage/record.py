"""Write keras_api.json: the names, signatures and string names of some rooms of Keras.

    python tests/coverage/record.py SPEC FIXTURES

with an interpreter that has Keras 3. SPEC is `spec/keras_api.json` and FIXTURES the folder
`fixtures/keras315` of the reference data. Per room: `names` (public name to signature), `classes`
(those names that are classes), `members` (public members of classes, where there are some),
`strings` (names that only strings have, to what they stand for) and `vectors` (names that the
tables of reference values hold).
"""

import importlib
import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOMS = (
    *("losses", "metrics", "optimizers", "optimizers.schedules", "initializers"),
    *("regularizers", "constraints", "activations", "callbacks"),
)


def strings(room: str, names: set[str]) -> dict[str, str]:
    """What `get` of a room takes beside the public names."""
    module = importlib.import_module(f"keras.src.{room}")
    table = getattr(module, "ALL_OBJECTS_DICT", {})
    return {key: value.__name__ for key, value in sorted(table.items()) if key not in names}


def vectors(folder: Path, room: str) -> list[str]:
    path = folder / "vectors" / f"{room.rpartition('.')[2]}.json"
    if not path.exists():
        return []
    content = json.loads(path.read_text())
    cases = content["cases"] if isinstance(content, dict) else content
    return sorted({case.get("cls") or case["name"] for case in cases})


def members(entry: dict) -> list[str]:
    """Public members of a class that not all classes have."""
    return [m for m in entry.get("members", ()) if m not in ("get_config", "from_config")]


def room_of(spec: dict, fixtures: Path, room: str) -> dict:
    found = {
        name.rpartition(".")[2]: entry
        for name, entry in spec["names"].items()
        if name.rpartition(".")[0] == room
    }
    return {
        "names": {name: entry["signature"] for name, entry in found.items()},
        "classes": [name for name, entry in found.items() if entry["kind"] == "class"],
        "members": {name: members(entry) for name, entry in found.items() if members(entry)},
        "strings": strings(room, set(found)),
        "vectors": vectors(fixtures, room),
    }


def main(spec: Path, fixtures: Path) -> None:
    content = json.loads(spec.read_text())
    rooms = {room: room_of(content, fixtures, room) for room in ROOMS}
    lines = [f"{json.dumps(room)}: {json.dumps(content)}" for room, content in rooms.items()]
    (HERE / "keras_api.json").write_text("{" + ",\n".join(lines) + "}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
