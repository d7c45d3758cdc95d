"""What common mistakes are answered with: what was expected, what came, what to do about it."""

import re

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers, ops
from minikeras.autodiff.context import NotReplayableError

X, Y = np.ones((8, 4), "float32"), np.ones((8, 1), "float32")
LABELS = np.zeros(8, "int64")
MISTAKES = {}


def mistake(error, *words):
    """Decorator: the function makes a mistake that raises `error` with all of these words."""

    def enter(function):
        MISTAKES[function.__name__] = (function, error, words)
        return function

    return enter


def stack(*parts, shape=(4,)):
    return keras.Sequential([keras.Input(shape), *parts])


def compiled(model, loss="mse", **more):
    model.compile(**{"optimizer": "sgd", "loss": loss, **more})
    return model


def fitted(model, x=X, y=Y, **more):
    return compiled(model, **more).fit(x, y, verbose=0)


def two_inputs():
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    return keras.Model([left, right], layers.Dense(1)(layers.Add()([left, right])))


def two_outputs(**options):
    x = keras.Input((4,))
    outputs = {name: layers.Dense(1, name=name)(x) for name in ("kind", "price")}
    model = keras.Model(x, outputs)
    model.compile("sgd", **options)
    return model


# --- shapes ---


@mistake(ValueError, "output of shape (None, 28, 3)", "`y` of shape (8,)", "is a Flatten() missing")
def images_into_dense_layers():
    model = stack(layers.Dense(3, "softmax"), shape=(28, 28))
    fitted(model, np.ones((8, 28, 28)), LABELS, loss="sparse_categorical_crossentropy")


@mistake(ValueError, "shape (None, 784). Received: shape (8, 28, 28)", "x.reshape(-1, 784)")
def images_for_a_model_of_vectors():
    fitted(stack(layers.Dense(1), shape=(784,)), np.ones((8, 28, 28)))


@mistake(ValueError, "shape (None, 4). Received: shape (8, 5)", "for input_shape=(5,)")
def a_feature_too_many():
    fitted(stack(layers.Dense(1)), np.ones((8, 5)))


@mistake(ValueError, "Received: shape (4,). For a single sample pass `x[np.newaxis]`")
def one_sample_without_its_batch():
    stack(layers.Dense(1)).predict(np.ones(4), verbose=0)


@mistake(ValueError, "'only' has the wrong shape", "Received: shape (4,)", "Is the batch missing?")
def a_layer_called_on_one_sample():
    layers.Dense(1, name="only")(np.ones(4))


@mistake(ValueError, "shape (None, None, 4). Received: shape (8, 4)", "Write Input((4,))")
def the_batch_among_the_sizes_of_input():
    fitted(stack(layers.Dense(1), shape=(None, 4)))


@mistake(ValueError, "layer 'shared'", "expected 4 along axis -1", "Received: shape (None, 5)")
def a_shared_layer_on_other_widths():
    shared = layers.Dense(3, name="shared")
    shared(keras.Input((4,)))
    shared(keras.Input((5,)))


@mistake(ValueError, "Reshape 'square'", "shape (4,) the shape (3, 2)", "4 elements, not 6")
def reshape_to_another_size():
    stack(layers.Reshape((3, 2), name="square"))


@mistake(ValueError, "Add 'sum'", "Received: (None, 4), (None, 3)", "as with a Dense layer")
def a_sum_of_different_shapes():
    x = keras.Input((4,))
    layers.Add(name="sum")([x, layers.Dense(3)(x)])


@mistake(ValueError, "Concatenate 'both' joins along axis 1", "(None, 4, 2), (None, 4, 3)")
def a_concatenation_of_different_shapes():
    layers.Concatenate(axis=1, name="both")([keras.Input((4, 2)), keras.Input((4, 3))])


@mistake(ValueError, "Add 'sum' takes a list of values. Received: one value", "Add()([a, b])")
def merging_one_value():
    layers.Add(name="sum")(keras.Input((4,)))


@mistake(ValueError, "Dense 'out' needs to know the number of features", "(None, None)", "to Input")
def dense_on_an_unknown_last_size():
    layers.Dense(3, name="out")(keras.Input((None,)))


