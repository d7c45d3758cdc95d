import struct
import sys
import zlib

import numpy as np
import pytest

import minikeras as keras
from minikeras.callbacks import TensorBoard, event_log
from minikeras.callbacks.event_log import EventLog

pytest.importorskip("tensorboard")


@pytest.fixture(params=["tensorboard", "tensorboardX"])
def writer(request, monkeypatch):
    """The package that writes."""
    pytest.importorskip(request.param)
    if request.param == "tensorboardX":
        monkeypatch.setitem(sys.modules, "tensorboard.compat.proto", None)
    event_log._kit.cache_clear()
    yield request.param
    event_log._kit.cache_clear()


def events(folder):
    """All events of the files in a folder, in order."""
    found = []
    for path in sorted(folder.glob("events.out.tfevents.*.v2")):
        data, at = path.read_bytes(), 0
        while at < len(data):
            (size,) = struct.unpack("<Q", data[at : at + 8])
            found.append(event_log._kit().Event.FromString(data[at + 12 : at + 12 + size]))
            at += 16 + size
    return found


def array(tensor):
    if tensor.dtype == event_log._STRING:
        return list(tensor.string_val)
    shape = [d.size for d in tensor.tensor_shape.dim]
    dtype = np.float32 if tensor.dtype == event_log._FLOAT else np.float64
    return np.frombuffer(tensor.tensor_content, dtype).reshape(shape)


def values(folder, plugin="scalars"):
    """{name: {step: value}} of what was written for one page of TensorBoard."""
    found = {}
    for event in events(folder):
        for value in event.summary.value:
            if value.metadata.plugin_data.plugin_name == plugin:
                found.setdefault(value.tag, {})[event.step] = array(value.tensor)
    return found


