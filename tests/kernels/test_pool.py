"""The thread pool: every task once, whatever the threads, callers, forks and failures."""

import os
import random
import signal
import threading
import time

import numpy as np
import pytest

from minikeras import kernels
from minikeras.kernels import threads as pool_threads

from .processes import python, start

pytestmark = pytest.mark.skipif(not kernels.compiled_available(), reason="needs machine code")
pytest.importorskip("numba")

SETUP = """
import os, random, signal, sys, threading, time
import numpy as np
from minikeras import kernels
from tests.kernels.probe import Probe
"""


@pytest.fixture(autouse=True)
def _same_threads_afterwards():
    before = kernels.num_threads()
    yield
    kernels.set_num_threads(before)


def probe(*arguments, **more):
    from .probe import Probe

    return Probe(*arguments, **more)


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_every_task_runs_exactly_once(threads):
    kernels.set_num_threads(threads)
    for tasks in (1, 2, 3, 7, 64, 1000):
        p = probe(20, tasks, pauses=5)
        assert p.run() == 0
        assert (p.counts == 1).all()


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_the_first_failing_launch_and_its_lowest_task_are_reported(threads):
    kernels.set_num_threads(threads)
    fine, bad, later = probe(2, 9), probe(1, 9, failing=4, code=30), probe(1, 9)
    rows = probe(4, 9)
    rows.rows[:] = [*fine.rows, *bad.rows, *later.rows]
    for _ in range(50):
        assert rows.run() == (2 << 32) | 34
    assert (fine.counts == 50).all()
    assert not later.counts.any()
    assert probe(3, 9).run() == 0


def many_callers(callers: int, seconds: float, change_threads: bool) -> None:
    """Callers on their own threads for a while; every task must run once per run."""
    end = time.monotonic() + seconds
    errors: list[BaseException] = []

    def call(seed):
        r = random.Random(seed)
        try:
            while time.monotonic() < end:
                p = probe(r.randint(1, 30), r.randint(1, 12), pauses=r.choice([0, 0, 20, 500]))
                runs = r.randint(1, 30)
                for _ in range(runs):
                    assert p.run() == 0
                assert (p.counts == runs).all()
                if r.random() < 0.1:
                    time.sleep(r.random() * 0.002)  # long enough for the workers to block
        except BaseException as error:
            errors.append(error)

    workers = [threading.Thread(target=call, args=(i,)) for i in range(callers)]
    for worker in workers:
        worker.start()
    r = random.Random(callers)
    while change_threads and any(worker.is_alive() for worker in workers):
        kernels.set_num_threads(r.choice([1, 2, 3, 8, 17]))
        time.sleep(r.random() * 0.003)
    for worker in workers:
        worker.join()
    if errors:
        raise errors[0]


@pytest.mark.parametrize("callers", [1, 2, 8])
def test_concurrent_callers_are_all_served(callers):
    kernels.set_num_threads(3)
    many_callers(callers, 0.7, change_threads=False)


def test_the_number_of_threads_may_change_at_any_time():
    many_callers(3, 1.5, change_threads=True)


def test_a_busy_pool_does_not_hold_up_another_caller():
    kernels.set_num_threads(2)
    probe(1, 4).run()
    pauses_per_second = kernels._get_native()._patience / pool_threads.PATIENCE
    long = probe(1, 4, pauses=int(pauses_per_second * 0.3))
    other = threading.Thread(target=long.run)
    other.start()
    time.sleep(0.05)
    short = probe(5, 4)
    assert short.run() == 0
    assert other.is_alive()
    other.join()
    assert (short.counts == 1).all()


def test_idle_workers_use_no_processor_time():
    kernels.set_num_threads(4)
    probe(10, 8).run()
    time.sleep(0.1)
    before = time.process_time()
    time.sleep(0.4)
    assert time.process_time() - before < 0.1


def test_workers_that_blocked_take_part_again():
    kernels.set_num_threads(2)
    for _ in range(20):
        p = probe(30, 8, pauses=200)
        time.sleep(0.002)
        assert p.run() == 0
        assert (p.counts == 1).all()


def test_one_thread_starts_none():
    code = SETUP + "kernels.set_num_threads(1); Probe(3, 8).run(); print(threading.active_count())"
    assert python(code) == "1"


def test_impossible_numbers_of_threads_are_refused():
    for count in (0, -1, 10**6):
        with pytest.raises(ValueError, match=f"between 1 and.*Received: {count}"):
            kernels.set_num_threads(count)


def test_an_environment_variable_sets_the_number_of_threads():
    code = "from minikeras import kernels; print(kernels.num_threads())"
    assert python(code, MINIKERAS_NUM_THREADS="5") == "5"
    process = start(code, MINIKERAS_NUM_THREADS="many")
    assert "MINIKERAS_NUM_THREADS must be a positive whole number" in process.communicate()[1]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs CPU affinity")
def test_cpu_affinity_limits_the_number_of_threads():
    code = (
        "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])\n"
        "from minikeras import kernels; print(kernels.num_threads())"
    )
    assert python(code) == "1"


