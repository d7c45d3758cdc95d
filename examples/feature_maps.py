"""What a convolutional network sees: its first kernels, and the maps of every layer.

    python examples/feature_maps.py --plot                       the embedded digits
    python examples/feature_maps.py --data FILE.npz --epochs 1 --plot     MNIST from a file of yours

A model from the same input to the outputs of several layers shares its layers with the trained one,
so it tells what each of them says of an image. The kernels of the first layer are small images
themselves: edges, lines and blobs that they look for. A map says where its kernel found something.
Deeper maps are smaller, and each of their points knows more of the image.

The same kernel looks at every place. So an image that is shifted has shifted maps, and that is why
a network needs to learn a stroke only once, wherever it stands.
"""

import numpy as np
from common import compiled, save, settings, show, subplots, table
from mnist_convnet import load, network

import minikeras as keras


def train(options):
    """A trained network and the test part of its data."""
    (x, y), test = load(options.data)
    model = compiled(network(x.shape[1]), keras.optimizers.Adam(0.002))
    model.fit(x, y, epochs=options.epochs, verbose=0)
    return model, test


def inside(model):
    """The model that gives the outputs of all layers with maps, and the names of those layers."""
    layers = [layer for layer in model.layers if len(layer.output.shape) == 4]
    return keras.Model(model.inputs, [layer.output for layer in layers]), [x.name for x in layers]


def seen_pixels(model, names):
    """Height of the square of the image that one point of each map depends on."""
    whole = model.input_shape[1]
    size, step, found = 1, 1, []
    for name in names:
        layer = model.get_layer(name)
        kernel = getattr(layer, "kernel_size", None) or layer.pool_size
        size += (kernel[0] - 1) * step
        step *= layer.strides[0]
        found.append(min(size, whole))
    return found


def shifted(images):
    """The images, one point further to the right."""
    return np.roll(images, 1, axis=2)


def follows(maps, moved):
    """Largest difference between shifted maps and maps of shifted images, away from the rim."""
    rim = maps[:, 2:-2, 2:-3] - moved[:, 2:-2, 3:-2]
    return float(np.abs(rim).max())


def columns(images):
    """Of a mosaic twice as wide as high."""
    return round((2 * len(images)) ** 0.5)


def plot(options, model, spy, names, image, label):
    kernels = np.moveaxis(np.asarray(model.layers[0].kernel)[:, :, 0], -1, 0)
    maps = dict(zip(names, spy.predict(image[None], verbose=0), strict=True))
    figure, axes = subplots(3, 2, size=(12, 9.5), width_ratios=(1, 1))
    show(axes[0, 0], image[None, :, :, 0], 1, f"An image of a {label}")
    size = np.abs(kernels).max()
    show(
        axes[0, 1],
        kernels,
        columns(kernels),
        "Kernels of the first layer (orange: negative)",
        "PuOr",
        vmin=-size,
        vmax=size,
    )
    for axis, (name, found) in zip(axes[1:].flat, maps.items(), strict=True):
        found = np.moveaxis(found[0], -1, 0)
        height, width = found.shape[1:]
        title = f"{name}: {len(found)} maps of {height} x {width}"
        show(axis, found, columns(found), title, "magma", vmin=0)
        axis.set_facecolor("0.7")
    save(figure, options, "feature_maps")


def plot_digits(options, spy, names, x, y):
    """The maps of six kernels of the first layer for one image of each digit."""
    chosen = [int(np.flatnonzero(y == digit)[0]) for digit in range(10)]
    maps = spy.predict(x[chosen], verbose=0)[0]
    liveliest = np.sort(np.argsort(-maps.std(axis=(0, 1, 2)))[:6])
    figure, axes = subplots(1, 7, size=(8, 9))
    show(axes[0], x[chosen][..., 0], 1, "images")
    for axis, number, found in zip(
        axes[1:], liveliest, np.moveaxis(maps[..., liveliest], -1, 0), strict=True
    ):
        show(axis, found, 1, f"map {number}", "magma", vmin=0)
    figure.suptitle(f"What six kernels of {names[0]!r} find in one image of each digit")
    save(figure, options, "feature_maps_digits")


def main(arguments=None):
    options = settings(
        __doc__,
        arguments,
        epochs=(12, "passes over the data; 1 is enough for MNIST"),
        data=("digits", "'digits', 'mnist', or a file of MNIST"),
    )
    model, (x, y) = train(options)
    spy, names = inside(model)
    some = x[:500]
    maps = spy.predict(some, verbose=0)
    moved = spy.predict(shifted(some), verbose=0)
    rows = []
    for name, found, size in zip(names, maps, seen_pixels(model, names), strict=True):
        shape = " x ".join(map(str, found.shape[1:]))
        never = int((found.max(axis=(0, 1, 2)) <= 0).sum())
        rows.append([name, shape, f"{size} x {size}", f"{(found <= 0).mean():.2f}", never])
    print(f"Accuracy {model.evaluate(x, y, verbose=0)[1]:.3f} on the test part; of 500 images:")
    table(["layer", "maps", "one point sees", "share of zeros", "maps always 0"], rows)
    difference = follows(maps[0], moved[0])
    print("Images one point further right: maps of the first layer one point further right, but")
    print(f"for the rim; largest difference {difference:.1e} (numbers up to {maps[0].max():.1f}).")
    if options.plot:
        plot(options, model, spy, names, x[0], y[0])
        plot_digits(options, spy, names, x, y)
    return maps, difference, dict(zip(names, seen_pixels(model, names), strict=True))


if __name__ == "__main__":
    main()
