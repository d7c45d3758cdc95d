"""Pictures of models: what they show, that nothing lies upon anything, and the arguments."""

import itertools
import math
import random
import sys
import xml.etree.ElementTree as ElementTree

import pytest

import minikeras as keras
from minikeras import layers, ops
from minikeras.utils import model_to_dot, plot_model
from minikeras.visualization.boxes import Box, Edge, Group, Port, Show, group_of
from minikeras.visualization.drawing import DIRECTIONS, _arranged
from minikeras.visualization.layered import Link, Spot, arrange
from minikeras.visualization.marks import text_width
from minikeras.visualization.tracks import Run, tracks_of

SVG = "{http://www.w3.org/2000/svg}"
EVERYTHING = {
    "show_shapes": True,
    "show_dtype": True,
    "show_layer_names": True,
    "show_layer_activations": True,
    "show_trainable": True,
    "expand_nested": True,
}


def residual():
    x = entrance = keras.Input((16,), name="entrance")
    x = layers.Dense(8, "relu")(x)
    for _ in range(2):
        y = layers.Dense(8)(layers.Dropout(0.2)(layers.Dense(8, "relu")(x)))
        x = layers.Activation("relu")(layers.Add()([x, y]))
    return keras.Model(entrance, layers.Dense(3, "softmax", name="exit")(x), name="residual")


def two_by_two():
    title, tags = keras.Input((4,), name="title"), keras.Input((2,), name="tags")
    x = layers.concatenate([layers.Dense(5, "relu", name="read")(title), tags], name="both")
    size = layers.Dense(1, name="size")(x)
    kind = layers.Dense(3, "softmax", name="kind")(x)
    return keras.Model({"title": title, "tags": tags}, {"size": size, "kind": kind})


def nested():
    x = keras.Input((8,), name="seen")
    hidden = layers.Dense(4, "tanh", name="hidden")(x)
    parts = [layers.Dense(2, name="mean")(hidden), layers.Dense(2, name="spread")(hidden)]
    encoder = keras.Model(x, parts, name="encoder")
    encoder.trainable = False
    decoder = keras.Sequential(
        [keras.Input((2,)), layers.Dense(4, "tanh", name="wide"), layers.Dense(8, name="back")],
        name="decoder",
    )
    y = keras.Input((8,), name="outer")
    mean, spread = encoder(y)
    return keras.Model(y, decoder(mean + ops.exp(spread)), name="autoencoder")


def shared():
    a, b = keras.Input((6,)), keras.Input((6,))
    encode = layers.Dense(6, name="encode")
    difference = layers.Subtract(name="difference")([encode(a), encode(b)])
    return keras.Model([a, b], layers.Dense(1)(encode(encode(difference))))


def inception():
    x = entrance = keras.Input((16,))
    for _ in range(2):
        ways = [
            layers.Dense(4)(x),
            layers.Dense(4)(layers.Dense(3)(x)),
            layers.Dense(4)(layers.Dense(5)(layers.Dense(3)(x))),
            layers.Dense(2)(layers.Dropout(0.1)(x)),
        ]
        x = layers.Concatenate()(ways)
    return keras.Model(entrance, layers.Dense(3)(x))


def stack():
    return keras.Sequential(
        [keras.Input((4,)), layers.Dense(3, "relu", name="first"), layers.Dense(2, name="last")],
        name="stack",
    )


def deep():
    """Models in models in models, one of them called twice."""
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(4, name="core")], name="inner")
    x = keras.Input((4,))
    middle = keras.Model(x, inner(x) + x, name="middle")
    y = keras.Input((4,))
    return keras.Model(y, [middle(middle(y)), inner(y)], name="outside")


MODELS = [residual, two_by_two, nested, shared, inception, stack, deep]


def area_of(model, direction="TB", lines="ortho", **show):
    group = group_of(model, Show(True, True, True, True, True, True)._replace(**show))
    return _arranged(group, direction, lines, 0, set())


def points_along(steps):
    """Points on a path, at most a pixel or two apart, without its ends."""
    points, here = [], steps[0][1]
    for _, *controls in steps[1:]:
        line = [here, *controls]
        count = int(sum(math.dist(a, b) for a, b in itertools.pairwise(line))) + 2
        for k in range(1, count):
            left, t = line, k / count
            while len(left) > 1:  # de Casteljau
                left = [
                    (a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1]))
                    for a, b in itertools.pairwise(left)
                ]
            points.append(left[0])
        here = line[-1]
        points.append(here)
    return points[:-1]


def inside(point, box, by=1.0):
    _, (u, v), (width, height) = box
    return u + by < point[0] < u + width - by and v + by < point[1] < v + height - by


def overlap(one, other):
    (_, (u, v), (width, height)), (_, (x, y), (w, h)) = one, other
    return u + 1 < x + w and x + 1 < u + width and v + 1 < y + h and y + 1 < v + height


