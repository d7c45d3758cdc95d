"""`plot_model` and `model_to_dot`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..core.validate import boolean, number, one_of, reject_unknown
from . import raster
from .boxes import Group, Show, group_of
from .dot import Dot
from .drawing import DIRECTIONS, LINES, drawn
from .svg import svg

__all__ = ["ModelPicture", "model_to_dot", "plot_model"]

TEXTS = ("svg", "dot", "gv")


class ModelPicture:
    """A picture of a model, shown by notebooks as the last value of a cell.

    Attributes:
        svg: The picture as SVG text.
        path: The file that it was written to, or None.
    """

    def __init__(self, svg: str, path: Path | None):
        self.svg, self.path = svg, path

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return "<ModelPicture>" if self.path is None else f"<ModelPicture {str(self.path)!r}>"


def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: float = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> ModelPicture:
    """Draw the layers of a model and what leads from one to the other.

    SVG needs nothing installed; the other formats need matplotlib.

    Args:
        model: A functional model, or a `Sequential` that is built.
        to_file: Where to write. The ending says what: .svg; .dot or .gv for Graphviz; .png (also
            without an ending), .jpg, .webp, .tif, .pdf, .eps. With None nothing is written.
        show_shapes: Whether boxes tell the shapes of inputs and outputs.
        show_dtype: Whether boxes tell the dtype of outputs.
        show_layer_names: Whether boxes tell the layers' names beside their classes.
        rankdir: Where the model leads: 'TB' (down), 'BT' (up), 'LR' (right) or 'RL' (left).
        expand_nested: Whether models inside are drawn with their own layers, in a frame.
        dpi: Dots per inch of files of pixels, 72 for one dot per unit; SVG has none.
        show_layer_activations: Whether boxes tell the activations of layers that have one.
        show_trainable: Whether boxes of layers with weights tell if training changes them.
        splines: Lines with right angles ('ortho'), smooth ('curved', 'spline'), of straight pieces
            around boxes ('polyline'), or straight from box to box ('line').

    Returns:
        The picture, which notebooks show.

    Raises:
        ValueError: The model has no graph, or an argument is not one of those above.
        ImportError: The format needs matplotlib, which is not installed.

    >>> import minikeras as keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    >>> keras.utils.plot_model(model, to_file=None, show_shapes=True).svg[:4]
    '<svg'
    """
    reject_unknown(kwargs, _ARGUMENTS, "plot_model")
    path = None if to_file is None else Path(to_file)
    kind = _kind_of(path)
    show = _show(
        show_shapes=show_shapes,
        show_dtype=show_dtype,
        show_layer_names=show_layer_names,
        show_layer_activations=show_layer_activations,
        show_trainable=show_trainable,
        expand_nested=expand_nested,
    )
    _check(rankdir, splines, dpi, "plot_model")
    group = _named(group_of(model, show), show)
    picture = drawn(group, rankdir, splines)
    text = svg(picture)
    if path is not None and kind == "svg":
        path.write_text(text, encoding="utf-8")
    elif path is not None and kind in TEXTS:
        Dot(group, rankdir, dpi, splines).write(path)
    elif path is not None:
        raster.write(picture, path, kind, dpi)
    return ModelPicture(text, path)


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: float = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> Dot:
    """A model in the DOT language of Graphviz; arguments as for `plot_model`.

    Args:
        subgraph: Whether the text is that of a cluster inside of another graph.

    Returns:
        The graph: `str(dot)` is the text, `dot.write(path)` writes it, `dot.create(format="png")`
        lets Graphviz, if installed, draw it.

    >>> import minikeras as keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="last")])
    >>> print(str(keras.utils.model_to_dot(model)).partition(" [")[0])
    digraph model {
      graph
    """
    reject_unknown(kwargs, {*_ARGUMENTS, "subgraph"} - {"to_file"}, "model_to_dot")
    show = _show(
        show_shapes=show_shapes,
        show_dtype=show_dtype,
        show_layer_names=show_layer_names,
        show_layer_activations=show_layer_activations,
        show_trainable=show_trainable,
        expand_nested=expand_nested,
    )
    _check(rankdir, splines, dpi, "model_to_dot")
    subgraph = boolean(subgraph, "subgraph", "model_to_dot")
    return Dot(_named(group_of(model, show), show), rankdir, dpi, splines, subgraph)


_ARGUMENTS = (
    *("model", "to_file", "show_shapes", "show_dtype", "show_layer_names", "rankdir"),
    *("expand_nested", "dpi", "show_layer_activations", "show_trainable", "splines"),
)


def _show(**given: Any) -> Show:
    return Show(
        **{name.removeprefix("show_"): boolean(value, name) for name, value in given.items()}
    )


def _check(rankdir: Any, splines: Any, dpi: Any, owner: str) -> None:
    one_of(rankdir, DIRECTIONS, "rankdir", owner)
    one_of(splines, LINES, "splines", owner)
    if number(dpi, "dpi", owner) <= 0:
        raise ValueError(f"{owner}: `dpi` must be positive. Received: {dpi}.")


def _kind_of(path: Path | None) -> str:
    kind = "svg" if path is None else path.suffix.lower().removeprefix(".") or "png"
    if kind not in (*TEXTS, *raster.FORMATS):
        known = ", ".join(f".{ending}" for ending in (*TEXTS, *raster.FORMATS))
        raise ValueError(
            f"plot_model: `to_file` must end in one of {known}. Received: {str(path)!r}."
        )
    return kind


def _named(group: Group, show: Show) -> Group:
    """The group with names in its boxes only if they are to be shown."""
    if not show.layer_names:
        for box in group.leaves():
            box.name = ""
    return group
