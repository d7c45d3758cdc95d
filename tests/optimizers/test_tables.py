"""Tables of which a step uses few rows: updates of those alone give what whole updates give."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import kernels, layers, optimizers
from minikeras.kernels.formulas import RULES
from minikeras.ops.embedding import gradient
from minikeras.optimizers import rows

ROWS, STEPS = 300, 6


def model_of(optimizer, width=5, table=True, regularizer=None, seed=1):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            layers.Embedding(ROWS, width, embeddings_regularizer=regularizer),
            layers.Flatten(),
            layers.Dense(2, "tanh"),
        ]
    )
    model.compile(optimizer, "mse")
    model.build((None, 4))
    model.layers[0].embeddings.is_table = table
    return model


def batches(seed=0, steps=STEPS):
    rng = np.random.default_rng(seed)
    for step in range(steps):
        most = ROWS if step % 2 else 40
        size = 5 if step == 3 else 7
        yield rng.integers(-3, most, (size, 4)), rng.normal(size=(size, 2))


def train(model, seed=0, steps=STEPS):
    for x, y in batches(seed, steps):
        model.train_on_batch(x, y)
    state = [v.numpy() for v in model.optimizer.variables]
    return [*model.get_weights(), *state]


def assert_same(a, b):
    for x, y in zip(a, b, strict=True):
        np.testing.assert_array_equal(x, y)


def uses_rows(optimizer):
    return any(table.marks.any() or table.near[0] > 0 for table in optimizer._tables.values())


SKIPPING = {
    "Adam": lambda: optimizers.Adam(0.01),
    "AMSGrad": lambda: optimizers.Adam(0.01, amsgrad=True),
    "Adamax": lambda: optimizers.Adamax(0.01),
    "Nadam": lambda: optimizers.Nadam(0.01),
    "RMSprop": lambda: optimizers.RMSprop(0.01),
    "centered": lambda: optimizers.RMSprop(0.01, momentum=0.9, centered=True),
    "momentum": lambda: optimizers.SGD(0.01, momentum=0.9),
    "nesterov": lambda: optimizers.SGD(0.01, momentum=0.9, nesterov=True),
    "Adadelta": lambda: optimizers.Adadelta(0.01),
    "Lion": lambda: optimizers.Lion(0.01),
    "schedule": lambda: optimizers.Adam(optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)),
    "EMA": lambda: optimizers.Adam(0.01, use_ema=True, ema_overwrite_frequency=3),
}
FORGETTING = {
    "SGD": lambda: optimizers.SGD(0.01),
    "Adagrad": lambda: optimizers.Adagrad(0.01),
}
WHOLE = {
    "AdamW": lambda: optimizers.AdamW(0.01),
    "clipnorm": lambda: optimizers.Adam(0.01, clipnorm=0.01),
    "clipvalue": lambda: optimizers.Adam(0.01, clipvalue=0.01),
    "global_clipnorm": lambda: optimizers.Adam(0.01, global_clipnorm=0.01),
    "scaled loss": lambda: optimizers.Adam(0.01, loss_scale_factor=8.0),
    "accumulation": lambda: optimizers.Adam(0.01, gradient_accumulation_steps=2),
    "dynamic": lambda: optimizers.LossScaleOptimizer(optimizers.Adam(0.01)),
    "no epsilon": lambda: optimizers.Adam(0.01, epsilon=0.0),
    "Ftrl": lambda: optimizers.Ftrl(0.01, l1_regularization_strength=0.01),
    "Lamb": lambda: optimizers.Lamb(0.01),
    "Adafactor": lambda: optimizers.Adafactor(0.01),
    "ScheduleFreeAdamW": lambda: optimizers.ScheduleFreeAdamW(0.01),
}
EVERY = {**SKIPPING, **FORGETTING, **WHOLE}


@pytest.mark.parametrize("name", EVERY)
def test_updates_of_few_rows_give_the_bits_of_whole_updates(name):
    few, whole = model_of(EVERY[name]()), model_of(EVERY[name](), table=False)
    assert_same(train(few), train(whole))
    tables = getattr(few.optimizer, "_tables", {})
    assert uses_rows(few.optimizer) == (name in SKIPPING) if tables else name in WHOLE
    if name in FORGETTING:
        assert tables


@pytest.mark.parametrize("width", [1, 16, 64, 70])
@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_bits_depend_neither_on_the_width_nor_on_threads(width, threads):
    before = kernels.num_threads()
    try:
        kernels.set_num_threads(threads)
        few = train(model_of("adam", width))
    finally:
        kernels.set_num_threads(before)
    assert_same(few, train(model_of("adam", width, table=False)))


def test_the_whole_gradient_is_never_computed(monkeypatch):
    wanted = train(model_of("adam"))

    def whole(ins, outs, rows):
        raise AssertionError("a gradient of all rows was computed")

    monkeypatch.setattr(gradient, "forward", whole)
    assert_same(train(model_of("adam")), wanted)
    with pytest.raises(AssertionError, match="all rows"):
        train(model_of("adam", table=False))


def test_rows_once_touched_go_on_by_their_momentum_and_others_stay():
    model = model_of(optimizers.SGD(0.1, momentum=0.9))
    start = model.layers[0].embeddings.numpy()
    model.train_on_batch(np.full((3, 4), 2), np.ones((3, 2)))
    once = model.layers[0].embeddings.numpy()
    model.train_on_batch(np.full((3, 4), 7), np.ones((3, 2)))
    twice = model.layers[0].embeddings.numpy()
    moved = np.flatnonzero((once != start).any(1)), np.flatnonzero((twice != once).any(1))
    assert [rows.tolist() for rows in moved] == [[2], [2, 7]]


def test_penalties_on_all_rows_change_all_rows():
    few, whole = (model_of("adam", table=t, regularizer="l2") for t in (True, False))
    assert_same(train(few), train(whole))


def test_slots_that_are_set_from_outside_are_taken_into_account():
    few, whole = model_of("adam"), model_of("adam", table=False)
    for model in (few, whole):
        train(model, steps=2)
        for number, variable in enumerate(model.optimizer.variables):
            if variable.shape == (ROWS, 5):
                value = variable.numpy()
                value[100 + number] = 0.5
                variable.assign(value)
    assert_same(train(few, 1), train(whole, 1))


def test_whole_gradients_in_between_change_nothing_about_that():
    few, whole = model_of("adam"), model_of("adam", table=False)
    rng = np.random.default_rng(5)
    gradients = [rng.normal(size=w.shape).astype("float32") for w in few.trainable_variables]
    for model in (few, whole):
        train(model, steps=2)
        model.optimizer.apply(gradients, model.trainable_variables)
        train(model, seed=2, steps=2)
        model.run_eagerly = True
        train(model, seed=3, steps=1)
        model.run_eagerly = False
    assert_same(train(few, 1), train(whole, 1))


def test_training_goes_on_from_a_file_as_if_it_had_not_stopped(tmp_path):
    few, whole = model_of("adam"), model_of("adam", table=False)
    train(few, steps=3)
    few.save(tmp_path / "few.keras")
    train(whole, steps=3)
    loaded = keras.saving.load_model(tmp_path / "few.keras")
    loaded.layers[0].embeddings.is_table = True
    assert_same(train(loaded, 1), train(whole, 1))


def test_a_table_used_twice_and_a_table_beside_another_are_exact():
    def build(table):
        keras.utils.set_random_seed(1)
        left, right = keras.Input((4,)), keras.Input((4,))
        shared, other = layers.Embedding(ROWS, 3), layers.Embedding(ROWS, 2)
        parts = [shared(left), shared(right), other(left)]
        out = layers.Dense(2)(layers.Concatenate()([layers.Flatten()(p) for p in parts]))
        model = keras.Model([left, right], out)
        model.compile("adam", "mse")
        for layer in (shared, other):
            layer.embeddings.is_table = table
        return model

    few, whole = build(True), build(False)
    rng = np.random.default_rng(0)
    for _ in range(4):
        x, y = rng.integers(0, ROWS, (2, 6, 4)), rng.normal(size=(6, 2))
        assert few.train_on_batch(list(x), y) == whole.train_on_batch(list(x), y)
    assert_same(few.get_weights(), whole.get_weights())


def test_a_step_of_ones_own_may_look_at_the_gradient_or_change_it():
    class Halving(keras.Sequential):
        def train_step(self, data):
            x, y = data
            with keras.GradientTape() as tape:
                loss = keras.ops.mean(keras.ops.square(self(x, training=True) - y))
            found = tape.gradient(loss, self.trainable_variables)
            norm = keras.ops.sqrt(keras.ops.sum(keras.ops.square(found[0])))
            if self.halves:
                found = [g * 0.5 for g in found]
            self.optimizer.apply(found, self.trainable_variables)
            return {"loss": loss, "norm": norm}

    def build(table, halves):
        keras.utils.set_random_seed(1)
        model = Halving([layers.Embedding(ROWS, 5), layers.Flatten(), layers.Dense(2)])
        model.halves = halves
        model.compile("adam", "mse")
        model.build((None, 4))
        model.layers[0].embeddings.is_table = table
        return model

    for halves in (False, True):
        few, whole = build(True, halves), build(False, halves)
        assert_same(train(few), train(whole))


USED = 40  # rows; with those that a batch of theirs looks up, few enough to lie together


def train_on_few(model, seed=0, steps=STEPS):
    rng = np.random.default_rng(seed)
    for step in range(steps):
        size = 5 if step == 3 else 7
        model.train_on_batch(rng.integers(0, USED, (size, 4)), rng.normal(size=(size, 2)))


def only_table(model):
    (table,) = model.optimizer._tables.values()
    return table


def state(model):
    return [*model.get_weights(), *(v.numpy() for v in model.optimizer.variables)]


@pytest.mark.parametrize("name", SKIPPING)
def test_slots_of_few_rows_lie_together_and_are_seen_among_those_of_all(name):
    few, whole = model_of(SKIPPING[name]()), model_of(SKIPPING[name](), table=False)
    for seed in range(3):
        for model in (few, whole):
            train_on_few(model, seed)
        table = only_table(few)
        assert 0 < table.near[0] <= USED
        if seed == 0:
            assert not any(home.any() for home, _ in table._slots())
        assert_same(state(few), state(whole))
        assert table.near[0] == -1


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
@pytest.mark.parametrize("width", [1, 64])
def test_bits_of_few_rows_depend_neither_on_the_width_nor_on_threads(width, threads):
    few, whole = model_of("adam", width), model_of("adam", width, table=False)
    before = kernels.num_threads()
    try:
        kernels.set_num_threads(threads)
        train_on_few(few)
    finally:
        kernels.set_num_threads(before)
    train_on_few(whole)
    assert only_table(few).near[0] > 0
    assert_same(state(few), state(whole))


def test_slots_that_lie_together_are_in_the_order_of_the_table():
    few, whole = model_of("adam"), model_of("adam", table=False)
    orders = []
    for seed in range(3):
        for model in (few, whole):
            train_on_few(model, seed, steps=2)
        table = only_table(few)
        orders.append(table.numbers[: table._ordered].tolist())
    assert len(orders[0]) < len(orders[-1])
    assert all(rows and rows == sorted(rows) for rows in orders)
    assert_same(state(few), state(whole))


def test_once_many_rows_are_used_their_slots_lie_among_those_of_all():
    few, whole = model_of("adam"), model_of("adam", table=False)
    train_on_few(few)
    train_on_few(whole)
    assert only_table(few).near[0] > 0
    assert_same(train(few), train(whole))
    train_on_few(few)
    train_on_few(whole)
    assert only_table(few).near[0] == -1
    assert_same(state(few), state(whole))


def test_slots_are_forgotten_where_they_lay_together_once_they_are_set():
    few, whole = model_of("adam"), model_of("adam", table=False)
    for model in (few, whole):
        train_on_few(model)
        for variable in model.optimizer.variables:
            if variable.shape == (ROWS, 5):
                variable.assign(np.zeros(variable.shape))
        train_on_few(model, seed=1, steps=1)
    assert 0 < only_table(few).near[0] <= 28
    assert_same(state(few), state(whole))


def test_a_recorded_step_may_look_at_slots():
    class Watching(keras.Sequential):
        def train_step(self, data):
            logs = super().train_step(data)
            if self.watches:
                sums = [keras.ops.sum(v) for v in self.optimizer.variables if v.shape == (ROWS, 5)]
                logs["sum"] = keras.ops.sum(keras.ops.stack(sums))
            return logs

    def build(table):
        keras.utils.set_random_seed(1)
        model = Watching([layers.Embedding(ROWS, 5), layers.Flatten(), layers.Dense(2)])
        model.watches = False
        model.compile("adam", "mse")
        model.build((None, 4))
        model.layers[0].embeddings.is_table = table
        train_on_few(model)
        model.watches = True
        x, y = np.arange(24).reshape(6, 4), np.ones((6, 2))  # of another size: recorded anew
        return model, [model.train_on_batch(x, y, return_dict=True) for _ in range(4)]

    (few, seen), (whole, wanted) = build(True), build(False)
    assert seen == wanted
    assert len({logs["sum"] for logs in seen}) == 4
    assert_same(state(few), state(whole))


@pytest.mark.parametrize("rule", ["adam", "sgd", "adagrad", "ftrl"])
def test_which_rules_rest(rule):
    numbers = [0.5] * len(RULES[rule].numbers)
    wanted = {"adam": (True, False), "sgd": (True, True), "adagrad": (True, True)}
    found = rows.rests(RULES[rule], numbers, lambda name: 0.1 * (rule == "adagrad"), "float32")
    assert found == wanted.get(rule, (False, False))
