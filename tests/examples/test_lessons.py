"""Every example runs, prints its findings and draws its figures; some lessons are checked."""

import numpy as np
import pytest

from tests.examples.conftest import EXAMPLES, Examples

HELPERS = {"common"}
OWN_TEST = {"three_steps"}
# settings that make an example quick, and the figures that it draws
TABLE: dict[str, tuple[str, set[str]]] = {
    "batch_sizes": ("--epochs 1", {"batch_sizes"}),
    "initialisation": ("--epochs 1", {"initialisation"}),
    "likelihood": ("--epochs 1", {"likelihood"}),
    "logistic_loss": ("--epochs 1", {"logistic_loss"}),
    "loss_surface": ("--epochs 1", {"loss_slopes", "loss_surface"}),
}


def test_every_example_is_in_the_table():
    found = {path.stem for path in EXAMPLES.glob("*.py")}
    assert found == HELPERS | OWN_TEST | set(TABLE)


def test_readme_names_every_example():
    readme = (EXAMPLES.parent / "README.md").read_text()
    missing = [name for name in TABLE if f"`examples/{name}.py`" not in readme]
    assert not missing


@pytest.mark.parametrize("name", TABLE)
def test_example_runs_and_draws_its_figures(
    name: str, examples: Examples, capsys: pytest.CaptureFixture[str]
):
    arguments, figures = TABLE[name]
    examples.run(name, "--plot", *arguments.split())
    assert {path.stem for path in examples.output.glob("*.png")} == figures
    assert len(capsys.readouterr().out.splitlines()) > 3


@pytest.mark.parametrize("name", TABLE)
def test_docstring_tells_how_to_run_it(name: str):
    text = (EXAMPLES / f"{name}.py").read_text()
    assert f"python examples/{name}.py" in text.split('"""')[1]


def test_without_plot_nothing_is_drawn(examples: Examples):
    examples.run("logistic_loss", "--epochs", "1")
    assert not examples.output.exists()


# --- lessons ---


def test_units_that_start_alike_stay_alike_and_random_ones_do_not(examples: Examples):
    symmetry, _ = examples.run("initialisation", "--epochs", "2")
    assert symmetry["all 0"][1] == symmetry["all 0.1"][1] == 0
    assert symmetry["Glorot, random"][1] > 0.1


def test_the_scale_of_the_start_keeps_the_variance_or_loses_it(examples: Examples):
    module = examples.module("initialisation")
    options = module.settings(module.__doc__, [])
    kept = module.variances("relu", "he_uniform", options)
    lost = module.variances("relu", module.RandomNormal(stddev=0.01), options)
    assert 0.3 < kept[-1] / kept[0] < 3
    assert lost[-1] / lost[0] < 1e-12


def test_logistic_loss_is_binary_cross_entropy(examples: Examples):
    module = examples.module("logistic_loss")
    f = np.linspace(-80, 80, 41)
    for y in (0.0, 1.0):
        ours, entropy, slope = module.compare(f, np.full_like(f, y))
        np.testing.assert_allclose(ours, entropy, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(slope, 1 / (1 + np.exp(-f)) - y, rtol=1e-9, atol=1e-15)


def test_training_with_either_form_of_the_logistic_loss_gives_the_same_weights(examples: Examples):
    difference, right = examples.run("logistic_loss", "--epochs", "20")
    assert difference < 1e-5
    assert right > 0.9


def test_a_stubborn_output_is_taught_by_cross_entropy_only(examples: Examples):
    runs = examples.run("loss_surface", "--epochs", "5")
    assert runs["cross entropy", "stubborn"][-1] > 0.85
    assert runs["squared error", "stubborn"][-1] < 0.2


def test_the_share_of_red_balls_and_sigma_come_from_the_likelihood(examples: Examples):
    module = examples.module("likelihood")
    share, sigma, inside = examples.run("likelihood", "--epochs", "100")
    assert share == pytest.approx(0.4, abs=0.01)
    assert 0.85 < inside < 0.99
    error = np.random.default_rng(0).normal(0, sigma, 1000)
    best = module.gaussian_loss(error, error.std())
    assert best < min(module.gaussian_loss(error, s * error.std()) for s in (0.9, 1.1))


def test_mini_batches_get_further_than_one_step_an_epoch(examples: Examples):
    paths, runs = examples.run("batch_sizes", "--epochs", "5")
    assert [len(path) - 1 for path in paths.values()] == [5, 40, 640]
    accuracy = {name: run["val_accuracy"][-1] for name, (run, _) in runs.items()}
    assert accuracy["32"] > accuracy["all (1438)"] + 0.3
    assert accuracy["32"] > accuracy["32, sorted, not shuffled"] + 0.2