@mistake(ValueError, "Weights need a fixed shape. Received: shape=(None, 2) for layer 'own'")
def a_weight_of_unknown_size():
    class Own(layers.Layer):
        def build(self, input_shape):
            self.w = self.add_weight(shape=(input_shape[-1], 2))

    Own()(keras.Input((None,)))


@mistake(ValueError, "matmul needs inner dimensions that agree", "(None, 3) and (2, 3)")
def a_product_of_shapes_that_do_not_fit():
    ops.matmul(keras.Input((3,)), np.ones((2, 3)))


@mistake(ValueError, "Reshape 'late'", "shape (3,) the shape (2, 2)")
def adding_a_layer_that_does_not_fit():
    stack(layers.Dense(3)).add(layers.Reshape((2, 2), name="late"))


# --- graphs ---


@mistake(ValueError, "output of 'sum'", "inputs ('a')", "'b' of shape (None, 4)", "Add it to `inp")
def a_disconnected_graph():
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    keras.Model(a, layers.Add(name="sum")([a, b]))


@mistake(
    ValueError, "`outputs` of a model must be symbols", "Dense name=out", "Call it on a symbol"
)
def a_layer_as_output():
    keras.Model(keras.Input((4,)), layers.Dense(2, name="out"))


@mistake(ValueError, "Received: ndarray of shape (8, 4). Data are given to `fit`")
def data_as_output():
    keras.Model(keras.Input((4,)), X)


@mistake(ValueError, "needs a name of its own. Received: two named 'd'")
def a_name_twice_in_a_graph():
    keras.Model(x := keras.Input((4,)), layers.Dense(2, name="d")(layers.Dense(3, name="d")(x)))


@mistake(ValueError, "needs a name of its own. Received: a second layer named 'd'")
def a_name_twice_in_a_stack():
    stack(layers.Dense(3, name="d"), layers.Dense(2, name="d"))


@mistake(TypeError, "numpy's `exp`", "a symbol of shape (None, 4)", "Use ops.exp")
def a_function_of_numpy_on_a_symbol():
    np.exp(keras.Input((4,)))


@mistake(TypeError, "an array for a function of numpy", "the functions of minikeras.ops")
def a_mean_of_numpy_on_a_symbol():
    np.mean(keras.Input((4,)))


@mistake(TypeError, "numpy's `absolute`", "a tensor of shape (8, 1)", "Use ops.absolute")
def a_function_of_numpy_in_a_loss():
    fitted(stack(layers.Dense(1)), loss=lambda y_true, y_pred: np.abs(y_true - y_pred))


@mistake(TypeError, "`if`", "truth of the symbol", "Use ops.where or ops.cond")
def a_python_if_on_a_symbol():
    assert ops.sum(keras.Input((4,))) > 0


@mistake(NotReplayableError, "`if`", "whose value is not known yet", "ops.where or ops.cond")
def a_python_if_in_a_layer():
    class Own(layers.Layer):
        def call(self, x):
            return x if ops.sum(x) > 0 else -x

    Own()(keras.Input((4,)))


@mistake(TypeError, "Python loop ran over the symbol", "(None, 4)", "Use ops.unstack")
def a_loop_over_a_symbol():
    list(keras.Input((4,)))


@mistake(TypeError, "len() was asked of the symbol", "Use x.shape[0]")
def the_length_of_a_symbol():
    len(keras.Input((4,)))


@mistake(TypeError, "assigned to the symbol", "ops.slice_update or ops.scatter_update")
def assigning_to_a_part_of_a_symbol():
    keras.Input((4,))[:, 0] = 1.0


@mistake(TypeError, "assigned to a tensor of shape (8, 4)", "ops.slice_update")
def assigning_to_a_part_of_a_tensor():
    with keras.GradientTape() as tape:
        tape.watch(X)[0] = 1.0


@mistake(TypeError, "Flatten was given a symbol where its own arguments belong", "Flatten(...)(x)")
def a_layer_made_of_a_symbol():
    layers.Flatten(keras.Input((4,)))


# --- layers and their arguments ---


@mistake(TypeError, "Dense has no argument 'activaton'. Did you mean 'activation'?")
def an_unknown_argument():
    layers.Dense(3, activaton="relu")


