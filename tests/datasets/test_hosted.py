"""imdb, reuters and the housing tables: Keras's values, from files that Keras hosts."""

import hashlib
import importlib
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from minikeras import datasets
from minikeras.utils import pad_sequences

from .hosted_cases import CASES, summary, write

RECORDED = json.loads(Path(__file__).with_name("recorded_hosted.json").read_text())
KINDS = ("imdb", "reuters", "boston_housing", "california_housing")


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("hosted")
    write(folder)
    return folder


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    """A cache of its own, and no network."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    for kind in KINDS:
        module = importlib.import_module(f"minikeras.datasets.{kind}")
        monkeypatch.setattr(module, "FILE", module.FILE._replace(origin="file:///nowhere/x.npz"))
    return tmp_path / "home"


@pytest.mark.parametrize("name", CASES)
def test_what_is_loaded_is_what_keras_loads(name, files):
    kind, options = CASES[name]
    found = summary(getattr(datasets, kind).load_data(path=files, **options))
    assert found["x"] == RECORDED[name]["x"]
    assert found["y"] == RECORDED[name]["y"]
    assert found["sum"] == pytest.approx(RECORDED[name]["sum"], rel=1e-12)


def test_texts_of_one_length_stay_lists(tmp_path):
    texts = np.empty(4, object)
    texts[:] = [[5, 6]] * 4
    np.savez(tmp_path / "reuters.npz", x=texts, y=np.arange(4))
    (x_train, _), _ = datasets.reuters.load_data(tmp_path / "reuters.npz")
    assert x_train.shape == (3,)
    assert pad_sequences(x_train, 4).tolist() == [[0, 1, 8, 2]] * 3


@pytest.mark.parametrize("kind", KINDS)
def test_files_are_downloaded_to_the_cache_once(kind, files, home, monkeypatch):
    module = getattr(datasets, kind)
    source = files / f"{kind}.npz"
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    monkeypatch.setattr(
        module, "FILE", module.FILE._replace(origin=source.as_uri(), file_hash=digest)
    )
    first = module.load_data()
    assert [path.name for path in (home / "datasets").iterdir()] == [f"{kind}.npz"]
    monkeypatch.setattr(module, "FILE", module.FILE._replace(origin="file:///gone"))
    np.testing.assert_array_equal(module.load_data()[0][1], first[0][1])


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_network_the_error_says_where_to_put_the_file(kind, home):
    with pytest.raises(OSError, match="Without a network") as caught:
        getattr(datasets, kind).load_data()
    assert str(home / "datasets" / f"{kind}.npz") in str(caught.value)
    with pytest.raises(FileNotFoundError, match="which does not exist"):
        getattr(datasets, kind).load_data(path="no/such/file.npz")


@pytest.mark.parametrize("kind", ["imdb", "reuters"])
def test_word_indices_are_read_from_a_file(kind, tmp_path):
    path = tmp_path / "words.json"
    path.write_text('{"the": 1, "über": 2}', encoding="utf-8")
    assert getattr(datasets, kind).get_word_index(path) == {"the": 1, "über": 2}
    path.write_text("[1]")
    with pytest.raises(ValueError, match="words and their numbers. Received: list"):
        getattr(datasets, kind).get_word_index(path)
    path.write_text("{")
    with pytest.raises(ValueError, match="words and their numbers"):
        getattr(datasets, kind).get_word_index(path)


class Harm:
    def __reduce__(self):
        return (print, ("harm",))


def test_a_pickled_file_can_only_hold_arrays_of_lists(tmp_path, capsys):
    path = tmp_path / "reuters.npz"
    header = {"descr": "|O", "fortran_order": False, "shape": (1,)}
    with zipfile.ZipFile(path, "w") as archive, archive.open("x.npy", "w") as member:
        np.lib.format.write_array_header_1_0(member, header)
        member.write(pickle.dumps(Harm()))
    with pytest.raises(ValueError, match=r"reuters.npz to hold Reuters.*builtins\.print"):
        datasets.reuters.load_data(path)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_another_file_is_refused_with_its_name(content, tmp_path):
    path = tmp_path / "imdb.npz"
    if content is None:
        np.savez(path, x_train=np.zeros(3))
    else:
        path.write_bytes(content)
    with pytest.raises(ValueError, match="imdb.npz to hold IMDB as x_train, y_train"):
        datasets.imdb.load_data(path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_words": -5}, "`num_words` must be a positive integer"),
        ({"num_words": 10.5}, "`num_words` must be a positive integer"),
        ({"skip_top": -1}, "`skip_top` must be an integer of at least 0"),
        ({"start_char": "a"}, "`start_char` must be an integer"),
        ({"maxlen": 1}, "fewer than maxlen=1"),
        ({"test_split": 1.5}, "`test_split` must be a number between 0 and 1"),
    ],
)
def test_arguments_are_checked(options, message, files):
    with pytest.raises(ValueError, match=message):
        datasets.reuters.load_data(files, **options)
    with pytest.raises(ValueError, match="`version` must be one of 'small', 'large'"):
        datasets.california_housing.load_data("tiny")


def test_there_are_46_topics():
    names = datasets.reuters.get_label_names()
    assert len(set(names)) == 46
    assert names[:4] == ("cocoa", "grain", "veg-oil", "earn")
