"""The benchmark runner reads its arguments, takes turns, and writes the tables of README."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.conftest import Script


class FakeWorker:
    """Answers as a worker would, at a given speed, and notes when it was asked."""

    def __init__(self, ms: list[float], diary: list[str], name: str):
        self.ms, self.diary, self.name = ms, diary, name

    def ask(self, question: str) -> dict:
        self.diary.append(self.name)
        if question == "usage":
            return {"peak_mb": 100.0, "grown_mb": 10.0}
        return {"ms": [self.ms[0], self.ms[1]], "cpu_ms": 2 * self.ms[0], "loss": 0.5}


def pair(script: Script, workload: str, peer: str, ratio: float, threads=2, isa="native") -> dict:
    diary: list[str] = []
    ours, theirs = FakeWorker([1.0, 2.0], diary, "a"), FakeWorker([ratio, 2.5 * ratio], diary, "b")
    workers = {"minikeras": ours, peer: theirs}
    [result] = script.compare.compare(workers, "train 0.1", 10)
    assert diary == ["a", "b"] * 11
    return {"workload": workload, "threads": threads, "isa": isa} | result


def test_epochs_are_timed_in_turn_and_the_lower_ratio_counts(script):
    row = pair(script, "mlp_seed", "torch", 3.0)
    assert row["ratio_min"] == 3.0
    assert row["ratio_median"] == pytest.approx(5.25 / 1.5)
    assert row["counts"] == 3.0
    assert row["ours"]["turns"] == 20


def test_direct_convolutions_are_compared_with_the_peers_not_with_ours(script):
    ms = {"minikeras": 1.0, "minikeras-direct": 2.0, "torch": 4.0}
    workers = {name: FakeWorker([each, each], [], name) for name, each in ms.items()}
    rows = script.compare.compare(workers, "train 0.1", 2)
    assert [(row["way"], row["peer"], row["counts"]) for row in rows] == [
        ("", "torch", 4.0),
        (" (direct)", "torch", 2.0),
    ]


def test_the_table_names_the_peer_that_we_are_least_ahead_of(script, tmp_path):
    path = tmp_path / "results.json"
    for row in (
        pair(script, "mlp_seed", "torch", 3.0),
        pair(script, "mlp_seed", "keras-jax", 1.5),
        pair(script, "mlp_seed", "keras-jax", 1.25),
        pair(script, "mlp_seed", "torch", 2.0, isa="avx2"),
        pair(script, "mlp_seed", "keras-jax-16", 1.1),
    ):
        script.report.add(path, "pairs", row)
    assert len(json.loads(path.read_text())["pairs"]) == 4
    lines = script.tables.pairs_table(path).splitlines()
    assert lines[2] == (
        "| mlp_seed | 1.25 x (1.5 ms; Keras-JAX 2.19) | - | 2.00 x (1.5 ms; PyTorch 3.5) |"
    )
    assert lines[3].startswith("| mlp_seed (16 steps a call) | 1.10 x")


def add_measure(script: Script, path, measure: str, case: str, value: float, **more) -> None:
    row = {"measure": measure, "case": case, "value": value, "text": f"{value} s"}
    script.report.add(path, "measures", row | {"threads": 1, "isa": "avx2"} | more)


def test_readme_shows_few_of_the_results_and_the_page_all(script, tmp_path):
    path = tmp_path / "results.json"
    script.report.add(path, "pairs", pair(script, "mlp_tiny", "sklearn", 4.0))
    script.report.add(path, "pairs", pair(script, "mlp_tiny", "torch", 5.0))
    script.report.add(path, "predictions", pair(script, "lstm", "onnxruntime", 2.0))
    for layout, share in (("A B", 0.9), ("A B'", 0.8)):
        add_measure(script, path, "gemm", f"8 x 8 x 8, {layout}", share)
    add_measure(script, path, "first fit", "lstm", 7.5, detail="gemm 2.0, lstm 3.0")
    add_measure(script, path, "busy", "beside a busy process", 1.5)
    few, whole = script.tables.section(path), script.tables.page(path)
    for text in (few, whole):
        assert script.report.cpu_name() in text
        assert "| mlp_tiny | 4.00 x" in text
        assert "| first fit | lstm | 7.5 s |" in text
    assert "busy" not in few
    assert "gemm" not in few
    for line in (
        "| mlp_tiny | 5.00 x | 4.00 x |",
        "| mlp_tiny | 10 MB | 10 MB (scikit-learn) | 1.00 x |",
        "| lstm | 2.00 x (1.5 ms; onnxruntime 3.5) | - | - |",
        "| 8 x 8 x 8 | 1, AVX2 forced | A B 90%, A B' 80% |",
        "| busy | beside a busy process | 1.5 s |",
        "* first fit, lstm: gemm 2.0, lstm 3.0.",
    ):
        assert line in whole.splitlines()


def test_readme_and_page_are_written(script, tmp_path):
    results, readme, page = (tmp_path / name for name in ("r.json", "README.md", "B.md"))
    script.report.add(results, "pairs", pair(script, "mlp_tiny", "sklearn", 4.0))
    marks = script.update_readme
    readme.write_text(f"before\n{marks.BEGIN}\n{marks.END}\n")
    marks.main([str(path) for path in (results, readme, page)])
    assert "| mlp_tiny | 4.00 x" in readme.read_text()
    assert page.read_text().startswith("# Benchmarks\n")


def test_the_section_replaces_what_is_between_the_marks(script, tmp_path):
    marks = script.update_readme
    text = f"before\n{marks.BEGIN}\nold\n{marks.END}\nafter\n"
    once = marks.replace(text, r"new \1")
    assert once == f"before\n{marks.BEGIN}\nnew \\1\n{marks.END}\nafter\n"
    assert marks.replace(once, r"new \1") == once
    with pytest.raises(ValueError, match="once in the text"):
        marks.replace("no marks", "new")


def test_readme_has_the_marks(script):
    marks = script.update_readme
    assert marks.replace(marks.README.read_text(), "new")


def test_a_library_that_only_predicts_is_asked_for_predictions_only(script):
    words = ["--peers", "torch", "onnxruntime"]
    assert script.compare.arguments(words).peers == ["torch"]
    assert script.compare.arguments([*words, "--tasks", "train", "predict"]).peers == words[1:]
    with pytest.raises(script.processes.NotAvailable, match="AVX2"):
        script.processes.Worker("onnxruntime", "cnn_mnist", isa="avx2")


def test_networks_have_the_sizes_of_the_workload(script):
    import minikeras

    sizes = {"cnn_mnist": 34_826, "cnn_cifar": 289_642, "conv1d": 46_917}
    for name, count in sizes.items():
        workload = script.workloads.WORKLOADS[name]
        model = script.with_keras.keras_network(minikeras, workload)
        assert model.output_shape == (None, workload.outputs)
        assert model.count_params() == count


def test_arguments_choose_peers_interpreters_and_instruction_set(script):
    words = ["--peers", "torch", "keras-tf", "--python", "some", "--python", "keras-tf=other"]
    options = script.compare.arguments([*words, "--isa", "avx2", "--threads", "1"])
    assert options.python["torch"] == "some"
    assert options.python["keras-tf"] == "other"
    assert options.rounds >= 10
    assert script.processes.ISAS[options.isa]["NUMBA_CPU_NAME"] == "haswell"


@pytest.mark.parametrize("words", [["--peers", "theano"], ["--python", "theano=x"]])
def test_unknown_peers_are_refused(script, words):
    with pytest.raises(SystemExit):
        script.compare.arguments(words)


def test_unknown_measures_are_refused(script):
    assert script.measures.arguments(["gemm"]).measures == ["gemm"]
    with pytest.raises(SystemExit):
        script.measures.arguments(["speed"])


def test_data_have_the_shapes_of_the_workload(script):
    for workload in script.workloads.WORKLOADS.values():
        x, y = workload.data(7)
        assert x.shape == (7, *workload.shape)
        assert x.dtype == ("int32" if workload.vocabulary else "float32")
        assert y.shape == ((7,) if workload.classes else (7, workload.outputs))


def test_a_worker_trains_and_answers(script):
    with script.processes.Worker("minikeras", "mlp_tiny", threads=1, samples=64) as worker:
        turn = worker.ask("train 0")
        assert len(turn["ms"]) == 1
        assert turn["loss"] > 0
        assert len(worker.ask("predict 0")["ms"]) == 1
        tenths = worker.ask("predict_one 0.01")["ms"]
        assert tenths == sorted(tenths)
        assert worker.ask("usage")["peak_mb"] > 10


def test_a_worker_that_cannot_train_the_workload_says_so(script):
    with pytest.raises(script.processes.NotAvailable, match="dense layers of one activation"):
        script.processes.Worker("sklearn", "mlp_wide", samples=64)


def test_full_batch_turns_are_taken_in_turn_and_the_lower_ratio_counts(script):
    class Fake:
        def __init__(self, times):
            self.times = iter(times)

        def ask(self, iterations):
            return {"ms": next(self.times), "iterations": iterations, "loss": 0.25}

    result = script.full_batch.compare(Fake([1.0, 2.0, 3.0]), Fake([4.0, 5.0, 6.0]), 3, 50)
    assert result["ratio"] == 2.5
    assert script.full_batch.text_of(result) == (
        "2.50 x (2.00 against 5.00 ms an iteration; loss after 50: 0.25000 and 0.25000)"
    )


def test_every_part_of_the_whole_run_is_a_command_that_its_program_takes(script):
    everything = script.everything
    options = everything.arguments(["--python", "some", "--data", "mnist.npz"])
    for name, part in everything.parts(10, "mnist.npz").items():
        program, *words = everything.command(part, options)[1:]
        module = getattr(script, Path(program).stem)
        assert Path(program).exists()
        if hasattr(module, "arguments"):
            assert module.arguments(words), name
    assert "mnist" not in everything.parts(10, None)


def test_the_first_fit_says_where_the_time_goes(script):
    assert script.first_fit.detail({"gemm float32": 1.5, "adam float32": 0.5}) == (
        "2 kernels compiled one after the other take 2.0 s "
        "(gemm float32 1.50, adam float32 0.50, the others 0.0)"
    )


def test_epochs_on_real_images_are_taken_in_turn_and_scored(script, tmp_path):
    rng = np.random.default_rng(0)
    content = {}
    for part, count in (("train", 8), ("test", 4)):
        content[f"x_{part}"] = rng.integers(0, 256, (count, 28, 28)).astype(np.uint8)
        content[f"y_{part}"] = rng.integers(0, 10, count).astype(np.uint8)
    np.savez(tmp_path / "mnist.npz", **content)
    workload = script.workloads.stored(
        script.workloads.WORKLOADS["cnn_mnist"], str(tmp_path / "mnist.npz")
    )
    assert workload.samples == 8
    x, y = workload.data(2)
    assert (x.shape, x.max() <= 1, y.dtype) == ((2, 28, 28, 1), True, np.int64)
    settings = {"threads": 1, "data": str(tmp_path / "mnist.npz"), "warm": 0}
    with script.processes.Worker("minikeras", "cnn_mnist", **settings) as worker:
        found = script.mnist_epochs.train({"minikeras": worker}, 2)["minikeras"]
    assert len(found["seconds"]) == 2
    assert found["accuracy"] in {0, 0.25, 0.5, 0.75, 1}
    assert "after 2 epochs" in script.mnist_epochs.text_of(found)
