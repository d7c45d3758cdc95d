"""1,797 real handwritten digits of 8x8 points, inside the package.

Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning
Repository, 1998, DOI 10.24432/C50P49 (its file ``optdigits.tes``: 13 writers). Licence: Creative
Commons Attribution 4.0 International (CC BY 4.0). Changed here: reshaped, shuffled, split in two.

The 32x32 bitmaps of the original were cut into 8x8 blocks of 4x4 points; a value is the number of
inked points in its block, 0 to 16. The split was drawn once and is stored: a fifth of each digit,
359 images, is the test part; both parts are shuffled and hold images of all writers.
"""

from pathlib import Path

import numpy as np

__all__ = ["load_data"]

FILE = Path(__file__).with_name("digits.npz")
Pair = tuple[np.ndarray, np.ndarray]


def load_data() -> tuple[Pair, Pair]:
    """The images and their labels, split into a training and a test part.

    Returns `(x_train, y_train), (x_test, y_test)`: images uint8 of shape (1438, 8, 8) and
    (359, 8, 8), values 0 (paper) to 16 (ink); labels uint8 of shape (1438,) and (359,), 0 to 9.

    >>> (x_train, y_train), (x_test, y_test) = load_data()
    >>> x_train.shape, x_test.shape, int(x_train.max())
    ((1438, 8, 8), (359, 8, 8), 16)
    """
    with np.load(FILE, allow_pickle=False) as arrays:
        return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])
