"""Files that layers keep in archives beside their weights, such as vocabularies.

A layer that has `save_assets(dir_path)` and `load_assets(dir_path)` writes and reads files in a
folder, which is a temporary one here: archives are never extracted, and of their members only those
are read that lie where a layer of the model says, with a plain name.
"""

import os
import tempfile
from collections.abc import Mapping
from typing import Any

from .layout import holders

__all__ = ["FOLDER", "collect", "distribute"]

FOLDER = "assets"


def collect(model: Any) -> dict[str, bytes]:
    """The content of each file that a layer of the model wants kept, by its name in archives."""
    found = {}
    for path, layer in holders(model):
        if not hasattr(layer, "save_assets"):
            continue
        with tempfile.TemporaryDirectory() as folder:
            layer.save_assets(folder)
            for name in sorted(os.listdir(folder)):
                with open(os.path.join(folder, name), "rb") as file:
                    found["/".join(part for part in (FOLDER, path, name) if part)] = file.read()
    return found


def distribute(model: Any, files: Mapping[str, bytes]) -> None:
    """Give each layer the files that were kept for it."""
    for path, layer in holders(model):
        if not hasattr(layer, "load_assets"):
            continue
        prefix = f"{FOLDER}/{path}/" if path else f"{FOLDER}/"
        own = {
            name.removeprefix(prefix): data
            for name, data in files.items()
            if name.startswith(prefix) and _is_plain(name.removeprefix(prefix))
        }
        if not own:
            continue
        with tempfile.TemporaryDirectory() as folder:
            for name, data in own.items():
                with open(os.path.join(folder, name), "wb") as file:
                    file.write(data)
            layer.load_assets(folder)


def _is_plain(name: str) -> bool:
    """Whether this is the name of a file, and no path."""
    return bool(name) and name not in (".", "..") and not set(name) & set("/\\:\0")
