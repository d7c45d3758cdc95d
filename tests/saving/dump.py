"""The whole of an HDF5 file as a dict, down to how it is stored, for comparing two files."""

import h5py
import numpy as np


def dump(path_or_file) -> dict:
    """Every group, attribute and dataset by path, with types, layouts and values."""
    found: dict = {}
    with h5py.File(path_or_file, "r") as file:
        found["/"] = _attributes(file)
        file.visititems(lambda name, item: found.update({name: _item(item)}))
    return found


def _item(item):
    if isinstance(item, h5py.Group):
        return {"attributes": _attributes(item)}
    plist = item.id.get_create_plist()
    return {
        "attributes": _attributes(item),
        "type": item.dtype.str,
        "shape": item.shape,
        "layout": plist.get_layout(),
        "filters": plist.get_nfilters(),
        "value": np.asarray(item).tolist(),
    }


def _attributes(item):
    return {key: _attribute(item, key) for key in item.attrs}


def _attribute(item, key):
    attribute = h5py.h5a.open(item.id, key.encode())
    kind = attribute.get_type()
    text = isinstance(kind, h5py.h5t.TypeStringID)
    value = item.attrs[key]
    return {
        "class": kind.get_class(),
        "variable": text and kind.is_variable_str(),
        "charset": kind.get_cset() if text else None,
        "shape": attribute.shape,
        "value": value.tolist() if hasattr(value, "tolist") else value,
    }
