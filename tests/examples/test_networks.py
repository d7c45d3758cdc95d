"""Lessons of the examples that build networks: autoencoders, transfer, features, geometry."""

from pathlib import Path

import numpy as np
import pytest

import minikeras as keras
from tests.examples.conftest import Examples

# settings that make an example quick, and the figures that it draws; test_lessons.py runs them
NETWORKS: dict[str, tuple[str, set[str]]] = {
    "addition": ("--epochs 1 --samples 100 --units 8", {"addition"}),
    "autoencoder": ("--epochs 1", {"autoencoder"}),
    "autoencoder_adversarial": ("--epochs 1", {"autoencoder_adversarial"}),
    "autoencoder_contractive": ("--epochs 1", {"autoencoder_contractive"}),
    "autoencoder_denoising": ("--epochs 1", {"autoencoder_denoising"}),
    "autoencoder_sparse": ("--epochs 1", {"autoencoder_sparse"}),
    "autoencoder_tied": ("--epochs 1", {"autoencoder_tied"}),
    "autoencoder_variational": ("--epochs 1", {"autoencoder_variational"}),
    "cifar_augmentation": (
        "--epochs 1",
        {"cifar_augmentation", "cifar_augmentation_samples"},
    ),
    "character_model": ("--epochs 1 --units 8 --write 5", {"character_model"}),
    "coordinates": ("--epochs 1", {"coordinates"}),
    "feature_maps": ("--epochs 1", {"feature_maps", "feature_maps_digits"}),
    "features": ("--epochs 1 --steps 2", {"features"}),
    "gan": ("--epochs 1", {"gan"}),
    "hidden_geometry": (
        "--epochs 2 --starts 1",
        {"hidden_geometry", "hidden_geometry_ring"},
    ),
    "most_activating": ("--epochs 1 --steps 2 --images 50", {"most_activating"}),
    "transfer": ("--steps 1 --draws 1", {"transfer"}),
    "universality": ("--epochs 1 --starts 1", {"universality"}),
    "word2vec": ("--epochs 1 --size 4", {"word2vec"}),
}


def test_a_bent_bottleneck_loses_less_than_a_linear_one_of_the_same_size(examples: Examples):
    module = examples.module("autoencoder")
    options = examples.options(epochs=15)
    (x, _), (x_test, _) = module.digits()
    bent = module.train(4, "binary_crossentropy", module.Adam(0.003), options)[2][-1]
    linear = module.error(x_test, module.principal_components(x, x_test, 4))
    assert bent < 0.8 * linear


def test_cross_entropy_takes_gradient_descent_faster_to_a_small_squared_error(examples: Examples):
    curves = examples.module("autoencoder").race(examples.options(epochs=6))
    ends = {key: curve[-1] for key, curve in curves.items()}
    assert ends["cross entropy", "SGD"] < 0.8 * ends["squared error", "SGD"]
    assert abs(ends["cross entropy", "Adam"] / ends["squared error", "Adam"] - 1) < 0.1


def test_tied_weights_are_half_as_many_and_learn_more_from_few_images(examples: Examples):
    module = examples.module("autoencoder_tied")
    own, tied = (module.train(which, 100, examples.options(epochs=15)) for which in (False, True))
    assert tied[0] < 0.52 * own[0]
    assert tied[2] < 0.9 * own[2]


def test_a_tied_linear_layer_finds_the_principal_components(examples: Examples):
    kernel, error, best = examples.module("autoencoder_tied").linear(examples.options(epochs=20))
    assert abs(error / best - 1) < 0.02
    np.testing.assert_allclose(kernel.T @ kernel, np.eye(8), atol=0.05)


def test_tied_weights_are_still_tied_in_a_model_from_a_file(examples: Examples, tmp_path: Path):
    module = examples.module("autoencoder_tied")
    x = np.random.default_rng(0).uniform(size=(5, 64)).astype("float32")
    model = module.autoencoder(tied=True)
    model.save(tmp_path / "tied.keras")
    own = {"Transposed": module.Transposed}
    again = keras.models.load_model(tmp_path / "tied.keras", custom_objects=own)
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    assert again.layers[-1].dense is again.layers[1]
    assert again.count_params() == model.count_params()


