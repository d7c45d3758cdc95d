"""Every example runs, prints its findings and draws its figures; some lessons are checked."""

import json

import numpy as np
import pytest

import minikeras as keras
from tests.examples.conftest import EXAMPLES, Examples
from tests.examples.test_networks import NETWORKS

HELPERS = {"common"}
OWN_TEST = {"transformer_classifier", "three_steps"}
# settings that make an example quick, and the figures that it draws
TABLE: dict[str, tuple[str, set[str]]] = {
    "activation_race": ("--epochs 1 --starts 1", {"activation_race"}),
    "airline": ("--epochs 1 --starts 1 --units 4", {"airline"}),
    "batch_norm": ("--epochs 1", {"batch_norm"}),
    "batch_sizes": ("--epochs 1", {"batch_sizes"}),
    "bias_variance": ("--epochs 1 --samples 2", {"bias_variance"}),
    "clipping": ("--epochs 1", {"clipping"}),
    "convolution_by_hand": (
        "",
        {"convolution_by_hand", "convolution_by_hand_pooling", "convolution_by_hand_signal"},
    ),
    "curriculum": ("--epochs 1", {"curriculum"}),
    "dropout": ("--epochs 1", {"dropout"}),
    "dropout_ensemble": ("--epochs 1", {"dropout_ensemble"}),
    "dying_relu": ("--epochs 6", {"dying_relu"}),
    "early_stopping": ("--epochs 2 --starts 1", {"early_stopping"}),
    "initialisation": ("--epochs 1", {"initialisation"}),
    "learning_rates": ("--epochs 1", {"learning_rates", "learning_rates_parabola"}),
    "likelihood": ("--epochs 1", {"likelihood"}),
    "local_minima": ("--epochs 1 --trials 1", {"local_minima", "local_minima_spirals"}),
    "logistic_loss": ("--epochs 1", {"logistic_loss"}),
    "loss_landscape": ("--epochs 1 --steps 5", {"loss_landscape"}),
    "loss_surface": ("--epochs 1", {"loss_slopes", "loss_surface"}),
    "mnist_convnet": ("--epochs 1", {"mnist_convnet"}),
    "max_norm": ("--epochs 1", {"max_norm"}),
    "optimizer_race": ("--epochs 1", {"optimizer_paths", "optimizer_race"}),
    "overfitting": ("--epochs 1", {"overfitting"}),
    "penalties": ("--epochs 1", {"penalties", "penalty_factor"}),
    "polyak_averaging": ("--epochs 1", {"polyak_averaging"}),
    "pretraining": ("--epochs 1", {"pretraining"}),
    "recipe": ("--epochs 1", {"recipe"}),
    "second_order": ("--epochs 4 --steps 100", {"second_order"}),
    "vanishing_gradients": ("--epochs 1", {"vanishing_gradients"}),
}
TABLE |= NETWORKS


def test_every_example_is_in_the_table():
    found = {path.stem for path in EXAMPLES.glob("*.py")}
    assert found == HELPERS | OWN_TEST | set(TABLE)


def test_readme_names_every_example():
    readme = (EXAMPLES / "README.md").read_text()
    missing = [name for name in TABLE if f"`{name}.py`" not in readme]
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
    same_start = examples.module("initialisation").same_start
    spread = [same_start(value, examples.options(epochs=2))[1] for value in (0.0, 0.1, None)]
    assert spread[:2] == [0, 0]
    assert spread[2] > 0.1


def test_the_scale_of_the_start_keeps_the_variance_or_loses_it(examples: Examples):
    module = examples.module("initialisation")
    options = examples.options()
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


def test_adagrad_divides_the_rate_by_the_root_of_the_sum_of_squares(examples: Examples):
    rates = examples.module("optimizer_race").adagrad_rates([[0.1, 20.0], [0.2, 10.0]])
    np.testing.assert_allclose(1 / rates, [[0.1, 20], [0.05**0.5, 500**0.5]], rtol=1e-6)


def test_momentum_gets_further_along_a_narrow_valley(examples: Examples):
    module = examples.module("optimizer_race")
    plain, heavy = (module.descend(module.IN_VALLEY[n]()) for n in ("SGD", "momentum 0.9"))
    assert module.valley(heavy[-1]) < module.valley(plain[-1]) / 10


def test_clipping_keeps_the_weight_on_the_cliff(examples: Examples):
    module = examples.module("clipping")
    assert module.descend()[1] < -100
    assert module.descend(clipnorm=1.0)[-1] == pytest.approx(0.5 ** (1 / 20), abs=0.02)
    both = [[3.0, 4.0], [0.3, 0.4]]
    np.testing.assert_allclose(module.clipped(both, clipnorm=1.0), [[0.6, 0.8], [0.3, 0.4]])
    total = np.linalg.norm(module.clipped(both, global_clipnorm=1.0))
    assert total == pytest.approx(1)


