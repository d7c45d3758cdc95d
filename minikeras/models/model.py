"""Model: a layer with compile, fit, evaluate, predict, and files."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np

from .. import saving
from ..autodiff.context import NotReplayableError, context
from ..core import tree
from ..core.registry import custom_object_scope, register
from ..core.serialize import deserialize, serialize
from ..core.text import symbol_dtype
from ..core.validate import suggest
from ..graph.symbol import Symbol
from ..layers.base import Layer
from ..layers.call_context import call_context
from ..layers.connections import only_shapes
from ..layers.nested_shapes import nest_of_shapes
from ..saving.nests import flatten_state
from ..training.compiled import Compiled
from ..training.steps import Step
from ..training.trainer import Trainer
from .summary import summarise

_of_graph = {"layers", "input_layers", "output_layers"}  # what a model made of symbols writes


class Model(Trainer, Layer):
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
        *("compiled", "history", "training_run", "saved_run", "_steps", "_fast"),
        "_own_metrics_cache",
    }
    _owns_layers = False  # they are attributes of the subclass; files name them so
    takes_text = True  # what its layers take is up to them
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
        self._own_metrics_cache: tuple[int, list[Any]] = (-1, [])

    def __getstate__(self) -> dict[str, Any]:
        """What copies and pickles hold: no recorded steps, no run and nothing known by identity."""
        blank = {"_steps": {}, "_fast": None, "known_output": None}
        blank |= {"_key_cache": (-1, None), "_own_metrics_cache": (-1, [])}
        return {**super().__getstate__(), **blank, "training_run": None, "history": None}

    def __reduce_ex__(self, protocol: Any) -> Any:
        made_from = type(self).__dict__.get("made_from")
        if made_from is None:
            return super().__reduce_ex__(protocol)
        return _with_graph_of, (made_from,), self.__getstate__()

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
        names = [layer.name for layer in self.layers]
        raise ValueError(f"No layer named '{name}'.{suggest(name, names)} The layers are: {names}.")

    @property
    def input_shapes(self) -> list[tuple] | None:
        """Shapes of the inputs (None for the batch), or None if any will do."""
        return None

    @property
    def input_names(self) -> list[str]:
        return ["x"]

    @property
    def optional_inputs(self) -> list[str]:
        """Names of the inputs that may be None."""
        return []

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

    @property
    def has_call(self) -> bool:
        """Whether it can be called: a model with steps of its own need not define `call`."""
        return type(self).call is not Layer.call

    def build(self, input_shape: Any = None) -> None:
        """Make all weights, by `call` on symbols of a shape (None for the batch) or a nest of them.

        A `build` of a subclass takes its place.
        """
        if type(self).build is Model.build and self.has_call and input_shape is not None:
            shapes = nest_of_shapes(input_shape)
            dtype = self.compute_dtype
            self.build_from_data(_map_shapes(lambda s: np.ones([n or 1 for n in s], dtype), shapes))
            self._build_shapes = shapes
        self.built = True

    def _build(self, input_shape: Any) -> None:
        if type(self).build is not Model.build:
            super()._build(input_shape)
        self._build_shapes = input_shape  # the call that is about to be made builds the layers
        self.built = True

    def build_from_config(self, config: dict[str, Any]) -> None:
        if config and config.get("input_shape") is not None and not self.built:
            self.build(nest_of_shapes(config["input_shape"]))

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
        symbols = tree.map_structure(
            lambda a: Symbol((None, *a.shape[1:]), symbol_dtype(a.dtype.name)), x
        )
        try:
            with only_shapes():
                output = self(symbols)
        except (TypeError, ValueError, NotImplementedError, AttributeError, NotReplayableError):
            # a `call` that needs numbers: run it on one sample (real mistakes raise again here)
            found = self(tree.map_structure(lambda a: a[:1], x))
            output = tree.map_structure(_symbol_like, found)
        if output is None:
            raise ValueError(f"{type(self).__name__}.call gave None. Does it miss a `return`?")
        return output

    # --- calling ---

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if (
            len(args) == 1
            and not kwargs
            and type(args[0]) is np.ndarray
            and args[0].dtype.kind not in "UST"  # text becomes objects first
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

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A new model, with weights of its own, from what `get_config` returned."""
        with custom_object_scope(custom_objects or {}):
            if cls.__init__ is Model.__init__ and _of_graph <= config.keys():
                return Model._functional.from_config.__func__(cls, config, custom_objects)
            return super().from_config(config)

    def get_compile_config(self) -> dict[str, Any]:
        return {} if self.compiled is None else self.compiled.get_config()

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile as a file says."""
        if not config:
            return
        self.compile(**{name: _revived(value) for name, value in config.items()})
        if self.optimizer is not None and self.built:
            self.optimizer.build(self.trainable_variables)


def _map_shapes(function: Any, shapes: Any) -> Any:
    """A nest like one of shapes, with what a function makes of each."""
    if isinstance(shapes, dict):
        return {name: _map_shapes(function, shape) for name, shape in shapes.items()}
    if isinstance(shapes, list):
        return [_map_shapes(function, shape) for shape in shapes]
    return function(shapes)


def _symbol_like(value: Any) -> Any:
    """The symbol of a batch of which one sample is given."""
    return None if value is None else Symbol((None, *value.shape[1:]), str(value.dtype))


@cache
def _with_graph(cls: type) -> type:
    """A subclass of `Model` as one that computes by a graph, where it has no `call` of its own."""
    bases = (cls, Model._functional)
    names = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "made_from": cls}
    return type(cls.__name__, bases, names)


def _with_graph_of(cls: type) -> Any:
    """An empty model of such a class, for copies and pickles."""
    return object.__new__(_with_graph(cls))


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


register("layers", module="keras", name="Model")(Model)
