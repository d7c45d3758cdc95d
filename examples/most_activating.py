"""What do the filters of a convolutional network look for? Patches of images, and ascent.

    python examples/most_activating.py --plot                    the embedded digits
    python examples/most_activating.py --data FILE.npz --epochs 1 --plot     MNIST, a file of yours

`features.py` asks the units of dense layers, which see the whole image. A filter sees a patch, the
same way at every place. So it is asked with patches:

* its weights: in the first layer they are an image of what it looks for;
* the patches of all images that excite it most, cut out where its map is highest;
* gradient ascent on the input, from noise: of the whole image, only the patch that the middle of
  the map sees can change the answer.

In the first layer all three agree: the best patch of given length is the kernel itself. In the
second, the patches found are corners, ends and arcs of strokes, 10 points wide. The outputs are
asked with whole images; those found by ascent excite them more than any digit and look like none,
unless smoothness is asked for, too.

A filter is asked before its ReLU: behind it, a silent one has no slope to climb.
"""

import numpy as np
from common import CLASSES, compiled, save, settings, show, subplots, table
from features import SMOOTH, ascend, of_units
from mnist_convnet import load

import minikeras as keras
from minikeras import ops
from minikeras.layers import Conv2D, Dense, Flatten, MaxPooling2D

FILTERS, MOST = 10, 6


def network(size):
    """The network, and its layers whose outputs are asked before their ReLU."""
    image = keras.Input((size, size, 1))
    first = Conv2D(16, 5, padding="same", name="first")(image)
    second = Conv2D(32, 3, padding="same", name="second")(MaxPooling2D(2)(ops.relu(first)))
    output = Dense(CLASSES, name="output")(Flatten()(MaxPooling2D(2)(ops.relu(second))))
    return keras.Model(image, output), {"first": first, "second": second, "output": output}


def train(options):
    """The images to learn from, the accuracy on the others, the model, and what is inside."""
    (x, y), test = load(options.data)
    model, inside = network(x.shape[1])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    compiled(model, keras.optimizers.Adam(0.002), loss)
    model.fit(x, y, epochs=options.epochs, verbose=0)
    models = {name: keras.Model(model.inputs, said) for name, said in inside.items()}
    return x, model.evaluate(*test, verbose=0)[1], models


def field(name):
    """Height of a patch, and how far apart the patches of neighbouring places of the map are."""
    return {"first": (5, 1), "second": (10, 2)}[name]


def patch(image, name, row, column):
    """What a place of the map sees of an image; zeros beyond its edges."""
    size, step = field(name)
    before = {"first": 2, "second": 4}[name]
    padded = np.pad(image[:, :, 0], size)
    top, left = (place * step - before + size for place in (row, column))
    return padded[top : top + size, left : left + size]


def exciting(x, said, name, units):
    """For each filter the patches of the images that excite it most; one of each image."""
    found = []
    for unit in units:
        maps = said[..., unit].reshape(len(said), -1)
        best = np.argsort(-maps.max(axis=1))[:MOST]
        places = [np.unravel_index(maps[i].argmax(), said.shape[1:3]) for i in best]
        found.append([patch(x[i], name, *place) for i, place in zip(best, places, strict=True)])
    return np.array(found)


def middle(model):
    """The model that says what all filters find in the middle of the image."""
    maps = model.output
    return keras.Model(model.inputs, maps[:, maps.shape[1] // 2, maps.shape[2] // 2])


def liveliest(said):
    """The filters whose maps vary most."""
    return np.sort(np.argsort(-said.std(axis=(0, 1, 2)))[:FILTERS])


def look(x, model, name, options):
    """Filters, their exciting patches, and patches by ascent, also smooth; heights of each."""
    said = model.predict(x, verbose=0)
    units = liveliest(said)
    ask, place = middle(model), said.shape[1] // 2
    images = [ascend(ask, units, options.steps, smooth) for smooth in (0.0, SMOOTH)]
    ascents = [np.array([patch(i, name, place, place) for i in found]) for found in images]
    real = said[..., units].max(axis=(0, 1, 2))
    heights = [real, *(of_units(ask, found, units) for found in images)]
    return units, exciting(x, said, name, units), *ascents, heights


def look_at_outputs(x, model, options):
    """The same for the outputs, with whole images."""
    said = model.predict(x, verbose=0)
    units = np.arange(CLASSES)
    best = x[np.argsort(-said, axis=0)[:MOST].T][..., 0]
    images = [ascend(model, units, options.steps, smooth) for smooth in (0.0, SMOOTH)]
    heights = [said.max(axis=0), *(of_units(model, found, units) for found in images)]
    return units, best, *(found[..., 0] for found in images), heights


def likeness(kernels, patches):
    """Correlation of each kernel with its patch."""
    pairs = zip(kernels, patches, strict=True)
    return np.array([np.corrcoef(k.ravel(), p.ravel())[0, 1] for k, p in pairs])


def plot(options, kernels, seen):
    figure, axes = subplots(1, 3, size=(14, 4.3))
    for axis, (name, (units, best, found, smooth, _)) in zip(axes, seen.items(), strict=True):
        rows = [*np.moveaxis(best, 1, 0), found, smooth]
        names = ["most\nexciting", *[""] * (MOST - 1), "ascent", "smooth"]
        if name == "first":
            rows.insert(0, 0.5 + kernels / (2 * np.abs(kernels).max()))
            names.insert(0, "weights")
        what = "units" if name == "output" else "filters"
        show(axis, np.concatenate(rows), len(units), f"{what} of layer {name!r}", vmin=0, vmax=1)
        side = found.shape[1] + 1
        axis.set_yticks([side * (row + 0.5) - 1 for row in range(len(rows))], names)
        axis.set_xticks([side * (column + 0.5) - 1 for column in range(len(units))], units)
        axis.tick_params(length=0)
        axis.set_facecolor("#9fb8d0")
    save(figure, options, "most_activating")


def main(arguments=None):
    options = settings(
        __doc__,
        arguments,
        epochs=(12, "passes over the data; 1 is enough for MNIST"),
        steps=(150, "steps of the ascent"),
        images=(2000, "images that are looked through for exciting patches"),
        data=("digits", "'digits', 'mnist', or a file of MNIST"),
    )
    x, right, models = train(options)
    x = x[: options.images]
    seen = {name: look(x, models[name], name, options) for name in ("first", "second")}
    seen["output"] = look_at_outputs(x, models["output"], options)
    print(f"Accuracy {right:.3f} on the test part; what filters and units say, their mean:")
    rows = []
    for name, (*_, heights) in seen.items():
        rows.append([name, *(f"{height.mean():.1f}" for height in heights)])
    table(["layer", "most exciting patch", "ascent", "ascent, smooth"], rows)
    units, best, found, *_ = seen["first"]
    weights = models["first"].layers[-1].kernel.numpy()
    kernels = np.moveaxis(weights[:, :, 0, units], -1, 0)
    alike = [likeness(kernels, patches).mean() for patches in (best[:, 0], found)]
    print("First layer, correlation of kernels with the most exciting patch and with that found by")
    print(f"ascent: {alike[0]:.2f} and {alike[1]:.2f}.")
    if options.plot:
        plot(options, kernels, seen)
    return seen, alike


if __name__ == "__main__":
    main()