def test_l1_drops_the_noise_and_l2_does_not(examples: Examples):
    module = examples.module("penalties")
    options = examples.options(epochs=60)
    weights = {n: module.select(module.PENALTIES[n], options)[0] for n in ("L1, 0.01", "L2, 0.01")}
    noise = {name: (np.abs(w[64:]) < 0.01).mean() for name, w in weights.items()}
    assert noise["L1, 0.01"] > 0.9
    assert noise["L2, 0.01"] < 0.3


def test_weight_decay_is_twice_the_l2_factor_for_gradient_descent(examples: Examples):
    module = examples.module("penalties")
    difference, largest = module.decay_and_penalty(examples.options())
    assert difference < 1e-5 * largest


def test_max_norm_bounds_the_weights_into_each_unit(examples: Examples):
    runs = examples.run("max_norm", "--epochs", "3")
    assert all(lengths.max() <= r * 1.0001 for r, (*_, lengths) in runs.items() if r)


@pytest.mark.parametrize("rate", [0.2, 0.5, 0.8])
def test_mean_output_behind_dropout_agrees_between_training_and_test(rate, examples: Examples):
    training, test, unscaled = examples.module("dropout").means(rate)
    assert training == pytest.approx(test, rel=0.03)
    assert unscaled == pytest.approx((1 - rate) * test, rel=0.03)


def test_the_classic_program_drops_four_units_in_five(examples: Examples):
    model = examples.module("dropout").classic_program()
    assert [layer.rate for layer in model.layers if hasattr(layer, "rate")] == [0.8, 0.6]
    hidden = np.asarray(model.layers[1](np.ones((200, 500), "float32"), training=True))
    assert (hidden == 0).mean() == pytest.approx(0.8, abs=0.01)


def test_many_sub_networks_do_better_than_one_and_as_well_as_the_whole(examples: Examples):
    module = examples.module("dropout_ensemble")
    train, (x, y) = module.few_digits(300, wrong=0)
    model = module.train_with_dropout(train, examples.options(epochs=30))
    samples = np.stack([np.asarray(model(x, training=True)) for _ in range(50)])
    one, many = (module.score(samples[:count].mean(axis=0), y) for count in (1, 50))
    assert many[1] < one[1] - 0.03
    assert many[0] == pytest.approx(module.score(model.predict(x, verbose=0), y)[0], abs=0.03)
    right, wrong = module.doubt(samples, y)
    assert wrong.mean() > 1.5 * right.mean()


def test_batch_normalisation_needs_fewer_steps(examples: Examples):
    module = examples.module("batch_norm")
    options = examples.options(epochs=4)
    with_it, without = (module.train(on, 0.3, options) for on in (True, False))
    assert module.steps_to(with_it, 0.9) < 60
    assert module.steps_to(without, 0.5) is None


def test_another_start_reaches_another_minimum(examples: Examples):
    module = examples.module("local_minima")
    plain = {start: module.descend(start)[-1] for start in (-3.5, -1.8, 3.5)}
    assert len({round(end, 1) for end in plain.values()}) == 3
    assert module.descend(-3.5, momentum=0.9)[-1] == pytest.approx(0.92, abs=0.05)


def test_directions_of_a_landscape_have_the_length_of_the_weights(examples: Examples):
    module = examples.module("loss_landscape")
    rng = np.random.default_rng(0)
    kernel, bias = rng.normal(size=(64, 10)).astype("float32"), np.ones(10, "float32")
    along, none = module.direction([kernel, bias], rng)
    lengths = [np.linalg.norm(part, axis=0) for part in (along, kernel)]
    np.testing.assert_allclose(*lengths, rtol=1e-5)
    assert not none.any()


def test_the_deep_network_sits_in_a_narrower_hole(examples: Examples):
    found = examples.run("loss_landscape", "--epochs", "20", "--steps", "9")
    area = [(heights < 1).mean() for _, (_, heights) in found.values()]
    assert area[0] > 4 * area[1]


def test_schedules_give_the_rates_of_their_formulas(examples: Examples):
    module = examples.module("learning_rates")
    plans = module.plans(epochs=4, steps=10)
    run, rates = module.train(plans["alpha / sqrt(t + 1)"], examples.options(epochs=4))
    np.testing.assert_allclose(rates, 1 / np.sqrt([1, 2, 3, 4]), rtol=1e-6)
    assert plans["power"][0](20) == pytest.approx(2**-1.5)
    assert [plans["piecewise constant"][0](s) for s in (20, 21, 31)] == [1.0, 0.1, 0.01]
    assert plans["exponential"][0](40) == pytest.approx(0.01)


