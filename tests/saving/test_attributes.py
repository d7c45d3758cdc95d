"""Texts in attributes are found wherever HDF5 may put them, and never beyond the file."""

import io

import h5py
import numpy as np
import pytest

import minikeras as keras
from minikeras.saving.attributes import text_attributes
from minikeras.saving.hdf5 import reading, write_names
from minikeras.saving.raw import Damaged, Raw

NAMES = ["dense", "größe", "x" * 300]
KINDS = {
    "old": {},
    "latest": {"libver": "latest"},
    "tracked": {"track_order": True},
    "block": {"userblock_size": 2048},
    "latest_tracked": {"libver": "latest", "track_order": True},
}


def image(write, **options):
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", **options) as file:
        write(file)
    return buffer


@pytest.mark.parametrize("kind", KINDS)
def test_texts_are_found_in_every_layout(kind):
    def write(file):
        group = file.create_group("a/b", track_order=KINDS[kind].get("track_order"))
        for number in range(20):  # more than one block of the header holds
            group.attrs[f"number{number}"] = number
            group.attrs[f"text{number}"] = "t" * number * 50
        group.attrs["config"] = ("ü" * 300_000).encode()
        group.attrs["fixed"] = np.bytes_(b"fixed")
        group.attrs["str"] = "text"
        group.attrs["none"] = []
        group.attrs["names"] = [name.encode() for name in NAMES]
        write_names(group, "written", NAMES)

    with reading(image(write, **KINDS[kind]), "file") as reader:
        group = reader.group("a/b")
        assert reader.text("config", group) == "ü" * 300_000
        assert reader.text("fixed", group) == "fixed"
        assert reader.text("str", group) == "text"
        assert reader.text("nothing", group) is None
        assert [reader.text(f"text{n}", group) for n in range(20)] == [
            "t" * n * 50 for n in range(20)
        ]
        assert reader.names("names", group) == reader.names("written", group) == NAMES
        assert reader.names("none", group) == reader.names("nothing", group) == []
        with pytest.raises(ValueError, match="'number1' should be text"):
            reader.text("number1", group)
        with pytest.raises(ValueError, match="'names' should be one text"):
            reader.text("names", group)


def test_long_lists_are_split_and_joined():
    names = [f"{number:05}" + "x" * 95 for number in range(2000)]
    with reading(image(lambda file: write_names(file, "names", names)), "file") as reader:
        assert "names" not in reader.root.attrs
        assert reader.has_names("names", reader.root)
        assert reader.names("names", reader.root) == names


def test_names_too_long_for_the_format_are_refused():
    with pytest.raises(ValueError, match="too long"):
        image(lambda file: write_names(file, "names", ["x" * 70_000]))


def test_every_flipped_byte_gives_an_answer_or_an_error():
    """The library would read what lies beside the text, or crash."""
    buffer = image(lambda file: file.attrs.update({"a": "text", "b": [b"x", b"yy"]}))
    data = bytearray(buffer.getvalue())
    address = 96  # of the root group in files of this kind
    expected = text_attributes(Raw(io.BytesIO(data)), address)
    assert expected == {"a": [b"text"], "b": [b"x", b"yy"]}
    for place in range(len(data)):
        for value in (0, 255, data[place] ^ 1):
            changed = data.copy()
            changed[place] = value
            try:
                texts = text_attributes(Raw(io.BytesIO(changed)), address)
            except Damaged:
                continue
            assert sum(len(text) for part in texts.values() for text in part) <= len(data)


def test_headers_that_go_in_circles_end():
    buffer = image(lambda file: file.attrs.update({f"a{n}": "x" * n for n in range(30)}))
    data = bytearray(buffer.getvalue())
    place = data.index(b"\x10\x00\x10\x00", 96)  # a continuation of 16 bytes
    data[place + 8 : place + 16] = (96 + 16).to_bytes(8, "little")
    with pytest.raises(Damaged):
        text_attributes(Raw(io.BytesIO(data)), 96)


def test_a_layer_may_store_more_beside_what_is_stored_anyway(tmp_path):
    class Counted(keras.layers.Dense):
        steps = 0

        def save_own_variables(self, store):
            super().save_own_variables(store)
            store["steps"] = np.array(self.steps)

        def load_own_variables(self, store):
            self.steps = int(store["steps"])
            super().load_own_variables(store)

    model = keras.Sequential([keras.Input((3,)), Counted(2)])
    model.layers[0].steps = 5
    model.save(tmp_path / "m.keras")
    back = keras.models.load_model(tmp_path / "m.keras", custom_objects={"Counted": Counted})
    assert back.layers[0].steps == 5
    for found, wanted in zip(back.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(found, wanted)
    with pytest.raises(ValueError, match="has 2 weights of its own.*under the key '0'"):
        keras.layers.Dense.load_own_variables(model.layers[0], {})