@mistake(ValueError, "Unknown activation. Did you mean 'relu'?", "Received: 'rellu'")
def an_unknown_activation():
    layers.Dense(3, activation="rellu")


@mistake(ValueError, "Dense: `units` must be a positive integer. Received: 'relu'")
def arguments_in_the_wrong_order():
    layers.Dense("relu", 3)


@mistake(ValueError, "Sequential takes layers", "Create it first: Flatten(...)")
def a_layer_class_in_a_list():
    keras.Sequential([layers.Dense(3), layers.Flatten])


@mistake(ValueError, "Create it first: Flatten(...)")
def a_layer_class_added():
    keras.Sequential().add(layers.Flatten)


@mistake(ValueError, "Sequential takes a list of layers. Received: a single layer. Write [layer]")
def layers_without_a_list():
    keras.Sequential(layers.Dense(3), layers.Dense(2))


@mistake(ValueError, "the result of 'two' called on a symbol. Pass the layer itself")
def a_called_layer_in_a_list():
    keras.Sequential([layers.Dense(3), layers.Dense(2, name="two")(keras.Input((3,)))])


@mistake(NotImplementedError, "Layer Own has no `call` method. Define call(self, inputs)")
def a_layer_without_call():
    class Own(layers.Layer):
        pass

    Own()(X)


@mistake(NotImplementedError, "Layer Own has no `call` method", "Rename its method `forward`")
def a_model_with_forward():
    class Own(keras.Model):
        def forward(self, x):
            return x

    fitted(Own())


@mistake(AttributeError, "Own.__init__ must call super().__init__() before anything else")
def a_layer_without_super_init():
    class Own(layers.Layer):
        def __init__(self):
            self.inner = layers.Dense(1)

        def call(self, x):
            return self.inner(x)

    Own()(X)


@mistake(AttributeError, "Own.__init__ must call super().__init__() before anything else")
def a_model_without_super_init():
    class Own(keras.Model):
        def __init__(self):
            self.inner = layers.Dense(1)

    compiled(Own())


@mistake(AttributeError, "Own.__init__ must call super().__init__() before anything else")
def a_weight_before_super_init():
    class Own(layers.Layer):
        def __init__(self):
            self.w = self.add_weight(shape=(2,))
            super().__init__()

    Own()


@mistake(ValueError, "Own.call gave None. Does it miss a `return`?")
def a_model_that_returns_nothing():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = layers.Dense(1)

        def call(self, x):
            self.inner(x)

    fitted(Own())


@mistake(ValueError, "Layer 'own' (Own) gave None. Does its `call` miss a `return`?")
def a_layer_that_returns_nothing():
    class Own(layers.Layer):
        def call(self, x):
            ops.exp(x)

    stack(Own(name="own"), layers.Dense(1))


@mistake(ValueError, "Layer 'next' was given None", "miss a `return`")
def a_layer_that_is_given_nothing():
    layers.Dense(1, name="next")(None)


@mistake(ValueError, "Layer 'own' makes a weight in its `call`", "in build(self, input_shape)")
def a_weight_made_in_call():
    class Own(layers.Layer):
        def call(self, x):
            return x @ self.add_weight(shape=(4, 2))

    Own(name="own")(X)


# --- before it is built ---


@mistake(AttributeError, "Layer 'd' (Dense) has no attribute 'kernel'. The layer is not built yet")
def a_weight_before_it_is_built():
    _ = layers.Dense(3, name="d").kernel


@mistake(AttributeError, "has no attribute 'kernal'. Did you mean 'kernel'?")
def a_misspelt_weight():
    layer = layers.Dense(3)
    layer.build((None, 4))
    _ = layer.kernal


@mistake(ValueError, "Layer 'd' has 0 weights. Received: 2 arrays. The layer is not built yet")
def set_weights_before_it_is_built():
    layers.Dense(3, name="d").set_weights([np.ones((4, 3)), np.ones(3)])


@mistake(
    ValueError, "Layer 's' is not built, so its weights do not exist yet", "build(input_shape)"
)
def parameters_before_it_is_built():
    keras.Sequential([layers.Dense(3)], name="s").count_params()


