"""Writes recorded_hosted.json: what Keras loads from small files in the layouts that it hosts.

``KERAS_BACKEND=jax PYTHONPATH=. python tests/datasets/record_hosted.py`` where Keras 3 is.
"""

import importlib
import json
import tempfile
from pathlib import Path

from tests.datasets.hosted_cases import CASES, summary, write


def main() -> None:
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        for name, (kind, options) in CASES.items():
            module = importlib.import_module(f"keras.src.datasets.{kind}")
            module.get_file = lambda *args, kind=kind, **more: str(Path(folder, f"{kind}.npz"))
            found[name] = summary(module.load_data(**options))
    Path(__file__).with_name("recorded_hosted.json").write_text(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
