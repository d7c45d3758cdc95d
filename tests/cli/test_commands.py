"""``python -m minikeras``: scripts as users start them, and what the other commands say."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from minikeras import __main__ as commands
from minikeras.commands import environment
from tests.kernels.processes import ROOT, python

TRAIN = """
    import sys
    import numpy as np
    import tensorflow as tf
    import keras as plain
    from tensorflow import keras
    from tensorflow.keras.layers import Dense
    from keras.models import Sequential
    from helper import block

    print("arguments", sys.argv[1:], __name__, __file__)
    tf.random.set_seed(1)
    x = keras.Input((4,))
    model = keras.Model(x, Dense(1)(block(x, 3)))
    model.compile(optimizer="adam", loss="mse")
    model.fit(np.ones((8, 4)), np.ones((8, 1)), epochs=1, verbose=0)
    optimizer, loss_of = keras.optimizers.SGD(0.01), keras.losses.MeanSquaredError()
    for _ in range(3):
        with tf.GradientTape() as tape:
            loss = loss_of(np.ones((8, 1), "float32"), model(np.ones((8, 4), "float32")))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    print("loss", loss.numpy() < 10, plain.Model is keras.Model, type(Sequential()).__module__)
"""
HELPER = """
    import keras

    def block(x, units):
        return keras.layers.Dense(units, activation="relu")(x)
"""


@pytest.fixture
def script(tmp_path):
    """Writes a script, runs it, and gives the finished process."""

    def run(source, *arguments, options=(), name="train.py"):
        (tmp_path / "helper.py").write_text(textwrap.dedent(HELPER))
        path = tmp_path / name
        path.write_text(textwrap.dedent(source))
        target = path.stem if "-m" in options else str(path)
        return subprocess.run(
            [sys.executable, "-m", "minikeras", "run", *options, target, *arguments],
            capture_output=True,
            text=True,
            timeout=120,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    return run


def test_a_script_for_tensorflow_keras_runs_as_it_is(script, tmp_path):
    done = script(TRAIN, "--epochs", "3")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"arguments ['--epochs', '3'] __main__ {tmp_path / 'train.py'}",
        "loss True True minikeras.models.sequential",
    ]


def test_a_module_runs_by_its_name(script):
    done = script(TRAIN, options=["-m"])
    assert done.returncode == 0, done.stderr
    assert "arguments [] __main__" in done.stdout


WRONG = """
    import numpy as np
    import keras

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(loss="mse")

    def train():
        model.fit(np.ones((8, 5)), np.ones((8, 1)))  # too wide

    train()
"""


def test_tracebacks_show_the_lines_of_the_script(script):
    done = script(WRONG)
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert 'train.py", line 11, in <module>' in lines[1]
    assert any('train.py", line 9, in train' in line for line in lines)
    assert sum("minikeras/" in line for line in lines) == 1  # where it was raised
    assert "expects `x` with 2 dimensions" in done.stderr
    assert "lines inside of minikeras left out; run --full-traceback shows them" in lines[-1]
    full = script(WRONG, options=["--full-traceback"])
    assert full.stderr.count("minikeras/") > 3
    assert "left out" not in full.stderr
    assert "commands/script.py" not in full.stderr


@pytest.mark.parametrize(
    ("source", "status", "message"),
    [
        ("import sys; sys.exit(7)", 7, ""),
        ("x = (", 1, "SyntaxError: '(' was never closed"),
        ("import keras\nkeras.ops.ones(2).numpy()", 1, "leave `.numpy()` out"),
        (
            "from keras.utils import np_utils",
            1,
            "There is no keras.utils.np_utils. Its functions are in keras.utils.",
        ),
        ("from keras.layers import Dens", 1, "It is not part of minikeras. Did you mean 'Dense'?"),
        ("raise KeyboardInterrupt", 130, "KeyboardInterrupt"),
        (
            "import sys\nsys.excepthook = lambda kind, error, trace: print('mine', error)\n1 / 0",
            1,
            "mine division by zero",
        ),
    ],
)
def test_scripts_end_as_python_ends_them(script, source, status, message):
    done = script(source)
    assert done.returncode == status
    assert message in done.stderr + done.stdout


def test_a_missing_script_is_told(script, capsys):
    assert commands.main(["run", "/nowhere/x.py"]) == 1
    assert "cannot read '/nowhere/x.py': No such file" in capsys.readouterr().err


def test_other_processes_know_nothing_of_the_names():
    known = "import importlib.util as u; print([u.find_spec(n) for n in ('tensorflow',)])"
    code = f"import minikeras.__main__; {known}"
    assert python(code) == python(known)


# --- the other commands ---


def test_help_names_the_commands(capsys):
    with pytest.raises(SystemExit):
        commands.main(["--help"])
    said = capsys.readouterr().out
    for command in ("run", "info", "warmup"):
        assert command in said
    with pytest.raises(SystemExit):
        commands.main([])


def test_info_tells_versions_threads_and_cache(capsys):
    assert commands.main(["info"]) == 0
    said = capsys.readouterr().out
    found = dict(line.split(None, 1) for line in said.splitlines())
    assert found["numpy"].strip() == np.__version__
    assert "used by kernels" in found["threads"]
    assert "bits" in found["kernels"] or "twins" in found["kernels"]
    assert "kernel cache" in said.splitlines()[-1]


def test_warmup_compiles_what_later_processes_load(tmp_path):
    code = """
        from minikeras import kernels
        from minikeras.commands import environment
        if __name__ == "__main__":
            kernels.units = lambda: [("relu", "float32"), ("relu", "float64")]
            print(environment.warmup(1), environment.warmup(1, "float32"))
    """
    path = tmp_path / "warm.py"
    path.write_text(textwrap.dedent(code))
    process = subprocess.run(
        [sys.executable, str(path)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT), "MINIKERAS_CACHE_DIR": str(tmp_path)},
    )
    assert process.returncode == 0, process.stderr
    first, second, status = process.stdout.splitlines()
    assert ": 2 compiled now" in first
    assert ": 0 compiled now" in second
    assert first.startswith("2 kernels in")
    assert status == "0 0"
    assert len(list(Path(tmp_path, "kernels").glob("*/minikeras.relu.*"))) == 2


def test_warmup_without_a_cache_or_a_compiler_says_so(monkeypatch):
    said = []
    monkeypatch.setattr(
        environment.kernels, "describe", lambda: environment.kernels.Description("x", 0, None)
    )
    assert environment.warmup(say=said.append) == 1
    assert "Numba is not installed" in said[0]
    monkeypatch.setattr(
        environment.kernels, "describe", lambda: environment.kernels.Description("x", 64, None)
    )
    assert environment.warmup(say=said.append) == 1
    assert "Set MINIKERAS_CACHE_DIR" in said[1]


def test_every_kernel_is_a_unit():
    units = environment.kernels.units()
    assert {name for name, _ in units} == set(environment.kernels.SIGNATURES)
    assert ("gemm", "float64") in units