def test_a_parabola_is_left_at_rates_above_two(examples: Examples):
    ways = {rate: examples.module("learning_rates").on_parabola(rate) for rate in (0.6, 1.9, 2.1)}
    np.testing.assert_allclose(ways[1.9], 1.8 * (-0.9) ** np.arange(13), rtol=1e-5)
    assert abs(ways[0.6][-1]) < 1e-4
    assert abs(ways[2.1][-1]) > 5


def test_elu_learns_in_a_deep_network_and_the_sigmoid_does_not(examples: Examples):
    module = examples.module("activation_race")
    assert module.run("elu", 0.1, 1, 5)[-1] < 0.5
    assert module.run("sigmoid", 0.1, 1, 5)[-1] > 2


def test_few_weights_have_bias_and_many_have_variance(examples: Examples):
    module = examples.module("bias_variance")
    options = examples.options(samples=4, epochs=120)
    few, many = (module.bias_and_variance(*module.fits(n, options)[:2]) for n in (2, 20))
    assert few[0] > 10 * few[1]
    assert many[1] > 5 * many[0]


def test_methods_that_learn_the_curvature_reach_the_end_of_the_valley(examples: Examples):
    module = examples.module("second_order")
    for name, method in module.METHODS.items():
        way, found = module.through_the_valley(method)
        np.testing.assert_allclose(way[-1], [1, 1], atol=1e-5, err_msg=name)
        assert found.iterations < 100
    assert np.abs(module.by_gradient_descent(200)[-1] - 1).max() > 1


def test_second_derivatives_of_the_valley_are_those_of_its_gradient(examples: Examples):
    module = examples.module("second_order")
    slope = keras.autodiff.grad(module.banana)
    w, along, h = np.array([0.3, -0.4]), np.array([0.6, 0.8]), 1e-6
    expected = (slope(w + h * along) - slope(w - h * along)) / (2 * h)
    np.testing.assert_allclose(module.curvature(w, along), expected, rtol=1e-6)


def test_the_average_of_the_weights_circles_less_and_ends_lower(examples: Examples):
    module = examples.module("polyak_averaging")
    weights, averages = module.follow_line(examples.options())
    half = len(weights) // 2
    assert (averages[half:].std(axis=0) < weights[half:].std(axis=0) / 2).all()
    losses = [module.train(0.3, on, examples.options(epochs=10))[1] for on in (False, True)]
    assert losses[1] < losses[0] - 0.05


def test_layer_by_layer_a_network_learns_that_does_not_from_random_weights(examples: Examples):
    module = examples.module("pretraining")
    options = examples.options(epochs=12)
    right = [
        module.train(prepare, options)["val_accuracy"][-1] for prepare in (None, module.supervised)
    ]
    assert right[0] < 0.3
    assert right[1] > 0.9


def test_pretraining_leaves_all_layers_trainable(examples: Examples):
    module = examples.module("pretraining")
    (x, y), _ = module.digits()
    layers = module.hidden_layers()
    module.by_coordinates(layers, x[:64], y[:64], 4)
    assert all(layer.trainable for layer in layers)


def test_easy_examples_are_mostly_labelled_right(examples: Examples):
    module = examples.module("curriculum")
    (x, y), _ = module.few_digits()
    (_, truth), _ = module.few_digits(wrong=0)
    order = np.argsort(module.difficulty(x, y, examples.options()))
    assert (y == truth)[order[:200]].mean() > 0.97
    assert (y == truth)[order[-100:]].mean() < 0.2


def test_gradients_vanish_under_sigmoids_and_not_under_tanh(examples: Examples):
    module = examples.module("vanishing_gradients")
    for name, low, high in (("sigmoid, Glorot", 0, 1e-3), ("tanh, Glorot", 0.3, 10)):
        norms, _ = module.train(*module.networks()[name], examples.options(epochs=1))
        assert norms.shape == (2, module.DEPTH + 1)
        assert low <= norms[0, 0] / norms[0, -1] <= high


def test_the_change_of_the_loss_agrees_with_back_propagation(examples: Examples):
    module = examples.module("vanishing_gradients")
    rows = module.derivatives(examples.options())
    for _, difference, gradient in rows:
        assert difference == pytest.approx(gradient, rel=1e-2)
    assert abs(rows[0][2]) < abs(rows[-1][2]) / 1000
    assert module.check_all(examples.options()) == 6


def test_dead_relu_units_stay_dead(examples: Examples):
    dead, _ = examples.module("dying_relu").shock(2.0, examples.options(epochs=4))
    assert dead[0] > 0.5
    assert dead[-1] >= dead[0]


def test_leaky_units_come_back_after_an_accident_and_relu_does_not(examples: Examples):
    module = examples.module("dying_relu")
    options = examples.options(epochs=module.ACCIDENT + 5)
    assert module.accident("relu", options)[-1] < 0.2
    assert module.accident("leaky_relu", options)[-1] > 0.85


