import io
import subprocess
import sys
from contextlib import redirect_stdout

import numpy as np
import pytest

from minikeras.callbacks import Callback, CallbackList, EarlyStopping, ProgbarLogger
from minikeras.callbacks.progress import Bar


class Terminal(io.StringIO):
    """A terminal of unknown width that counts how often a line is drawn."""

    encoding = "utf-8"

    def isatty(self):
        return True

    @property
    def draws(self):
        return self.getvalue().count("left")

    @property
    def screen(self):
        """What a reader sees: a carriage return writes over the line."""
        rows = []
        for row in self.getvalue().split("\n"):
            shown = ""
            for piece in row.split("\r"):
                shown = piece + shown[len(piece) :]
            rows.append(shown.rstrip())
        return rows


class Clock:
    """Seconds that pass only when told to; counts how often it is looked at."""

    def __init__(self):
        self.now, self.looks = 100.0, 0

    def __call__(self):
        self.looks += 1
        return self.now


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    return Terminal()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def live(terminal, clock):
    """Starts a bar on the terminal."""

    def start(total, title=""):
        bar = Bar(clock)
        with redirect_stdout(terminal):
            bar.start(total, title)
        return bar

    return start


def logger(clock):
    logger = ProgbarLogger()
    logger.bar = Bar(clock)
    return logger


def run(bar, clock, steps, seconds, read=dict, first=0):
    for step in range(first, steps):
        clock.now += seconds
        bar.update(step + 1, read)


def fit(verbose=1, epochs=2, steps=3, **logs):
    callbacks = CallbackList(add_progbar=True, verbose=verbose, epochs=epochs, steps=steps)
    callbacks.on_train_begin()
    for epoch in range(epochs):
        callbacks.on_epoch_begin(epoch)
        for step in range(steps):
            callbacks.on_train_batch_end(step, lambda: logs)
        callbacks.on_epoch_end(epoch, logs)
    callbacks.on_train_end(logs)


def test_redirected_output_gets_one_plain_line_per_epoch(capsys):
    fit(loss=0.25, accuracy=np.float32(0.5), val_loss=0.00012)
    lines = capsys.readouterr().out.split("\n")
    assert len(lines) == 3
    for epoch, line in enumerate(lines[:2], 1):
        assert line.startswith(f"Epoch {epoch}/2 - 3/3 - 0.0s - ")
        assert line.endswith("/step - loss: 0.2500 - accuracy: 0.5000 - val_loss: 1.2000e-04")
        assert line.isascii()
        assert line.isprintable()


def test_a_redirected_run_does_not_import_tqdm():
    code = (
        "import sys\nfrom minikeras.callbacks import CallbackList\n"
        "c = CallbackList(add_progbar=True, verbose=1, epochs=1, steps=1)\n"
        "c.on_train_begin(); c.on_epoch_begin(0); c.on_train_batch_end(0, {})\n"
        "c.on_epoch_end(0, {'loss': 1.0}); c.on_train_end()\n"
        "assert 'tqdm' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Epoch 1/1 - 1/1 - ")


def test_a_live_bar_ends_as_one_line_with_all_numbers(terminal, live, clock):
    bar = live(40, "Epoch 1/2")
    run(bar, clock, 40, 0.05, lambda: {"loss": 0.5})
    bar.finish({"loss": 0.25, "val_loss": 0.75})
    assert terminal.draws > 5
    assert terminal.screen == [
        "Epoch 1/2",
        f"40/40 {'█' * 20} 2.0s 50ms/step - loss: 0.2500 - val_loss: 0.7500",
        "",
    ]


def test_a_live_bar_shows_steps_time_left_and_present_numbers(terminal, live, clock):
    bar = live(100)
    run(bar, clock, 25, 0.2, lambda: {"loss": 0.5})
    assert terminal.screen == [f" 25/100 {'█' * 5}{' ' * 15} 15s left 200ms/step - loss: 0.5000"]


def test_a_bar_of_unknown_length_counts_steps(terminal, live, clock):
    bar = live(None)
    run(bar, clock, 20, 0.2)
    assert terminal.screen == ["20 steps 4.0s 200ms/step"]
    bar.finish({"loss": 1.0})
    assert terminal.screen == ["20 steps 4.0s 200ms/step - loss: 1.0000", ""]


@pytest.mark.parametrize("seconds", [1e-5, 1e-3, 0.03, 0.5])
def test_at_most_ten_redraws_a_second(terminal, live, clock, seconds):
    steps = int(2 / seconds)
    bar = live(steps)
    run(bar, clock, steps, seconds)
    wanted = min(20, steps)
    assert 0.5 * wanted <= terminal.draws <= wanted