@mistake(AttributeError, "Sequential 's' is not built, so it has no input and output yet", "Input")
def shapes_before_it_is_built():
    _ = keras.Sequential([layers.Dense(3)], name="s").output_shape


@mistake(AttributeError, "Layer 'd' has no output yet", "Call it on an `Input`")
def the_output_of_an_unconnected_layer():
    _ = layers.Dense(3, name="d").output


@mistake(ValueError, "Weight 'd/kernel' has shape (4, 3)", "shape (5, 3). No weight was changed")
def weights_of_another_shape():
    layer = layers.Dense(3, name="d")
    layer.build((None, 4))
    layer.set_weights([np.ones((5, 3)), np.ones(3)])


@mistake(ValueError, "No layer named 'oot'. Did you mean 'out'? The layers are: ['out']")
def a_misspelt_layer():
    stack(layers.Dense(1, name="out")).get_layer("oot")


# --- losses ---


@mistake(ValueError, "must be compiled before `fit`", "model.compile(optimizer=..., loss=...)")
def fit_before_compile():
    stack(layers.Dense(1)).fit(X, Y)


@mistake(ValueError, "Unknown optimizer. There is a loss of this name: are arguments swapped?")
def loss_and_optimizer_swapped():
    stack(layers.Dense(1)).compile("mse", "adam")


@mistake(ValueError, "compiled without a loss, so `y` has no use", "loss=...")
def no_loss():
    model = stack(layers.Dense(1))
    model.compile("sgd")
    model.fit(X, Y, verbose=0)


@mistake(ValueError, "compiled with a loss, which needs targets. Received: y=None")
def no_targets():
    compiled(stack(layers.Dense(1))).fit(X, verbose=0)


@mistake(
    ValueError, "No variable has a gradient", "['own/d/kernel', 'own/d/bias']", "argmax, round"
)
def a_model_without_a_gradient():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = layers.Dense(3, name="d")

        def call(self, x):
            return ops.cast(ops.argmax(self.inner(x), -1), "float32")

    fitted(Own(), y=np.ones(8, "float32"))


@mistake(ValueError, "No variable has a gradient", "one of numpy's, which gives constants")
@pytest.mark.filterwarnings("ignore:This function reads values")
def a_loss_that_depends_on_no_weight():
    fitted(stack(layers.Dense(1)), loss=lambda y_true, y_pred: ops.mean(ops.square(y_true)))


@mistake(ValueError, "No variable has a gradient", "does not depend on any of them")
def gradients_that_are_none():
    model = stack(layers.Dense(1))
    keras.optimizers.SGD().apply_gradients([(None, v) for v in model.trainable_variables])


@mistake(ValueError, "Received: None from forgetful(y_true, y_pred). Is a `return` missing?")
def a_loss_that_returns_nothing():
    def forgetful(y_true, y_pred):
        ops.mean(y_true - y_pred)

    fitted(stack(layers.Dense(1)), loss=forgetful)


@mistake(TypeError, "`train_step` must return a dict of results", "Does it miss a `return`?")
def a_train_step_that_returns_nothing():
    class Own(keras.Sequential):
        def train_step(self, data):
            pass

    fitted(Own([keras.Input((4,)), layers.Dense(1)]))


@mistake(ValueError, "looks like one-hot rows for 3 classes", "loss='categorical_crossentropy'")
def one_hot_rows_for_a_sparse_loss():
    model = stack(layers.Dense(3, "softmax"))
    fitted(model, y=np.eye(3)[LABELS], loss="sparse_categorical_crossentropy")


@mistake(ValueError, "looks like class indices", "to_categorical(y, 3)")
def class_numbers_for_one_hot_rows():
    fitted(stack(layers.Dense(3, "softmax")), y=LABELS, loss="categorical_crossentropy")


@mistake(ValueError, "between 0 and 2", "values from 3 to 3", "Give the last layer 4 units")
def class_numbers_out_of_range():
    model = stack(layers.Dense(3, "softmax"))
    fitted(model, y=LABELS + 3, loss="sparse_categorical_crossentropy")


@mistake(ValueError, "output of shape (None, 3) value by value", "`y` of shape (8, 1)")
def a_column_for_three_outputs():
    fitted(stack(layers.Dense(3)))


