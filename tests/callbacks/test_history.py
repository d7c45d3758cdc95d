import sys

import numpy as np
import pytest

from minikeras.callbacks import CallbackList, History

pyplot = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def _close_figures():
    pyplot.switch_backend("Agg")
    yield
    pyplot.close("all")


def history(validation=(1, 3), metrics=None, **columns):
    """A history of three epochs, with validation in some of them."""
    found = History()
    CallbackList([found], epochs=3, steps=1, **({} if metrics is None else {"metrics": metrics}))
    for epoch in range(3):
        logs = {name: values[epoch] for name, values in columns.items()}
        if epoch + 1 in validation:
            logs |= {f"val_{name}": value + 10 for name, value in logs.items()}
        found.on_epoch_end(epoch, logs)
    return found


def points(line):
    return list(map(tuple, np.column_stack(line.get_data())))


def test_each_metric_has_axes_with_training_and_validation_at_their_epochs():
    axes = history(loss=[3, 2, 1], accuracy=[0, 1, 2]).plot()
    assert [a.get_ylabel() for a in axes] == ["loss", "accuracy"]
    training, validation = axes[0].lines
    assert points(training) == [(1, 3), (2, 2), (3, 1)]
    assert points(validation) == [(1, 13), (3, 11)]  # not measured in epoch 2
    assert [t.get_text() for t in axes[0].get_legend().get_texts()] == ["training", "validation"]
    assert axes[-1].get_xlabel() == "epoch"


def test_only_what_compile_measures_is_drawn_unless_asked_for():
    recorded = history((), ["loss"], loss=[3, 2, 1], learning_rate=[0.1, 0.1, 0.01])
    assert len(recorded.plot()) == 1
    (axes,) = recorded.plot("learning_rate")
    assert points(axes.lines[0]) == [(1, 0.1), (2, 0.1), (3, 0.01)]


def test_axes_of_ones_own_are_drawn_into():
    _, axes = pyplot.subplots(1, 2)
    recorded = history(loss=[3, 2, 1], mae=[1, 1, 1])
    assert recorded.plot(axes=axes) == list(axes)
    assert len(axes[1].lines) == 2
    with pytest.raises(ValueError, match=r"draws 2 names \(loss, mae\) .* Received: 1"):
        recorded.plot(axes=axes[0])


def test_several_runs_are_drawn_one_after_the_other():
    recorded = history((), loss=[3, 2, 1])
    recorded.on_train_begin()
    recorded.on_epoch_end(0, {"loss": 0.5})
    assert points(recorded.plot()[0].lines[0])[-1] == (4, 0.5)
    assert recorded.epoch == [0]


def test_a_history_made_by_hand_is_drawn():
    recorded = History()
    recorded.history = {"loss": [2.0, 1.0], "val_loss": [3.0]}
    assert [points(line) for line in recorded.plot()[0].lines] == [[(1, 2), (2, 1)], [(1, 3)]]


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="no epoch has ended"):
        History().plot()
    recorded = history((), loss=[3, 2, 1], recall=[np.ones(2)] * 3)
    with pytest.raises(ValueError, match=r"No epoch reported 'los'. Did you mean 'loss'"):
        recorded.plot(["los"])
    with pytest.raises(ValueError, match=r"several numbers in each epoch, of shape \(2,\)"):
        recorded.plot("recall")


def test_without_matplotlib_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r'pip install "minikeras\[plot\]"'):
        history(loss=[3, 2, 1]).plot()