def check_free(area, curves=False):
    """No box upon another, none outside of the paper, and no line through a box."""
    for one, other in itertools.combinations(area.boxes, 2):
        assert not overlap(one, other)
    for _, (u, v), (width, height) in area.boxes:
        assert u >= -1e-6
        assert v >= -1e-6
        assert u + width <= area.size[0] + 1e-6
        assert v + height <= area.size[1] + 1e-6
    for steps, _ in area.lines:
        for point in points_along(steps):
            assert not any(inside(point, box) for box in area.boxes)


@pytest.mark.parametrize("lines", ["ortho", "spline", "polyline"])
@pytest.mark.parametrize("direction", ["TB", "LR"])
@pytest.mark.parametrize("make", MODELS, ids=lambda f: f.__name__)
def test_boxes_are_apart_and_lines_go_around_them(make, direction, lines):
    check_free(area_of(make(), direction, lines))


@pytest.mark.parametrize("seed", range(8))
def test_random_graphs_are_drawn_without_overlaps(seed):
    pick = random.Random(seed)
    boxes = [Box("x" * pick.randint(1, 20), "", "layer") for _ in range(14)]
    group = Group("random", list(boxes))
    for k in range(1, len(boxes)):
        for source in {pick.randrange(k) for _ in range(pick.randint(1, 3))}:
            group.edges.append(Edge(Port(boxes[source]), Port(boxes[k])))
    for lines in ("ortho", "curved", "polyline"):
        check_free(_arranged(group, "TB", lines, 0, set()))


def test_the_main_way_of_a_residual_network_is_straight():
    area = area_of(residual())
    middles = {round(u + width / 2, 3) for box, (u, _), (width, _) in area.boxes}
    assert len(middles) == 1


def test_edges_that_need_not_cross_do_not():
    spots = [Spot(60, 20) for _ in range(6)]
    links = [Link(spots[a], spots[b]) for a, b in [(0, 5), (1, 4), (2, 3)]]
    ranks = arrange(spots, links).ranks
    places = [(ranks[0].index(k.source), ranks[1].index(k.target)) for k in links]
    assert all(a == b for a, b in places)


def test_a_layer_called_on_its_own_result_has_a_loop():
    group = group_of(shared(), Show())
    assert any(a is b for a, b in group.connections())
    check_free(area_of(shared()))


def test_cross_lines_that_would_lie_upon_each_other_have_tracks_of_their_own():
    runs = [Run(0, 100, "a", "x"), Run(50, 150, "b", "y"), Run(200, 210, "c", "z")]
    assert tracks_of(runs) == 2
    assert runs[0].track != runs[1].track
    assert runs[2].track == 0


def test_cross_lines_from_one_box_share_a_track():
    runs = [Run(0, 100, "a", "x"), Run(0, 150, "a", "y")]
    assert tracks_of(runs) == 1


# --- what is shown ---


def words(picture):
    root = ElementTree.fromstring(picture.svg)
    return [text.text for text in root.iter(f"{SVG}text")]


def test_boxes_tell_classes_only_unless_more_is_asked_for():
    assert words(plot_model(stack(), None)) == ["Dense", "Dense"]


def test_names_shapes_dtypes_activations_and_training_are_told():
    found = words(plot_model(nested(), None, **EVERYTHING))
    for expected in ("hidden", "(Dense)", "(None, 8)", "(None, 4)", "float32", "tanh", "encoder"):
        assert expected in found
    assert found.count("Non-trainable") == 3
    assert found.count("Trainable") == 2


def test_several_inputs_are_told_as_they_are_given():
    assert "[(None, 5), (None, 2)]" in words(plot_model(two_by_two(), None, show_shapes=True))


def test_a_functional_model_shows_its_inputs_and_a_stack_its_layers():
    assert words(plot_model(two_by_two(), None, show_layer_names=True)).count("(InputLayer)") == 2
    assert len(list(group_of(stack(), Show()).leaves())) == 2


def test_nested_models_are_one_box_unless_expanded():
    assert "Functional" in words(plot_model(nested(), None))
    found = words(plot_model(nested(), None, expand_nested=True))
    assert "Functional" not in found
    assert {"encoder", "decoder"} <= set(found)


def pairs(model, **show):
    group = group_of(model, Show(layer_names=True, **show))
    return {(a.name, b.name) for a, b in group.connections()}


def test_edges_into_nested_models_end_at_the_layers_inside():
    found = pairs(nested(), expand_nested=True)
    assert {("outer", "seen"), ("seen", "hidden"), ("spread", "exp"), ("wide", "back")} <= found
    assert ("add", "wide") in found or any(b == "wide" for _, b in found)


def test_edges_of_a_residual_network_are_those_of_its_calls():
    model = residual()
    expected = set()
    for layer in model.layers:
        for source in model.connections_of(layer):
            expected.add((source.partition("[")[0], layer.name))
    assert pairs(model) == expected


def test_an_inner_model_called_twice_is_drawn_once():
    found = pairs(deep(), expand_nested=True)
    assert sum(1 for _, target in found if target == "core") >= 2
    boxes = [box.name for box in group_of(deep(), Show(expand_nested=True)).leaves()]
    assert boxes.count("core") == 2  # in the middle model, and where it is called itself


def test_texts_fit_into_their_boxes():
    for box, _, (width, _) in area_of(two_by_two()).boxes:
        assert text_width(f"{box.name}({box.title})", 13) < width