@mistake(ValueError, "`loss` names an output", "Did you mean 'price'? The outputs are: kind, price")
def a_misspelt_output_in_the_losses():
    two_outputs(loss={"kind": "mse", "prise": "mse"}).fit(X, {"kind": Y, "price": Y}, verbose=0)


@mistake(ValueError, "`y` names an output", "Did you mean 'price'?", "Received: 'prise'")
def a_misspelt_output_in_the_targets():
    two_outputs(loss="mse").fit(X, {"kind": Y, "prise": Y}, verbose=0)


@mistake(ValueError, "2 outputs (kind, price)", "Received: 1 entries")
def a_loss_too_few():
    two_outputs(loss=["mse"]).fit(X, {"kind": Y, "price": Y}, verbose=0)


# --- data ---


@mistake(ValueError, "The model has 1 input", "Received 2 arrays", "np.stack")
def an_input_too_many():
    fitted(stack(layers.Dense(1)), [X, X])


@mistake(ValueError, "The model has 2 inputs: left, right", "Pass one array for each")
def an_input_too_few():
    fitted(two_inputs())


@mistake(ValueError, "has 2 input(s) (left, right). Received: 1")
def an_input_too_few_in_a_call():
    two_inputs()(X)


@mistake(ValueError, "no input named 'rihgt'. Did you mean 'right'? It has: left, right")
def a_misspelt_input():
    fitted(two_inputs(), {"left": X, "rihgt": X})


@mistake(TypeError, "`x` must be an array", "Received: function. Call it: `generator()`")
def a_generator_that_is_not_called():
    def generator():
        yield X, Y

    fitted(stack(layers.Dense(1)), generator)


@mistake(ValueError, "`y` cannot be given together with `x` of type generator", "Leave it out")
def a_generator_and_targets():
    fitted(stack(layers.Dense(1)), (pair for pair in [(X, Y)]))


@mistake(ValueError, "same number of samples", "x 8, y 5")
def arrays_of_different_lengths():
    fitted(stack(layers.Dense(1)), y=Y[:5])


@mistake(ValueError, "`x` must hold numbers", "holds text")
def text_as_data():
    fitted(stack(layers.Dense(1)), np.array([["a"] * 4] * 8))


# --- files ---


class Unregistered(layers.Layer):
    def call(self, x):
        return x


@mistake(TypeError, "Could not find the class 'Unregistered'", "pass it in `custom_objects`")
def loading_an_unknown_class():
    stack(Unregistered()).save("own.keras")
    keras.models.load_model("own.keras")


@mistake(TypeError, "A lambda cannot be saved", "`register_keras_serializable()`")
def saving_a_lambda():
    stack(layers.Lambda(lambda x: 2 * x)).save("lambda.keras")


@mistake(TypeError, "cannot read its argument 'n' back", "Store it as `self.n`")
def saving_an_argument_that_is_not_kept():
    class Own(layers.Layer):
        def __init__(self, n):
            super().__init__()
            self.double = 2 * n

        def call(self, x):
            return x * self.double

    stack(Own(3)).save("own.keras")


@mistake(ValueError, "layer 'd' variable 'kernel'", "expected shape (4, 2), found (4, 3)")
def loading_weights_of_another_shape():
    stack(layers.Dense(3, name="d")).save_weights("w.weights.h5")
    stack(layers.Dense(2, name="d")).load_weights("w.weights.h5")


@mistake(ValueError, "An .h5 file holds each layer once", "'d' twice", "Save it as .keras")
def saving_a_layer_that_is_used_twice_by_its_name():
    layer = layers.Dense(4, name="d")
    stack(layer, layer).save("twice.h5")


