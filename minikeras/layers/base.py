"""Layer: weights, and a pure function of them and the inputs."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import activations as _  # noqa: F401  (names used in configs are registered there)
from .. import regularizers
from ..autodiff.context import context
from ..autodiff.spec import as_array, is_float
from ..autodiff.tensor import Tensor
from ..autodiff.variable import Variable
from ..core import dtype_policy, tree
from ..core.configurable import Configurable
from ..core.names import auto_name, place, to_snake_case, within
from ..core.text import SYMBOL_DTYPE, as_text
from ..core.validate import reject_unknown, suggest
from ..core.versioned import Versioned
from ..graph.abstract import symbolic_call
from ..graph.symbol import Symbol, is_symbolic
from ..ops import core as ops_core
from .call_context import CallSignature, call_context, call_signature
from .connections import Connected, connect, only_shapes
from .holding import Holding
from .input_spec import check_inputs
from .masked import Masked, with_mask
from .nested_shapes import (
    OLD_SHAPE_ARGUMENTS,
    jsonable,
    nest_of_shapes,
    shape_hint,
    shape_with_free_batch,
    symbols_of,
)


class Layer(Connected, Holding, Versioned, Configurable):
    """Base of all layers.

    A subclass states its weights in `build` (with `add_weight`), its computation in `call` (with
    `minikeras.ops`), and optionally `compute_output_shape`; the rest is found by looking.

    Args:
        activity_regularizer: Penalty on the output, added to the loss.
        trainable: Whether training may change the weights.
        dtype: 'float32', 'float64' or a `DTypePolicy`.
        autocast: Whether floating inputs are converted to the layer's dtype.
        name: Display name.

    Example:

    >>> import numpy as np, minikeras as keras
    >>> class Scale(keras.layers.Layer):
    ...     def build(self, input_shape):
    ...         self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones")
    ...     def call(self, x):
    ...         return x * self.factor
    >>> Scale()(np.ones((2, 3), "float32")).shape
    (2, 3)
    """

    _config_skip = ("autocast",)
    _config_optional: tuple[str, ...] = ("activity_regularizer",)
    _bookkeeping: frozenset[str] = frozenset({"_losses", "_nodes", "input_spec", "dtype_policy"})
    _runtime = frozenset({"trainable", "built"})
    _looks_at_shapes = False  # whether a `call` of ours does so, as those of users may
    integer_dtype = False  # whether the output may be integers by choice
    takes_text = False  # whether inputs may be text
    _decided: tuple[str, ...] = ()  # arguments of classes above that the class itself decides

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **old: Any,
    ):
        reject_unknown(
            [name for name in old if name not in OLD_SHAPE_ARGUMENTS],
            _arguments(type(self)),
            type(self).__name__,
        )
        self.name = auto_name(to_snake_case(type(self).__name__)) if name is None else str(name)
        self.dtype_policy = dtype_policy.get(dtype, self.integer_dtype)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.autocast = autocast
        self.built = False
        self.supports_masking = False
        self.input_spec: Any = None
        self._trainable = bool(trainable)
        self._losses: list[Any] = []
        self._build_shapes: Any = None
        self._input_shape_hint = shape_hint(old, type(self).__name__)

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        for value in args:
            if type(value) is Symbol:
                raise TypeError(
                    f"{cls.__name__} was given a symbol where its own arguments belong. Make the "
                    f"layer first, then call it: {cls.__name__}(...)(x)."
                )
        if _is_ours(cls) and any(name in cls._decided for name in kwargs):
            reject_unknown(kwargs, _arguments(cls), cls.__name__)
        return object.__new__(cls)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__:
            cls.build = _marking_built(cls.__dict__["build"])  # type: ignore[method-assign]

    if not TYPE_CHECKING:  # checkers would take any attribute for an existing one

        def __getattr__(self, name: str) -> Any:
            of_class = getattr(type(self), name, None)
            if isinstance(of_class, property) and of_class.fget is not None:
                return of_class.fget(self)  # once more, for the error that it raised itself
            raise AttributeError(_no_attribute(self, name))

    def __getstate__(self) -> dict[str, Any]:
        """What copies and pickles hold: not the graphs that the layer was called in."""
        return {name: value for name, value in self.__dict__.items() if name != "_nodes"}

    def __setattr__(self, name: str, value: Any) -> None:
        if value is not None and self.__dict__.get(name, self) is None:
            del self.__dict__[name]  # set anew, at the end: weights are in the order of creation
        if call_context.depth:  # what `call` notes down is not a change of the layer
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

    # --- to override ---

    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of this shape (None for the batch)."""
        self.built = True

    def call(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(_without_call(self))

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """Shape of the output for inputs of a shape, found by running `call` on symbols."""
        with_symbols = symbols_of(
            args[0] if args else next(iter(kwargs.values())), self.compute_dtype
        )
        with only_shapes():
            outputs = self(with_symbols)
        return tree.map_structure(lambda s: s.shape, outputs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Symbols (`KerasTensor`) of the shape and dtype of the output for such symbols."""
        with only_shapes():
            return self(*args, **kwargs)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the output; passed through by layers that support masking."""
        return previous_mask if self.supports_masking else None

    # --- properties ---

    @property
    def dtype(self) -> str:
        return self.dtype_policy.name

    @property
    def variable_dtype(self) -> str:
        return self.dtype_policy.variable_dtype

    @property
    def compute_dtype(self) -> str:
        return self.dtype_policy.compute_dtype

    # --- calling ---

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        signature = call_signature(type(self).call)
        if not args and signature.first in kwargs:
            args = (kwargs.pop(signature.first),)
        args = tuple(self._converted(a) for a in args)
        outermost = call_context.depth == 0
        given = dict(kwargs)
        training = kwargs.pop("training", None)
        if training is None:
            training = call_context.training
        if training is None:
            training = signature.training_default
        if signature.training:
            kwargs["training"] = training
        if outermost:
            self._clear_losses()
        self._maybe_build(args, kwargs)
        inputs = args[0] if args else None
        check_inputs(self.input_spec, inputs, f"'{self.name}'")
        masks = _masks_of(inputs)
        if signature.mask:
            args, masks = _with_its_mask(signature, args, kwargs, masks)
        kwargs.update(self._masks_by_name(signature, args, kwargs))
        outputs = self._computed(args, kwargs, training)
        if self.activity_regularizer is not None:
            self._penalise(outputs)
        outputs = self._with_mask(inputs, outputs, masks)
        if outermost and is_symbolic(outputs):
            return connect(self, args, given, outputs) if call_context.connects else outputs
        if outermost and not context.tracing:
            outputs = _unwrapped(outputs)
        return outputs

    def _masks_by_name(
        self, signature: CallSignature, args: tuple, kwargs: dict[str, Any]
    ) -> dict[str, Any]:
        """For a `call` of the user's: masks of values x for which it has an argument x_mask."""
        if not signature.twins or _is_ours(type(self).call):
            return {}
        values = {**dict(zip(signature.names, args, strict=False)), **kwargs}
        in_place = signature.names[: len(args)]
        return {
            f"{name}_mask": _masks_of(values[name])
            for name in signature.twins
            if values.get(name) is not None
            and values.get(f"{name}_mask") is None
            and f"{name}_mask" not in in_place
        }

    def _computed(self, args: tuple, kwargs: dict, training: bool | None) -> Any:
        """What `call` gives; calls inside it inherit `training`."""
        ctx, before, around = call_context, call_context.training, place.path
        ctx.depth += 1
        ctx.training = training
        place.path = self._own_path()
        try:
            looks = self._looks_at_shapes or not _is_ours(type(self).call)
            if looks and is_symbolic((args, kwargs)):
                # a `call` of the user's may look at shapes: it sees numbers for unknown extents
                outputs = symbolic_call(self.call, args, kwargs)
                self._clear_losses()
                return outputs
            return self.call(*args, **kwargs)
        except Exception as error:
            _name_layer(error, self.name)
            raise
        finally:
            ctx.depth -= 1
            ctx.training = before
            place.path = around

    def stateless_call(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Call with the given values in place of the variables' own, which stay as they are.

        Args:
            trainable_variables: Values (or tensors) for `self.trainable_variables`.
            non_trainable_variables: Values for `self.non_trainable_variables`.
            return_losses: Also return `self.losses`.

        Returns:
            ``outputs, non_trainable_variables`` after the call (and the losses if asked for).
        """
        trainable, others = self.trainable_variables, self.non_trainable_variables
        if len(trainable) != len(trainable_variables) or len(others) != len(
            non_trainable_variables
        ):
            raise ValueError(
                f"stateless_call of '{self.name}' needs {len(trainable)} trainable and "
                f"{len(others)} non-trainable values. Received: {len(trainable_variables)} and "
                f"{len(non_trainable_variables)}."
            )
        outer_scope, outer_lifted = context.scope, dict(context.lifted)
        context.scope = dict(outer_scope or {})
        try:
            given = zip(
                [*trainable, *others], [*trainable_variables, *non_trainable_variables], strict=True
            )
            for variable, value in given:
                _bind(variable, value)
            outputs = self(*args, **kwargs)
            after = [context.scope[id(v)] for v in others]
            losses = self.losses if return_losses else None
        finally:
            context.scope = outer_scope
            context.lifted.clear()
            context.lifted.update(outer_lifted)
        if not context.tracing:
            outputs, losses = _unwrapped(outputs), _unwrapped(losses)
        return (outputs, after, losses) if return_losses else (outputs, after)

    def _converted(self, value: Any) -> Any:
        """Arrays of lists and numbers; floats in the layer's dtype."""
        if isinstance(value, Masked):
            value = value.tensor()
        if isinstance(value, np.ndarray) and value.dtype.kind in "UST":
            value = as_text(value)
        if isinstance(value, np.ndarray | Tensor | Symbol):
            return self._cast(value)
        if tree.is_nested(value) and any(hasattr(leaf, "shape") for leaf in tree.flatten(value)):
            return tree.map_structure(self._converted, value)
        if hasattr(value, "dtype") or isinstance(value, list | tuple | float):
            if isinstance(value, Variable):
                return self._cast(value.value)
            return self._cast(as_array(value))
        return value

    def _cast(self, value: Any) -> Any:
        dtype = value.dtype if isinstance(value.dtype, str) else value.dtype.name
        if not self.autocast or not is_float(dtype) or dtype == self.compute_dtype:
            if dtype in ("object", SYMBOL_DTYPE):
                self._require_text(value)
            return value
        return ops_core.cast(value, self.compute_dtype)

    def _require_text(self, value: Any) -> None:
        """Refuse text, unless this layer, or a `call` of the user's, may want it."""
        if not self.takes_text and _is_ours(type(self).call):
            raise ValueError(
                f"Layer '{self.name}' ({type(self).__name__}) takes numbers. Received: text of "
                f"shape {tuple(value.shape)}. Put TextVectorization, StringLookup or Hashing "
                "before it."
            )

    def _maybe_build(self, args: tuple, kwargs: dict) -> None:
        if self.built:
            return
        if args:
            check_inputs(self.input_spec, args[0], f"'{self.name}'")
        shapes = tree.map_structure(shape_with_free_batch, args[0]) if args else None
        self._build(shapes)

    def _build(self, input_shape: Any) -> None:
        """Run the user's `build` once, outside of any recording."""
        check_inputs(self.input_spec, symbols_of(input_shape, self.compute_dtype), f"'{self.name}'")
        recorder, tapes, context.recorder, context.tapes = context.recorder, context.tapes, None, []
        scope, context.scope = context.scope, None
        try:
            self.build(input_shape)
        finally:
            context.recorder, context.tapes, context.scope = recorder, tapes, scope
        self._build_shapes = input_shape
        self.built = True

    def get_build_config(self) -> dict[str, Any] | None:
        return None if self._build_shapes is None else {"input_shape": jsonable(self._build_shapes)}

    def build_from_config(self, config: dict[str, Any]) -> None:
        if config and "input_shape" in config and not self.built:
            self._build(nest_of_shapes(config["input_shape"]))

    def _config_argument(self, name: str) -> Any:
        return self.dtype_policy if name == "dtype" else getattr(self, name)

    def _penalise(self, outputs: Any) -> None:
        """Activity penalties are averaged over the batch."""
        for output in tree.flatten(outputs):
            if not isinstance(output, Symbol):
                self._losses.append(self.activity_regularizer(output) / output.shape[0])

    def _with_mask(self, inputs: Any, outputs: Any, masks: Any) -> Any:
        if type(self).compute_mask is Layer.compute_mask:
            if masks is None:
                return outputs
            if not self.supports_masking and call_context.depth == 0:
                _warn_of_lost_mask(self)
        mask = self.compute_mask(inputs, masks)
        if mask is None:
            return outputs
        outputs = tree.map_structure(_as_tensor, outputs)
        flat, flat_masks = tree.flatten(outputs), tree.flatten(mask)
        for output, one in zip(flat, flat_masks, strict=False):
            output.mask = one
        return outputs

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _no_attribute(layer: Layer, name: str) -> str:
    """The message for an attribute that a layer does not have, with the likely reason."""
    kind = type(layer).__name__
    if "_losses" not in layer.__dict__:
        return (
            f"{kind}.__init__ must call super().__init__() before anything else: the layer is not "
            f"initialised. (It was asked for '{name}'.)"
        )
    reason = suggest(name, [word for word in dir(layer) if not word.startswith("_")])
    if not layer.built and type(layer).build is not Layer.build:
        reason = (
            " The layer is not built yet: weights are made when it is first called, or by "
            "build(input_shape)."
        )
    return f"Layer '{layer.name}' ({kind}) has no attribute '{name}'.{reason}"


def _without_call(layer: Layer) -> str:
    """The message for a layer that does not say what it computes."""
    kind = type(layer).__name__
    near = [word for word in ("forward", "Call", "__call__", "calls") if word in vars(type(layer))]
    hint = f" Rename its method `{near[0]}`." if near else ""
    return f"Layer {kind} has no `call` method. Define call(self, inputs).{hint}"


def _marking_built(build: Callable[..., Any]) -> Callable[..., Any]:
    """`build`, after which the layer knows that it is built, whoever calls it."""

    @functools.wraps(build)
    def marking(self: Layer, *args: Any, **kwargs: Any) -> Any:
        if self.built and self.__dict__.get("_weights_made"):
            raise ValueError(
                f"Layer '{self.name}' is built already: building it again would make its weights "
                "twice. Ask `layer.built` first. Received: a second call of `build`."
            )
        with within(self._own_path()):
            result = build(self, *args, **kwargs)
        if self._build_shapes is None and args:
            self._build_shapes = args[0]
        self.built = True
        return result

    return marking


def _arguments(cls: type) -> set[str]:
    """All argument names that a layer class takes."""
    found = {"activity_regularizer", "autocast", "dtype", "name", "trainable"}
    for base in cls.__mro__:
        if "__init__" in base.__dict__ and base is not object:
            found.update(inspect.signature(base.__init__).parameters)
    return found - {"self", "args", "kwargs", "old", *cls._decided}


def _bind(variable: Variable, value: Any) -> None:
    """Let `variable` stand for `value` within the stateless call."""
    assert context.scope is not None
    tensor = (
        value if isinstance(value, Tensor) else Tensor(np.array(as_array(value), variable.dtype))
    )
    if tensor.shape != variable.shape:
        raise ValueError(
            f"Variable '{variable.path}' has shape {variable.shape}. "
            f"Received: a value of shape {tensor.shape}."
        )
    context.scope[id(variable)] = np.array(tensor.value)
    context.lifted[id(variable)] = (variable, tensor)


def _warn_of_lost_mask(layer: Layer) -> None:
    """Say once for each layer that the layers after it see no mask."""
    signature = call_signature(type(layer).call)
    takes_it = signature.mask or signature.twins
    if not takes_it and not layer.__dict__.get("_told_of_lost_mask"):
        object.__setattr__(layer, "_told_of_lost_mask", True)
        warnings.warn(
            f"Layer '{layer.name}' ({type(layer).__name__}) is given an input with a mask, which "
            f"it neither uses nor passes on: padded steps count like all others from here on. A "
            f"layer of your own passes it on with `self.supports_masking = True`.",
            stacklevel=3,
        )


def _masks_of(inputs: Any) -> Any:
    masks = [
        v.mask if isinstance(v, Tensor | Symbol) else getattr(v, "_keras_mask", None)
        for v in tree.flatten(inputs)
    ]
    if all(m is None for m in masks):
        return None
    return masks[0] if len(masks) == 1 else tree.pack_sequence_as(inputs, masks)


def _with_its_mask(
    signature: CallSignature, args: tuple, kwargs: dict[str, Any], masks: Any
) -> tuple[tuple, Any]:
    """Arguments with `mask`, given or else that of the inputs, and this mask."""
    place = signature.names.index("mask")
    given = args[place] if place < len(args) else kwargs.get("mask")
    masks = masks if given is None else given
    if place < len(args):
        return (*args[:place], masks, *args[place + 1 :]), masks
    kwargs["mask"] = masks
    return args, masks


def _as_tensor(value: Any) -> Any:
    return value if isinstance(value, Tensor | Symbol) else Tensor(as_array(value))


def _unwrapped(outputs: Any) -> Any:
    if isinstance(outputs, np.ndarray):
        return outputs
    if outputs is None or is_symbolic(outputs):
        return outputs
    return tree.map_structure(_array_of, outputs)


def _array_of(value: Any) -> Any:
    if not isinstance(value, Tensor):
        return value
    return value.value if value.mask is None else with_mask(value.value, value.mask)


def _is_ours(function: Any) -> bool:
    """Whether a function is part of this library."""
    package = __name__.partition(".")[0]
    return str(getattr(function, "__module__", "")).partition(".")[0] == package


def _name_layer(error: Exception, name: str) -> None:
    """Say once, in a note, in which layer an error arose (the innermost)."""
    if not getattr(error, "_minikeras_layer", None):
        error._minikeras_layer = name  # type: ignore[attr-defined]
        error.add_note(f"This happened in the call of layer '{name}'.")
