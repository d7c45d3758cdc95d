"""What `fit`, `evaluate` and `predict` draw batches from, whatever the user passed."""

from collections.abc import Iterator
from typing import Any

__all__ = ["Source"]


class Source:
    """Batches, pass after pass; the seam between kinds of data and the loops of training.

    A pass goes once over the data. `open` gives the *places* of its batches: what the feeder that
    belongs to this kind of source needs in order to run a step on one batch.

    Attributes:
        num_batches: Batches of a pass; None as long as nobody knows.
        num_samples: Samples of a pass, or None.
        batch_size: Samples of a full batch, or None where they come as they come.
        seed: What the order of the data is derived from, together with the number of the pass;
            None where nothing is shuffled.
        exact: Whether a pass always has `num_batches` batches.
        once: Whether there is one pass only, whose batches are gone when they are drawn.
        endless: Whether a pass is known never to end.
        advice: What to do when the data run out.
    """

    num_batches: Any = None
    num_samples: Any = None
    batch_size: Any = None
    seed: Any = None
    exact = True
    once = False
    endless = False
    advice = "Pass more data, or fewer steps."

    def open(self, number: int, start: int = 0, stop: int | None = None) -> Iterator[Any]:
        """The places of the batches `start` to `stop` (all, if None) of pass `number`."""
        raise NotImplementedError

    def example(self) -> tuple[Any, Any, Any]:
        """`(x, y, sample_weight)` of one batch, to build a model for and to check."""
        raise NotImplementedError

    def has_more(self, position: int = 0) -> bool:
        """Whether there are batches from this one on; always so where passes can begin anew."""
        return True

    def close(self) -> None:
        """End what works in the background."""
