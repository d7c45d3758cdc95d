"""Wrong calls, and what is said about each: what was expected, what came, what to do."""

import re

import numpy as np
import pytest

import minikeras as keras
from minikeras import callbacks as C
from minikeras import layers as L
from minikeras import losses, metrics, optimizers
from minikeras.optimizers import schedules

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(20, 4)).astype("float32")
Y = GENERATOR.integers(0, 3, 20)
ROWS = np.eye(3, dtype="float32")[Y]


def build(loss="sparse_categorical_crossentropy", optimizer="adam", **options):
    model = keras.Sequential([keras.Input((4,)), L.Dense(3, "softmax")])
    model.compile(optimizer, loss, **options)
    return model


def bare():
    return keras.Sequential([keras.Input((4,)), L.Dense(3, "softmax")])


# what is called with a compiled model, the error, words of its message in their order
FIT = [
    (lambda m: m.fit(), ValueError, "`x` must hold the data. Received: None"),
    (lambda m: m.fit(X), ValueError, "needs targets. Received: y=None. Pass the targets as `y`"),
    (lambda m: m.fit(X, Y[:9]), ValueError, "same number of samples ... Received: x 20, y 9"),
    (lambda m: m.fit(X[:0], Y[:0]), ValueError, "`x` is empty ... Received: shape (0, 4)"),
    (lambda m: m.fit(X[:, :3], Y), ValueError, "shape (None, 4). Received: shape (20, 3). Pass"),
    (lambda m: m.fit(X[0], Y), ValueError, "Received: shape (4,). For a single ... x[np.newaxis]"),
    (lambda m: m.fit("data.csv", Y), TypeError, "not text. Received: 'data.csv'. Load the file"),
    (lambda m: m.fit(X.astype(str), Y), ValueError, "must hold numbers ... text. Encode it"),
    (lambda m: m.fit(X + 1j, Y), ValueError, "complex64 ... real and imaginary parts"),
    (lambda m: m.fit({"a": X}, Y), ValueError, "no input named 'a'. It has: x. Received the key"),
    (lambda m: m.fit([X, X], Y), ValueError, "has 1 input: x. Received 2 arrays ... np.stack"),
    (lambda m: m.fit(iter([X]), Y), ValueError, "`y` cannot be given together ... Leave it out"),
    (lambda m: m.fit(X, Y + 1), ValueError, "between 0 and 2 ... from 1 to 3 ... pass `y - 1`"),
    (lambda m: m.fit(X, Y * 0.5), ValueError, "whole numbers. Received: `y` with ... regression"),
    (lambda m: m.fit(X, ROWS), ValueError, "one integer per ... one-hot ... `np.argmax(y, axis="),
    (lambda m: m.fit(X, Y, batch_size=0), ValueError, "`batch_size` ... positive ... Received: 0"),
    (
        lambda m: m.fit(X, Y, batch_size=2.5),
        ValueError,
        "`batch_size` ... Received: 2.5 (of type f",
    ),
    (
        lambda m: m.fit(X, Y, epochs=-1),
        ValueError,
        "fit: `epochs` ... integer of at least 0. Received: -1",
    ),
    (lambda m: m.fit(X, Y, epochs="3"), ValueError, "fit: `epochs` ... Received: '3' (of type str"),
    (lambda m: m.fit(X, Y, initial_epoch=-1), ValueError, "`initial_epoch` ... Received: -1"),
    (lambda m: m.fit(X, Y, initial_epoch=2), UserWarning, "the last epoch, not ... epochs=1"),
    (lambda m: m.fit(X, Y, verbose=5), ValueError, "`verbose` ... 0, 1, 2, 'auto'. Received: 5"),
    (lambda m: m.fit(X, Y, shuffle="yes"), ValueError, "`shuffle` ... True or False. Received: 'y"),
    (lambda m: m.fit(X, Y, steps_per_epoch=0), ValueError, "`steps_per_epoch` ... Received: 0"),
    (lambda m: m.fit(X, Y, nb_epoch=3), TypeError, "unexpected keyword argument 'nb_epoch'"),
    (lambda m: m.fit(X, Y, validation_split=1.0), ValueError, "strictly between 0 and 1. Received"),
    (lambda m: m.fit(X, Y, validation_split=0.99), ValueError, "20 rows cannot be split ... Use"),
    (lambda m: m.fit(X, Y, validation_data=X), ValueError, "tuple (x, y) ... Received: ndarray"),
    (lambda m: m.fit(X, Y, validation_data=(X,)), ValueError, "validation_data: ... y=None"),
    (lambda m: m.fit(X, Y, validation_data=(X, Y + 5)), ValueError, "validation_data: ... 5 to 7"),
    (lambda m: m.fit(X, Y, validation_data=(X[:, :2], Y)), ValueError, "of validation_data` wi"),
    (
        lambda m: m.fit(X, Y, validation_data=(X, Y), validation_freq="2"),
        ValueError,
        "`validation_freq` must be a positive integer, or a collection ... Received: '2'",
    ),
    (lambda m: m.fit(X, Y, validation_steps=2), UserWarning, "no effect without validation_data"),
    (lambda m: m.fit(X, Y, validation_freq=2), UserWarning, "`validation_freq` has no effect"),
    (lambda m: m.fit(X, Y, class_weight=[1, 2]), ValueError, "must be a dict ... such as {0: 1.0"),
    (lambda m: m.fit(X, Y, class_weight={7: 1}), ValueError, "do not exist: [7]. There are 3"),
    (lambda m: m.fit(X, Y, class_weight={0: -1}), ValueError, "at least 0. Received: -1 for class"),
    (lambda m: m.fit(X, Y, sample_weight=X[:5, 0]), ValueError, "Received: ... sample_weight 5"),
    (lambda m: m.fit(X, Y, sample_weight=X), ValueError, "one weight per sample ... (20, 4)"),
    (lambda m: m.fit(X, Y, callbacks=[C.History]), TypeError, "must be objects ... `History(...)`"),
    (lambda m: m.fit(X, Y, callbacks=["stop"]), TypeError, "subclasses of `Callback`. Received"),
    (lambda m: m.fit(X, Y, callbacks=[print]), TypeError, "Received: <built-in function print>"),
    (
        lambda m: m.fit(X, Y, callbacks=[C.EarlyStopping()]),
        ValueError,
        "cannot monitor 'val_loss'. There is no validation: give ... Choose one of: loss. Received",
    ),
    (
        lambda m: m.fit(X, Y, callbacks=[C.EarlyStopping("los")]),
        ValueError,
        "cannot monitor 'los'. Did you mean 'loss'? Choose one of: loss. Received: monitor='los'",
    ),
    (
        lambda m: m.fit(X, Y, callbacks=[C.ModelCheckpoint("{val_loss}.keras")]),
        ValueError,
        "fill in {val_loss} ... There is no validation ... Choose among: loss, epoch. Received",
    ),
    (
        lambda m: m.fit(X, Y, callbacks=[C.ModelCheckpoint("/dev/null/m.keras")]),
        OSError,
        "ModelCheckpoint cannot write '/dev/null/m.keras': '/dev/null' is not a folder",
    ),
    (
        lambda m: m.fit(X, Y, callbacks=[C.LearningRateScheduler(lambda epoch: "0.1")]),
        ValueError,
        "`schedule` must return a finite number of at least 0. Received: '0.1'",
    ),
    (
        lambda m: m.fit(X, Y, callbacks=[C.SwapEMAWeights()]),
        ValueError,
        "keeps averages ... use_ema=True. Received: <Adam ...> with use_ema=False",
    ),
    (
        lambda m: m.fit(
            X,
            Y,
            callbacks=[C.ReduceLROnPlateau("loss"), C.LearningRateScheduler(lambda epoch: 0.1)],
        ),
        UserWarning,
        "LearningRateScheduler sets ... undoes what ReduceLROnPlateau ... Use one of them",
    ),
    (lambda m: m.evaluate(X), ValueError, "needs targets. Received: y=None"),
    (lambda m: m.evaluate(X, Y, steps=0), ValueError, "evaluate: `steps` ... Received: 0"),
    (lambda m: m.predict(None), ValueError, "`x` must hold the data. Received: None"),
    (lambda m: m.predict(X[:, :2]), ValueError, "expects `x` ... Received: shape (20, 2). Pass"),
    (lambda m: m.predict(X, batch_size="a"), ValueError, "predict: `batch_size` ... 'a'"),
    (lambda m: m.predict(X, steps=-1), ValueError, "predict: `steps` ... Received: -1"),
    (lambda m: m.train_on_batch(X), ValueError, "needs targets. Received: y=None"),
    (lambda m: m(X[:, :2]), ValueError, "expected 4 along axis -1 ... Received: shape (20, 2)"),
    (lambda m: m("x"), ValueError, "Numbers were expected. Received: 'x' (of type str)"),
    (lambda m: m.set_weights([1]), ValueError, "has 2 weights. Received: 1 arrays"),
    (
        lambda m: m.set_weights([np.ones((4, 3)), np.ones(4)]),
        ValueError,
        "has shape (3,). Received: an array of shape (4,). No weight was changed",
    ),
    (
        lambda m: m.get_layer("dens"),
        ValueError,
        "No layer named 'dens'. Did you mean 'dense'? The layers are: ['dense']",
    ),
    (lambda m: m.save("m.pt"), ValueError, "must end in `.keras` ... Received: 'm.pt'"),
    (
        lambda m: m.save("m.weights.h5"),
        ValueError,
        "weights alone: use `save_weights` ... Received",
    ),
    (lambda m: m.save(3), TypeError, "`filepath` must be a path. Received: 3"),
    (lambda m: m.save_weights("m.keras"), ValueError, "must end in `.weights.h5` ... Received"),
    (
        lambda m: m.load_weights("no.weights.h5"),
        FileNotFoundError,
        "no file 'no.weights.h5'. Check",
    ),
    (
        lambda m: setattr(m.optimizer, "learning_rate", -1.0),
        ValueError,
        "learning_rate must not be negative. Received: -1.0",
    ),
]

