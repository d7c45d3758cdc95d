"""The table that `summary` prints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..autodiff.variable import Variable
from ..core import output


def summarise(
    model: Any,
    line_length: int | None,
    print_fn: Callable[[str], Any] | None,
    expand_nested: bool,
    show_trainable: bool,
) -> None:
    """Print name, output shape and parameters of each layer, then the totals."""
    write = output.say if print_fn is None else print_fn
    is_graph = _connections(model) is not None
    header = ["Layer (type)", "Output Shape", "Param #"]
    header += ["Connected to"] * is_graph + ["Trainable"] * show_trainable
    rows = _rows(model, expand_nested, show_trainable, is_graph, 0)
    widths = [max(len(r[i]) for r in [header, *rows]) for i in range(len(header))]
    if line_length is not None:
        widths[0] = max(12, line_length - sum(widths[1:]) - 3 * len(widths) - 1)
    lines = [
        f'Model: "{model.name}"',
        _rule(widths, "┏", "┳", "┓", "━"),
        _line(header, widths, "┃"),
        _rule(widths, "┡", "╇", "┩", "━"),
        *[_line(row, widths, "│") for row in rows],
        _rule(widths, "└", "┴", "┘", "─"),
        *_totals(model),
    ]
    write("\n".join(lines))


def _connections(model: Any) -> Any:
    """The function that tells what a step of a graph is connected to; None for other models."""
    return getattr(model, "connections_of", None)


def _rows(
    model: Any, expand: bool, show_trainable: bool, is_graph: bool, depth: int
) -> list[list[str]]:
    rows = []
    for layer in getattr(model, "operations", model.layers):
        weights = getattr(layer, "weights", [])
        kind = layer.kind if hasattr(layer, "kind") else type(layer).__name__
        built = getattr(layer, "built", True)
        count = f"{sum(v.size for v in weights):,}" if built else "0 (unbuilt)"
        row = [f"{'    ' * depth}{layer.name} ({kind})", _output_shape(model, layer), count]
        sources = [""]
        if is_graph:
            sources = _connections(model)(layer) if _connections(model) else []
            sources = sources or ["-"]
            row.append(sources[0] + "," * (len(sources) > 1))
        if show_trainable:
            trained = layer.trainable_weights if weights else None
            row.append("-" if trained is None else "Y" if trained else "N")
        rows.append(row)
        for number, source in enumerate(sources[1:], 2):
            more = ["", "", "", source + "," * (number < len(sources))]
            rows.append(more + [""] * show_trainable)
        if expand and getattr(layer, "layers", None):
            rows += _rows(layer, expand, show_trainable, is_graph, depth + 1)
    return rows


def _output_shape(model: Any, layer: Any) -> str:
    if _connections(model):
        return model.output_shape_of(layer)
    if not layer.built or layer._build_shapes is None and not hasattr(model, "_inputs"):
        return "?"
    shape = _propagated(model).get(id(layer)) if hasattr(model, "_inputs") else None
    if shape is None and layer._build_shapes is not None:
        try:
            shape = layer.compute_output_shape(layer._build_shapes)
        except (TypeError, ValueError, NotImplementedError):
            return "?"
    return "?" if shape is None else str(tuple(shape))


def _propagated(model: Any) -> dict[int, Any]:
    """Output shape of each layer of a stack, by the layer's id."""
    if model._inputs is None:
        return {}
    shape, shapes = model._inputs.shape, {}
    for layer in model.layers:
        shape = layer.compute_output_shape(shape)
        shapes[id(layer)] = shape
    return shapes


def _totals(model: Any) -> list[str]:
    trainable, fixed = model.trainable_weights, model.non_trainable_weights
    optimizer = model.optimizer
    extra = optimizer.variables if optimizer is not None and optimizer.built else []
    lines = [
        _total("Total params", [*trainable, *fixed, *extra]),
        _total("Trainable params", trainable),
        _total("Non-trainable params", fixed),
    ]
    return lines + ([_total("Optimizer params", extra)] if extra else [])


def _total(label: str, variables: Sequence[Variable]) -> str:
    count = sum(v.size for v in variables)
    size, unit = float(sum(v.spec.nbytes for v in variables)), "B"
    for larger in ("KB", "MB", "GB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f" {label}: {count:,} ({size:.2f} {unit})"


def _rule(widths: list[int], left: str, middle: str, right: str, bar: str) -> str:
    return left + middle.join(bar * (w + 2) for w in widths) + right


def _line(cells: list[str], widths: list[int], bar: str) -> str:
    padded = [
        f" {c[:w].rjust(w) if i == 2 else c[:w].ljust(w)} "
        for i, (c, w) in enumerate(zip(cells, widths, strict=True))
    ]
    return bar + bar.join(padded) + bar