def test_directions_put_the_input_where_they_say():
    at = {}
    for direction in DIRECTIONS:
        root = ElementTree.fromstring(
            plot_model(stack(), None, rankdir=direction, show_layer_names=True).svg
        )
        for text in root.iter(f"{SVG}text"):
            at[direction, text.text] = float(text.get("x")), float(text.get("y"))
    assert at["TB", "first"][1] < at["TB", "last"][1]
    assert at["BT", "first"][1] > at["BT", "last"][1]
    assert at["LR", "first"][0] < at["LR", "last"][0]
    assert at["RL", "first"][0] > at["RL", "last"][0]


def test_lines_differ_by_style():
    drawn = {
        style: plot_model(inception(), None, splines=style).svg
        for style in ("ortho", "curved", "polyline", "line")
    }
    assert len(set(drawn.values())) == 4
    assert " Q " in drawn["ortho"]
    assert " C " in drawn["curved"]


def test_names_are_escaped():
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1, name="a<b & c")])
    assert "a<b & c" in words(plot_model(model, None, show_layer_names=True))
    assert "a&lt;b &amp; c" in str(model_to_dot(model))


# --- files ---


def test_svg_needs_nothing_installed(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    picture = plot_model(stack(), tmp_path / "model.svg")
    assert (tmp_path / "model.svg").read_text() == picture.svg == picture._repr_svg_()
    assert picture.path == tmp_path / "model.svg"


def test_without_matplotlib_a_png_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r'minikeras\[plot\]".*\.svg'):
        plot_model(stack(), tmp_path / "model.png")


@pytest.mark.parametrize(
    ("name", "start"),
    [("m.png", b"\x89PNG"), ("m", b"\x89PNG"), ("m.pdf", b"%PDF"), ("m.dot", b"digraph")],
)
def test_the_ending_says_what_is_written(tmp_path, name, start):
    plot_model(nested(), tmp_path / name, dpi=50, **EVERYTHING)
    assert (tmp_path / name).read_bytes().startswith(start)


def test_dpi_is_the_size_of_pixel_pictures(tmp_path):
    from PIL import Image

    sizes = []
    for dpi in (72, 144):
        plot_model(stack(), tmp_path / "m.png", dpi=dpi)
        with Image.open(tmp_path / "m.png") as image:
            sizes.append(image.size)
    assert sizes[1][0] == pytest.approx(2 * sizes[0][0], abs=2)


def test_settings_of_matplotlib_do_not_matter(tmp_path):
    import matplotlib

    with matplotlib.rc_context({"figure.constrained_layout.use": True}):
        plot_model(stack(), tmp_path / "m.png", dpi=50)


def test_a_picture_with_too_many_pixels_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"more than 65535 on a side. Received: dpi=100000"):
        plot_model(stack(), tmp_path / "m.png", dpi=100_000)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"to_file": "m.xyz"}, r"must end in one of .svg, .*Received: 'm.xyz'"),
        ({"rankdir": "XY"}, r"`rankdir` must be one of 'TB', 'BT', 'LR', 'RL'.*Received: 'XY'"),
        ({"splines": "orto"}, r"Did you mean 'ortho'\?"),
        ({"dpi": 0}, r"`dpi` must be positive. Received: 0"),
        ({"show_shapes": "yes"}, r"`show_shapes` must be True or False"),
    ],
)
def test_arguments_are_checked_first(arguments, message):
    with pytest.raises(ValueError, match=message):
        plot_model(stack(), **{"to_file": None, **arguments})


def test_unknown_arguments_are_refused():
    with pytest.raises(TypeError, match="Did you mean 'show_shapes'"):
        plot_model(stack(), None, show_shape=True)


def test_models_without_a_graph_are_refused():
    class Own(keras.Model):
        def call(self, x):
            return x

    with pytest.raises(ValueError, match=r"Own 'own.*no graph to draw. Draw a functional model"):
        plot_model(Own(), None)
    with pytest.raises(ValueError, match="not built, so its shapes are not known"):
        plot_model(keras.Sequential([layers.Dense(2)]), None)
    with pytest.raises(ValueError, match="Only models can be drawn. Received: 3"):
        plot_model(3, None)


# --- DOT ---


def test_dot_text_holds_every_box_edge_and_cluster(tmp_path):
    dot = model_to_dot(nested(), expand_nested=True, show_shapes=True, rankdir="LR")
    text = str(dot)
    assert text.startswith("digraph model {")
    assert "rankdir=LR" in text
    assert text.count("subgraph cluster_") == 2
    assert text.count(" -> ") == 9
    assert text.count("{") == text.count("}")
    assert dot.write(tmp_path / "m.dot")
    assert (tmp_path / "m.dot").read_text() == text
    assert dot._repr_svg_().startswith("<svg")


def test_a_subgraph_is_a_cluster():
    assert str(model_to_dot(stack(), subgraph=True)).startswith("subgraph cluster_0 {")


def test_without_graphviz_create_says_so(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ImportError, match="Graphviz is needed"):
        model_to_dot(stack()).create()