# calls without a model of their own, the error, words of its message
OTHERS = [
    (lambda: bare().fit(X, Y), ValueError, "must be compiled before `fit`. Call model.compile("),
    (lambda: bare().evaluate(X, Y), ValueError, "must be compiled before `evaluate`"),
    (lambda: build("msee"), ValueError, "Unknown loss. Did you mean 'mse'? ... Received: 'msee'"),
    (
        lambda: build(optimizer="adma"),
        ValueError,
        "Unknown optimizer. Did you mean 'adam'? ... Rec",
    ),
    (lambda: build(metrics=["acuracy"]), ValueError, "Unknown metric. Did you mean 'accuracy'?"),
    (lambda: build(metrics="acc"), ValueError, "must be a list. Received: 'acc'. Write metrics=["),
    (lambda: build(metric=["acc"]), TypeError, "no argument 'metric'. Did you mean 'metrics'? It"),
    (lambda: build(loss_weights="x"), ValueError, "`loss_weights` must be a number. Received: 'x'"),
    (lambda: build(run_eagerly="no"), ValueError, "`run_eagerly` must be True or False. Received"),
    (lambda: build(3), ValueError, "Unknown loss. Expected a name ... Received: 3"),
    (lambda: build(["mse", "mae"]).fit(X, Y), ValueError, "has one output. `loss` received 2"),
    (
        lambda: build(None).fit(X, Y),
        ValueError,
        "compiled without a loss ... Compile it with loss=",
    ),
    (
        lambda: build("categorical_crossentropy").fit(X, Y),
        ValueError,
        "takes one-hot rows of shape (None, 3). Received: `y` of shape (20,) ... Use loss='sparse_",
    ),
    (
        lambda: build("mse").fit(X, Y),
        ValueError,
        "compares `y` with an output of shape (None, 3) ... Received: `y` of shape (20,)",
    ),
    (
        lambda: build(lambda y_true, y_pred: None).fit(X, ROWS, verbose=0),
        ValueError,
        "must return its values. Received: None ... Is a `return` missing?",
    ),
    (
        lambda: build("mse", metrics=[lambda y_true, y_pred: None]).fit(X, ROWS, verbose=0),
        ValueError,
        "Metric '<lambda>' must return its values. Received: None",
    ),
    (
        lambda: build(optimizer=optimizers.SGD(schedules.CosineDecay(0.1, 9))).fit(
            X, Y, callbacks=[C.ReduceLROnPlateau("loss")]
        ),
        ValueError,
        "cannot set the learning rate of SGD ... Received: learning_rate=CosineDecay(...). Use one",
    ),
    (lambda: optimizers.Adam(-0.1), ValueError, "learning_rate must not be negative. Received: -0"),
    (lambda: optimizers.Adam("0.1"), ValueError, "Adam: `learning_rate` must be a number. Receiv"),
    (lambda: optimizers.Adam(learningrate=1), TypeError, "Did you mean 'learning_rate'? It accept"),
    (
        lambda: optimizers.Adam(beta_1=1.5),
        ValueError,
        "`beta_1` ... between 0 and 1. Received: 1.5",
    ),
    (
        lambda: optimizers.SGD(momentum=-1),
        ValueError,
        "`momentum` ... between 0 and 1. Received: -",
    ),
    (lambda: optimizers.SGD(nesterov="x"), ValueError, "`nesterov` must be True or False. Receive"),
    (
        lambda: optimizers.SGD(clipnorm=1, clipvalue=1),
        ValueError,
        "at most one of clipnorm ... Rec",
    ),
    (lambda: optimizers.SGD(weight_decay=-1), ValueError, "`weight_decay` ... at least 0. Receive"),
    (lambda: schedules.ExponentialDecay(1, 0, 1), ValueError, "decay_steps must be positive. Rece"),
    (lambda: schedules.ExponentialDecay(1, "a", 1), ValueError, "`decay_steps` must be a number."),
    (
        lambda: losses.MeanSquaredError("mena"),
        ValueError,
        "`reduction` ... mean'? Received: 'mena'",
    ),
    (lambda: losses.Huber("x"), ValueError, "Huber: `delta` must be a number. Received: 'x'"),
    (lambda: losses.BinaryCrossentropy("no"), ValueError, "`from_logits` must be True or False."),
    (
        lambda: losses.MeanSquaredError()(ROWS, ROWS[:, :2]),
        ValueError,
        "the same shape ... Received: y_true of shape (20, 3) and y_pred of shape (20, 2)",
    ),
    (lambda: metrics.BinaryAccuracy(threshold="x"), ValueError, "`threshold` must be a number."),
    (lambda: metrics.TopKCategoricalAccuracy(k=0), ValueError, "`k` ... positive ... Received: 0"),
    (lambda: L.Dense(-1), ValueError, "Dense: `units` must be a positive integer. Received: -1"),
    (lambda: L.Dense(3, "rleu"), ValueError, "Unknown activation. Did you mean 'relu'? ... Receiv"),
    (lambda: L.Dense(3, input_dims=4), TypeError, "Dense has no argument 'input_dims'. ... accept"),
    (lambda: L.Dropout(1.5), ValueError, "`rate` ... between 0 and 1. Received: 1.5"),
    (lambda: keras.Sequential([L.Dense]), ValueError, "takes layers. Received: <class ... Create"),
    (lambda: keras.Sequential(L.Dense(3)), ValueError, "takes a list of layers. ... Write [layer]"),
    (lambda: C.EarlyStopping(mode="minn"), ValueError, "`mode` ... Did you mean 'min'? Received:"),
    (
        lambda: C.ModelCheckpoint("m.pt"),
        ValueError,
        "must end in '.keras' ... Received: filepath='m",
    ),
    (
        lambda: C.CSVLogger(None),
        ValueError,
        "`filename` must be the path of a file. Received: None",
    ),
    (
        lambda: C.LambdaCallback(on_epoch_edn=print),
        TypeError,
        "Did you mean 'on_epoch_end'? It acc",
    ),
    (lambda: keras.models.load_model("no.keras"), FileNotFoundError, "no file 'no.keras'. Check"),
    (
        lambda: keras.models.load_model("no.pt"),
        ValueError,
        "must end in `.keras` ... Received: 'no",
    ),
    (lambda: keras.models.load_model(None), TypeError, "must be a path. Received: None"),
    (
        lambda: keras.Sequential([L.Dense(3)]).save_weights("m.weights.h5"),
        ValueError,
        "saved only once the model is built. Call it on data, or `build` it, first",
    ),
    (
        lambda: keras.utils.set_random_seed(-1),
        ValueError,
        "`seed` ... between 0 and ... Received: -1",
    ),
]


def pattern(words):
    """A regular expression: the text as it is, but for "..." which stands for anything."""
    return "(?s)" + ".*".join(re.escape(part.strip()) for part in words.split("..."))


def raises(error, words):
    warns = issubclass(error, Warning)
    return (pytest.warns if warns else pytest.raises)(error, match=pattern(words))


def test_the_tables_are_long_enough():
    assert len(FIT) + len(OTHERS) >= 100


@pytest.mark.parametrize(("call", "error", "words"), FIT)
def test_a_wrong_call_of_a_model_is_told_before_it_changes_anything(
    call, error, words, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    model = build()
    before = [w.copy() for w in model.get_weights()]
    with raises(error, words):
        call(model)
    if not issubclass(error, Warning):
        for now, then in zip(model.get_weights(), before, strict=True):
            np.testing.assert_array_equal(now, then)
        assert int(model.optimizer.iterations) == 0
        assert not list(tmp_path.iterdir())
    assert model.training_run is None
    model.fit(X, Y, verbose=0)  # and the model still works


@pytest.mark.parametrize(("call", "error", "words"), OTHERS)
def test_a_wrong_call_is_told_with_what_came_and_what_to_do(call, error, words):
    with raises(error, words):
        call()
