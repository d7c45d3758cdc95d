"""Files that are damaged, of another model, or made to harm: a clear error, nothing changed."""

import contextlib
import json
import os
import zipfile

import h5py
import numpy as np
import pytest

from minikeras import saving
from tests.saving import fakes

VALUE = ValueError


@pytest.fixture(autouse=True)
def small_world(monkeypatch):
    fakes.install(monkeypatch)


@pytest.fixture
def folder(tmp_path):
    """A folder with a good model in every format."""
    model = fakes.trained(fakes.compiled(fakes.mlp()))
    for name in ("m.keras", "m.h5"):
        saving.save_model(model, tmp_path / name)
    for name in ("w.weights.h5", "w.h5"):
        saving.save_weights(model, tmp_path / name)
    return tmp_path


def load(path):
    """Read a file into a fresh model, or as a model."""
    if path.name.startswith("m"):
        return saving.load_model(path)
    return saving.load_weights(fakes.mlp(), path)


def rewrite(path, **changes):
    """An archive with some members changed: bytes, a function of the old bytes, or None to drop."""
    with zipfile.ZipFile(path) as old:
        members = {entry.filename: old.read(entry) for entry in old.infolist()}
    with zipfile.ZipFile(path, "w") as new:
        for name, data in members.items():
            change = changes.get(name.replace(".", "_"), data)
            data = change(data) if callable(change) else change
            if data is not None:
                new.writestr(name, data)


def edit_config(path, edit):
    """Change the config in an archive or old file; `edit` gets the record of the model."""

    def changed(text):
        record = json.loads(text)
        return json.dumps(edit(record) or record)

    if path.suffix == ".keras":
        rewrite(path, config_json=changed)
    else:
        with h5py.File(path, "a") as file:
            file.attrs["model_config"] = changed(file.attrs["model_config"])


# --- missing, cut short, or something else ---


@pytest.mark.parametrize("name", ["m.keras", "m.h5", "w.weights.h5"])
def test_missing_files_are_named(tmp_path, name):
    with pytest.raises(FileNotFoundError, match=f"There is no file .*{name}"):
        load(tmp_path / name)


