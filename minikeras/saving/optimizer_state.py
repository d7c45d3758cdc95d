"""The state of an optimizer in a file: counted, named or in the order of TensorFlow's Keras 2.

An optimizer whose state does not fit is never half loaded: it starts fresh and a warning says so.
"""

from typing import Any

from .assign import Plan, mismatch
from .hdf5 import Stored

__all__ = ["plan_named_state", "plan_state"]

# what Keras 2 calls a slot, and what Keras 3 calls it
SLOTS = {
    "m": "momentum",
    "v": "velocity",
    "vhat": "velocity_hat",
    "rms": "velocity",
    "mg": "average_gradient",
    "accum_grad": "accumulated_grad",
    "accum_var": "accumulated_delta_var",
    **{
        name: name
        for name in (
            *("momentum", "velocity", "velocity_hat", "average_gradient", "accumulator"),
            *("accumulated_grad", "accumulated_delta_var", "norm", "linear"),
        )
    },
}


def plan_state(plan: Plan, optimizer: Any, stored: list[Stored], trainable: list[Any]) -> None:
    """Add the optimizer's state to `plan` when it fits; warn and leave it out otherwise.

    `stored` comes in the order of `optimizer.variables`, which is built for `trainable` first.
    """
    if stored:
        _build(optimizer, trainable)
        _add(plan, optimizer.variables, stored)


def plan_named_state(
    plan: Plan, optimizer: Any, names: list[str], stored: list[Stored], trainable: list[Any]
) -> None:
    """As `plan_state`, for numbers under Keras 2's names, which come in an order of their own.

    Such files do not hold the learning rate, which stays as the optimizer's config has it.
    """
    _build(optimizer, trainable)
    slots: dict[str, list[Stored]] = {}
    for name, numbers in zip(names, stored, strict=True):
        slots.setdefault(_slot(name), []).append(numbers)
    variables = [v for v in optimizer.variables if _own_slot(v.name) in slots or not _is_rate(v)]
    ordered = [slots[slot].pop(0) for v in variables if slots.get(slot := _own_slot(v.name))] + [
        numbers for rest in slots.values() for numbers in rest
    ]
    _add(plan, variables, ordered)


def _build(optimizer: Any, trainable: list[Any]) -> None:
    if not getattr(optimizer, "built", False):
        optimizer.build(trainable)


def _add(plan: Plan, variables: list[Any], stored: list[Stored]) -> None:
    problem = mismatch(variables, stored)
    if problem is None:
        plan.pairs += zip(variables, stored, strict=True)
    elif stored[0].shape != () or stored[0].read() > 0:  # before the first step nothing is lost
        plan.remarks.append(
            f"{plan.source}: the saved state of the optimizer does not fit and was left out, so "
            f"training starts with a fresh optimizer. {problem}"
        )


def _slot(name: str) -> str:
    """ "momentum" of "Adam/m/dense/kernel:0" and of "SGD/dense/kernel/momentum:0"."""
    words = name.partition(":")[0].split("/")
    if words[-1] in ("iter", "iteration", "iterations"):
        return "iteration"
    if words[-1] == "learning_rate":
        return "learning_rate"
    for word in (words[1] if len(words) > 2 else "", words[-1]):
        if word in SLOTS:
            return SLOTS[word]
    return name


def _is_rate(variable: Any) -> bool:
    return variable.name == "learning_rate"


def _own_slot(name: str) -> str:
    if name in ("iteration", "iterations", "learning_rate"):
        return name.replace("iterations", "iteration")
    fitting = [slot for slot in SLOTS.values() if name.endswith(slot)]
    return max(fitting, key=len, default=name)
