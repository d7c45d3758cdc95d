"""A small world of layers, models and optimizers: saving is tested without the rooms above."""

import numpy as np

from minikeras.core import catalog
from minikeras.core.configurable import Configurable
from minikeras.core.limits import claim
from minikeras.core.registry import register, resolve
from minikeras.core.serialize import deserialize, serialize


class Variable:
    def __init__(self, shape, name, dtype="float32", trainable=True, path=None):
        claim(int(np.prod(shape, dtype=object)), name)
        self.array = np.zeros(shape, dtype)
        self.name, self.path, self.trainable = name, path or name, trainable

    shape = property(lambda self: self.array.shape)
    dtype = property(lambda self: self.array.dtype.name)

    def numpy(self):
        return self.array.copy()

    def assign(self, value):
        assert value.shape == self.shape
        assert value.dtype == self.array.dtype
        self.array[...] = value


class Layer(Configurable):
    _bookkeeping = frozenset({"_hidden"})

    def __init__(self, name=None, trainable=True, dtype=None):
        self.name = name or type(self).__name__.lower()
        self.trainable, self.dtype, self.built = trainable, "float32", False
        self.shape = None

    def get_build_config(self):
        return {"input_shape": self.shape} if self.built else None

    def build_from_config(self, config):
        self.build(config["input_shape"])

    def build(self, shape):
        self.shape, self.built = tuple(shape), True

    def add(self, name, shape, trainable=True):
        return Variable(shape, name, trainable=trainable, path=f"{self.name}/{name}")

    @property
    def sublayers(self):
        return [v for v in vars(self).values() if isinstance(v, Layer)]

    @property
    def weights(self):
        own = [v for v in vars(self).values() if isinstance(v, Variable)]
        return own + [w for layer in self.sublayers for w in layer.weights]

    @property
    def trainable_weights(self):
        return [w for w in self.weights if w.trainable and self.trainable]

    @property
    def non_trainable_weights(self):
        kept = {id(w) for w in self.trainable_weights}
        return [w for w in self.weights if id(w) not in kept]


class InputLayer(Layer):
    def __init__(
        self, batch_shape, dtype="float32", sparse=False, ragged=False, optional=False, name=None
    ):
        super().__init__(name)
        self.batch_shape, self.sparse, self.ragged, self.optional = (
            batch_shape,
            sparse,
            ragged,
            optional,
        )