@pytest.mark.filterwarnings("ignore:This function reads values")
@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_answered_with_what_to_do(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    keras.utils.clear_session()
    function, error, words = MISTAKES[name]
    with pytest.raises(error) as raised:
        function()
    for word in words:
        assert word in str(raised.value)


def test_an_error_says_once_in_which_layer_it_arose():
    with pytest.raises(ValueError, match="cannot give") as raised:
        stack(layers.Reshape((3, 2), name="square"))
    assert raised.value.__notes__ == ["This happened in the call of layer 'square'."]


# --- what is a warning only ---


def test_a_softmax_of_one_unit_is_warned_of():
    with pytest.warns(UserWarning, match="which has size 1, gives 1 whatever the input"):
        stack(layers.Dense(1, "softmax"))


def test_training_nothing_is_warned_of():
    frozen = layers.Dense(1)
    frozen.trainable = False
    with pytest.warns(UserWarning, match="no trainable weights: training changes nothing"):
        fitted(stack(frozen))

    class Own(layers.Layer):
        def call(self, x):
            return layers.Dense(1)(x)

    with pytest.warns(UserWarning, match="Layers made inside of `call` do not count"):
        fitted(stack(Own()))


def test_an_output_without_a_loss_is_not_trained_and_told():
    model = two_outputs(loss={"price": "mse"})
    with pytest.warns(UserWarning, match=re.escape("stay as they are: kind/kernel, kind/bias")):
        model.fit(X, {"price": Y, "kind": Y}, verbose=0)


# --- what looks like a mistake and is none ---


def test_flat_targets_for_a_column_are_the_same_as_a_column():
    losses = []
    for y in (Y, Y[:, 0]):
        model = stack(layers.Dense(1, kernel_initializer="ones"))
        losses.append(fitted(model, y=y).history["loss"])
    assert losses[0] == losses[1]


def test_flatten_takes_unknown_sizes():
    assert layers.Flatten()(keras.Input((None, 3))).shape == (None, None)
    x = keras.Input((None, 3))
    model = keras.Model(x, layers.Flatten()(x))
    assert model.predict(np.ones((2, 5, 3)), verbose=0).shape == (2, 15)


def test_one_layer_may_stand_twice_in_a_stack(tmp_path):
    layer = layers.Dense(4)
    model = stack(layer, layer)
    assert len(model.weights) == 2
    x = np.random.default_rng(1).normal(size=(3, 4)).astype("float32")
    np.testing.assert_allclose(model(x), layer(layer(x)), rtol=1e-6)
    model.save(tmp_path / "twice.keras")
    again = keras.models.load_model(tmp_path / "twice.keras")
    np.testing.assert_allclose(again(x), model(x), rtol=1e-6)


def test_a_layer_that_does_not_fit_is_not_kept():
    model = stack(layers.Dense(3))
    with pytest.raises(ValueError, match="cannot give"):
        model.add(layers.Reshape((2, 2)))
    model.add(layers.Dense(2))
    assert [type(layer).__name__ for layer in model.layers] == ["Dense", "Dense"]
    assert model.output_shape == (None, 2)


def test_functions_of_numpy_compute_with_values_that_are_known():
    v = keras.Variable([1.0, 4.0])
    np.testing.assert_array_equal(np.sqrt(v), [1, 2])
    np.testing.assert_array_equal(np.maximum(v, 2.0), [2, 4])
    np.testing.assert_array_equal(np.add.reduce(v), 5)


def test_arrays_hand_their_operators_over():
    array = np.array([1.0, 2.0], "float32")
    with keras.GradientTape() as tape:
        w = tape.watch(np.array([3.0, 5.0], "float32"))
        results = [array + w, array - w, array * w, array / w, array**w, array % w, array < w]
        total = ops.sum(array * w)
        kept = array
        kept += w
    w = np.array([3.0, 5.0], "float32")
    expected = [array + w, array - w, array * w, array / w, array**w, array % w, array < w]
    for found, value in zip(results, expected, strict=True):
        np.testing.assert_allclose(np.asarray(found), value, rtol=1e-6)
    np.testing.assert_allclose(kept, array + w)
    np.testing.assert_allclose(tape.gradient(total, tape_source(tape)), array)


def tape_source(tape):
    """The one tensor that a tape was told to watch."""
    return next(iter(tape._tracked.values()))


def test_an_error_in_a_property_is_not_taken_for_a_missing_one():
    class Own(layers.Layer):
        @property
        def half(self):
            return self.whole / 2

    with pytest.raises(AttributeError, match="'own' .Own. has no attribute 'whole'"):
        _ = Own(name="own").half
