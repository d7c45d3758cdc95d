import io
import re
import subprocess
import sys
from contextlib import redirect_stdout
from types import SimpleNamespace

import numpy as np
import pytest

from minikeras.callbacks import Callback, CallbackList, EarlyStopping, ProgbarLogger
from minikeras.callbacks.live_line import NotebookLine
from minikeras.callbacks.progress import Bar
from minikeras.core import settings


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
def verbosity(monkeypatch):
    """Sets the global verbosity for one test."""
    monkeypatch.setitem(settings._settings, "verbosity", None)
    return settings.set_verbosity


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


@pytest.mark.parametrize("global_one", [0, 1, 2])
def test_auto_means_what_the_global_switch_says(terminal, capsys, global_one, verbosity):
    verbosity(global_one)
    outputs = []
    for verbose in ("auto", global_one):
        stream = Terminal()
        with redirect_stdout(stream):
            fit(verbose=verbose, loss=1.0)
        outputs.append([row[:14] for row in stream.screen])
    assert outputs[0] == outputs[1]


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


class Notebook(io.StringIO):
    """What ipykernel puts in the place of standard output, and the display that it offers."""

    __module__ = "ipykernel.iostream"

    def __init__(self, monkeypatch):
        super().__init__()
        self.displays = []
        shell = SimpleNamespace(execution_count=1)
        fake = SimpleNamespace(display=SimpleNamespace(display=self.new), get_ipython=lambda: shell)
        monkeypatch.setitem(sys.modules, "IPython", fake)
        monkeypatch.setattr(NotebookLine, "_display", None)
        self.shell = shell

    def new(self, content, raw, display_id):
        states = [content["text/plain"]]
        self.displays.append(states)
        return SimpleNamespace(update=lambda c, raw: states.append(c["text/plain"]))


def test_a_notebook_shows_the_bar_in_one_display_and_prints_what_stays(monkeypatch, clock):
    stream, bar = Notebook(monkeypatch), Bar(clock)
    for epoch in (1, 2):
        with redirect_stdout(stream):
            bar.start(10, f"Epoch {epoch}/2")
        run(bar, clock, 10, 0.2)
        bar.finish({"loss": 0.5})
    bar.close()
    (states,) = stream.displays
    assert states[0] == f"Epoch 1/2   1/10  {'█' * 2}{' ' * 18}  1.8s left 200ms/step"
    assert len(states) == 21
    assert states[-1] == ""
    assert stream.getvalue().splitlines() == [
        "Epoch 1/2 - 10/10 - 2.0s - 200ms/step - loss: 0.5000",
        "Epoch 2/2 - 10/10 - 2.0s - 200ms/step - loss: 0.5000",
    ]


def test_each_cell_of_a_notebook_has_a_display_of_its_own(monkeypatch, clock):
    stream, bar = Notebook(monkeypatch), Bar(clock)
    for cell in (1, 2):
        stream.shell.execution_count = cell
        with redirect_stdout(stream):
            bar.start(10)
        run(bar, clock, 3, 0.2)
        bar.close()
    assert len(stream.displays) == 2


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


def test_the_pace_leaves_the_first_step_out_which_may_compile(capsys, clock):
    bar = Bar(clock)
    bar.start(5)
    run(bar, clock, 1, 20.0)
    run(bar, clock, 5, 0.5, first=1)
    bar.finish()
    assert capsys.readouterr().out == "5/5 - 22s - 500ms/step\n"


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


def test_a_quick_prediction_shows_under_a_global_verbosity_of_1(terminal, clock, verbosity):
    verbosity(1)
    predict(terminal, "auto", 0.05, clock)
    assert terminal.screen == [f"10/10 {'█' * 20} 0.5s 50ms/step", ""]


def test_live_lines_shrink_to_the_window(terminal, live, clock, monkeypatch):
    monkeypatch.setattr("minikeras.callbacks.live_line.columns", lambda stream: 59)
    bar = live(100)
    run(bar, clock, 50, 0.2, lambda: {"loss": 0.5, "accuracy": 0.5, "auc": 0.5})
    assert len(terminal.screen[0]) <= 59
    bar.finish({"loss": 0.5, "accuracy": 0.5, "auc": 0.5})
    assert terminal.screen[0].startswith(" 50/100 10s 200ms/step - loss")  # no room for a bar
    assert terminal.screen[0].endswith("loss: 0.5000 - accuracy: 0.5000 - auc: 0.5000")


def test_a_step_costs_three_calls(terminal):
    callbacks = CallbackList(add_history=True, add_progbar=True, verbose=1, epochs=1, steps=10**9)
    with redirect_stdout(terminal):
        callbacks.on_epoch_begin(0)
    calls = []
    sys.setprofile(lambda frame, event, argument: calls.append(event))
    for step in range(1000):
        callbacks.on_train_batch_end(step, dict)
    sys.setprofile(None)
    callbacks.close()
    assert sum(event in ("call", "c_call") for event in calls) < 3.1 * 1000


