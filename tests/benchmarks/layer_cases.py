"""Single layers of unusual shapes, as Keras and PyTorch name them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """A convolution layer with a bias, and the images that it gets."""

    images: int
    sizes: tuple[int, ...]
    channels: int
    filters: int
    kernel: int = 3
    kind: str = "conv"  # or depthwise, separable, transpose
    stride: int = 1
    dilation: int = 1
    groups: int = 1
    same: bool = True
    channels_first: bool = False

    @property
    def rank(self) -> int:
        return len(self.sizes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the images, in the order that the case asks for."""
        if self.channels_first:
            return (self.images, self.channels, *self.sizes)
        return (self.images, *self.sizes, self.channels)


def _image(channels: int, filters: int, **more: object) -> Case:
    return Case(32, (28, 28), channels, filters, **more)  # type: ignore[arg-type]


CASES: dict[str, Case] = {
    "batch 1": Case(1, (32, 32), 32, 32),
    "batch 7": Case(7, (32, 32), 32, 32),
    "batch 50": Case(50, (32, 32), 32, 32),
    "channels 1": _image(1, 32),
    "channels 3": _image(3, 32),
    "channels 5, 17 filters": _image(5, 17),
    "channels 17, 5 filters": _image(17, 5),
    "channels 100, 100 filters": _image(100, 100),
    "kernel 5x5": _image(32, 32, kernel=5),
    "kernel 7x7, stride 2": Case(16, (64, 64), 3, 64, kernel=7, stride=2, same=False),
    "kernel 1x1": _image(64, 128, kernel=1),
    "groups 4": _image(64, 64, groups=4),
    "depthwise": _image(64, 64, kind="depthwise"),
    "separable": _image(64, 64, kind="separable"),
    "transposed, stride 2": Case(32, (14, 14), 64, 32, kind="transpose", stride=2),
    "dilation 2": _image(32, 32, dilation=2),
    "3-D": Case(8, (16, 16, 16), 8, 16),
    "channels_first": _image(32, 32, channels_first=True),
}