def test_an_autoencoder_cleans_what_it_has_learned_to_clean(examples: Examples):
    errors = examples.run("autoencoder_denoising", "--epochs", "15")
    for name, rows in errors.items():
        assert min(rows, key=lambda row: rows[row] or 1) == f"trained on\n{name}"
        assert rows[f"trained on\n{name}"] < rows["trained on\nclean"] / 1.5


def test_the_divergence_makes_a_sparse_code_and_keeps_all_units_in_use(examples: Examples):
    found = examples.run("autoencoder_sparse", "--epochs", "60")
    mean, active, used, same, _ = found["divergence"]
    assert mean < 0.13
    assert active < 0.15
    assert used == 100
    assert found["L1"][2] < 80
    assert same > found["none"][3] + 0.05
    assert found["none"][1] > 0.4


def test_the_penalty_of_the_sparse_code_is_the_divergence_of_two_coins(examples: Examples):
    module = examples.module("autoencoder_sparse")
    layer = module.Sparsity(0.1, weight=2.0)
    layer(np.float32([[0.2, 0.1], [0.4, 0.1]]))
    q = 0.3
    by_hand = 2 * (0.1 * np.log(0.1 / q) + 0.9 * np.log(0.9 / (1 - q)))
    np.testing.assert_allclose(float(layer.losses[0]), by_hand, rtol=1e-5)


def test_the_divergence_of_the_variational_code_is_that_of_two_gaussians(examples: Examples):
    module = examples.module("autoencoder_variational")
    mean, sigma = 0.7, 0.4
    z = np.linspace(-8, 8, 20001)
    density = np.exp(-(((z - mean) / sigma) ** 2) / 2) / (sigma * np.sqrt(2 * np.pi))
    standard = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    by_numbers = np.trapezoid(density * np.log(np.maximum(density, 1e-300) / standard), z)
    formula = module.divergence(np.array(mean), np.array(2 * np.log(sigma)))
    np.testing.assert_allclose(float(formula), by_numbers, rtol=1e-6)


def test_variational_codes_fill_the_standard_gaussian_and_plain_ones_do_not(examples: Examples):
    module = examples.module("autoencoder_variational")
    options = examples.options(epochs=20)
    _, (x, _) = module.digits()
    plain, variational = (module.train(2, f, options)[0].predict(x, verbose=0) for f in (0.0, 1.0))
    assert 0.6 < variational.std() < 1.4
    assert plain.std() > 2


def test_the_norm_of_the_jacobian_is_the_same_by_formula_and_by_tape(examples: Examples):
    module = examples.module("autoencoder_contractive")
    x = module.digits()[0][0][:20]
    layer = module.Dense(7, activation="sigmoid")
    code = layer(x)
    formula = float(module.penalty_of_sigmoids(layer, code))
    assert float(module.penalty_by_tape(layer, x)) == pytest.approx(formula, rel=1e-5)


def test_training_by_formula_and_by_tape_gives_the_same_weights(examples: Examples):
    module = examples.module("autoencoder_contractive")
    options = examples.options(epochs=2)
    models = [module.train(0.01, options, by_tape) for by_tape in (False, True)]
    for one, other in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-6)


def test_the_penalty_makes_codes_blunt_in_most_directions(examples: Examples):
    found, _ = examples.run("autoencoder_contractive", "--epochs", "30")
    module = examples.module("autoencoder_contractive")
    used = [module.directions(values) for _, values, _ in found.values()]
    moved = [by_noise for *_, by_noise in found.values()]
    assert used == sorted(used, reverse=True)
    assert moved == sorted(moved, reverse=True)
    assert used[-1] < used[0] / 3


def test_what_is_found_by_gradient_ascent_is_worse_than_chance(examples: Examples):
    module = examples.module("autoencoder_adversarial")
    network, _ = module.train("nobody", examples.options(epochs=10))
    x, rng = module.digits()[1][0], np.random.default_rng(0)
    by_chance = np.clip(x + rng.uniform(-0.3, 0.3, x.shape), 0, 1).astype("float32")
    by_ascent = module.worst(network, x, rng)
    assert np.abs(by_ascent - x).max() <= 0.3 + 1e-6
    errors = [np.square(network.predict(z) - z).mean() for z in (by_chance, by_ascent)]
    assert errors[1] > 2 * errors[0]


def test_a_partner_in_training_makes_an_autoencoder_robust(examples: Examples):
    errors = examples.run("autoencoder_adversarial", "--epochs", "15")
    assert errors["seeker"]["worst"] < 0.9 * errors["nobody"]["worst"]
    assert errors["chance"]["moved"] < 0.7 * errors["nobody"]["moved"]


