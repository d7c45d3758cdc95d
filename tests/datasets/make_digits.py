"""Write minikeras/datasets/digits.npz from scikit-learn's copy of the UCI digits.

    python tests/datasets/make_digits.py OUTPUT.npz

Needs scikit-learn. The same 1,797 rows are the file ``optdigits.tes`` at the UCI Machine Learning
Repository (DOI 10.24432/C50P49). The split is drawn once, here, so that it depends on no random
generator later: of each digit a fifth goes to the test part, and both parts are shuffled, because
the rows come writer by writer and the last rows of the file would be other hands than the first.
"""

import sys

import numpy as np

TEST_SHARE = 0.2
SEED = 0


def split(labels: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Shuffled row numbers of the training part and of the test part."""
    train, test = [], []
    for digit in range(10):
        rows = rng.permutation(np.flatnonzero(labels == digit))
        size = round(TEST_SHARE * len(rows))
        test.append(rows[:size])
        train.append(rows[size:])
    return rng.permutation(np.concatenate(train)), rng.permutation(np.concatenate(test))


def main(path: str) -> None:
    from sklearn.datasets import load_digits

    digits = load_digits()
    images, labels = digits.images.astype("uint8"), digits.target.astype("uint8")
    train, test = split(labels, np.random.default_rng(SEED))
    np.savez_compressed(
        path,
        x_train=images[train],
        y_train=labels[train],
        x_test=images[test],
        y_test=labels[test],
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
