import subprocess
import sys
from pathlib import Path

import pytest

from minikeras import config, kernels, utils
from minikeras.autodiff import compilation
from minikeras.core import output, settings


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch):
    for name, value in settings._settings.items():
        monkeypatch.setitem(settings._settings, name, value)
    monkeypatch.setattr(compilation, "_told", False)
    monkeypatch.delenv("MINIKERAS_VERBOSITY", raising=False)


def test_the_verbosity_is_auto_until_it_is_set():
    assert config.verbosity() == "auto"
    config.set_verbosity(2)
    assert config.verbosity() == 2
    assert [output.resolve_verbose(v) for v in (0, 1, 2, True, "auto")] == [0, 1, 2, 1, 2]


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("2", 2), ("AUTO", "auto"), ("", "auto")])
def test_the_environment_gives_the_verbosity_unless_it_is_set(monkeypatch, text, value):
    monkeypatch.setenv("MINIKERAS_VERBOSITY", text)
    assert config.verbosity() == value
    config.set_verbosity(1)
    assert config.verbosity() == 1


def test_a_wrong_verbosity_is_refused(monkeypatch):
    with pytest.raises(ValueError, match=r"`verbosity` must be one of 0, 1, 2, 'auto'.*Received"):
        config.set_verbosity(3)
    monkeypatch.setenv("MINIKERAS_VERBOSITY", "loud")
    with pytest.raises(ValueError, match="MINIKERAS_VERBOSITY must be one of 0, 1, 2, auto"):
        config.verbosity()


@pytest.mark.parametrize("room", [config, utils])
def test_interactive_logging_sends_lines_to_logging_and_back(room, caplog, capsys):
    assert room.is_interactive_logging_enabled()
    room.disable_interactive_logging()
    assert not room.is_interactive_logging_enabled()
    with caplog.at_level("INFO", logger="minikeras"):
        output.say("one")
        output.notice("two")
    room.enable_interactive_logging()
    output.say("three")
    assert caplog.messages == ["one", "two"]
    assert capsys.readouterr() == ("three\n", "")


def test_the_first_compilation_is_told_once_and_on_standard_error(capsys):
    folder = Path("/cache/kernels/key")
    for seconds in (0.0, 0.4, 0.6, 3.0):
        compilation.tell_once(seconds, folder)
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "minikeras: compiling kernels for this CPU; this happens once, later runs load them from "
        f"{folder.parent}.\n"
    )


def test_without_a_cache_the_line_says_how_to_get_one(capsys):
    compilation.tell_once(1.0, None)
    assert "set MINIKERAS_CACHE_DIR" in capsys.readouterr().err


def test_verbosity_0_silences_the_line(capsys):
    config.set_verbosity(0)
    compilation.tell_once(1.0, None)
    assert capsys.readouterr() == ("", "")


def test_a_program_without_standard_error_compiles(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    compilation.tell_once(1.0, None)


def test_the_compiler_of_kernels_announces_each_kernel(tmp_path):
    """A cold cache: the first kernels are announced before they are compiled."""
    if not kernels.compiled_available():
        pytest.skip("kernels are not compiled here")
    code = (
        "import numpy as np\n"
        "from minikeras import kernels\n"
        "calls = []\n"
        "kernels.watch_compilation(lambda seconds, folder: calls.append((seconds, folder)))\n"
        "x = np.zeros(3, np.float32)\n"
        "kernels.run([kernels.launch('relu', x, x.copy())])\n"
        "first, *_, last = calls\n"
        "assert first[0] == 0.0 and last[0] > 0.1, calls\n"
        f"assert str(first[1]).startswith({str(tmp_path)!r}), calls\n"
    )
    environment = {"MINIKERAS_CACHE_DIR": str(tmp_path), "PATH": ""}
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, env=environment)