def test_a_generator_learns_to_make_all_digits(examples: Examples):
    found, history = examples.run("gan", "--epochs", "40")
    (before, *_), (sure, rarest, *_) = found["made, epoch 1"], found["made, epoch 40"]
    assert sure > before + 0.1
    assert rarest > 0.01
    assert history["right"][-1] < 0.9


def test_frozen_layers_help_with_few_images_and_hinder_with_many(examples: Examples):
    module = examples.module("transfer")
    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(1)
    old, train, _, test = module.halves("anywhere", rng)
    model = module.network()
    module.fit(model, *old, 0.001, 2000)
    few, many = (module.compare(model, train, test, n, rng, 200) for n in (5, 100))
    assert few[1] > few[0] + 0.05
    assert many[0] > many[1] + 0.05


def test_reused_layers_are_frozen_copies(examples: Examples):
    module = examples.module("transfer")
    model = module.network()
    hidden, new = module.reuse(model)
    before = model.get_weights()
    x, y = np.ones((8, 144), "float32"), np.arange(8) % 5
    module.fit(new, x, y, 0.01, 2)
    for ours, theirs in zip(hidden.get_weights(), before[:-2], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    hidden.trainable = True
    module.fit(new, x, y, 0.01, 2)
    assert (hidden.get_weights()[0] != before[0]).any()
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


def test_ascent_ends_at_the_signs_of_the_weights_of_a_linear_unit(examples: Examples):
    module = examples.module("features")
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(4)])
    units, kernel = np.array([0, 3]), model.layers[0].kernel.numpy()
    found = module.ascend(model, units, steps=60, rate=0.5)
    assert module.agreement(kernel, units, found) > 0.97
    best = np.maximum(kernel[:, units], 0).sum(axis=0)
    np.testing.assert_allclose(module.of_units(model, found, units), best, rtol=0.02)


def test_ascent_excites_units_more_than_any_digit_does(examples: Examples):
    module = examples.module("features")
    _, inside = module.train(examples.options(epochs=5))
    (x, _), _ = module.digits()
    for name in ("second", "output"):
        units, _, real, found, _ = module.look(inside[name], x, examples.options(steps=40))
        assert (module.of_units(inside[name], found, units) > real).all()
        if name == "output":
            assert list(inside[name].predict(found).argmax(axis=1)) == list(range(10))


def test_loops_and_layers_convolve_and_pool_alike(examples: Examples):
    differences, worst, counts = examples.run("convolution_by_hand")
    assert len(differences) == 10
    assert max(differences.values()) < 1e-5
    assert worst < 1e-8
    assert [narrow for narrow, _ in counts] == [64 * 3 + 64, 128 * 7 + 128] * 2


def test_convolution_is_commutative_and_correlation_is_not(examples: Examples):
    module = examples.module("convolution_by_hand")
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(4, 4)), rng.normal(size=(4, 4))
    np.testing.assert_allclose(module.convolve(a, b), module.convolve(b, a), atol=1e-12)
    padded = np.pad(a, 3), np.pad(b, 3)
    one, other = module.correlate(padded[0], b), module.correlate(padded[1], a)
    np.testing.assert_allclose(one, other[::-1, ::-1], atol=1e-12)
    assert np.abs(one - other).max() > 0.1


def test_augmented_and_plain_networks_are_the_same_outside_training(examples: Examples):
    module = examples.module("cifar_augmentation")
    x = np.random.default_rng(0).uniform(size=(6, 32, 32, 3)).astype("float32")
    plain, augmented = (module.network(x.shape[1:], 2, which) for which in (False, True))
    augmented.set_weights(plain.get_weights())
    np.testing.assert_array_equal(augmented.predict(x, verbose=0), plain.predict(x, verbose=0))
    for name, layer in module.changes(photographs=True).items():
        changed = np.asarray(layer(x, training=True))
        assert (changed != x).any((1, 2, 3)).sum() >= (1 if name == "flipped" else 6), name


