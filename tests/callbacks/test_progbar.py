import io
from contextlib import redirect_stdout

import pytest

from minikeras.utils import Progbar


def lines(update, **options):
    """What a redirected bar leaves."""
    stream = io.StringIO()
    with redirect_stdout(stream):
        update(Progbar(4, **options))
    return stream.getvalue().splitlines()


def test_values_are_averaged_over_steps():
    def update(bar):
        bar.update(1, [("loss", 1.0), ("rate", 5)])
        bar.update(3, [("loss", 4.0), ("rate", 6)])
        bar.add(1, [("loss", 3.0)])

    (line,) = lines(update, stateful_metrics=["rate"])
    assert line.startswith("4/4 - 0.0s - ")
    assert line.endswith("/step - loss: 3.0000 - rate: 6.0000")  # (1 + 2 * 4 + 3) / 4
    (line,) = lines(update, stateless_metrics=["rate"])
    assert line.endswith("/step - loss: 3.0000 - rate: 5.6667")


def test_a_bar_ends_at_its_target_or_when_told_to():
    assert lines(lambda bar: bar.update(3)) == []
    (line,) = lines(lambda bar: bar.update(3, finalize=True))
    assert line.startswith("3/4 - ")
    first, second = lines(lambda bar: (bar.update(4), bar.update(4, [("loss", 1)])))
    assert "loss" not in first
    assert second.endswith("loss: 1.0000")


def test_the_unit_has_a_name():
    (line,) = lines(lambda bar: bar.update(4), unit_name="sample")
    assert line.endswith("/sample")


def test_a_terminal_shows_the_bar_in_its_width(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    stream = io.StringIO()
    stream.isatty = lambda: True
    with redirect_stdout(stream):
        Progbar(2, width=6).add(2)
        Progbar(2, verbose=0).add(2)
    assert stream.getvalue().startswith("2/2 ###### 0.0s ")
    assert stream.getvalue().count("\n") == 1


def test_steps_of_unknown_number_are_counted():
    stream = io.StringIO()
    with redirect_stdout(stream):
        bar = Progbar(None)
        bar.add(2, [("loss", 1.0)])
        bar.add(
            3,
            [("loss", 2.0)],
        )
        bar.update(6, finalize=True)
    assert stream.getvalue().startswith("6 - 0.0s - ")
    assert stream.getvalue().endswith("loss: 1.6000\n")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"verbose": 3}, "`verbose` must be one of 0, 1, 2"),
        ({"width": 0}, "`width` must be a positive integer"),
        ({"stateful_metrics": [], "stateless_metrics": []}, "not both"),
    ],
)
def test_wrong_options_are_refused(options, text):
    with pytest.raises(ValueError, match=text):
        Progbar(3, **options)
