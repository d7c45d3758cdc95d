"""Single layers: the cases are what they say, and rows and tables follow from the answers."""

import sys

import pytest


class FakeWorker:
    def __init__(self, ms, shape=(1, 2), refuses=False):
        self.ms, self.shape, self.refuses, self.asked = iter(ms), shape, refuses, []

    def ask(self, question):
        self.asked.append(question)
        if self.refuses:
            return {"unsupported": "ValueError: no"}
        return {"ms": [next(self.ms)], "shape": list(self.shape)}


def test_every_case_runs_here_and_gives_the_same_shape_as_the_layer_says(script):
    import minikeras

    small = ("batch 1", "depthwise", "transposed, stride 2", "kernel 7x7, stride 2")
    for name in small:
        case = script.layer_cases.CASES[name]
        found = script.layer_peers.minikeras(case)
        layer = script.layer_peers.keras_layer(minikeras, case)
        assert found.shape == layer.compute_output_shape(case.shape)
        found.forward()
        found.both()


def test_turns_are_taken_in_turn_and_the_first_one_compiles(script, capsys):
    workers = {
        "minikeras": FakeWorker([9.0, 1.0, 2.0]),
        "torch": FakeWorker([9.0, 4.0, 3.0]),
        "keras-tf": FakeWorker([], refuses=True),
    }
    found = script.odd_shapes.measure(workers, "batch 1", "both", rounds=2, seconds=0.1)
    assert workers["torch"].asked == ["0.1 both batch 1"] * 3
    assert len(workers["keras-tf"].asked) == 1
    assert "keras-tf not measured: ValueError: no" in capsys.readouterr().out
    assert found["minikeras"] == {"median_ms": 2.0, "min_ms": 1.0}
    row = script.odd_shapes.rows("batch 1", "both", found)[0]
    assert (row["peer"], row["counts"], row["kind"]) == ("torch", 2.0, "forward and backward")


def test_outputs_of_different_shapes_are_an_error(script):
    workers = {"minikeras": FakeWorker([1.0] * 2), "torch": FakeWorker([1.0] * 2, shape=(3,))}
    with pytest.raises(ValueError, match="one shape"):
        script.odd_shapes.measure(workers, "batch 1", "forward", rounds=1, seconds=0)


def test_the_table_has_a_line_for_each_layer_and_names_the_best_peer(script, tmp_path):
    path = tmp_path / "results.json"
    for peer, kind, theirs in (
        ("torch", "forward", 3.0),
        ("torch-cl", "forward", 1.5),
        ("torch", "forward and backward", 0.5),
    ):
        ours = {"median_ms": 1.0, "min_ms": 0.5}
        other = {"median_ms": theirs, "min_ms": theirs}
        row = {"case": "groups 4", "kind": kind, "peer": peer, "ours": ours, "theirs": other}
        row |= script.compare.ratios(ours, other) | {"threads": 2, "isa": "native"}
        script.report.add(path, "odd shapes", row)
    assert script.tables.odd_shapes_table(path).splitlines()[2] == (
        "| groups 4 | 1.50 x (1 ms; PyTorch, channels_last 1.5) | 0.50 x (1 ms; PyTorch 0.5) |"
    )


def test_a_worker_answers_for_cases_by_name(script):
    with script.odd_shapes.start("minikeras", sys.executable, 1, "native") as worker:
        answer = worker.ask("0 forward batch 1")
        assert answer["shape"] == [1, 32, 32, 32]
        assert len(answer["ms"]) == 10
        assert "KeyError" in worker.ask("0 forward no such case")["unsupported"]


def test_shares_are_of_the_convolutions_of_the_workloads(script):
    layers = dict(script.conv_share.layers())
    assert len(layers) == 10
    assert list(layers)[:2] == ["cnn_mnist 28x28x1 -> 32", "cnn_mnist 13x13x32 -> 64"]
    assert layers["cnn_cifar 8x8x128 -> 128"].images == 64
    made = script.conv_share.programs(layers["conv1d 200x16 -> 64"])
    assert list(made) == ["forward", "gradient of the weights"]
    assert made["forward"][1] == 2 * (64 * 196 * 64) * 5 * 16
    for program, _ in made.values():
        program.run()