def test_photographs_come_from_a_file_and_digits_are_few(examples: Examples, tmp_path: Path):
    module = examples.module("cifar_augmentation")
    shapes = {"x_train": (4, 32, 32, 3), "y_train": (4, 1), "x_test": (2, 32, 32, 3)}
    arrays = {name: np.full(shape, 255, "uint8") for name, shape in shapes.items()}
    np.savez(tmp_path / "few.npz", **arrays, y_test=np.zeros((2, 1), "uint8"))
    (x, y), (x_test, _) = module.load(str(tmp_path / "few.npz"))
    assert (x.shape, y.shape, x_test.shape) == ((4, 32, 32, 3), (4,), (2, 32, 32, 3))
    assert x.max() == 1
    assert module.load("digits")[0][0].shape == (module.DIGITS, 8, 8, 1)


def test_maps_follow_a_shifted_image_and_see_more_from_layer_to_layer(examples: Examples):
    maps, difference, seen = examples.run("feature_maps", "--epochs", "1")
    assert difference < 1e-6
    assert [found.shape[1:] for found in maps] == [(8, 8, 32), (4, 4, 32), (4, 4, 64), (2, 2, 64)]
    assert list(seen.values()) == [3, 4, 8, 8]


def test_a_filter_sees_its_patch_and_nothing_else(examples: Examples):
    module = examples.module("most_activating")
    model, inside = module.network(28)
    image = np.random.default_rng(0).uniform(size=(1, 28, 28, 1)).astype("float32")
    for name in ("first", "second"):
        ask = module.middle(keras.Model(model.inputs, inside[name]))
        with keras.GradientTape() as tape:
            points = tape.watch(image)
            said = keras.ops.sum(keras.ops.square(ask(points)))
        slope = np.abs(tape.gradient(said, points))[0]
        place = inside[name].shape[1] // 2
        cut = module.patch(slope, name, place, place)
        assert cut.sum() == pytest.approx(slope.sum(), rel=1e-5)
        rows, columns = (np.flatnonzero(cut.sum(axis=axis)) for axis in (1, 0))
        assert max(np.ptp(rows), np.ptp(columns)) + 1 >= module.field(name)[0] - 1  # pools choose


def test_patches_found_by_ascent_excite_filters_more_than_any_in_the_data(examples: Examples):
    seen, alike = examples.run(
        "most_activating", "--epochs", "3", "--steps", "40", "--images", "300"
    )
    for name, (*_, (real, found, _)) in seen.items():
        assert found.mean() > real.mean(), name
    assert alike[1] > 0.7


def test_a_disc_comes_out_of_its_ring_in_three_dimensions_only(examples: Examples):
    found = examples.run("hidden_geometry", "--epochs", "100", "--starts", "2")
    assert found["disc in a ring", 1, 3][0][0] == 1
    assert max(found["disc in a ring", layers, 2][0][0] for layers in (1, 2, 4)) < 0.97
    assert found["arcs", 2, 2][0][0] > found["arcs", 1, 2][0][0]


def test_the_film_of_a_hidden_layer_can_be_written(examples: Examples):
    arguments = ("--epochs", "2", "--starts", "1", "--animation", "1")
    examples.run("hidden_geometry", *arguments)
    assert [path.name for path in examples.output.iterdir()] == ["hidden_geometry.gif"]


def test_towers_come_close_to_any_curve_and_tents_fold_the_line(examples: Examples):
    module = examples.module("universality")
    errors = [module.error(module.towers(count), *module.line()) for count in (16, 32, 64)]
    assert errors[1] < 0.6 * errors[0]
    assert errors[2] < 0.6 * errors[1]
    assert [module.pieces(module.folds(depth)) for depth in (1, 3, 6)] == [2, 8, 64]


def test_a_deep_network_learns_waves_that_a_fat_one_of_as_many_weights_does_not(
    examples: Examples,
):
    module = examples.module("universality")
    options = examples.options(epochs=40, starts=1)
    fat, deep = (module.learned_waves(depth, 800, options)[0] for depth in (1, 4))
    assert deep < fat / 3


def test_each_question_is_simple_in_its_own_coordinates(examples: Examples):
    module = examples.module("coordinates")
    options = examples.options(epochs=60)
    right = {
        (question, name): module.train(question, name, 0, options)[1]
        for question in module.QUESTIONS
        for name in module.COORDINATES
    }
    assert right["in the disc?", "polar"] > 0.99 > 0.8 > right["in the disc?", "Cartesian"]
    assert right["left of a line?", "Cartesian"] > 0.99 > 0.8 > right["left of a line?", "polar"]
    assert module.train("in the disc?", "Cartesian", 8, options)[1] > 0.97
