"""The example runs as a user runs it: as a script, in a folder of its own."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "examples" / "three_steps.py"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The script in `folder`, with the package of this checkout and warnings as errors."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(
        [sys.executable, "-W", "error", str(SCRIPT), *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
    )


def accuracy(output: str) -> float:
    line = next(line for line in output.splitlines() if line.startswith("Accuracy"))
    return float(line.split(":")[1])


@pytest.fixture(scope="module")
def cross_entropy_run(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("example")
    settings = ["--loss", "categorical_crossentropy", "--optimizer", "adam", "--epochs", "12"]
    return folder / "output", run(folder, *settings)


def test_cross_entropy_and_adam_learn_the_digits_in_a_few_epochs(cross_entropy_run):
    _, done = cross_entropy_run
    assert done.returncode == 0, done.stderr
    assert accuracy(done.stdout) > 0.93


def test_the_model_is_saved_and_the_loaded_one_predicts_the_same(cross_entropy_run):
    folder, done = cross_entropy_run
    assert (folder / "model.h5").read_bytes()[:8] == b"\x89HDF\r\n\x1a\n"
    assert "The loaded model predicts the same: True" in done.stdout


def test_the_learning_curves_are_drawn(cross_entropy_run):
    import matplotlib.image

    folder, _ = cross_entropy_run
    picture = matplotlib.image.imread(folder / "learning_curves.png")
    assert picture.shape[1] > 800
    assert len(np.unique(picture[..., :3].reshape(-1, 3), axis=0)) > 20


def test_redirected_output_has_no_control_characters(cross_entropy_run):
    _, done = cross_entropy_run
    assert "\r" not in done.stdout
    assert "\x1b" not in done.stdout


def test_the_printed_program_runs_with_sparse_labels_and_mean_squared_error(tmp_path: Path):
    settings = ["--loss", "sparse_categorical_crossentropy", "--epochs", "1", "--output", "here"]
    done = run(tmp_path, *settings)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "here" / "learning_curves.png").exists()
    assert run(tmp_path, "--epochs", "2").returncode == 0


def test_a_file_of_mnist_can_be_given(tmp_path: Path, rng: np.random.Generator):
    images, labels = rng.integers(0, 256, (300, 28, 28), "uint8"), np.arange(300) % 10
    np.savez(tmp_path / "m.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    done = run(tmp_path, "--data", str(tmp_path / "m.npz"), "--epochs", "1")
    assert done.returncode == 0, done.stderr


def test_an_unknown_loss_is_an_error_that_names_it(tmp_path: Path):
    done = run(tmp_path, "--loss", "categorical_crossentrpy", "--epochs", "1")
    assert done.returncode != 0
    assert "categorical_crossentrpy" in done.stderr


@pytest.mark.slow
def test_the_default_settings_reach_95_percent(tmp_path: Path):
    done = run(tmp_path)
    assert done.returncode == 0, done.stderr
    assert accuracy(done.stdout) >= 0.95
