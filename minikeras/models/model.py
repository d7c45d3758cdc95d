"""Model: a layer with compile, fit, evaluate, predict, and files."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np

from .. import saving
from ..autodiff.context import NotReplayableError, context
from ..autodiff.tensor import Tensor
from ..core import tree
from ..core.registry import register
from ..core.serialize import deserialize, serialize
from ..core.versioned import Changes
from ..data import ArrayData
from ..graph.symbol import Symbol
from ..layers.base import Layer
from ..layers.call_context import call_context
from ..layers.connections import only_shapes
from ..saving.nests import flatten_state
from ..training import loop, preparation
from ..training.compiled import Compiled
from ..training.steps import Step, test_step, train_step
from .summary import summarise

# methods of Keras's Model that `fit` does not call here: defining one is an error, not ignored
NOT_YET_OVERRIDABLE = (
    *("train_step", "test_step", "predict_step", "compute_metrics"),
    *("make_train_function", "make_test_function", "make_predict_function"),
)


class Model(Layer):
    """Base of models. Subclass it and define `call`, or use `Sequential`.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> class Two(keras.Model):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.hidden, self.out = keras.layers.Dense(4, "relu"), keras.layers.Dense(1)
    ...     def call(self, x):
    ...         return self.out(self.hidden(x))
    >>> Two().predict(np.ones((3, 2), "float32")).shape
    (3, 1)
    """

    _bookkeeping = Layer._bookkeeping | {
        *("compiled", "history", "training_run", "saved_run", "_steps", "_fast")
    }
    _owns_layers = False  # they are attributes of the subclass; files name them so
    _runtime = Layer._runtime | {
        *("stop_training", "history", "training_run", "saved_run", "compiled", "known_output")
    }

    # The class that ``Model(inputs, outputs)`` makes; set by the module that defines it.
    _functional: Any = None

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is Model and (args or "inputs" in kwargs or "outputs" in kwargs):
            return object.__new__(Model._functional)
        return object.__new__(cls)

    def __init__(self, *args: Any, **kwargs: Any):
        if args or "inputs" in kwargs or "outputs" in kwargs:
            # a subclass that says what it is by inputs and outputs
            self.__class__ = _with_graph(type(self))
            Model._functional.__init__(self, *args, **kwargs)
            return
        super().__init__(**kwargs)
        self.compiled: Compiled | None = None
        self.stop_training = False
        self.history: Any = None
        self.training_run: Any = None  # the `Run` of the `fit` under way
        self.saved_run: Any = None  # the state of a run on its way to a file
        self.known_output: Any = None  # symbol of the output for one sample shape, once known
        self._steps: dict[str, Step] = {}
        self._fast: Any = None
        self._key_cache: tuple[int, Any] = (-1, None)

    # --- structure ---

    @property
    def layers(self) -> list[Layer]:
        """The layers of this model, in order."""
        return self._flatten_layers(include_self=False, recursive=False)

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of a name or an index."""
        if (name is None) == (index is None):
            raise ValueError(
                f"get_layer needs `name` or `index`. Received: name={name}, index={index}."
            )
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise ValueError(
                    f"The model has {len(self.layers)} layers. Received: index={index}."
                )
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ValueError(
            f"No layer named '{name}'. The layers are: {[la.name for la in self.layers]}."
        )

    @property
    def input_shapes(self) -> list[tuple] | None:
        """Shapes of the inputs (None for the batch), or None if any will do."""
        return None

    @property
    def input_names(self) -> list[str]:
        return ["x"]

    @property
    def output_names(self) -> list[str] | None:
        """Names of the outputs in a list; None where they have none, or are a dict of names."""
        return None

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Any = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
    ) -> None:
        """Print a table of the layers, their output shapes and numbers of parameters."""
        if positions is not None or layer_range is not None:
            raise ValueError("summary: positions and layer_range are not supported.")
        summarise(self, line_length, print_fn, expand_nested, show_trainable)

    def build_from_data(self, x: Any) -> None:
        """Build for data like this."""
        self._forward_symbols(tree.map_structure(lambda a: (None, *a.shape[1:]), x), x)

    def output_for(self, x: Any) -> Any:
        """Symbol(s) of the output for these inputs."""
        shapes = tree.map_structure(lambda a: (None, *a.shape[1:]), x)
        key = repr(shapes)
        if self.known_output is None or self.__dict__.get("_known_for") != (key, self._state_key()):
            self.known_output = self._forward_symbols(shapes, x)
            self._known_for = (key, self._state_key())
        return self.known_output

    def _forward_symbols(self, shapes: Any, x: Any) -> Any:
        symbols = tree.map_structure(lambda a: Symbol((None, *a.shape[1:]), a.dtype.name), x)
        try:
            with only_shapes():
                return self(symbols)
        except (TypeError, ValueError, NotImplementedError, AttributeError, NotReplayableError):
            # a `call` that needs numbers: run it on one sample (real mistakes raise again here)
            output = self(tree.map_structure(lambda a: a[:1], x))
            return tree.map_structure(lambda a: Symbol((None, *a.shape[1:]), str(a.dtype)), output)

    # --- calling ---

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if (
            len(args) == 1
            and not kwargs
            and type(args[0]) is np.ndarray
            and call_context.depth == 0
            and not context.tracing
            and self.replayable_call
        ):
            return self.steps("predict").on_array(args[0])
        return super().__call__(*args, **kwargs)

    @property
    def replayable_call(self) -> bool:
        """Whether ``model(x)`` may be replayed: nothing in it but what this library wrote."""
        return False

    # --- training ---

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
        **kwargs: Any,
    ) -> None:
        """Choose optimizer, loss and metrics.

        Args:
            optimizer: Name or object.
            loss: Name, function of (y_true, y_pred), or `Loss`. For several outputs a list in their
                order or a dict by name; None leaves an output out.
            loss_weights: Factor of the loss, or one for each output.
            metrics: List of names, functions or `Metric` objects; for several outputs a list of
                lists or a dict by name.
            weighted_metrics: The same, weighted by `sample_weight`.
            run_eagerly: Do not record steps; slower, for debugging.
            steps_per_execution, jit_compile: Accepted, cannot change a number here.

        Raises:
            ValueError: Unknown names, with a suggestion.
            TypeError: Unknown arguments.
        """
        self.compiled = Compiled(
            optimizer, loss, loss_weights, metrics, weighted_metrics, run_eagerly,
            steps_per_execution, jit_compile, auto_scale_loss, **kwargs,
        )  # fmt: skip
        self.stop_training = False
        self._steps.clear()

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: Any = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
    ) -> Any:
        """Train on arrays.

        Args:
            x: Inputs, the first axis counting samples.
            y: Targets.
            batch_size: Samples per step; 32 by default.
            epochs: Passes over the data (the last epoch's number, if `initial_epoch` is given).
            verbose: 'auto' or 1: progress bar; 2: a line per epoch; 0: silent.
            callbacks: List of `Callback`.
            validation_split: Fraction of the data, taken from its end, to validate on.
            validation_data: (x, y) or (x, y, sample_weight) to validate on.
            shuffle: Whether to shuffle before each epoch.
            class_weight: Weight of each class, by index.
            sample_weight: Weight of each sample.

        Returns:
            `History`, whose `history` holds the values of each epoch.
        """
        return loop.fit(
            self, x, y, batch_size, epochs, verbose, callbacks, validation_split, validation_data,
            shuffle, class_weight, sample_weight, initial_epoch, steps_per_epoch, validation_steps,
            validation_batch_size, validation_freq,
        )  # fmt: skip

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Loss and metrics on data: a list in the order of `metrics_names`; if one, a number."""
        return loop.evaluate(
            self, x, y, batch_size, verbose, sample_weight, steps, callbacks, return_dict
        )

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """Outputs for all samples of `x`, computed in batches."""
        return loop.predict(self, x, batch_size, verbose, steps, callbacks)

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """One training step. The results are running means since `reset_metrics`, as in Keras."""
        self._on_batch("train", x, y, sample_weight, class_weight)
        return self._results(return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Loss and metrics of one batch, added to the running means."""
        self._on_batch("test", x, y, sample_weight, None)
        return self._results(return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """Outputs for one batch."""
        preparation.require_arrays(x, "predict_on_batch")
        x, _ = preparation.prepare(self, x, None)
        return self.steps("predict")(x)

    def _on_batch(self, phase: str, x: Any, y: Any, sample_weight: Any, class_weight: Any) -> None:
        preparation.require_compiled(self, f"{phase}_on_batch")
        preparation.require_arrays(x, f"{phase}_on_batch")
        preparation.require_loss(self, y)
        x, y = preparation.prepare(self, x, y)
        rows = len(tree.flatten(x)[0])
        data = ArrayData(x, y, sample_weight, batch_size=rows, class_weight=class_weight)
        self.steps(phase)(*self.step_data(data.x, data.y, data.sample_weight))

    def _results(self, return_dict: bool) -> Any:
        logs = self.get_metrics_result()
        if return_dict:
            return logs
        values = [logs[n] for n in self.metrics_names]
        return values[0] if len(values) == 1 else values

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """The loss of a batch: the compiled loss and all penalties."""
        assert self.compiled is not None
        total: Any = None
        if self.compiled.has_loss and y is not None:
            total = self.compiled.loss(y, y_pred, sample_weight)
        for penalty in self.losses:
            total = penalty if total is None else total + penalty
        if total is None:
            raise ValueError(
                f"Model '{self.name}' has nothing to minimise. Compile it with a loss, "
                "or use add_loss."
            )
        return total

    default_compute_loss = compute_loss

    @property
    def optimizer(self) -> Any:
        return None if self.compiled is None else self.compiled.optimizer

    @optimizer.setter
    def optimizer(self, optimizer: Any) -> None:
        preparation.require_compiled(self, "setting the optimizer")
        self.compiled.optimizer = optimizer  # type: ignore[union-attr]
        self._steps.clear()

    @property
    def loss(self) -> Any:
        return None if self.compiled is None else self.compiled.given["loss"]

    @property
    def metrics(self) -> list[Any]:
        """The metrics in use, the mean of the loss first."""
        return [] if self.compiled is None else self.compiled.all_metrics

    @property
    def metrics_names(self) -> list[str]:
        if self.compiled is None:
            return []
        if type(self).metrics is Model.metrics:  # known before the metrics are made
            return self.compiled.names
        return [m.name for m in self.metrics]

    def reset_metrics(self) -> None:
        for metric in self.metrics:
            metric.reset_state()

    def get_metrics_result(self) -> dict[str, float]:
        """The running means, as Python floats, in the order of their names."""
        pairs = zip(self.metrics_names, self.metrics, strict=False)
        return {name: _number(metric.result()) for name, metric in sorted(pairs, key=_first)}

    @property
    def run_eagerly(self) -> bool:
        return self.compiled is not None and self.compiled.run_eagerly

    def step_data(self, x: Any, y: Any, sample_weight: Any) -> tuple:
        """The arguments of a train or test step."""
        return (x, y, sample_weight)

    def steps(self, phase: str) -> Step:
        """The 'train', 'test' or 'predict' step."""
        step = self._steps.get(phase)
        if step is None:
            for method in NOT_YET_OVERRIDABLE:
                if hasattr(type(self), method):
                    raise NotImplementedError(
                        f"A `{method}` of your own would not be called. Write the loop yourself "
                        "with autodiff.Tape and optimizer.apply, or override `compute_loss`."
                    )
            functions = {
                "train": lambda x, y, w: train_step(self, x, y, w),
                "test": lambda x, y, w: test_step(self, x, y, w),
                "predict": lambda x: self(x, training=False),
            }
            step = Step(functions[phase], self._state_key, lambda: self.run_eagerly)
            self._steps[phase] = step
        return step

    def _state_key(self) -> Any:
        """Changes with everything that a recorded step depends on besides its inputs."""
        count, key = self._key_cache
        if count != Changes.count:
            objects: list[Any] = self._flatten_layers()
            if self.compiled is not None:
                objects.append(self.compiled.optimizer)
            key = (
                tuple((id(o), getattr(o, "_version", 0)) for o in objects),
                tuple(v.trainable for v in self.variables),
            )
            self._key_cache = (Changes.count, key)
        return key

    # --- files ---

    def save(
        self, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any
    ) -> None:
        """Save architecture, weights, compile arguments and optimizer state.

        The format follows the extension: '.keras', or HDF5 ('.h5', '.hdf5').
        """
        saving.save_model(self, filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    def save_weights(self, filepath: Any, overwrite: bool = True) -> None:
        """Save the weights only: '.weights.h5' (or '.h5' in the older layout)."""
        saving.save_weights(self, filepath, overwrite=overwrite)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """Load weights; on any mismatch of shapes nothing is changed."""
        saving.load_weights(self, filepath, skip_mismatch=skip_mismatch, **kwargs)

    def _extra_state(self) -> dict[str, Any]:
        """What files hold beyond Keras's format: the states of random generators; of a run, all."""
        seeds = [v.numpy() for v in self._seed_states()]
        extra: dict[str, Any] = {"seeds": np.stack(seeds)} if seeds else {}
        return extra if self.saved_run is None else {**extra, **flatten_state(self.saved_run)}

    def _restore_extra_state(self, extra: dict[str, Any]) -> None:
        seeds, states = extra.get("seeds"), self._seed_states()
        if isinstance(seeds, np.ndarray) and seeds.shape == (len(states), 2):
            for variable, value in zip(states, seeds, strict=True):
                variable.assign(value)

    def _seed_states(self) -> list[Any]:
        return [v for v in self.variables if getattr(v, "is_seed_state", False)]

    def to_json(self, **options: Any) -> str:
        """The architecture as JSON text, for `models.model_from_json`; options of `json.dumps`."""
        return json.dumps(serialize(self), **options)

    def get_compile_config(self) -> dict[str, Any]:
        return {} if self.compiled is None else self.compiled.get_config()

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile as a file says."""
        if not config:
            return
        self.compile(**{name: _revived(value) for name, value in config.items()})
        if self.optimizer is not None and self.built:
            self.optimizer.build(self.trainable_variables)


@cache
def _with_graph(cls: type) -> type:
    """A subclass of `Model` as one that computes by a graph, where it has no `call` of its own."""
    bases = (cls, Model._functional)
    return type(
        cls.__name__, bases, {"__module__": cls.__module__, "__qualname__": cls.__qualname__}
    )


def _first(pair: tuple[str, Any]) -> str:
    return pair[0]


def _revived(value: Any) -> Any:
    if isinstance(value, dict) and {"class_name", "config"} <= value.keys():
        return deserialize(value)
    return (
        tree.map_structure(lambda v: v, value)
        if not isinstance(value, list | dict)
        else (
            [_revived(v) for v in value]
            if isinstance(value, list)
            else {k: _revived(v) for k, v in value.items()}
        )
    )


def _number(value: Any) -> Any:
    if isinstance(value, Tensor):
        value = value.value
    array = np.asarray(value)
    return float(array) if array.ndim == 0 else array


register("layers", module="keras", name="Model")(Model)