def test_quick_steps_hardly_look_at_the_clock_and_read_logs_only_to_draw(terminal, live, clock):
    reads = []
    bar = live(10**6)
    run(bar, clock, 100_000, 1e-5, lambda: reads.append(1) or {})
    assert clock.looks < 150
    assert len(reads) == terminal.draws <= 10


def test_steps_that_turn_slow_are_noticed_soon(terminal, live, clock):
    bar = live(10**6)
    run(bar, clock, 50_000, 1e-5)
    before = terminal.draws
    run(bar, clock, 50_000 + 3_000, 1e-3, first=50_000)
    assert terminal.draws > before + 8


def test_an_interrupt_leaves_the_bar_on_a_line_of_its_own(terminal, live, clock):
    bar = live(10, "Epoch 1/1")
    run(bar, clock, 5, 0.2)
    bar.close()
    assert terminal.screen[1].startswith(" 5/10 ")
    assert terminal.screen[2:] == [""]
    bar.close()
    assert terminal.screen[2:] == [""]


def test_closing_a_callback_list_closes_its_bar(terminal, clock):
    callbacks = CallbackList(logger(clock), verbose=1, epochs=1, steps=10)
    with redirect_stdout(terminal):
        callbacks.on_epoch_begin(0)
    clock.now += 1.0
    callbacks.on_train_batch_end(0, {})
    assert not terminal.getvalue().endswith("\n")
    callbacks.close()
    assert terminal.getvalue().endswith("\n")


def test_what_callbacks_print_after_an_epoch_stands_above_the_epochs_line(terminal, clock):
    class Talks(Callback):
        def on_epoch_end(self, epoch, logs=None):
            print("hello", flush=True)

    callbacks = CallbackList([Talks(), logger(clock)], verbose=1, epochs=1, steps=10)
    with redirect_stdout(terminal):
        callbacks.on_epoch_begin(0)
        clock.now += 1.0
        callbacks.on_train_batch_end(0, {})
        callbacks.on_epoch_end(0, {})
    assert terminal.screen[:2] == ["Epoch 1/1", "hello"]
    assert terminal.screen[2].startswith(" 1/10 ")


def test_messages_of_our_callbacks_do_not_run_into_a_bar(terminal, live, clock):
    bar = live(10)
    run(bar, clock, 5, 0.2)
    stopper = EarlyStopping("loss", verbose=1)
    stopper.stopped_epoch = 2
    with redirect_stdout(terminal):
        stopper.on_train_end()
    assert terminal.screen == ["Epoch 3: early stopping", ""]
    run(bar, clock, 6, 0.2, first=5)
    assert terminal.screen[1].startswith(" 6/10 ")


def test_verbose_2_prints_plain_lines_in_a_terminal(terminal):
    with redirect_stdout(terminal):
        fit(verbose=2, loss=1.0)
    assert [line[:14] for line in terminal.screen] == ["Epoch 1/2 - 3/", "Epoch 2/2 - 3/", ""]
    assert "\r" not in terminal.getvalue()


@pytest.mark.parametrize("verbose", [0, False])
def test_verbose_0_prints_nothing(terminal, verbose):
    with redirect_stdout(terminal):
        fit(verbose=verbose, loss=1.0)
    assert terminal.getvalue() == ""


@pytest.mark.parametrize("verbose", [1, True, "auto"])
def test_verbose_1_and_auto_draw_in_a_terminal(terminal, verbose):
    with redirect_stdout(terminal):
        fit(verbose=verbose, loss=1.0)
    assert [row[:9] for row in terminal.screen[::2]] == ["Epoch 1/2", "Epoch 2/2", ""]
    assert all(row.startswith("3/3 ██") for row in terminal.screen[1::2])


@pytest.mark.parametrize("verbose", [3, -1, "loud", None])
def test_another_verbose_is_refused(verbose):
    with pytest.raises(ValueError, match="`verbose` must be one of 0, 1, 2, 'auto'"):
        fit(verbose=verbose)


