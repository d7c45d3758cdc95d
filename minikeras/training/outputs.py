"""The outputs of a model by name, and what is said of each: losses, weights, metrics, targets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..core import tree
from ..core.validate import suggest


@dataclass
class Output:
    """One output of a model, as it is trained.

    Attributes:
        name: Its name, or None where outputs have none (the lists of a subclassed model).
        loss: Its `Loss`, or None.
        weight: Factor of the loss, or None for 1.
        tracker: Running mean of its loss, where there are several.
        metrics, weighted_metrics: Its metrics, without and with the samples' weights.
        metric_names: What results call them, in this order.
    """

    name: str | None = None
    loss: Any = None
    weight: float | None = None
    tracker: Any = None
    metrics: list[Any] = field(default_factory=list)
    weighted_metrics: list[Any] = field(default_factory=list)
    metric_names: list[str] = field(default_factory=list)


def output_names(output: Any, given: Sequence[str] | None = None) -> list[str | None]:
    """Names of the outputs in the order of `tree.flatten`.

    Args:
        output: Nest of outputs.
        given: Names that the model gives to a list of outputs.

    >>> output_names({"b": 1, "a": 2}), output_names([1, 2]), output_names(1)
    (['a', 'b'], [None, None], [None])
    """
    paths = [path for path, _ in tree.flatten_with_path(output)]
    if isinstance(output, Mapping):
        return ["/".join(map(str, path)) for path in paths]
    if given is not None and len(given) == len(paths) > 1:
        return list(given)
    return [None] * len(paths)


def shared_out(
    spec: Any, names: Sequence[str | None], argument: str, is_leaf: Callable[[Any], bool]
) -> list[Any]:
    """What `spec` says of each output, None where it says nothing.

    Args:
        spec: One thing for a single output, or a list in the outputs' order, or a dict by name.
        names: The outputs' names.
        argument: Name of the argument, for messages.
        is_leaf: Whether a value is one thing rather than a collection.

    Raises:
        ValueError: Another number of entries than outputs, or names that no output has.
    """
    if spec is None:
        return [None] * len(names)
    if is_leaf(spec):
        if len(names) == 1:
            return [spec]
        raise _wrong(argument, names, repr(spec))
    if isinstance(spec, Mapping):
        return _by_name(spec, names, argument)
    parts = list(spec) if isinstance(spec, list | tuple) else [spec]
    if len(parts) != len(names):
        raise _wrong(argument, names, f"{len(parts)} entries: {spec!r}")
    return parts


def _by_name(spec: Mapping[Any, Any], names: Sequence[str | None], argument: str) -> list[Any]:
    if names == [None]:
        if len(spec) == 1:
            return list(spec.values())
        raise _wrong(argument, names, f"{len(spec)} entries: {list(spec)}")
    unknown = [key for key in spec if key not in names]
    if unknown:
        known = [name for name in names if name is not None]
        if not known:
            raise _wrong(argument, names, f"a dict with the keys {list(spec)}")
        raise ValueError(
            f"`{argument}` names an output that the model does not have."
            f"{suggest(unknown[0], known)} The outputs are: {', '.join(known)}. "
            f"Received: {unknown[0]!r}."
        )
    return [spec.get(name) for name in names]


def _wrong(argument: str, names: Sequence[str | None], received: str) -> ValueError:
    if len(names) == 1:
        return ValueError(f"The model has one output. `{argument}` received {received}.")
    if None in names:
        what = f"The model has {len(names)} outputs: pass a list of {len(names)}"
    else:
        what = (
            f"The model has {len(names)} outputs ({', '.join(map(str, names))}): pass a dict by "
            "name, or a list in this order"
        )
    return ValueError(f"{what} as `{argument}`. Received: {received}.")


def in_outputs_order(
    nest: Any,
    names: Sequence[str | None],
    argument: str,
    needed: Sequence[bool] | None = None,
) -> list[Any]:
    """The leaves of targets (or weights) given as a nest, one per output; None where it has none.

    `needed` says of each output whether it needs one: a list may leave the others out.

    Raises:
        ValueError: Another number of leaves than outputs, or unknown names.
    """
    if nest is None:
        return [None] * len(names)
    if isinstance(nest, Mapping) and all(isinstance(v, Mapping) for v in nest.values()):
        nest = {"/".join(map(str, path)): leaf for path, leaf in tree.flatten_with_path(nest)}
    if isinstance(nest, Mapping):
        return _by_name(nest, names, argument)
    leaves = tree.flatten(nest)
    if needed is not None and len(leaves) == sum(needed):
        given = iter(leaves)
        return [next(given) if wanted else None for wanted in needed]
    if len(leaves) != len(names):
        shapes = [tuple(getattr(leaf, "shape", ())) for leaf in leaves]
        raise _wrong(argument, names, f"{len(leaves)} array(s) of shapes {shapes}")
    return leaves