def train(terminal, clock, epochs, seconds, callbacks=(), steps=2, stop=None):
    """Epochs of the same length on a clock of our own; `stop` is the last one."""
    bars = ProgbarLogger()
    bars.bar, bars.run_bar = Bar(clock), Bar(clock, unit="epoch")
    hooks = CallbackList([*callbacks, bars], verbose=1, epochs=epochs, steps=steps)
    with redirect_stdout(terminal):
        hooks.on_train_begin()
        for epoch in range(stop or epochs):
            hooks.on_epoch_begin(epoch)
            for step in range(steps or 2):
                clock.now += seconds(epoch) / 2
                hooks.on_train_batch_end(step, {"loss": epoch})
            hooks.on_epoch_end(epoch, {"loss": epoch})
        hooks.on_train_end({"loss": epoch})
    return [row for row in terminal.screen if row.startswith("Epoch ")]


def test_ten_thousand_quick_epochs_leave_a_hundred_lines(terminal, clock):
    titles = train(terminal, clock, 10_000, lambda epoch: 0.001)
    assert titles[:3] == ["Epoch 1/10000", "Epoch 100/10000", "Epoch 200/10000"]
    assert titles[-1] == "Epoch 10000/10000"
    assert len(titles) == 101
    assert terminal.draws < 110  # ten a second
    assert re.search(r"\r 5\d\d\d/10000 ██████████ .*ms/epoch", terminal.getvalue())  # between them


def test_a_hundred_quick_epochs_leave_all_their_lines(terminal, clock):
    assert len(train(terminal, clock, 100, lambda epoch: 0.001)) == 100


def test_slow_epochs_among_quick_ones_leave_their_lines(terminal, clock):
    titles = train(terminal, clock, 1000, lambda epoch: 0.5 if 503 <= epoch < 506 else 0.001)
    for epoch in (504, 505, 506):
        assert f"Epoch {epoch}/1000" in titles
    assert len(titles) == 105  # the epoch after them has been announced as well


def test_quick_epochs_that_stop_early_leave_a_line_of_the_last(terminal, clock):
    titles = train(terminal, clock, 1000, lambda epoch: 0.001, stop=123)
    assert titles[-1] == "Epoch 123/1000"
    assert terminal.screen[-2].endswith("loss: 122.0000")


def test_the_steps_of_a_generator_are_known_after_one_epoch(terminal, clock):
    train(terminal, clock, 2, lambda epoch: 0.4, steps=None)
    assert terminal.screen[1] == "2 steps 0.4s 200ms/step - loss: 0.0000"
    assert terminal.screen[3].startswith("2/2 ██")


def test_more_steps_than_were_known_are_counted_on(terminal, live, clock):
    bar = live(2)
    run(bar, clock, 5, 0.2)
    assert terminal.screen == ["5 steps 1.0s 200ms/step"]


def test_a_bar_begun_in_the_middle_counts_its_own_steps_for_the_pace(terminal, clock):
    bar = Bar(clock)
    with redirect_stdout(terminal):
        bar.start(100, first=50)
    run(bar, clock, 60, 0.2, first=50)
    assert terminal.screen == [" 60/100 ████████████         8.0s left 200ms/step"]


def test_what_a_callback_prints_within_an_epoch_does_not_run_into_the_bar(terminal, clock):
    class Talks(Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 1:
                print("a", "word", 1)

    train(terminal, clock, 1, lambda epoch: 0.5, [Talks()])
    assert terminal.screen[:2] == ["Epoch 1/1", "a word 1"]
    assert terminal.screen[2].startswith("2/2 ██")


def test_what_goes_to_standard_error_does_not_run_into_the_bar(terminal, clock, live, monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal)
    with redirect_stdout(terminal):
        bar = live(10)
        run(bar, clock, 5, 0.2)
        print("careful", file=sys.stderr)
        bar.close()
    assert terminal.screen == ["careful", ""]


def test_streams_are_wrapped_only_while_a_bar_stands(terminal, clock):
    with redirect_stdout(terminal):
        bar = Bar(clock)
        bar.start(10)
        run(bar, clock, 5, 0.2)
        assert sys.stdout is not terminal
        sys.stdout.writelines(["two\n", "lines\n"])
        assert sys.stdout is terminal
        run(bar, clock, 7, 0.2, first=5)
        bar.finish()
        assert sys.stdout is terminal
    assert terminal.screen[:2] == ["two", "lines"]


def test_an_evaluation_within_an_epoch_has_lines_of_its_own(terminal, clock):
    class Evaluates(Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 1:
                bars = CallbackList(logger(clock), verbose=1, epochs=1, steps=4)
                bars.on_test_begin()
                for step in range(4):
                    clock.now += 0.2
                    bars.on_test_batch_end(step, {})
                bars.on_test_end({"loss": 7.0})
                bars.close()

    train(terminal, clock, 1, lambda epoch: 0.5, [Evaluates()])
    rows = [row[:6] for row in terminal.screen]
    assert rows == ["Epoch ", "4/4 ██", "2/2 ██", ""]


def test_without_interactive_logging_epochs_are_messages(terminal, caplog, monkeypatch):
    monkeypatch.setitem(settings._settings, "interactive_logging", False)
    with caplog.at_level("INFO", logger="minikeras"), redirect_stdout(terminal):
        fit(loss=1.0)
        EarlyStopping("loss").on_train_begin()
    assert terminal.getvalue() == ""
    assert [m[:14] for m in caplog.messages] == ["Epoch 1/2 - 3/", "Epoch 2/2 - 3/"]
