"""The workloads that scikit-learn's networks can do."""

import importlib
import warnings
from typing import Any

from runner import Runner, Unsupported
from workloads import Dense, Workload


def runner(workload: Workload, samples: int | None) -> Runner:
    hidden = workload.layers[:-1]
    kinds = {part.activation for part in hidden if isinstance(part, Dense)}
    if not all(isinstance(part, Dense) for part in hidden) or len(kinds) != 1:
        raise Unsupported("scikit-learn's networks have only dense layers of one activation")
    network = importlib.import_module("sklearn.neural_network")
    warnings.simplefilter("ignore")  # it says after every epoch that it has not converged
    x, y = workload.data(samples)
    y = y.ravel() if y.ndim == 2 and y.shape[1] == 1 else y
    kind = network.MLPClassifier if workload.classes else network.MLPRegressor
    model = kind(
        hidden_layer_sizes=tuple(part.units for part in hidden if isinstance(part, Dense)),
        activation={"sigmoid": "logistic"}.get(kinds.pop(), "relu"),
        solver=workload.optimizer,
        learning_rate_init=0.1 if workload.optimizer == "sgd" else 0.001,
        momentum=0.0,
        batch_size=workload.batch,
        max_iter=1,
        warm_start=True,
    )

    def epoch() -> float:
        return float(model.fit(x, y).loss_)

    def one() -> Any:
        return model.predict(x[:1])

    return Runner(epoch, lambda rows=x: model.predict(rows), one, one)