def test_a_terminal_that_cannot_draw_gets_plain_lines(terminal, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    with redirect_stdout(terminal):
        fit(loss=1.0)
    assert "\r" not in terminal.getvalue()
    assert len(terminal.screen) == 3


def test_a_notebook_is_live_without_widgets(monkeypatch, clock):
    kind = type("OutStream", (Terminal,), {"__module__": "ipykernel.iostream"})
    monkeypatch.setattr(kind, "isatty", lambda self: False)
    stream, bar = kind(), Bar(clock)
    with redirect_stdout(stream):
        bar.start(10)
    run(bar, clock, 5, 0.2)
    assert stream.draws > 0


def test_a_program_without_standard_output_runs(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    fit(loss=1.0)


def test_validation_within_fit_shows_in_the_epochs_line(capsys):
    callbacks = CallbackList(add_progbar=True, verbose=1, epochs=1, steps=3)
    callbacks.on_train_begin()
    callbacks.on_epoch_begin(0)
    callbacks.on_train_batch_end(2, {})
    callbacks.on_test_begin()
    for step in range(50):
        callbacks.on_test_batch_end(step, {})
    callbacks.on_test_end({"loss": 3.0})
    callbacks.on_epoch_end(0, {"loss": 1.0, "val_loss": 3.0})
    out = capsys.readouterr().out
    assert out.startswith("Epoch 1/1 - 3/3 - ")
    assert out.endswith("loss: 1.0000 - val_loss: 3.0000\n")
    assert out.count("\n") == 1


def test_time_per_step_leaves_validation_out(capsys, clock):
    bar = Bar(clock)
    bar.start(10)
    run(bar, clock, 10, 0.5)
    bar.pause()
    clock.now += 60
    bar.finish()
    assert capsys.readouterr().out == "10/10 - 1:05 - 500ms/step\n"


def test_an_epoch_that_stops_early_shows_the_steps_it_made(capsys, clock):
    bar = Bar(clock)
    bar.start(10)
    run(bar, clock, 4, 3.0)
    bar.finish({"loss": float("nan")})
    assert capsys.readouterr().out == "4/10 - 12s - 3.0s/step - loss: nan\n"


def test_evaluate_ends_with_one_line(capsys):
    callbacks = CallbackList(add_progbar=True, verbose=1, epochs=1, steps=2)
    callbacks.on_test_begin()
    callbacks.on_test_batch_end(0, {})
    callbacks.on_test_batch_end(1, {})
    callbacks.on_test_end({"loss": 0.5})
    out = capsys.readouterr().out
    assert out.startswith("2/2 - ")
    assert out.endswith(" - loss: 0.5000\n")


def predict(terminal, verbose, seconds, clock):
    callbacks = CallbackList(logger(clock), verbose=verbose, epochs=1, steps=10)
    with redirect_stdout(terminal):
        callbacks.on_predict_begin()
    for step in range(10):
        clock.now += seconds
        callbacks.on_predict_batch_end(step, {"outputs": np.zeros(3)})
    callbacks.on_predict_end()


def test_a_quick_prediction_is_silent_unless_asked(terminal, clock):
    predict(terminal, "auto", 0.05, clock)
    assert terminal.getvalue() == ""
    predict(terminal, 1, 0.05, clock)
    assert terminal.screen == [f"10/10 {'█' * 20} 0.5s 50ms/step", ""]


def test_a_long_prediction_shows_after_a_second(terminal, clock):
    predict(terminal, "auto", 0.5, clock)
    assert terminal.draws > 3
    assert terminal.screen == [f"10/10 {'█' * 20} 5.0s 500ms/step", ""]


def test_live_lines_shrink_to_the_window(terminal, live, clock, monkeypatch):
    monkeypatch.setattr("minikeras.callbacks.progress._columns", lambda stream: 59)
    bar = live(100)
    run(bar, clock, 50, 0.2, lambda: {"loss": 0.5, "accuracy": 0.5, "auc": 0.5})
    assert len(terminal.screen[0]) <= 59
    bar.finish({"loss": 0.5, "accuracy": 0.5, "auc": 0.5})
    assert terminal.screen[0].endswith("loss: 0.5000 - accuracy: 0.5000 - auc: 0.5000")


def test_a_step_costs_next_to_nothing(terminal):
    from time import perf_counter

    callbacks = CallbackList(add_history=True, add_progbar=True, verbose=1, epochs=1, steps=10**9)
    with redirect_stdout(terminal):
        callbacks.on_epoch_begin(0)
    costs = []
    for _ in range(20):
        start = perf_counter()
        for step in range(1000):
            callbacks.on_train_batch_end(step, dict)
        costs.append((perf_counter() - start) / 1000)
    callbacks.close()
    assert min(costs) < 2e-6  # 0.2 us on a quiet machine
