"""Files in folders as batches: text and images, which are found, in which order, what they hold."""

import numpy as np
import pytest

import minikeras as keras
from minikeras.utils import (
    array_to_img,
    image_dataset_from_directory,
    img_to_array,
    load_img,
    save_img,
    text_dataset_from_directory,
    timeseries_dataset_from_array,
)


@pytest.fixture
def texts(tmp_path):
    for kind, count in (("bad", 4), ("good", 6)):
        folder = tmp_path / kind / ("deep" if kind == "good" else "")
        folder.mkdir(parents=True)
        for k in range(count):
            (folder / f"{k}.txt").write_text(
                f"{kind} film {k} – é\r\n", encoding="utf-8", newline=""
            )
    (tmp_path / "bad" / "notes.md").write_text("no text file")
    (tmp_path / ".hidden").mkdir()
    return tmp_path


def joined(dataset):
    batches = list(dataset)
    return [np.concatenate(parts) for parts in zip(*batches, strict=True)]


def test_texts_come_in_the_order_of_their_paths_with_their_classes(texts, capsys):
    dataset = text_dataset_from_directory(texts, batch_size=4, shuffle=False)
    assert capsys.readouterr().out == "Found 10 files belonging to 2 classes.\n"
    assert (len(dataset), dataset.class_names) == (3, ["bad", "good"])
    x, y = dataset[0]
    assert x.tolist() == [f"bad film {k} – é\r\n" for k in range(4)]
    assert y.tolist() == [0] * 4
    assert y.dtype == np.int32
    assert [len(batch[0]) for batch in dataset] == [4, 4, 2]
    assert dataset.file_paths[-1].endswith("5.txt")


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("int", [0, 1]), ("binary", [[0.0], [1.0]]), ("categorical", [[1.0, 0.0], [0.0, 1.0]])],
)
def test_labels_are_numbers_floats_or_rows(texts, mode, expected):
    dataset = text_dataset_from_directory(texts, label_mode=mode, shuffle=False, verbose=False)
    assert dataset[0][1][[0, -1]].tolist() == expected


def test_labels_may_be_given_or_left_out(texts):
    plain = {"shuffle": False, "verbose": False}
    alone = text_dataset_from_directory(texts, labels=None, **plain)
    assert alone[0].shape == (10,)
    given = text_dataset_from_directory(texts, labels=list(range(5, 15)), **plain)
    assert given[0][1].tolist() == list(range(5, 15))
    assert given.class_names[0] == "5"
    chosen = text_dataset_from_directory(texts, class_names=["good", "bad"], **plain)
    assert chosen[0][1].tolist() == [0] * 6 + [1] * 4
    single = text_dataset_from_directory(texts, batch_size=None, max_length=5, **plain)
    assert single[9] == ("good ", 1)


def test_shuffled_parts_hold_all_files_once_and_those_of_keras(texts):
    split = {"validation_split": 0.3, "seed": 7, "batch_size": 2, "verbose": False}
    train, apart = text_dataset_from_directory(texts, subset="both", **split)
    alone = text_dataset_from_directory(texts, subset="validation", **split)
    assert alone.file_paths == apart.file_paths
    names = [path.split("/")[-1] for path in train.file_paths + apart.file_paths]
    # recorded: keras.utils.image_dataset_from_directory(..., seed=7).file_paths
    order = np.arange(10)
    np.random.RandomState(7).shuffle(order)
    assert names == [f"{k if k < 4 else k - 4}.txt" for k in order]
    x, y = joined(train)
    assert (len(x), len(apart.file_paths)) == (7, 3)
    assert [text.startswith("good") for text in x] == y.tolist()


def test_a_model_learns_from_folders_of_text(texts):
    dataset = text_dataset_from_directory(texts, seed=1, verbose=False)
    vectorize = keras.layers.TextVectorization(output_mode="multi_hot")
    vectorize.adapt(dataset.map(lambda x, y: x))
    model = keras.Sequential([keras.Input((vectorize.vocabulary_size(),))])
    model.add(keras.layers.Dense(1, "sigmoid"))
    model.compile(keras.optimizers.Adam(0.1), "binary_crossentropy", metrics=["accuracy"])
    numbers = dataset.map(lambda x, y: (vectorize(x), y)).cache().prefetch(1)
    model.fit(numbers, epochs=30, verbose=0)
    assert model.evaluate(numbers, verbose=0)[1] == 1.0


def test_data_sets_are_cut_mapped_and_kept():
    calls = []
    windows = timeseries_dataset_from_array(np.arange(9.0), None, 2, batch_size=2, format="grain")
    kept = windows.map(lambda x: calls.append(1) or x + 1).cache()
    assert [b[0, 0] for b in kept] == [b[0, 0] for b in kept] == [1, 3, 5, 7]
    assert len(calls) == 4
    assert [b[0, 0] for b in windows.skip(1).take(2)] == [2, 4]
    assert len(windows.take(9)) == 4
    with pytest.raises(TypeError, match="takes a function"):
        windows.map(3)
    with pytest.raises(ValueError, match="`format` must be one of 'tf', 'grain'"):
        timeseries_dataset_from_array(np.arange(9.0), None, 2, format="numpy")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": "guessed"}, "'inferred', None, or a list"),
        ({"labels": [1, 2]}, "each of the 10 files. Received: 2"),
        ({"label_mode": "ints"}, "`label_mode` must be one of"),
        ({"class_names": ["good", "ugly"]}, "Received also: ugly"),
        ({"labels": None, "class_names": ["good"]}, "are for labels='inferred'"),
        ({"validation_split": 0.2}, "go together"),
        ({"subset": "training"}, "go together"),
        ({"validation_split": 0.2, "subset": "both"}, "needs a `seed`"),
        ({"validation_split": 0.01, "subset": "both", "seed": 1}, "leaves one part without"),
        ({"validation_split": 2, "subset": "both", "seed": 1}, "between 0 and 1"),
        ({"batch_size": 0}, "`batch_size` must be a positive"),
        ({"max_length": 0}, "`max_length` must be a positive"),
        ({"label_mode": "binary", "class_names": ["good"]}, "needs two classes"),
    ],
)
def test_arguments_that_do_not_go_together_are_refused(texts, options, message):
    with pytest.raises(ValueError, match=message):
        text_dataset_from_directory(texts, **{"verbose": False, **options})