class Dense(Layer):
    """With every key that files of Keras 2 and 3 have, so that their configs can be read."""

    def __init__(
        self,
        units,
        activation=None,
        use_bias=True,
        kernel_initializer=None,
        bias_initializer=None,
        kernel_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        quantization_config=None,
        activity_regularizer=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units, self.activation, self.use_bias = units, activation, use_bias
        self.kernel_initializer = self.bias_initializer = None
        self.kernel_regularizer = self.bias_regularizer = self.activity_regularizer = None
        self.kernel_constraint = self.bias_constraint = self.quantization_config = None

    def build(self, shape):
        super().build(shape)
        self.kernel = self.add("kernel", (shape[-1], self.units))
        self.bias = self.add("bias", (self.units,)) if self.use_bias else None


class BatchNormalization(Layer):
    def __init__(
        self, axis=-1, center=True, scale=True, name=None, trainable=True, dtype=None, **other
    ):
        super().__init__(name, trainable, dtype)
        self.axis, self.center, self.scale = axis, center, scale

    def get_config(self):
        return {"name": self.name, "axis": self.axis, "center": self.center, "scale": self.scale}

    def build(self, shape):
        super().build(shape)
        size = (shape[-1],)
        self.gamma = self.add("gamma", size) if self.scale else None
        self.beta = self.add("beta", size) if self.center else None
        self.moving_mean = self.add("moving_mean", size, trainable=False)
        self.moving_variance = self.add("moving_variance", size, trainable=False)


class Dropout(Layer):
    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.rate, self.noise_shape, self.seed = rate, noise_shape, seed


class ReLU(Layer):
    def __init__(self, max_value=None, negative_slope=0.0, threshold=0.0, **kwargs):
        super().__init__(**kwargs)
        self.max_value, self.negative_slope, self.threshold = max_value, negative_slope, threshold


class Pair(Layer):
    """Holds layers in attributes of all kinds."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.z = Dense(2, name="z")
        self._private = Dense(2, name="private")
        self.many = [Dense(2, name="m0"), {"deep": [Dense(2, name="m1")]}, Dropout(0.5)]
        self.again = self.z
        self._hidden = Dense(2, name="hidden")

    @property
    def sublayers(self):
        return [self.z, self._private, self.many[0], self.many[1]["deep"][0]]

    def build(self, shape):
        super().build(shape)
        for layer in self.sublayers:
            layer.build(shape)


class Adam(Configurable):
    slots = ("momentum", "velocity")

    def __init__(self, learning_rate=0.001, name="adam", **other):
        self.learning_rate, self.name = learning_rate, name
        if other and "beta_1" not in other:
            raise TypeError(f"unknown: {other}")
        self.variables = [
            Variable((), "iteration", "int32", path=f"{name}/iteration"),
            Variable((), "learning_rate", path=f"{name}/learning_rate"),
        ]
        self.variables[1].array[...] = learning_rate if isinstance(learning_rate, float) else 0

    def build(self, variables):
        if len(self.variables) == 2:
            for variable in variables:
                for slot in self.slots:
                    name = f"{variable.path.replace('/', '_')}_{slot}"
                    self.variables.append(
                        Variable(variable.shape, name, path=f"{self.name}/{name}")
                    )


class SGD(Adam):
    slots = ()

    def __init__(self, learning_rate=0.01, momentum=0.0, nesterov=False, name="sgd", **other):
        super().__init__(learning_rate, name)
        self.momentum, self.nesterov = momentum, nesterov
        self.slots = ("momentum",) if momentum else ()


class Sequential(Layer):
    def __init__(self, layers=(), name=None, **kwargs):
        super().__init__(name or "sequential", **kwargs)
        self.layers_given = list(layers)
        self.optimizer, self.compile_args, self.extra = None, {}, {}

    _bookkeeping = frozenset({"layers_given"})

    @property
    def layers(self):
        return [layer for layer in self.layers_given if not isinstance(layer, InputLayer)]

    sublayers = layers
    trainable_variables = property(lambda self: self.trainable_weights)

    def build(self, shape):
        super().build(shape)
        for layer in self.layers:
            layer.build(shape)
            shape = (*shape[:-1], getattr(layer, "units", shape[-1]))
        if not isinstance(self.layers_given[0], InputLayer):
            self.layers_given.insert(0, InputLayer(self.shape, name="input_layer"))

    def get_config(self):
        config = {"name": self.name, "layers": [serialize(layer) for layer in self.layers_given]}
        return {**config, "build_input_shape": self.shape} if self.built else config

    @classmethod
    def from_config(cls, config):
        layers = [deserialize(record, kind="layers") for record in config["layers"]]
        model = cls(layers, config.get("name"))
        shape = config.get("build_input_shape")
        if shape is None and layers and isinstance(layers[0], InputLayer):
            shape = layers[0].batch_shape
        if shape is not None:
            model.build(shape)
        return model

    def compile(self, optimizer=None, loss=None, metrics=None, **other):
        self.optimizer = resolve("optimizers", optimizer)
        self.compile_args = {"loss": loss, "metrics": metrics, **other}

    def get_compile_config(self):
        if self.optimizer is None:
            return {}
        return {"optimizer": serialize(self.optimizer), **serialize(self.compile_args)}

    def compile_from_config(self, config):
        optimizer = config["optimizer"]
        self.compile(**{**config, "optimizer": deserialize(optimizer, kind="optimizers")})

    def _extra_state(self):
        return self.extra

    def _restore_extra_state(self, extra):
        self.extra = extra


class InverseTimeDecay(Configurable):
    def __init__(self, initial_learning_rate, decay_steps, decay_rate, staircase=False, name=None):
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.decay_rate, self.staircase, self.name = decay_rate, staircase, name


class Noted:
    """Stands for the initializers and policies in files: it only keeps its config."""

    def __init__(self, config):
        self.config = config

    def get_config(self):
        return self.config

    @classmethod
    def from_config(cls, config):
        return cls(config)


def mean_squared_error(y_true, y_pred):
    return 0


NOTED = (
    ("dtype_policies", "DTypePolicy"),
    *(("initializers", name) for name in ("GlorotUniform", "Zeros", "Ones")),
)
LAYERS = (InputLayer, Dense, BatchNormalization, Dropout, ReLU, Pair, Sequential)


def install(monkeypatch):
    """Make these classes the only built-ins for the length of a test."""
    for name in ("_exact", "_tolerant"):
        monkeypatch.setattr(catalog, name, {kind: {} for kind in catalog.KINDS})
    for name in ("_paths", "_by_path", "_global_objects", "_global_names"):
        monkeypatch.setattr(catalog, name, {})
    for cls in LAYERS:
        register("layers", module="keras" if cls is Sequential else None)(cls)
    for cls in (Adam, SGD):
        register("optimizers")(cls)
    register("schedules")(InverseTimeDecay)
    for kind, name in NOTED:
        register(kind, name=name)(type(name, (Noted,), {}))
    register("losses", "mse")(mean_squared_error)


def numbered(model, start=1.0):
    """The model with different numbers in every weight."""
    for weight in model.weights:
        weight.array[...] = start + np.arange(weight.array.size).reshape(weight.shape)
        start += 100
    return model


def trained(model, step=5):
    """The model's optimizer with state, as after some steps."""
    model.optimizer.build(model.trainable_weights)
    for number, variable in enumerate(model.optimizer.variables):
        if number == 0:
            variable.array[...] = step
        elif number > 1:
            variable.array[...] = number
    return model


def mlp(units=5, built=True):
    model = Sequential([Dense(4, name="a"), BatchNormalization(name="b"), Dense(units, name="c")])
    if built:
        model.build((None, 3))
    return numbered(model)


def compiled(model, optimizer=None):
    model.compile(optimizer=optimizer or Adam(0.01), loss="mse", metrics=["accuracy"])
    return model


def weights(model):
    return [weight.numpy() for weight in model.weights]


def state(model):
    return [variable.numpy() for variable in model.optimizer.variables]


def same(a, b):
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