@pytest.mark.parametrize("name", ["m.keras", "m.h5", "w.weights.h5", "w.h5"])
@pytest.mark.parametrize(
    "content", [b"", b"text", b"PK\x03\x04" + b"\0" * 50, b"\x89HDF\r\n\x1a\n\0"]
)
def test_files_of_another_kind_are_named(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(VALUE, match=rf"{name}' is (not|damaged)"):
        load(tmp_path / name)


@pytest.mark.parametrize("name", ["m.keras", "m.h5", "w.weights.h5", "w.h5"])
def test_files_cut_anywhere_are_refused(folder, name):
    data = (folder / name).read_bytes()
    for size in np.linspace(10, len(data) - 1, 25).astype(int):
        (folder / name).write_bytes(data[:size])
        with pytest.raises(VALUE, match=name):
            load(folder / name)


@pytest.mark.parametrize("name", ["m.keras", "m.h5", "w.weights.h5", "w.h5"])
@pytest.mark.filterwarnings("ignore")
def test_flipped_bits_are_found_or_harmless(folder, name):
    data = bytearray((folder / name).read_bytes())
    rng = np.random.default_rng(1)
    for step in range(150):
        place = int(rng.integers(len(data) if step % 2 else 2000))  # half of them where groups are
        bit = 1 << int(rng.integers(8))
        data[place] ^= bit
        (folder / name).write_bytes(data)
        with contextlib.suppress(VALUE, TypeError, OSError):
            load(folder / name)
        data[place] ^= bit


def heap_circle(data):
    """The list of free places in the first heap of names points to itself."""
    heap = data.index(b"HEAP")
    content = int.from_bytes(data[heap + 24 : heap + 32], "little")
    free = int.from_bytes(data[heap + 16 : heap + 24], "little")
    data[content + free : content + free + 8] = free.to_bytes(8, "little")


def tree_circle(data):
    """The first tree is its own child."""
    tree = data.index(b"TREE")
    data[tree + 5] = 1
    data[tree + 32 : tree + 40] = tree.to_bytes(8, "little")


def no_members(data):
    data[data.index(b"SNOD")] = 0


def no_names(data):
    data[data.index(b"HEAP")] = 0


def far_member(data):
    table = data.index(b"SNOD")
    data[table + 16 : table + 24] = (2**40).to_bytes(8, "little")


@pytest.mark.parametrize("harm", [heap_circle, tree_circle, no_members, no_names, far_member])
@pytest.mark.parametrize("name", ["m.h5", "w.weights.h5"])
def test_groups_that_do_not_hang_together_are_refused(folder, name, harm):
    """The library itself would go in circles until memory ends."""
    data = bytearray((folder / name).read_bytes())
    harm(data)
    (folder / name).write_bytes(data)
    with pytest.raises(VALUE, match=f"{name}' is not an HDF5 file, or is damaged"):
        load(folder / name)


@pytest.mark.parametrize("options", [{}, {"libver": "latest"}, {"track_order": True}])
def test_files_written_otherwise_are_read(folder, options):
    """Compressed, in the newer layout, with the order of creation: all are valid HDF5."""
    with h5py.File(folder / "w.h5") as old, h5py.File(folder / "new.h5", "w", **options) as new:
        new.attrs.update(old.attrs)

        def copy(name, item):
            if isinstance(item, h5py.Group):
                new.create_group(name).attrs.update(item.attrs)
            else:
                new.create_dataset(name, data=item[()], chunks=item.shape, compression="gzip")

        old.visititems(copy)
    model = fakes.numbered(fakes.mlp(), 7.0)
    saving.load_weights(model, folder / "new.h5")
    assert fakes.same(fakes.weights(model), fakes.weights(fakes.mlp()))


def test_a_folder_or_another_extension_is_refused(tmp_path):
    (tmp_path / "m.keras").mkdir()
    with pytest.raises(OSError, match="folder"):
        saving.load_model(tmp_path / "m.keras")
    with pytest.raises(VALUE, match=r"must end in `\.keras`.*Received"):
        saving.load_model(tmp_path / "m.pt")
    with pytest.raises(VALUE, match=r"`\.weights\.h5`.*Received"):
        saving.load_weights(fakes.mlp(), tmp_path / "m.npz")


def test_unreadable_files_are_named(folder, monkeypatch):
    monkeypatch.setattr("minikeras.saving.files.os.access", lambda path, mode: False)
    for name in ("m.keras", "m.h5"):
        with pytest.raises(PermissionError, match=f"{name}.*permission denied"):
            load(folder / name)


def test_weights_files_are_no_models(folder):
    os.rename(folder / "w.weights.h5", folder / "w2.h5")
    for name in ("w2.h5", "w.h5"):
        with pytest.raises(VALUE, match=f"{name}' holds no model.*load_weights"):
            saving.load_model(folder / name)


# --- weights of another model ---


@pytest.mark.parametrize("name", ["w.weights.h5", "w.h5"])
def test_another_shape_is_named_and_nothing_is_assigned(folder, name):
    other = fakes.numbered(fakes.mlp(units=6), 7.0)
    before = fakes.weights(other)
    message = r"layer 'c'.*'kernel': expected shape \(4, 6\), found \(4, 5\).*Nothing was loaded"
    with pytest.raises(VALUE, match=message):
        saving.load_weights(other, folder / name)
    assert fakes.same(fakes.weights(other), before)


@pytest.mark.parametrize("name", ["w.weights.h5", "w.h5"])
def test_what_fits_can_be_loaded_alone(folder, name):
    other, model = fakes.numbered(fakes.mlp(units=6), 7.0), fakes.mlp()
    before = fakes.weights(other.layers[2])
    with pytest.warns(UserWarning, match="layer 'c'.*skipped"):
        saving.load_weights(other, folder / name, skip_mismatch=True)
    assert fakes.same(fakes.weights(other.layers[0]), fakes.weights(model.layers[0]))
    assert fakes.same(fakes.weights(other.layers[2]), before)


def test_all_layers_that_do_not_fit_are_listed(folder):
    other = fakes.Sequential([fakes.Dense(9, name="a"), fakes.Dense(5, use_bias=False, name="c")])
    other.build((None, 3))
    with pytest.raises(VALUE, match="In all 2 could not be loaded: layer 'a', layer 'c'"):
        saving.load_weights(other, folder / "w.weights.h5")
    with pytest.raises(VALUE, match="expected 2 layers with weights .*found 3"):
        saving.load_weights(other, folder / "w.h5")


def test_numbers_of_another_kind_are_refused(folder):
    model = fakes.mlp()
    model.layers[0].bias.array = np.zeros(4, "int32")
    with pytest.raises(VALUE, match="'bias': expected int32, found float32"):
        saving.load_weights(model, folder / "w.weights.h5")


def test_a_group_that_is_missing_is_named(folder):
    with h5py.File(folder / "w.weights.h5", "a") as file:
        del file["layers/dense"]
    with pytest.raises(
        VALUE, match=r"layer 'a' expected 2 variables \['kernel', 'bias'\], found 0"
    ):
        load(folder / "w.weights.h5")


# --- made to harm: HDF5 ---


def swap(path, key, make):
    """Replace the dataset `key` of a file by what `make(file, key)` puts there."""
    with h5py.File(path, "a") as file:
        shape = file[key].shape
        del file[key]
        make(file, key, shape)


def external_link(file, key, shape):
    file[key] = h5py.ExternalLink("/etc/passwd", "/data")


def soft_link(file, key, shape):
    file[key] = h5py.SoftLink("/vars")


def external_storage(file, key, shape):
    file.create_dataset(key, shape, "f4", external=[("/etc/passwd", 0, 48)])


def virtual(file, key, shape):
    layout = h5py.VirtualLayout(shape, "f4")
    layout[...] = h5py.VirtualSource("/etc/passwd", "x", shape)
    file.create_virtual_dataset(key, layout)


def bomb(file, key, shape):
    file.create_dataset(key, (2**20, 2**20), "f4", chunks=(1024, 1024), fillvalue=1.0)


def compressed_bomb(file, key, shape):
    data = np.zeros((2**12, 2**12), "f4")
    file.create_dataset(key, data=data, chunks=(1024, 1024), compression="gzip")


def unwritten(file, key, shape):
    file.create_dataset(key, shape, "f4")


def text(file, key, shape):
    file.create_dataset(key, data=np.full(shape, b"abc"))


def objects(file, key, shape):
    file.create_dataset(key, shape, h5py.string_dtype())


def references(file, key, shape):
    file.create_dataset(key, shape, h5py.ref_dtype)


def compound(file, key, shape):
    file.create_dataset(key, shape, [("a", "f4"), ("b", "f4")])


def void(file, key, shape):
    file.create_dataset(key, data=np.zeros(shape, "V4"))


def empty(file, key, shape):
    file[key] = h5py.Empty("f4")


def group(file, key, shape):
    file.create_group(key)


SWAPS = [
    *(external_link, soft_link, external_storage, virtual, bomb, compressed_bomb, unwritten),
    *(text, objects, references, compound, void, empty, group),
]


@pytest.mark.parametrize("make", SWAPS)
@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("w.weights.h5", "layers/dense/vars/0"),
        ("w.h5", "a/a/kernel"),
        ("m.h5", "model_weights/a/a/kernel"),
    ],
)
def test_hostile_data_is_refused(folder, name, key, make):
    swap(folder / name, key, make)
    with pytest.raises(VALUE, match=name):
        load(folder / name)