def test_stopping_early_helps_and_a_second_training_on_all_data_helps_more(examples: Examples):
    accuracy, best, end = examples.run("early_stopping", "--starts", "2")
    assert best < end < 80
    whole, stopped, second = accuracy.values()
    assert whole < stopped < second


def test_the_best_size_lies_between_underfitting_and_overfitting(examples: Examples):
    module = examples.module("overfitting")
    options = examples.options(epochs=100)
    small, good, large = (module.errors(units, 500, options) for units in (2, 16, 256))
    assert small[0] > good[0] > large[0]
    assert good[1] < min(small[1], large[1]) - 3


RISING, FALLING = [0.2, 0.8, 0.99], [2.0, 0.8, 0.1]
HISTORIES = {
    "bad on the training part": {"loss": [2.3, 2.29, 2.28], "accuracy": [0.1, 0.1, 0.12]},
    "bad on the test part": {
        **{"loss": FALLING, "accuracy": RISING},
        **{"val_loss": [1.5, 1.0, 2.0], "val_accuracy": [0.2, 0.7, 0.8]},
    },
    "good on the training part": {"loss": FALLING, "accuracy": RISING},
    "good on both": {
        **{"loss": FALLING, "accuracy": RISING},
        **{"val_loss": FALLING, "val_accuracy": [0.2, 0.7, 0.97]},
    },
}


@pytest.mark.parametrize("branch", HISTORIES)
def test_the_recipe_reads_which_branch_applies(branch: str, examples: Examples):
    assert examples.module("recipe").judge(HISTORIES[branch])[0] == branch


@pytest.mark.parametrize(
    ("loss", "advice"),
    [
        ([2.0, float("nan")], "no longer a number"),
        ([1.0, 1.5, 2.0], "grows"),
        ([2.3, 2.3, 2.29], "hardly moves"),
        ([2.0, 1.0, 0.5], "still falling"),
        ([2.0, 0.9, 0.88], "settled too high"),
    ],
)
def test_the_recipe_reads_the_shape_of_a_bad_curve(loss, advice: str, examples: Examples):
    branch, tips = examples.module("recipe").judge({"loss": loss, "accuracy": [0.3]})
    assert branch == "bad on the training part"
    assert advice in tips[0]


def test_the_recipe_reads_files_of_a_training(examples: Examples):
    module = examples.module("recipe")
    (x, y), test = module.digits()
    model = module.compiled(module.classifier((8,)))
    examples.output.mkdir()
    log = keras.callbacks.CSVLogger(str(examples.output / "log.csv"))
    run = model.fit(x, y, epochs=2, validation_data=test, callbacks=[log], verbose=0)
    (examples.output / "log.json").write_text(json.dumps(run.history))
    for name in ("log.csv", "log.json"):
        found = examples.run("recipe", "--history", str(examples.output / name))
        assert found == {name: "bad on the training part"}
        read = module.read(examples.output / name)
        np.testing.assert_allclose(read["val_loss"], run.history["val_loss"], rtol=1e-6)


def test_convolutions_read_digits(examples: Examples):
    assert examples.run("mnist_convnet", "--epochs", "12") > 0.95


def test_the_test_of_the_airline_forecast_uses_no_later_month(examples: Examples):
    module = examples.module("airline")
    assert module.PASSENGERS.sum() == 40363
    start = (1958 - module.FIRST_YEAR) * module.YEAR
    seen = []
    module.one_ahead(lambda months: seen.append(len(months)) or 1.0, start)
    assert seen == list(range(start, start + 12))
    same = module.year_ahead(module.last_year, start)
    np.testing.assert_array_equal(same, module.PASSENGERS[start - 12 : start])
    assert module.error(module.PASSENGERS[-36:] * 1.1) == pytest.approx(10)


def test_an_lstm_learns_the_seasons_of_the_airline(examples: Examples):
    found = examples.run("airline", "--epochs", "60", "--starts", "1")
    error = examples.module("airline").error
    assert error(found["LSTM"][0]) < error(found["month of last year"][0])


def test_a_transformer_reads_pieces_of_a_text_and_their_reverse(examples: Examples):
    module = examples.module("transformer_classifier")
    train, test, symbols = module.backwards()
    assert len(train[0]) > 2 * len(test[0]) > 1000
    x, y = test
    assert x.max() < symbols
    assert y.mean() == 0.5
    half = len(x) // 2
    first, last = (row[row > 0].tolist() for row in (x[0], x[half]))
    assert first == last[::-1]
    module.STRIDE = 240
    assert 0.3 < examples.run("transformer_classifier", "--epochs", "2", "--plot") < 1
    assert (examples.output / "transformer_classifier.png").exists()
