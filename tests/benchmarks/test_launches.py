"""The launches of a step are timed one by one, and what they are worth is computed rightly."""

from dataclasses import replace

import numpy as np


def test_each_launch_of_a_training_step_is_timed_and_training_goes_on(script):
    workload = script.workloads.WORKLOADS["mlp_tiny"]
    timed, step = script.launches.measure(workload, threads=1, steps=3, predict=False)
    names = [one.launch.name for one in timed]
    assert names.count("gemm") == 8  # three forward, three and two for the gradients
    assert names[-1] != names[0] == "gather_rows"
    assert {len(one.seconds) for one in timed} == {3}
    assert 0 < sum(one.ms for one in timed) < 1e4
    assert step > 0
    text = script.launches.table({1: (timed, step)}, peak=100.0)
    assert text.count("\n") == len(timed)
    assert "peak" in text
    assert "1 threads: launches" in text


def test_predictions_can_be_timed_instead(script):
    workload = script.workloads.WORKLOADS["mlp_tiny"]
    timed, _ = script.launches.measure(workload, threads=1, steps=3, predict=True)
    assert [one.launch.name for one in timed].count("gemm") == 3


def test_the_work_of_a_convolution_is_counted(script):
    import minikeras
    from minikeras import kernels

    workloads = script.workloads
    small = replace(
        workloads.WORKLOADS["cnn_mnist"],
        layers=(workloads.Conv(4, 3), workloads.Flatten()),
        batch=2,
    )
    model = script.with_keras.keras_network(minikeras, small)
    with script.launches.Watch(kernels) as watch:
        model.predict(np.zeros((2, 28, 28, 1), np.float32), verbose=0)
    conv = next(one for one in watch.longest() if one.launch.name == "conv")
    assert script.launches.flops(conv.launch) == 2 * (2 * 26 * 26 * 4) * 9
    assert "2 x 1x28x28x1 -> 1x26x26x4, kernel 1x3x3" in script.launches.words(conv.launch)