def test_folders_without_files_are_refused(tmp_path):
    with pytest.raises(ValueError, match="must be a folder"):
        text_dataset_from_directory(tmp_path / "none")
    with pytest.raises(ValueError, match="holds no folders.*labels=None"):
        text_dataset_from_directory(tmp_path)
    with pytest.raises(ValueError, match=r"no files that end in \.txt"):
        text_dataset_from_directory(tmp_path, labels=None)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="b.txt' is no UTF-8 text"):
        text_dataset_from_directory(tmp_path, verbose=False)[0]


# --- images ---


@pytest.fixture
def images(tmp_path):
    pytest.importorskip("PIL")
    rng = np.random.default_rng(0)
    for kind in ("left", "right"):
        (tmp_path / kind).mkdir()
        for k in range(3):
            save_img(tmp_path / kind / f"{k}.png", rng.integers(0, 256, (4, 8, 3)), scale=False)
    return tmp_path


def test_an_image_comes_back_as_it_was_written(images):
    path = images / "left" / "0.png"
    x = img_to_array(load_img(path))
    assert (x.shape, x.dtype) == ((4, 8, 3), np.float32)
    save_img(images / "copy.bmp", x, scale=False)
    np.testing.assert_array_equal(img_to_array(load_img(images / "copy.bmp")), x)
    assert img_to_array(load_img(path, "grayscale")).shape == (4, 8, 1)
    assert img_to_array(load_img(path, "rgba"), "channels_first").shape == (4, 4, 8)
    np.testing.assert_array_equal(
        img_to_array(load_img(path, target_size=(4, 4), keep_aspect_ratio=True)), x[:, 2:6]
    )
    assert load_img(path, target_size=(2, 3)).size == (3, 2)
    stretched = np.asarray(array_to_img(np.array([[[0.0], [2.0]]])))
    assert stretched.tolist() == [[0, 255]]


def test_images_of_folders_are_batches_of_one_size(images):
    plain = {"image_size": (4, 8), "batch_size": 4, "shuffle": False, "verbose": False}
    dataset = image_dataset_from_directory(images, **plain)
    x, y = joined(dataset)
    assert (x.shape, x.dtype) == ((6, 4, 8, 3), np.float32)
    assert y.tolist() == [0, 0, 0, 1, 1, 1]
    np.testing.assert_array_equal(x[4], img_to_array(load_img(images / "right" / "1.png")))
    first = image_dataset_from_directory(images, **plain, data_format="channels_first")
    np.testing.assert_array_equal(first[0][0], np.moveaxis(dataset[0][0], -1, 1))
    small = {**plain, "image_size": 2, "labels": None}
    # bilinear: each new point between two old ones, in both directions
    halves = image_dataset_from_directory(images, **{**small, "image_size": (2, 4)})[0]
    np.testing.assert_allclose(halves, x[:4].reshape(4, 2, 2, 4, 2, 3).mean(axis=(2, 4)), rtol=1e-6)
    cut = image_dataset_from_directory(images, **small, crop_to_aspect_ratio=True)[0]
    np.testing.assert_allclose(
        cut, x[:4, :, 2:6].reshape(4, 2, 2, 2, 2, 3).mean(axis=(2, 4)), rtol=1e-6
    )
    padded = image_dataset_from_directory(
        images, **{**plain, "image_size": (8, 8)}, pad_to_aspect_ratio=True
    )[0][0]
    np.testing.assert_array_equal(padded[:, 2:6], x[:4])
    assert padded[:, :2].max() == padded[:, 6:].max() == 0
    nearest = image_dataset_from_directory(images, **small, interpolation="nearest")[0]
    np.testing.assert_array_equal(nearest, x[:4, 1::2, 2::4])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"color_mode": "gray"}, "Did you mean 'grayscale'"),
        ({"interpolation": "area"}, "`interpolation` must be one of 'bilinear'"),
        ({"image_size": (3,)}, "a height and a width"),
        ({"image_size": (0, 3)}, "positive integer"),
        ({"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}, "not both"),
        ({"data_format": "last"}, "`data_format` must be one of"),
    ],
)
def test_what_images_cannot_be_is_refused(images, options, message):
    with pytest.raises(ValueError, match=message):
        image_dataset_from_directory(images, **options)


def test_without_pillow_the_error_names_the_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    with pytest.raises(ImportError, match=r"minikeras\[image\]"):
        load_img(tmp_path / "a.png")
