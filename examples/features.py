"""What do the units of a network look for? Weights, exciting images, and ascent on the input.

    python examples/features.py --plot

Three ways to ask a unit of a trained network:

* its weights as an image, which only says something about the first layer;
* the images of the data that activate it most: true, but is it the whole digit or a corner of it?
* gradient ascent: start with noise, and change the image, not the weights, so that the unit gets
  more and more active.

A unit is asked before its ReLU: behind it, one that is silent at the start has no slope to climb.
For a unit of the first layer the ascent ends where theory says: ink where the weight is positive,
paper elsewhere. Deeper in, it leads to images that excite the unit far more than any digit does,
and hardly look like one: the network was never asked what a digit is not. Asked for smooth images
(a penalty on differences of neighbours), the outputs show more of what they wait for.
`most_activating.py` asks the filters of a convolutional network.
"""

import math

import numpy as np
from common import compiled, digits, save, settings, show, subplots, table

import minikeras as keras
from minikeras import ops
from minikeras.layers import Dense

UNITS, MOST = 10, 5
LAYERS = ("first", "second", "output")
SMOOTH = 0.3


def train(options):
    """A classifier of the digits, and the model that tells what all of its layers say."""
    (x, y), test = digits()
    image = keras.Input((64,))
    small = keras.regularizers.L2(1e-3)  # else weights of the empty rim stay at random values
    first = Dense(64, name="first", kernel_regularizer=small)(image)
    second = Dense(32, name="second", kernel_regularizer=small)(ops.relu(first))
    output = Dense(10, name="output", kernel_regularizer=small)(ops.relu(second))
    model = compiled(
        keras.Model(image, output),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    model.fit(x, y, epochs=options.epochs, verbose=0)
    inside = {name: keras.Model(image, model.get_layer(name).output) for name in LAYERS}
    return model.evaluate(*test, verbose=0)[1], inside


def roughness(images):
    """Squared differences of neighbouring points of square images."""
    side = math.isqrt(math.prod(images.shape[1:]))
    grid = ops.reshape(images, (-1, side, side))
    across, down = grid[:, :, 1:] - grid[:, :, :-1], grid[:, 1:] - grid[:, :-1]
    return ops.sum(ops.square(across)) + ops.sum(ops.square(down))


def ascend(model, units, steps, smooth=0.0, rate=0.1, seed=0):
    """Images between paper and ink that excite the units, one for each, found from noise.

    The model takes images, as rows or with their height, width and channels, and says one number
    for each of its units.
    """
    rng = np.random.default_rng(seed)
    images = rng.uniform(0.3, 0.7, (len(units), *model.inputs[0].shape[1:])).astype("float32")
    places = np.eye(model.output_shape[-1], dtype="float32")[units]
    for step in range(steps):
        with keras.GradientTape() as tape:
            points = tape.watch(images)
            height = ops.sum(model(points) * places) - smooth * roughness(points)
        slope = tape.gradient(height, points)
        places_of_image = tuple(range(1, images.ndim))
        length = np.sqrt(np.square(slope).mean(axis=places_of_image, keepdims=True)) + 1e-8
        images = np.clip(images + rate * (1 - step / steps) * slope / length, 0, 1)
    return images


def of_units(model, images, units):
    """What each unit says of its own image."""
    return model.predict(images, verbose=0)[np.arange(len(units)), units]


def look(model, x, options):
    """The units that are used most, their most exciting images, and those found by ascent."""
    said = model.predict(x, verbose=0)
    units = np.sort(np.argsort(-said.std(axis=0))[:UNITS])
    best = np.argsort(-said[:, units], axis=0)[:MOST].T
    found = ascend(model, units, options.steps)
    smooth = ascend(model, units, options.steps, SMOOTH)
    return units, best, said[best[:, 0], units], found, smooth


def agreement(kernel, units, found):
    """Share of the points that are ink where the weight is positive and paper elsewhere."""
    return float(((kernel[:, units].T > 0) == (found > 0.5)).mean())


def plot(options, inside, x, seen):
    figure, axes = subplots(1, 3, size=(13, 4))
    for axis, name in zip(axes, LAYERS, strict=True):
        units, best, _, found, smooth = seen[name]
        rows = [*x[best.T], found, smooth]
        names = ["most\nexciting\nimages", *[""] * (MOST - 1), "ascent", "ascent,\nsmooth"]
        if name == "first":
            kernel = inside[name].layers[-1].kernel.numpy()[:, units].T
            rows.insert(0, 0.5 + kernel / (2 * np.abs(kernel).max()))
            names.insert(0, "weights")
        show(axis, np.concatenate(rows), UNITS, f"{UNITS} units of layer {name!r}", vmin=0, vmax=1)
        axis.set_yticks([9 * row + 3.5 for row in range(len(rows))], names)
        axis.set_xticks([9 * column + 3.5 for column in range(UNITS)], units)
        axis.tick_params(length=0)
    save(figure, options, "features")


def main(arguments=None):
    options = settings(
        __doc__,
        arguments,
        epochs=(30, "passes over the digits"),
        steps=(200, "steps of the ascent"),
    )
    (x, _), _ = digits()
    right, inside = train(options)
    print(f"Accuracy {right:.3f} on the test part; what units say, mean of {UNITS} of each layer:")
    seen = {name: look(model, x, options) for name, model in inside.items()}
    rows = []
    for name, (units, _, real, found, smooth) in seen.items():
        values = [real, *(of_units(inside[name], images, units) for images in (found, smooth))]
        rows.append([name, *(f"{value.mean():.1f}" for value in values)])
    table(["layer", "most exciting digit", "ascent", "ascent, smooth"], rows)
    units, _, _, found, _ = seen["first"]
    share = agreement(inside["first"].layers[-1].kernel.numpy(), units, found)
    print(f"First layer: {share:.1%} of the points are as the signs of the weights demand;")
    print("the others have hardly any weight.")
    taken = inside["output"].predict(seen["output"][3], verbose=0).argmax(axis=1)
    print("Images found for the ten outputs are taken for:", *taken)
    if options.plot:
        plot(options, inside, x, seen)
    return seen, share, taken


if __name__ == "__main__":
    main()
