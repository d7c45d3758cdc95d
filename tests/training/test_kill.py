"""Runs that are killed (SIGKILL) at any moment, also while they save, and started again."""

import json
import os
import pickle
import random
import subprocess
import sys
from contextlib import contextmanager

import pytest

from tests.kernels.processes import ROOT
from tests.training.kill_harness import result_path

pytestmark = pytest.mark.skipif(
    not hasattr(os, "pidfd_open"), reason="needs fork and pidfd (Linux)"
)

RUNS = [("plateau", 1), ("schedule", "epoch"), ("plateau", "epoch"), ("schedule", 1)]
FILES = ["best.weights.h5", "last.keras", "log.csv"]


class Server:
    """The process that has everything loaded, and trains in children that it kills."""

    def __init__(self, process, folder):
        self._process, self._folder, self._count = process, folder, 0

    def ask(self, **request):
        """Whether the child was killed."""
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the server has ended"
        return json.loads(answer)["killed"]

    def train(self, kind, save_freq, *ends):
        """(result, kills) of a run whose processes come to these ends until one of them does not.

        Args:
            ends: {"after": seconds} or {"at": number of an operation on a file, or "end"}.
        """
        self._count += 1
        folder = self._folder / str(self._count)
        folder.mkdir()
        request = {"kind": kind, "save_freq": save_freq, "folder": str(folder)}
        kills = 0
        for end in (*ends, {}):
            if not self.ask(**request, **end):
                break
            kills += 1
        return pickle.loads(result_path(folder).read_bytes()), kills


@contextmanager
def serving(folder):
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.training.kill_harness"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Server(process, folder)
    finally:
        process.stdin.close()
        process.wait(timeout=60)
        process.stdout.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("runs")) as found:
        yield found


@pytest.fixture(scope="module")
def undisturbed(server):
    """What a run leaves that nobody killed."""
    results = {}

    def result(kind, save_freq):
        if (kind, save_freq) not in results:
            results[kind, save_freq] = server.train(kind, save_freq)[0]
        return results[kind, save_freq]

    return result


def random_ends(generator, count):
    """Moments of death: any, and those within the writing of files."""
    kinds = (
        lambda: {"after": generator.expovariate(1 / 0.15)},
        lambda: {"at": generator.randint(1, 60)},
    )
    return [generator.choice(kinds)() for _ in range(count)]


def assert_same(killed, undisturbed):
    for name in undisturbed:
        assert killed[name] == undisturbed[name], name


@pytest.mark.parametrize(
    ("run", "ends"),
    [
        (RUNS[0], [{"at": 30}, {"after": 0.05}, {"at": 57}]),
        (RUNS[1], [{"at": 13}, {"at": 4}, {"after": 0.01}]),
        (RUNS[2], [{"at": 30}, {"at": "end"}]),
        (RUNS[3], [{"at": "end"}, {"at": "end"}]),
    ],
)
def test_a_run_that_is_killed_and_started_again_ends_in_the_same_bits(
    run, ends, server, undisturbed
):
    result, kills = server.train(*run, *ends)
    assert kills == len(ends)
    assert_same(result, undisturbed(*run))


def test_the_undisturbed_run_is_worth_the_comparison(undisturbed):
    reduced, stopped = undisturbed(*RUNS[0]), undisturbed(*RUNS[1])
    assert reduced["files"] == stopped["files"] == FILES  # and no backup any more
    assert reduced["history"]["learning_rate"][-1] < 0.5**2 * 0.03
    states = dict(stopped["states"])
    assert states["EarlyStopping"]["best_epoch"] == 4
    assert stopped["epochs"] == [*range(8)]  # of nine
    assert states["Counts"]["batches"] == 4 * 8


@pytest.mark.slow
@pytest.mark.parametrize("run", RUNS)
def test_fifty_kills_change_no_bit(run, server, undisturbed):
    generator, kills, runs = random.Random(repr(run)), 0, 0
    while kills < 50:
        result, count = server.train(*run, *random_ends(generator, 12))
        assert_same(result, undisturbed(*run))
        kills, runs = kills + count, runs + 1
    assert runs < 30