def test_hardware_threads_of_a_core_count_once(tmp_path, monkeypatch):
    monkeypatch.setattr(pool_threads, "_allowed_cpus", lambda: {0, 1, 2, 3, 5})
    for cpu, siblings in {0: "0,4", 1: "1,5", 2: "2,6", 3: "3,7", 5: "1,5"}.items():
        folder = tmp_path / f"cpu{cpu}" / "topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(siblings + "\n")
    assert pool_threads._physical_cores(tmp_path) == 4
    assert pool_threads._physical_cores(tmp_path / "missing") == 5


@pytest.mark.parametrize(
    ("files", "process", "expected"),
    [
        ({"a/b/cpu.max": "150000 100000", "a/cpu.max": "max 100000"}, "0::/a/b", 2),
        ({"a/b/cpu.max": "max 100000", "a/cpu.max": "300000 100000"}, "0::/a/b", 3),
        ({"cpu.max": "50000 100000"}, "0::/", 1),
        ({"cpu/x/cpu.cfs_quota_us": "400000", "cpu/x/cpu.cfs_period_us": "100000"},
         "4:cpu,cpuacct:/x", 4),
        ({"cpu/x/cpu.cfs_quota_us": "-1", "cpu/x/cpu.cfs_period_us": "100000"},
         "4:cpu,cpuacct:/x", float("inf")),
        ({}, "0::/gone", float("inf")),
    ],
)  # fmt: skip
def test_the_quota_of_a_container_limits_the_number_of_threads(tmp_path, files, process, expected):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    (tmp_path / "self").write_text(process + "\n")
    assert pool_threads._quota(tmp_path, tmp_path / "self") == expected


FORK = (
    SETUP
    + """
import warnings
warnings.simplefilter("ignore")
def check(rounds):
    p = Probe(10, 8, pauses=20)
    for _ in range(rounds):
        assert p.run() == 0
    assert (p.counts == rounds).all()
def forked(then):
    child = os.fork()
    if child == 0:
        try:
            then()
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
kernels.set_num_threads(3)
check(50)
"""
)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_has_a_pool_of_its_own():
    code = FORK + "for _ in range(10): forked(lambda: check(50)); check(50)"
    python(code + "\nforked(lambda: forked(lambda: check(50)))")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_forking_while_other_threads_run_kernels_is_safe():
    code = """
stop = False
def busy():
    while not stop:
        check(5)
others = [threading.Thread(target=busy) for _ in range(3)]
for t in others: t.start()
for _ in range(20):
    forked(lambda: check(20))
    time.sleep(0.005)
stop = True
for t in others: t.join()
"""
    python(FORK + code)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_processes_of_multiprocessing_work():
    code = """
import multiprocessing
with multiprocessing.get_context("fork").Pool(3) as pool:
    pool.map(check, [20] * 6)
check(20)
"""
    python(FORK + code)


@pytest.mark.parametrize(
    "ending",
    [
        "Probe(5, 8).run()",
        "Probe(5, 8).run(); time.sleep(0.05)",
        "threading.Thread(target=forever, daemon=True).start(); time.sleep(0.1)",
        "threading.Thread(target=forever, daemon=True).start(); time.sleep(0.1); sys.exit(0)",
    ],
    ids=["at once", "workers blocked", "in use", "in use, by exit"],
)
def test_the_interpreter_exits_cleanly_and_soon(ending):
    code = """
kernels.set_num_threads(4)
p = Probe(20, 8, pauses=100)
def forever():
    while True: p.run()
"""
    started = time.monotonic()
    python(SETUP + code + ending, timeout=20)
    assert time.monotonic() - started < 15


@pytest.mark.skipif(os.name == "nt", reason="needs signals of POSIX")
def test_an_interrupt_arrives_between_native_calls():
    code = """
kernels.set_num_threads(3)
p = Probe(50, 8, pauses=50)
p.run()
print("ready", flush=True)
try:
    while True: p.run()
except KeyboardInterrupt:
    before = p.counts[0, 0]
    assert (p.counts == before).all()
    assert p.run() == 0
    print("stopped", flush=True)
"""
    process = start(SETUP + code)
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=20)
    assert output == "stopped\n", errors
    assert process.returncode == 0


@pytest.mark.slow
def test_soak():
    """Callers, threads and pauses at random, for ``MINIKERAS_SOAK`` seconds (10 by default)."""
    end = time.monotonic() + float(os.environ.get("MINIKERAS_SOAK", "10"))
    r = random.Random(0)
    while time.monotonic() < end:
        many_callers(r.choice([1, 2, 3, 8]), 1.5, change_threads=r.random() < 0.8)


@pytest.mark.parametrize("threads", [1, 2])
def test_results_below_the_normal_numbers_are_zero_but_only_within_kernels(threads):
    kernels.set_num_threads(threads)
    small, factor = np.full(200_000, 1e-30, "float32"), np.full(200_000, 1e-10, "float32")
    found = np.ones_like(small)
    kernels.run([kernels.launch("multiply", small, factor, found, tasks=4)])
    assert not found.any()
    assert (small * factor).all()  # numpy beside it is left alone
