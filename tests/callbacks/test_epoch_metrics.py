import numpy as np
import pytest

import minikeras as keras
from minikeras.callbacks import EarlyStopping, EpochMetrics, ModelCheckpoint


def spread(y_true, y_pred):
    """A number that is no average over batches."""
    return np.ptp(y_pred)


def hits(y_true, y_pred, sample_weight=None):
    assert y_true.shape == y_pred.shape
    return np.average(y_true == y_pred, weights=sample_weight)


@pytest.fixture
def data(rng):
    return rng.normal(size=(40, 3)).astype("float32"), rng.integers(0, 4, 40)


def classifier(units=4, loss="sparse_categorical_crossentropy", metrics=()):
    last = "sigmoid" if units == 1 else "softmax"
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(units, last)])
    model.compile("sgd", loss, metrics=list(metrics))
    return model


def fit(model, data, *callbacks, **options):
    x, y = data
    options = {"validation_data": (x[:25], y[:25]), "epochs": 2, **options}
    return model.fit(x, y, verbose=0, callbacks=callbacks, **options).history


def test_functions_see_all_validation_data_at_once(data):
    seen = []

    def watch(y_true, y_pred):
        seen.append((y_true.shape, y_pred.shape))
        return 1

    history = fit(classifier(), data, EpochMetrics([spread, watch]), validation_batch_size=4)
    assert list(history)[-2:] == ["val_spread", "val_watch"]
    assert seen == [((25,), (25, 4))] * 2
    assert history["val_watch"] == [1.0, 1.0]


def test_results_are_those_after_the_epoch(data):
    model = classifier()
    history = fit(model, data, EpochMetrics({"range": spread}))
    assert history["val_range"][-1] == float(np.ptp(model.predict(data[0][:25], verbose=0)))


def test_classes_are_compared_as_indices(data):
    model = classifier(metrics=["accuracy"])
    history = fit(model, data, EpochMetrics(hits, of="classes"))
    np.testing.assert_allclose(history["val_hits"], history["val_accuracy"], rtol=1e-6)


def test_one_hot_targets_become_indices(data):
    x, y = data
    model = classifier(loss="categorical_crossentropy", metrics=["accuracy"])
    one_hot = keras.utils.to_categorical(y, 4)
    history = fit(model, (x, one_hot), EpochMetrics(hits, of="classes"))
    np.testing.assert_allclose(history["val_hits"], history["val_accuracy"], rtol=1e-6)


@pytest.mark.parametrize("threshold", [0.3, 0.5])
def test_single_outputs_become_classes_by_the_threshold(data, threshold):
    x, y = data
    accuracy = keras.metrics.BinaryAccuracy(threshold=threshold, name="accuracy")
    model = classifier(1, "binary_crossentropy", [accuracy])
    measure = EpochMetrics(hits, of="classes", threshold=threshold)
    history = fit(model, (x, (y > 1)[:, None]), measure)
    np.testing.assert_allclose(history["val_hits"], history["val_accuracy"], rtol=1e-6)


def test_weights_are_handed_over_when_asked_for(data):
    x, y = data
    weights = np.arange(25) / 10
    model = classifier()
    model.compile("sgd", "sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
    measure = EpochMetrics(hits, of="classes", weighted=True)
    history = fit(model, data, measure, validation_data=(x[:25], y[:25], weights))
    np.testing.assert_allclose(history["val_hits"], history["val_accuracy"], rtol=1e-6)
    with pytest.raises(ValueError, match="weighted=True needs sample weights"):
        fit(model, data, EpochMetrics(hits, weighted=True))


def test_other_callbacks_can_watch_the_results(data, tmp_path):
    values = iter([1.0, 3.0, 2.0, 2.0, 2.0])
    measure = EpochMetrics({"score": lambda y_true, y_pred: next(values)})
    stopper = EarlyStopping("val_score", mode="max", patience=2)
    saver = ModelCheckpoint(
        str(tmp_path / "{epoch}-{val_score:.0f}.keras"), "val_score", mode="max",
        save_best_only=True,
    )  # fmt: skip
    fit(classifier(), data, measure, stopper, saver, epochs=5)
    assert stopper.stopped_epoch == 3
    assert sorted(p.name for p in tmp_path.iterdir()) == ["1-1.keras", "2-3.keras"]


def test_a_watcher_before_the_metric_is_refused_with_the_order_to_use(data):
    stopper = EarlyStopping("val_spread", mode="max")
    with pytest.raises(ValueError, match="Put EpochMetrics before EarlyStopping in `callbacks`"):
        fit(classifier(), data, stopper, EpochMetrics(spread))


def test_data_of_ones_own_keep_their_names(data):
    history = fit(classifier(), data, EpochMetrics(spread, data=data), validation_data=None)
    assert list(history) == ["loss", "spread"]


def test_epochs_without_validation_have_no_results(data):
    history = fit(classifier(), data, EpochMetrics(spread), epochs=5, validation_freq=2)
    assert len(history["val_spread"]) == 2


def test_arrays_stay_arrays(data):
    history = fit(classifier(), data, EpochMetrics({"both": lambda t, p: np.array([1, 2])}))
    np.testing.assert_array_equal(history["val_both"][0], [1, 2])


def test_predicting_does_not_change_training(data):
    ends = []
    for callbacks in ([], [EpochMetrics(spread)]):
        keras.utils.set_random_seed(1)
        model = classifier()
        fit(model, data, *callbacks)
        ends.append(model.get_weights())
    for one, other in zip(*ends, strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_cannot_work_is_refused_before_the_first_epoch(data):
    with pytest.raises(ValueError, match="`fit` has none. Pass validation_data"):
        fit(classifier(), data, EpochMetrics(spread), validation_data=None)
    with pytest.raises(ValueError, match="The logs have an entry 'val_accuracy' already"):
        fit(classifier(metrics=["accuracy"]), data, EpochMetrics({"accuracy": spread}))


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ([], "needs at least one function"),
        (["auc"], "takes functions of"),
        ({"auc": 3}, "takes functions of .* Received: 'auc': 3"),
        ([spread, spread], "two functions have the same name"),
    ],
)
def test_what_is_no_function_is_refused(given, text):
    with pytest.raises(ValueError, match=text):
        EpochMetrics(given)


def test_data_must_be_pairs():
    with pytest.raises(ValueError, match=r"`data` must be \(x, y\)"):
        EpochMetrics(spread, data=np.zeros(3))
