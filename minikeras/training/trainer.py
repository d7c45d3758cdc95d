"""Trainer: what `fit`, `evaluate` and `predict` make of something that can be called."""

from __future__ import annotations

from typing import Any

from ..autodiff.context import context
from ..core.versioned import Changes
from ..core.walk import members
from ..data import pack_x_y_sample_weight, unpack_x_y_sample_weight
from ..metrics import Metric
from ..optimizers import Optimizer
from . import loop, preparation
from .compiled import Compiled
from .opening import Preparer
from .results import in_order, number, own_results
from .steps import Step, test_step, train_step

# methods of Keras's Model that nothing here calls: defining one is an error, not ignored
NEVER_CALLED = ("make_train_function", "make_test_function", "make_predict_function")


class Trainer:
    """The training half of a model: compile, fit, evaluate, predict, and their steps.

    The other half is a layer: `name`, `built`, `variables`, `losses`, and a call.
    """

    name: str
    losses: list[Any]
    variables: list[Any]
    compiled: Compiled | None
    _steps: dict[str, Step]
    _key_cache: tuple[int, Any]
    _own_metrics_cache: tuple[int, list[Any]]
    _flatten_layers: Any
    __call__: Any

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
        validation_shuffle: bool | int = False,
        validation_stratify: bool = False,
    ) -> Any:
        """Train on arrays, or on batches from anywhere.

        Data may be an array, whatever numpy makes an array of (pandas, torch, jax), or nests
        (lists, tuples, dicts) of them for several inputs and outputs, the first axis counting
        samples. HDF5 data sets and memory maps larger than 64 MB stay in their file: they are read
        and shuffled by blocks, with some megabytes in memory. Batches `(x, y)` or
        `(x, y, sample_weight)` may come from a generator, from any iterable (of torch or
        TensorFlow, too), or from a `utils.PyDataset`, whose order is shuffled and which threads can
        compute ahead.

        Args:
            x: Inputs, or batches.
            y: Targets; None where `x` are batches.
            batch_size: Samples per step, 32 by default; None where `x` are batches.
            epochs: Passes over the data (the last epoch's number, if `initial_epoch` is given).
            verbose: 'auto' or 1: progress bar; 2: a line per epoch; 0: silent.
            callbacks: List of `Callback`.
            validation_split: Fraction of the rows, taken from their end, to validate on.
            validation_data: (x, y), (x, y, sample_weight) or batches to validate on; it overrides
                `validation_split`. The batches of a generator are kept in memory.
            shuffle: Whether to shuffle before each epoch; "batch": within batches only. Batches of
                a PyDataset come in a new order, those of other iterables as they come.
            class_weight: Weight of each class, by index; for several outputs a list or dict of such
                dicts. It multiplies `sample_weight`.
            sample_weight: Weight of each sample, or of each value of `y`; None where `x` are
                batches, which may hold it.
            initial_epoch: The number of the first epoch, to count on after an earlier training.
            steps_per_epoch: Batches per epoch, the next epoch going on where this one ended; needed
                where the data have no end.
            validation_steps: Batches to validate on, the same each time; all by default.
            validation_batch_size: Samples per step of validation; `batch_size` by default.
            validation_freq: Validate every so many epochs, or after these (a collection of numbers,
                counted from 1).
            validation_shuffle: Whether `validation_split` takes random rows instead: always the
                same ones, or others for each integer given.
            validation_stratify: Whether `validation_split` takes the same share of each class.

        Returns:
            `History`, whose `history` holds the values of each epoch.

        Raises:
            ValueError, TypeError: Data that do not fit the model, the loss or each other, and
                arguments that have no meaning for this kind of data.
        """
        return loop.fit(
            self, x, y, batch_size, epochs, verbose, callbacks, validation_split, validation_data,
            shuffle, class_weight, sample_weight, initial_epoch, steps_per_epoch, validation_steps,
            validation_batch_size, validation_freq, validation_shuffle, validation_stratify,
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
        """Loss and metrics on data of any kind that `fit` takes, batches in their order.

        Returns:
            A list in the order of `metrics_names` (a number, if there is one only), or with
            `return_dict` a dict.
        """
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
        """Outputs for all samples of `x`, data of any kind that `fit` takes, in their order."""
        return loop.predict(self, x, batch_size, verbose, steps, callbacks)

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """One training step. The results are those of this batch alone: metrics are reset first."""
        logs = self._on_batch("train", x, y, sample_weight, class_weight)
        return logs if return_dict else _listed(self, logs)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Loss and metrics of one batch; metrics are reset first."""
        logs = self._on_batch("test", x, y, sample_weight, None)
        return logs if return_dict else _listed(self, logs)

    def predict_on_batch(self, x: Any) -> Any:
        """Outputs for one batch."""
        preparation.require_arrays(x, "predict_on_batch")
        x, _ = preparation.prepare(self, x, None)
        return self.steps("predict")(x)

    def _on_batch(self, phase: str, x: Any, y: Any, sample_weight: Any, class_weight: Any) -> Any:
        preparation.require_compiled(self, f"{phase}_on_batch")
        preparation.require_arrays(x, f"{phase}_on_batch")
        data = Preparer(self, phase, class_weight)(x, y, sample_weight)
        self.reset_metrics()
        returned = self.steps(phase)(*self.step_data(*data))
        if self.has_own_step(phase) and returned is not None:
            return own_results(self, phase, returned)
        return self.get_metrics_result()

    # --- steps, to override ---

    def train_step(self, data: Any) -> dict[str, Any]:
        """One training step; override it to write your own.

        It is recorded at the first batch of each shape and replayed afterwards. What reads numbers
        out of tensors while it runs is called anew for each batch instead.

        Args:
            data: ``x``, ``(x, y)`` or ``(x, y, sample_weight)``: a batch, as `fit` was given it.

        Returns:
            Results by name, such as ``{"loss": loss}``.
        """
        return train_step(self, *unpack_x_y_sample_weight(data)) or self.get_metrics_result()

    def test_step(self, data: Any) -> dict[str, Any]:
        """One step of `evaluate`; see `train_step`."""
        return test_step(self, *unpack_x_y_sample_weight(data)) or self.get_metrics_result()

    def predict_step(self, data: Any) -> Any:
        """One step of `predict`: the outputs for a batch."""
        x, _, _ = unpack_x_y_sample_weight(data)
        return self(x, training=False)

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        """Take a batch into the compiled metrics; the results so far, by name."""
        if y is not None and self.compiled is not None:
            self.compiled.update_metrics(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def has_own_step(self, phase: str) -> bool:
        """Whether a subclass says itself what a step of this phase does or returns."""
        return self._overrides(f"{phase}_step") or (phase != "predict" and self.has_own_metrics)

    @property
    def has_own_metrics(self) -> bool:
        """Whether a subclass says itself what its metrics are."""
        return self._overrides("compute_metrics")

    @property
    def has_own_results(self) -> bool:
        """Whether a subclass says itself what its metrics are, or what they come to."""
        return self._overrides("get_metrics_result") or self._overrides("metrics")

    def _overrides(self, method: str) -> bool:
        return getattr(type(self), method) is not getattr(Trainer, method)

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

    @property
    def has_own_loss(self) -> bool:
        """Whether a subclass says itself what its loss is."""
        return any(map(self._overrides, ("compute_loss", "train_step", "test_step")))

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
        """The metrics in use: the mean of the loss, those compiled, then those in attributes."""
        compiled = [] if self.compiled is None else self.compiled.all_metrics
        return [*compiled, *self._own_metrics()]

    def _own_metrics(self) -> list[Any]:
        """Metrics that the model or one of its layers holds in an attribute."""
        count, known = self._own_metrics_cache
        if count != Changes.count:
            found = [m for layer in self._flatten_layers() for m in members(layer, _is_metric)]
            known = list({id(m): m for m in found}.values())
            self._own_metrics_cache = (Changes.count, known)
        return known

    @property
    def metrics_names(self) -> list[str]:
        if type(self).metrics is not Trainer.metrics:
            return [m.name for m in self.metrics]
        # those compiled are known by name before they are made
        compiled = [] if self.compiled is None else self.compiled.names
        return [*compiled, *[m.name for m in self._own_metrics()]]

    def reset_metrics(self) -> None:
        for metric in self.metrics:
            metric.reset_state()

    def get_metrics_result(self) -> dict[str, Any]:
        """The running means in the order of their names: floats, or tensors within a step."""
        plain = (lambda value: value) if context.tracing else number
        return {name: plain(metric.result()) for name, metric in self.metrics_by_name()}

    def metrics_by_name(self) -> list[tuple[str, Any]]:
        """(name, metric) of all metrics, in the order of their names."""
        return sorted(zip(self.metrics_names, self.metrics, strict=False), key=_first)

    @property
    def run_eagerly(self) -> bool:
        """Whether steps are called anew for each batch instead of recorded."""
        return self.compiled is not None and self.compiled.run_eagerly

    @run_eagerly.setter
    def run_eagerly(self, value: bool) -> None:
        preparation.require_compiled(self, "setting run_eagerly")
        self.compiled.run_eagerly = bool(value)  # type: ignore[union-attr]

    def step_data(self, x: Any, y: Any, sample_weight: Any) -> tuple:
        """The arguments of a train or test step."""
        return (x, y, sample_weight)

    def steps(self, phase: str) -> Step:
        """The 'train', 'test' or 'predict' step."""
        step = self._steps.get(phase)
        if step is None:
            step = Step(self._step_function(phase), self._state_key, lambda: self.run_eagerly)
            self._steps[phase] = step
        return step

    def _step_function(self, phase: str) -> Any:
        """The function of (x, y, sample_weight), or x alone, that a phase runs."""
        for method in NEVER_CALLED:
            if hasattr(type(self), method):
                raise NotImplementedError(
                    f"A `{method}` of your own would not be called. Override `train_step`, "
                    "`test_step` or `predict_step` instead."
                )
        overridden = self._overrides(f"{phase}_step")
        if phase == "predict":
            own = lambda x: self.predict_step((x,))  # noqa: E731
            return own if overridden else lambda x: self(x, training=False)
        if overridden:
            step = getattr(self, f"{phase}_step")
            return lambda x, y, w: step(pack_x_y_sample_weight(x, y, w))
        function = train_step if phase == "train" else test_step
        return lambda x, y, w: function(self, x, y, w)

    def _state_key(self) -> Any:
        """Changes with everything that a recorded step depends on besides its inputs."""
        count, key = self._key_cache
        if count != Changes.count:
            objects: list[Any] = self._flatten_layers()
            objects += self._optimizers()
            key = (
                tuple((id(o), getattr(o, "_version", 0)) for o in objects),
                tuple(v.trainable for v in self.variables),
            )
            self._key_cache = (Changes.count, key)
        return key

    def _optimizers(self) -> list[Any]:
        """The compiled optimizer, and those that the model holds in attributes."""
        compiled = [] if self.compiled is None else [self.compiled.optimizer]
        return [*compiled, *members(self, lambda v: isinstance(v, Optimizer))]


def _listed(model: Any, logs: dict[str, Any]) -> Any:
    """Results as a list, or alone if there is one."""
    values = in_order(model, logs)
    return values[0] if len(values) == 1 else values


def _is_metric(value: Any) -> bool:
    return isinstance(value, Metric)


def _first(pair: tuple[str, Any]) -> str:
    return pair[0]