def pixels(png):
    """The bytes of a PNG image of ours, rows by columns by channels."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height, depth, colour = struct.unpack(">IIBB", png[16:26])
    assert depth == 8
    channels = {0: 1, 2: 3, 6: 4}[colour]
    rows = zlib.decompress(png[41 : 41 + struct.unpack(">I", png[33:37])[0]])
    rows = np.frombuffer(rows, np.uint8).reshape(height, 1 + width * channels)
    return rows[:, 1:].reshape(height, width, channels)


def small_model(**compile_options):
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, "relu"), keras.layers.Dense(2)], name="net"
    )
    model.compile(keras.optimizers.SGD(0.1), "mse", metrics=["mae"], **compile_options)
    return model


@pytest.fixture
def data(rng):
    return rng.normal(size=(24, 4)).astype("float32"), rng.normal(size=(24, 2)).astype("float32")


def fit(model, data, folder, epochs=2, initial_epoch=0, callbacks=(), **options):
    board = TensorBoard(folder, **options)
    x, y = data
    history = model.fit(
        x, y, batch_size=4, epochs=epochs, initial_epoch=initial_epoch, verbose=0,
        validation_data=(x[:8], y[:8]), callbacks=[*callbacks, board],
    )  # fmt: skip
    return board, history.history


def test_epochs_have_the_names_of_keras(tmp_path, data, writer):
    _, history = fit(small_model(), data, tmp_path)
    train, validation = values(tmp_path / "train"), values(tmp_path / "validation")
    assert sorted(train) == ["epoch_learning_rate", "epoch_loss", "epoch_mae"]
    assert sorted(validation) == [
        *("epoch_loss", "epoch_mae", "evaluation_loss_vs_iterations"),
        "evaluation_mae_vs_iterations",
    ]
    for name in ("loss", "mae"):
        for step in (0, 1):
            assert train[f"epoch_{name}"][step] == np.float32(history[name][step])
            wanted = np.float32(history[f"val_{name}"][step])
            assert validation[f"epoch_{name}"][step] == wanted
            assert validation[f"evaluation_{name}_vs_iterations"][6 * (step + 1)] == wanted
    assert train["epoch_learning_rate"] == {0: np.float32(0.1), 1: np.float32(0.1)}


def test_batches_are_logged_as_often_as_asked(tmp_path, data):
    seen = []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(logs["loss"])

    fit(small_model(), data, tmp_path, callbacks=[Watch()], update_freq=4)
    written = values(tmp_path / "train")["batch_loss"]
    assert written == {step: np.float32(seen[step - 1]) for step in (4, 8, 12)}
    fit(small_model(), data, tmp_path / "all", epochs=1, update_freq="batch")
    assert sorted(values(tmp_path / "all" / "train")["batch_mae"]) == [1, 2, 3, 4, 5, 6]


def test_hooks_of_batches_cost_nothing_when_epochs_are_logged():
    assert not keras.callbacks.CallbackList([TensorBoard()]).has_batch_hooks
    assert keras.callbacks.CallbackList([TensorBoard(update_freq=10)]).has_batch_hooks


def test_a_hook_of_a_subclass_is_called_all_the_same(tmp_path, data):
    class Own(TensorBoard):
        def on_train_batch_end(self, batch, logs=None):
            super().on_train_batch_end(batch, logs)
            self.summary.scalar("own", batch)

    small_model().fit(*data, batch_size=4, verbose=0, callbacks=[Own(tmp_path)])
    written = values(tmp_path / "train")["own"]
    assert written == {step + 1: np.float32(step) for step in range(6)}


def test_the_speed_is_logged(tmp_path, data):
    fit(small_model(), data, tmp_path, write_steps_per_second=True, update_freq=6)
    train = values(tmp_path / "train")
    assert sorted(train["epoch_steps_per_second"]) == [0, 1]
    assert sorted(train["batch_steps_per_second"]) == [6, 12]
    assert all(speed > 0 for speed in train["epoch_steps_per_second"].values())


def test_training_that_goes_on_continues_the_curves(tmp_path, data):
    model = small_model()
    fit(model, data, tmp_path, epochs=2, update_freq=3)
    fit(model, data, tmp_path, epochs=4, initial_epoch=2, update_freq=3)
    train = values(tmp_path / "train")
    assert sorted(train["epoch_loss"]) == [0, 1, 2, 3]
    assert sorted(train["batch_loss"]) == [3, 6, 9, 12, 15, 18, 21, 24]
    evaluations = values(tmp_path / "validation")["evaluation_loss_vs_iterations"]
    assert sorted(evaluations) == [6, 12, 18, 24]


def test_distributions_and_images_of_weights(tmp_path, data):
    model = small_model()
    fit(model, data, tmp_path, epochs=3, histogram_freq=2, write_images=True)
    shown = values(tmp_path / "train", "histograms")
    paths = [f"net/{w.path.removeprefix('net/')}" for w in model.weights]
    assert sorted(shown) == sorted(f"{path}/histogram" for path in paths)
    for path, weight in zip(paths, model.get_weights(), strict=True):
        assert sorted(shown[f"{path}/histogram"]) == [0, 2]  # epochs
        left, right, counts = shown[f"{path}/histogram"][2].T
        assert counts.sum() == weight.size
        assert (left[0], right[-1]) == (weight.min(), weight.max())
    images = values(tmp_path / "train", "images")
    width, height, png = images[f"{paths[0]}/image"][2]
    kernel = model.get_weights()[0].T  # the shorter side is the height
    assert (width, height) == (b"4", b"3")
    image = pixels(png)[..., 0]
    scaled = (kernel - kernel.min()) / (kernel.max() - kernel.min())
    np.testing.assert_array_equal(image, (scaled * 255.5).astype(np.uint8))


def test_histograms_are_those_of_tensorflow(tmp_path, writer):
    log = EventLog(str(tmp_path))
    log.histogram("several", np.float32([0, 1, 2, 3, 10]), 1, buckets=5)
    log.histogram("one", np.float32([2, 2, 2]), 1, buckets=3)
    log.histogram("none", np.zeros(0, "float32"), 1, buckets=3)
    log.histogram("some not finite", [np.nan, 1.0, np.inf, 3.0], 1, buckets=2)
    log.close()
    found = {name: steps[1].tolist() for name, steps in values(tmp_path, "histograms").items()}
    assert found == {  # the first three as tf.summary.histogram writes them
        "several": [[0, 2, 2], [2, 4, 2], [4, 6, 0], [6, 8, 0], [8, 10, 1]],
        "one": [[2, 2, 0], [2, 2, 0], [2, 2, 3]],
        "none": [[0, 0, 0]] * 3,
        "some not finite": [[1, 2, 1], [2, 3, 1]],
    }


@pytest.mark.parametrize(
    ("shape", "images"),
    [
        ((5,), (1, 5, 1, 1)),
        ((4, 6), (1, 4, 6, 1)),
        ((3, 3, 1, 8), (8, 3, 3, 1)),
        ((3, 3, 2, 8), None),
        ((2, 3, 3, 3), (2, 3, 3, 3)),
        ((), None),
    ],
)
def test_weights_become_images_as_in_keras(rng, shape, images):
    from minikeras.callbacks.tensorboard import _as_images

    found = _as_images(rng.normal(size=shape))
    assert (None if found is None else found.shape) == images


def test_images_are_png_files(tmp_path, writer):
    log = EventLog(str(tmp_path))
    images = np.arange(5 * 2 * 4 * 3, dtype=np.uint8).reshape(5, 2, 4, 3)
    log.image("colours", images, 7)
    log.image("grey", np.float32([0, 0.25, 0.5, 2]).reshape(1, 2, 2, 1), 7)
    log.close()
    found = values(tmp_path, "images")
    assert found["colours"][7][:2] == [b"4", b"2"]
    for png, image in zip(found["colours"][7][2:], images[:3], strict=True):
        np.testing.assert_array_equal(pixels(png), image)
    np.testing.assert_array_equal(pixels(found["grey"][7][2])[..., 0], [[0, 63], [127, 255]])
    with pytest.raises(ValueError, match=r"Image 'x' must have the shape .* Received: \(2, 2\)"):
        log.image("x", np.zeros((2, 2)), 0)


def test_the_layers_are_drawn(tmp_path, data):
    from tensorboard.compat.proto.graph_pb2 import GraphDef

    fit(small_model(), data, tmp_path)
    ((record,),) = values(tmp_path / "train", "graph_keras_model")["keras"].values()
    assert b'"class_name": "Sequential"' in record
    (graph,) = [GraphDef.FromString(e.graph_def) for e in events(tmp_path / "train") if e.graph_def]
    assert [node.op for node in graph.node] == ["InputLayer", "Dense", "Dense"]
    assert list(graph.node[2].input) == [graph.node[1].name]
    fit(small_model(), data, tmp_path / "without", write_graph=False)
    assert values(tmp_path / "without" / "train", "graph_keras_model") == {}


def test_evaluations_outside_of_fit_are_logged(tmp_path, data):
    model = small_model()
    model.fit(*data, verbose=0)
    loss = model.evaluate(*data, verbose=0, callbacks=[TensorBoard(tmp_path)], return_dict=True)
    written = values(tmp_path / "validation")["evaluation_loss_vs_iterations"]
    assert written == {1: np.float32(loss["loss"])}
    assert not (tmp_path / "train").exists()


def test_values_of_ones_own_go_beside_training(tmp_path, data, writer):
    board, _ = fit(small_model(), data, tmp_path)
    board.summary.scalar("given", 0.5, step=3)
    board.summary.scalar("now", 1.5)
    board.summary.text("note", "**bold**")
    board.summary.histogram("many", np.arange(10), buckets=2)
    board.summary.image("dot", np.ones((1, 1, 1, 1)))
    board.summary.close()
    found = values(tmp_path / "train")
    assert found["given"] == {3: 0.5}
    assert found["now"] == {12: 1.5}  # updates so far
    assert values(tmp_path / "train", "text")["note"] == {12: [b"**bold**"]}
    assert values(tmp_path / "train", "histograms")["many"][12].tolist() == [
        [0, 4.5, 5],
        [4.5, 9, 5],
    ]
    assert len(values(tmp_path / "train", "images")["dot"][12]) == 3


def test_arrays_are_logged_entry_by_entry(tmp_path, data):
    class Adds(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["recall"] = np.array([0.25, 0.75])

    fit(small_model(), data, tmp_path, callbacks=[Adds()], epochs=1)
    train = values(tmp_path / "train")
    assert (train["epoch_recall/0"][0], train["epoch_recall/1"][0]) == (0.25, 0.75)


class Embedding(keras.layers.Layer):
    def build(self, input_shape):
        self.embeddings = self.add_weight("embeddings", (4, 3))

    def call(self, x):
        return keras.ops.matmul(x, self.embeddings)


def embedding_model():
    model = keras.Sequential(
        [keras.Input((4,)), Embedding(name="words"), keras.layers.Dense(2)], name="net"
    )
    model.compile("sgd", "mse")
    return model


def test_embeddings_are_written_for_the_projector(tmp_path, data):
    model = embedding_model()
    fit(model, data, tmp_path, embeddings_freq=1, embeddings_metadata={"words": "names.tsv"})
    table = np.loadtxt(tmp_path / "train" / "keras_embedding.words.tsv", delimiter="\t")
    np.testing.assert_allclose(table, model.layers[0].embeddings.numpy(), rtol=1e-5)
    assert (tmp_path / "projector_config.pbtxt").read_text().splitlines() == [
        "embeddings {",
        f'  tensor_name: "{model.layers[0].embeddings.path}"',
        '  tensor_path: "train/keras_embedding.words.tsv"',
        '  metadata_path: "names.tsv"',
        "}",
    ]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"profile_batch": (2, 4)}, "cannot profile batches here: profile_batch must be 0"),
        ({"write_images": True}, "Pass histogram_freq=1 as well"),
        ({"embeddings_metadata": "names.tsv"}, "needs embeddings_freq of at least 1"),
        ({"update_freq": "epochs"}, "Did you mean 'epoch'"),
        ({"update_freq": 0}, "`update_freq` must be a positive integer"),
        ({"histogram_freq": -1}, "`histogram_freq` must be an integer of at least 0"),
        ({"write_graph": "no"}, "`write_graph` must be True or False"),
    ],
)
def test_arguments_without_effect_are_refused(options, text):
    with pytest.raises(ValueError, match=text):
        TensorBoard("logs", **options)


def test_wrong_embeddings_are_refused_before_training(tmp_path, data):
    with pytest.raises(ValueError, match="model 'net' has no Embedding layer"):
        fit(small_model(), data, tmp_path, embeddings_freq=1)
    metadata = {"wordz": "names.tsv"}
    with pytest.raises(ValueError, match="Did you mean 'words'"):
        fit(embedding_model(), data, tmp_path, embeddings_freq=1, embeddings_metadata=metadata)


def test_without_a_package_the_error_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard.compat.proto", None)
    monkeypatch.setitem(sys.modules, "tensorboardX.event_file_writer", None)
    event_log._kit.cache_clear()
    with pytest.raises(ImportError, match=r'pip install "minikeras\[tensorboard\]"'):
        EventLog(str(tmp_path)).scalar("loss", 1.0, 0)
    event_log._kit.cache_clear()


def test_a_model_that_no_file_can_hold_trains_without_a_graph(tmp_path, data):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation=lambda x: x)])
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="Pass write_graph=False"):
        fit(model, data, tmp_path)
    assert "epoch_loss" in values(tmp_path / "train")
