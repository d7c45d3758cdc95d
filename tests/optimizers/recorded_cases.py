"""Walks of optimizers on given gradients: what Keras made of them is in recorded.npz.

`walk` does the same with Keras and with minikeras: the module is an argument.
"""

from typing import Any

import numpy as np

SHAPES = {"kernel": (5, 3), "wide": (3, 4), "bias": (4,), "filters": (2, 3, 4), "scale": ()}
STEPS = 5

# name: (class, arguments, variables; all by default)
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd_accum3_momentum": ("SGD", {"momentum": 0.9, "gradient_accumulation_steps": 3}),
    "sgd_accum2_clipnorm": ("SGD", {"clipnorm": 0.5, "gradient_accumulation_steps": 2}),
    "adam_accum2_ema": (
        "Adam",
        {"gradient_accumulation_steps": 2, "use_ema": True, "ema_momentum": 0.7},
    ),
    "adam_accum2_decay_clip": (
        "Adam",
        {"gradient_accumulation_steps": 2, "weight_decay": 0.1, "global_clipnorm": 0.5},
    ),
    "adam_ema_overwrite2": (
        "Adam",
        {"use_ema": True, "ema_momentum": 0.6, "ema_overwrite_frequency": 2},
    ),
    "sgd_accum2_ema_overwrite2": (
        "SGD",
        {
            "gradient_accumulation_steps": 2,
            "use_ema": True,
            "ema_momentum": 0.5,
            "ema_overwrite_frequency": 2,
        },
    ),
    "adam_scaled": ("Adam", {"loss_scale_factor": 8.0, "clipvalue": 0.05}),
    "nadam_accum2": ("Nadam", {"gradient_accumulation_steps": 2}),
    "nadam_schedule": ("Nadam", {"learning_rate": "schedule"}),
    "adamax_accum2": ("Adamax", {"gradient_accumulation_steps": 2}),
    "adagrad_plain": ("Adagrad", {"initial_accumulator_value": 0.0, "epsilon": 0.0}),
    "ftrl_power": ("Ftrl", {"learning_rate_power": -0.3, "beta": 0.2}),
    "ftrl_one": ("Ftrl", {"learning_rate_power": -1.0, "initial_accumulator_value": 0.0}),
    "ftrl_zero": ("Ftrl", {"learning_rate_power": 0.0, "initial_accumulator_value": 0.0}),
    "ftrl_penalties": (
        "Ftrl",
        {
            "l1_regularization_strength": 0.1,
            "l2_regularization_strength": 0.2,
            "l2_shrinkage_regularization_strength": 0.05,
            "beta": 0.1,
        },
    ),
    "lion_schedule": ("Lion", {"learning_rate": "schedule", "weight_decay": 0.1}),
    "lamb_decay_accum2": ("Lamb", {"weight_decay": 0.1, "gradient_accumulation_steps": 2}),
    "lamb": ("Lamb", {}),
    "adafactor": ("Adafactor", {}),
    "adafactor_high": (
        "Adafactor",
        {"learning_rate": 2.0, "relative_step": False, "clip_threshold": 0.5, "epsilon_2": 0.5},
    ),
    "adafactor_decay": ("Adafactor", {"weight_decay": 0.1, "beta_2_decay": -0.5}),
    "adafactor_accum2": ("Adafactor", {"gradient_accumulation_steps": 2, "clipnorm": 1.0}),
    "schedule_free": ("ScheduleFreeAdamW", {}),
    "schedule_free_warm": (
        "ScheduleFreeAdamW",
        {"warmup_steps": 3, "weight_decay": 0.1, "beta_1": 0.8, "clipvalue": 0.3},
    ),
    "schedule_free_accum2": ("ScheduleFreeAdamW", {"gradient_accumulation_steps": 2}),
    "muon": ("Muon", {}),
    "muon_no_lookahead": ("Muon", {"nesterov": False, "rms_rate": None, "ns_steps": 3}),
    "muon_excluded": (
        "Muon",
        {"exclude_layers": ["ker.el"], "adam_lr_ratio": 0.5, "adam_weight_decay": None},
    ),
    "muon_decay_clip": (
        "Muon",
        {"weight_decay": 0.2, "adam_weight_decay": 0.1, "adam_lr_ratio": 0.3, "clipnorm": 0.7},
    ),
    "muon_accum2_ema": (
        "Muon",
        {"gradient_accumulation_steps": 2, "use_ema": True, "ema_momentum": 0.5, "ns_steps": 0},
    ),
    "loss_scale": ("LossScaleOptimizer", {"initial_scale": 4.0, "dynamic_growth_steps": 2}),
    "multi": ("MultiOptimizer", {}),
}


def starts() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    return {name: rng.normal(0, 1, shape).astype("float32") for name, shape in SHAPES.items()}


def gradients(name: str) -> list[list[np.ndarray]]:
    """One list per step; under loss scaling one step has an infinite number."""
    rng = np.random.default_rng(11)
    steps = [
        [rng.normal(0, 1, shape).astype("float32") for shape in SHAPES.values()]
        for _ in range(STEPS)
    ]
    if name == "loss_scale":
        steps[3][0][1, 1] = np.inf
    return steps


def make(keras: Any, name: str) -> Any:
    """The optimizer of a case."""
    kind, arguments = CASES[name]
    arguments = dict(arguments)
    if kind == "LossScaleOptimizer":
        return keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.05), **arguments)
    if kind == "MultiOptimizer":
        chosen = {"kernel": keras.optimizers.Adam(0.05), "(bias|scale)": keras.optimizers.Lion(0.1)}
        rest = keras.optimizers.SGD(0.1, momentum=0.9)
        return keras.optimizers.MultiOptimizer(keras.optimizers.OptimizerMap(rest, chosen))
    rate = arguments.pop("learning_rate", 0.05)
    if rate == "schedule":
        rate = keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
    return getattr(keras.optimizers, kind)(rate, **arguments)


def walk(keras: Any, name: str) -> tuple[np.ndarray, list[str]]:
    """All numbers of variables and state, in the middle and at the end, and what they belong to."""
    variables = [keras.Variable(value, name=key) for key, value in starts().items()]
    optimizer = make(keras, name)
    optimizer.build(variables)
    numbers, layout = [], []
    for step, grads in enumerate(gradients(name), 1):
        _apply(keras, optimizer, grads, variables)
        if step in (3, STEPS):
            for kind, values in (("v", variables), ("o", optimizer.variables)):
                for value in values:
                    array = np.asarray(value)
                    numbers.append(array.ravel().astype("float32"))
                    layout.append(f"{step} {kind} {value.name} {array.shape} {array.dtype}")
    return np.concatenate(numbers), layout


def _apply(keras: Any, optimizer: Any, grads: list[np.ndarray], variables: list[Any]) -> None:
    grads = [keras.ops.convert_to_tensor(g) for g in grads]
    if not hasattr(optimizer, "dynamic_scale"):
        optimizer.apply(grads, variables)
        return
    # Keras on JAX can do this one only without state
    state = optimizer.variables
    for target, value in zip(
        (variables, state),
        optimizer.stateless_apply([v.value for v in state], grads, [v.value for v in variables]),
        strict=True,
    ):
        for variable, new in zip(target, value, strict=True):
            variable.assign(new)