@pytest.mark.parametrize("make", [external_link, soft_link])
def test_linked_groups_are_refused(folder, make):
    swap_group = {"w.weights.h5": "layers/dense/vars", "w.h5": "a", "m.h5": "model_weights"}
    for name, key in swap_group.items():
        with h5py.File(folder / name, "a") as file:
            del file[key]
            make(file, key, None)
        with pytest.raises(VALUE, match=name):
            load(folder / name)


def test_hard_links_in_a_circle_end(folder):
    with h5py.File(folder / "m.h5", "a") as file:
        file["model_weights/a/circle"] = file["model_weights"]
    load(folder / "m.h5")


def test_deep_groups_do_not_exhaust_the_stack(folder):
    with h5py.File(folder / "m.h5", "a") as file:
        group = file
        for _ in range(3000):
            group = group.create_group("g")
    load(folder / "m.h5")


@pytest.mark.parametrize(
    "path", ["/model_weights/a/a/kernel", "../a/a/kernel", "a//kernel", "", "."]
)
def test_names_that_lead_out_of_their_group_are_refused(folder, path):
    with h5py.File(folder / "m.h5", "a") as file:
        file["model_weights/a"].attrs["weight_names"] = [path.encode(), b"a/bias"]
    with pytest.raises(VALUE, match="not allowed"):
        load(folder / "m.h5")


def test_names_that_are_no_names_are_refused(folder):
    for value in (np.arange(3), h5py.Empty("f4")):
        with h5py.File(folder / "m.h5", "a") as file:
            file["model_weights"].attrs["layer_names"] = value
        with pytest.raises(VALUE, match=r"m\.h5"):
            load(folder / "m.h5")


def test_texts_that_are_no_texts_are_refused(folder):
    for value in (3.0, [b"a", b"b"], b"\xff\xfe", b"{", b"[1]", b'"x"', b"[" * 100_000):
        with h5py.File(folder / "m.h5", "a") as file:
            file.attrs["model_config"] = value
        with pytest.raises(VALUE, match=r"m\.h5"):
            load(folder / "m.h5")


