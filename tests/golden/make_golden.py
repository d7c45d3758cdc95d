"""Copy the part of the Keras fixtures that the repository carries.

    python tests/golden/make_golden.py FIXTURES

FIXTURES is the folder `fixtures/keras315` of the reference data. Files are copied as they are, but
of `vectors/losses` and `vectors/metrics` only the cases of the classes below are kept, so that all
stays under 1 MB.
"""

import json
import shutil
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
WHOLE = ("info.json", "io.npz", "model.keras", "model.h5", "model.weights.h5")
TRAINED = ("train.npz", "resume.keras")
MODELS = {
    "mlp_softmax": WHOLE + TRAINED,
    "bn_train": ("info.json", "io.npz", "model.keras", "model.h5", *TRAINED),
    "autoencoder": ("info.json", "io.npz", "model.keras", *TRAINED),
    "mlp_act_branches": ("info.json", "io.npz", "model.keras"),
}
OPTIMIZERS = (
    *("sgd", "sgd__clipnorm", "sgd__weight_decay", "sgd__cosine"),
    *("sgd_momentum", "sgd_momentum__global_clipnorm", "sgd_nesterov", "sgd_nesterov__clipvalue"),
    *("adagrad", "adagrad__clipnorm", "adagrad__weight_decay", "adagrad__init_eps"),
    *("rmsprop", "rmsprop__clipvalue", "rmsprop_centered", "rmsprop_momentum"),
    *("adam", "adam__clipvalue", "adam__weight_decay", "adam__amsgrad"),
    *("adam__expdecay", "adam__piecewise_staircase"),
)
RESUMED = (
    *("rmsprop_momentum.resume.keras", "adam.resume.keras", "adam.resume.h5"),
    "adam__expdecay.resume.keras",
)
HISTORIES = ("plain", "val_split", "class_weight", "sample_weight")
VECTORS = ("activations", "schedules", "initializers", "regularizers", "constraints", "reg_con")
LOSSES = {
    "MeanSquaredError",
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "SparseCategoricalCrossentropy",
}
REDUCTIONS = {"sum_over_batch_size", "sum", "none"}
METRICS = LOSSES | {
    *("Mean", "Sum", "RootMeanSquaredError", "MeanAbsoluteError"),
    *("Accuracy", "BinaryAccuracy", "CategoricalAccuracy", "SparseCategoricalAccuracy"),
    *("TopKCategoricalAccuracy", "SparseTopKCategoricalAccuracy"),
}


def copy(source: Path, *parts: str) -> None:
    target = HERE.joinpath(*parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source.joinpath(*parts), target)


def keep(source: Path, kind: str, classes: set[str]) -> None:
    """The cases of these classes, with the arrays that they name."""
    folder = HERE / "vectors"
    folder.mkdir(exist_ok=True)
    cases = json.loads((source / "vectors" / f"{kind}.json").read_text())
    cases = [
        case
        for case in cases
        if case["cls"] in classes and case["kwargs"].get("reduction", "none") in REDUCTIONS
    ]
    named = {value for case in cases for value in case.values() if isinstance(value, str)}
    with np.load(source / "vectors" / f"{kind}.npz") as arrays:
        wanted = {
            name: arrays[name]
            for name in arrays
            if name in named or (kind == "metrics" and name.rpartition("_")[0] in named)
        }
    np.savez_compressed(folder / f"{kind}.npz", **wanted)
    (folder / f"{kind}.json").write_text(json.dumps(cases))


def main(source: Path) -> None:
    copy(source, "index.json")
    for name, files in MODELS.items():
        for file in files:
            copy(source, "models", name, file)
    copy(source, "optim", "base.keras")
    copy(source, "optim", "batches.npz")
    for name in OPTIMIZERS:
        copy(source, "optim", f"{name}.json")
        copy(source, "optim", f"{name}.npz")
    for file in RESUMED:
        copy(source, "optim", file)
    for name in HISTORIES:
        for kind in ("json", "npz", "keras"):
            copy(source, "fit", f"{name}.{kind}")
    for name in VECTORS:
        for kind in ("json", "npz"):
            if (source / "vectors" / f"{name}.{kind}").exists():
                copy(source, "vectors", f"{name}.{kind}")
    keep(source, "losses", LOSSES)
    keep(source, "metrics", METRICS)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
