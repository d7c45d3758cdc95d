"""What the callbacks that draw share: axes of matplotlib, which is optional."""

from typing import Any

__all__ = ["new_axes"]


def new_axes(count: int = 1) -> list[Any]:
    """Axes of a new figure, one below the other.

    Raises:
        ImportError: matplotlib is not installed.
    """
    try:
        from matplotlib import pyplot
    except ImportError:
        raise ImportError(
            'Drawing needs matplotlib. Install it with: pip install "minikeras[plot]".'
        ) from None
    figure, axes = pyplot.subplots(
        count, 1, figsize=(6.4, max(4.0, 2.6 * count)), squeeze=False, layout="constrained"
    )
    return list(axes[:, 0])