# --- made to harm: configs ---


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_sizes_beyond_the_data_are_refused_before_memory_is_taken(folder, name):
    def edit(record):
        for layer in record["config"]["layers"]:
            if layer["class_name"] == "Dense":
                layer["config"]["units"] = 700_000_000

    edit_config(folder / name, edit)
    with pytest.raises(VALUE, match="'kernel' of 2100000000 values"):
        load(folder / name)


RECORDS = [
    {"class_name": "Lambda", "config": {"function": {"class_name": "__lambda__", "config": {}}}},
    {"class_name": "system", "config": {}, "module": "os", "registered_name": None},
    {"class_name": "load_model", "config": {}, "module": "keras.saving", "registered_name": None},
    {"class_name": "Dense", "config": {"units": 3, "evil": 1}, "module": "keras.layers"},
    {"class_name": "Dense", "config": "units", "module": "keras.layers"},
    {"class_name": "Dense", "config": {}, "module": "keras.layers"},
    {"class_name": 5, "config": {}},
    "relu",
    7,
]


@pytest.mark.parametrize("layer", RECORDS, ids=str)
@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_hostile_layers_are_refused(folder, name, layer):
    edit_config(folder / name, lambda record: record["config"]["layers"].append(layer))
    with pytest.raises((TypeError, VALUE)):
        load(folder / name)


@pytest.mark.parametrize(
    "record",
    [
        [],
        {},
        {"class_name": "Adam", "config": {}, "module": "keras.optimizers"},
        {"class_name": "Dense", "config": {"units": 1}, "module": "keras.layers"},
        {"class_name": "__numpy__", "config": {"value": [1], "dtype": "float32"}},
        {"class_name": "function", "config": "mse", "module": "builtins"},
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_files_of_no_model_are_refused(folder, name, record):
    edit_config(folder / name, lambda old: record or {"empty": record})
    with pytest.raises((TypeError, VALUE)):
        load(folder / name)


def test_deep_configs_are_refused(folder):
    deep = b'{"class_name": "Sequential", "config": ' + b'{"a": ' * 50_000 + b"1" + b"}" * 50_001
    rewrite(folder / "m.keras", config_json=deep)
    with pytest.raises(VALUE, match=r"m\.keras.*(damaged|deep)"):
        load(folder / "m.keras")


# --- made to harm: archives ---


@pytest.mark.parametrize("name", ["config_json", "model_weights_h5"])
def test_missing_members_are_named(folder, name):
    rewrite(folder / "m.keras", **{name: None})
    with pytest.raises(VALUE, match="holds no member .*It holds: metadata.json"):
        load(folder / "m.keras")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_duplicate_members_are_refused(folder):
    with zipfile.ZipFile(folder / "m.keras", "a") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(VALUE, match="2 times a member 'config.json'"):
        load(folder / "m.keras")


def test_inflated_members_are_refused(folder):
    with zipfile.ZipFile(folder / "n.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", b" " * (70 * 2**20))
        archive.writestr("model.weights.h5", b"")
    with pytest.raises(VALUE, match="'config.json' declares 73400320 bytes"):
        saving.load_model(folder / "n.keras")


def test_damaged_members_are_refused(folder):
    data = bytearray((folder / "m.keras").read_bytes())
    data[data.index(b'"class_name"') + 3] ^= 1
    (folder / "m.keras").write_bytes(data)
    with pytest.raises(VALUE, match="'config.json' is damaged.*CRC"):
        load(folder / "m.keras")


def test_members_that_point_elsewhere_are_never_extracted(folder, monkeypatch):
    with zipfile.ZipFile(folder / "m.keras", "a") as archive:
        for name in ("../evil", "/tmp/evil", "..\\evil"):
            archive.writestr(name, "evil")
        entry = zipfile.ZipInfo("assets/link")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    before = sorted(os.listdir(folder))
    monkeypatch.chdir(folder)
    load(folder / "m.keras")
    assert sorted(os.listdir(folder)) == before
    assert not (folder.parent / "evil").exists()


def test_pickled_weights_are_refused(folder):
    rewrite(folder / "m.keras", model_weights_h5=None)
    with zipfile.ZipFile(folder / "m.keras", "a") as archive:
        archive.writestr("model.weights.npz", b"PK")
    with pytest.raises(VALUE, match="no member 'model.weights.h5'"):
        load(folder / "m.keras")


def test_a_member_that_is_not_hdf5_is_refused(folder):
    rewrite(folder / "m.keras", model_weights_h5=b"text")
    with pytest.raises(VALUE, match="m.keras' is not an HDF5 file"):
        load(folder / "m.keras")
