"""One step of training, evaluation or prediction: recorded once per batch shape, then replayed."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..autodiff.context import context
from ..autodiff.spec import spec_of
from ..autodiff.tape import Tape, unwrap
from ..autodiff.tensor import Tensor
from ..core import tree
from ..program import Program, Replayed

IDLE_KEPT = 16  # kinds of array for which a program is held ready


def train_step(model: Any, x: Any, y: Any, sample_weight: Any) -> Any:
    """Forward, loss, gradients, update, metrics; seams: `tape.gradient`, `optimizer.apply`."""
    variables = model.trainable_variables
    with Tape() as tape:
        for variable in variables:
            tape.watch(variable)
        y_pred = model(x, training=True)
        loss = model.compute_loss(x, y, y_pred, sample_weight, training=True)
        scaled = model.optimizer.scale_loss(loss) if variables else loss
    grads = tape.gradient(as_tensor(scaled), variables)
    if variables:
        model.optimizer.apply(grads, variables)
    else:
        warnings.warn(
            f"Model '{model.name}' has no trainable weights: training changes nothing. Layers made "
            "inside of `call` do not count; frozen ones are trained after `trainable = True`.",
            stacklevel=2,
        )
    return update_trackers(model, x, y, y_pred, sample_weight, loss)


def test_step(model: Any, x: Any, y: Any, sample_weight: Any) -> Any:
    """Forward, loss and metrics."""
    y_pred = model(x, training=False)
    loss = model.compute_loss(x, y, y_pred, sample_weight, training=False)
    return update_trackers(model, x, y, y_pred, sample_weight, loss)


def update_trackers(model: Any, x: Any, y: Any, y_pred: Any, sample_weight: Any, loss: Any) -> Any:
    """The running means of loss and metrics; the loss counts once per sample.

    Returns what a `compute_metrics` of the model's own gives, else None.
    """
    rows = tree.flatten(x)[0].shape[0]
    model.compiled.loss_tracker.update_state(loss, sample_weight=float(rows))
    if model.has_own_metrics:
        return model.compute_metrics(x, y, y_pred, sample_weight)
    if y is not None:
        model.compiled.update_metrics(y, y_pred, sample_weight)
    return None


def as_tensor(value: Any) -> Tensor:
    return value if isinstance(value, Tensor) else Tensor(np.asarray(value))


class Step:
    """A step function of a model, for data of any structure.

    Args:
        function: ``function(*data)`` on nests of tensors; returns a nest of results.
        key: What the recorded program depends on besides the inputs (changes of layers).
        eager: Never record.
    """

    def __init__(
        self, function: Callable[..., Any], key: Callable[[], Any], eager: Callable[[], bool]
    ):
        self._function = function
        self._key = key
        self._eager = eager
        self._replayed: dict[str, Replayed] = {}
        self._idle: dict[Any, list[tuple[Program, Callable[[], None]]]] = {}
        self.structure: Any = None  # of the results; None for a single one

    def on_array(self, x: np.ndarray) -> Any:
        """Run on one array: the short way of a function that is called again and again."""
        where = (x.shape, x.dtype, self._key())
        idle = self._idle.get(where)
        if idle:
            held: Any = idle.pop()  # one step for the interpreter: safe between threads
        else:
            held = self.acquire((x,))
            if held is None or self.structure is not None:
                if held is not None:
                    held[1]()
                return self(x)
        program = held[0]
        try:
            np.copyto(program.inputs[0], x)
            program.run()
            return program.outputs[0].copy()
        finally:
            self._keep(where, held)

    def _keep(self, where: Any, held: Any) -> None:
        """Hold a program ready for the next call on an array like this."""
        if where not in self._idle and len(self._idle) >= IDLE_KEPT:
            for programs in self._idle.values():
                for _, release in programs:
                    release()
            self._idle.clear()
        self._idle.setdefault(where, []).append(held)

    def _replay_of(self, data: Sequence[Any]) -> Replayed:
        """The replayed function for nests of this structure."""
        structure = repr(tree.map_structure(lambda v: 0 if v is not None else None, tuple(data)))
        found = self._replayed.get(structure)
        if found is None:
            found = self._replayed[structure] = Replayed(self._flat(tuple(data)))
        return found

    def _flat(self, template: Any) -> Callable[..., Sequence[Any]]:
        """The function on a flat list of tensors (those of the template that are not None)."""
        leaves = [leaf is not None for leaf in tree.flatten(template)]
        template = tree.map_structure(lambda leaf: None, template)

        def flat(*tensors: Any) -> list[Any]:
            given = iter(tensors)
            full = [next(given) if there else None for there in leaves]
            result = self._function(*tree.pack_sequence_as(template, full))
            self.structure = (
                None if not tree.is_nested(result) else tree.map_structure(lambda _: None, result)
            )
            return [] if result is None else tree.flatten(result)

        return flat

    def acquire(self, data: Sequence[Any]) -> tuple[Program, Callable[[], None]] | None:
        """A program for data like this, and the function that gives it back; None: run eagerly."""
        if self._eager():
            return None
        replayed, key = self._replay_of(data), self._key()
        specs = [spec_of(leaf) for leaf in tree.flatten(tuple(data)) if leaf is not None]
        program = replayed.acquire(specs, key)
        if program is None:
            return None
        return program, lambda: replayed.release(specs, program, key)

    def __call__(self, *data: Any) -> Any:
        """Run on arrays; results are arrays of their own."""
        held = self.acquire(data)
        if held is None:
            return self.run_eagerly(*data)
        program, release = held
        try:
            leaves = [leaf for leaf in tree.flatten(tuple(data)) if leaf is not None]
            for buffer, leaf in zip(program.inputs, leaves, strict=True):
                np.copyto(buffer, leaf)
            program.run()
            results = [np.array(o) for o in program.outputs]
        finally:
            release()
        if self.structure is None:
            return results[0] if results else None
        return tree.pack_sequence_as(self.structure, results)

    def run_eagerly(self, *data: Any) -> Any:
        """Run without recording, on tensors, so that the same code paths are taken."""
        assert context.recorder is None
        return tree.map_structure(unwrap, self._function(*data))
