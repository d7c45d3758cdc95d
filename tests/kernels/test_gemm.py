"""The matrix product: every layout and flag against its twin, and the promises about bits."""

import ctypes
import itertools

import numpy as np
import pytest

from minikeras import kernels

from . import checks

# Around tiles, panels, blocks of k (264) and of columns (512), and the small-matrix paths.
SHAPES = (
    (0, 3, 4), (3, 0, 5), (3, 4, 0), (1, 1, 1), (1, 5, 3), (1, 64, 1), (1, 300, 33), (1, 600, 700),
    (2, 3, 2), (5, 7, 1), (9, 1, 17), (8, 16, 32), (13, 31, 20), (33, 13, 65), (40, 9, 10),
    (32, 64, 64), (100, 270, 50), (130, 266, 33), (137, 40, 531), (70, 530, 40), (300, 8, 8),
)  # fmt: skip
LAYOUTS = tuple(itertools.product((0, 1), (0, 1)))
FLAGS = ((0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 1), (1, 2, 1), (1, 3, 0))  # bias, act, accumulate


def case(m, k, n, ta=0, tb=0, bias=0, act=0, accumulate=0):
    """Arguments of a product of random matrices."""
    r = np.random.default_rng((m, k, n))
    a = r.normal(size=(k, m) if ta else (m, k))
    b = r.normal(size=(n, k) if tb else (k, n))
    return a, b, r.normal(size=n if bias else 0), r.normal(size=(m, n)), ta, tb, act, accumulate


def product(arguments, floats="float32", tasks=1):
    """What the kernel makes of them."""
    bound = checks.cast("gemm", arguments, floats)
    kernels.run([kernels.launch("gemm", *bound, tasks=tasks)])
    return bound[3]


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize("shape", SHAPES)
def test_product_agrees_with_its_twin_in_every_layout(shape, floats):
    for (ta, tb), (bias, act, accumulate) in zip(LAYOUTS * 2, itertools.cycle(FLAGS), strict=False):
        arguments = case(*shape, ta, tb, bias, act, accumulate)
        checks.check("gemm", floats, arguments, tolerance=4, absolute=max(1, shape[1]) ** 0.5)


@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize(
    ("bias", "act", "accumulate"), list(itertools.product((0, 1), range(4), (0, 1)))
)
def test_bias_activation_and_accumulation_combine(bias, act, accumulate, floats):
    for shape in ((9, 12, 35), (1, 12, 35), (20, 300, 7)):
        arguments = case(*shape, 0, 0, bias, act, accumulate)
        checks.check("gemm", floats, arguments, tolerance=4, absolute=shape[1] ** 0.5)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_bits_depend_neither_on_tasks_nor_on_threads(layout):
    before = kernels.num_threads()
    try:
        for shape in ((100, 300, 90), (7, 40, 600), (300, 20, 10)):
            arguments = case(*shape, *layout, bias=1, act=1)
            first = product(arguments)
            for threads, tasks in itertools.product((1, 2, 3, 8), (1, 2, 3, 8)):
                kernels.set_num_threads(threads)
                assert checks.same_bits(product(arguments, tasks=tasks), first)
    finally:
        kernels.set_num_threads(before)


@pytest.mark.parametrize("floats", checks.FLOATS)
def test_a_row_has_the_same_bits_alone_and_among_others(floats):
    a, b, bias, c, *flags = case(37, 600, 70, bias=1, act=1)
    together = product((a, b, bias, c, *flags), floats)
    for i in (0, 17, 36):
        alone = product((a[i : i + 1], b, bias, c[i : i + 1], *flags), floats)
        assert checks.same_bits(alone[0], together[i])


@pytest.mark.parametrize("m", [1, 20])
def test_nan_and_infinity_stay_in_their_row_and_pass_through_relu(m):
    a = np.ones((m, 40))
    a[0, 3] = np.nan
    result = product((a, -np.ones((40, 50)), np.zeros(0), np.zeros((m, 50)), 0, 0, 1, 0))
    assert np.isnan(result[0]).all()
    assert not result[1:].any()
    a[0, 3] = -np.inf
    result = product((a, -np.ones((40, 50)), np.zeros(0), np.zeros((m, 50)), 0, 0, 0, 0))
    assert np.isposinf(result[0]).all()
    assert np.isfinite(result[1:]).all()


@pytest.mark.parametrize("shape", [(1, 300, 40), (20, 300, 40), (3, 0, 5)])
def test_without_accumulation_the_old_content_of_c_does_not_matter(shape):
    a, b, bias, c, *flags = case(*shape)
    assert checks.same_bits(
        product((a, b, bias, np.full_like(c, np.nan), *flags)), product((a, b, bias, c, *flags))
    )


def test_long_sums_stay_accurate():
    r = np.random.default_rng(0)
    a, b = r.uniform(0, 1, (2, 20000)), r.uniform(0, 1, (20000, 3))
    result = product((a, b, np.zeros(0), np.zeros((2, 3)), 0, 0, 0, 0))
    exact = a.astype(np.float32).astype(np.float64) @ b.astype(np.float32).astype(np.float64)
    np.testing.assert_allclose(result, exact, rtol=2e-6)


def gemm_block(floats, **operands):
    """Call the driver by its address, as kernels with their own tables do."""
    gemm = pytest.importorskip("minikeras.kernels.compiled.gemm")
    names = gemm._Product._fields
    kind = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * len(names))
    function = kind(kernels._get_native().loader.address("gemm_block", floats))
    scratch = np.full(kernels.SCRATCH_BYTES // 8, np.nan)
    operands["scratch"] = scratch.ctypes.data
    values = {k: v.ctypes.data if isinstance(v, np.ndarray) else v for k, v in operands.items()}
    function(*[values.get(name, 0) for name in names])


@pytest.mark.skipif(not kernels.compiled_available(), reason="needs machine code")
@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize(("m", "n"), [(5, 3), (150, 70), (17, 40)])
def test_tables_place_the_rows_of_a_and_c_and_the_steps_of_k(floats, m, n):
    r = np.random.default_rng(0)
    k, image = 300, r.normal(size=5000).astype(floats)
    rows, kofs = r.integers(0, 2000, m), r.integers(0, 3000, k)
    b, c = r.normal(size=(k, n)).astype(floats), r.normal(size=(2 * m, n)).astype(floats)
    crows = r.permutation(2 * m)[:m] * n
    expected = c.astype(np.float64)
    gathered = image[rows[:, None] + kofs[None, :]].astype(np.float64)
    expected[crows // n] += gathered @ b.astype(np.float64)
    gemm_block(
        floats, a=image, rows=rows, kofs=kofs, b=b, b_row=n, b_column=1, c=c, crows=crows,
        m=m, k=k, n=n, accumulate=1,
    )  # fmt: skip
    np.testing.assert_allclose(c, expected, atol=1e-4 if floats == "float32" else 1e-12)


@pytest.mark.skipif(not kernels.compiled_available(), reason="needs machine code")
@pytest.mark.parametrize("floats", checks.FLOATS)
@pytest.mark.parametrize(
    ("triple", "cpu"),
    [
        ("x86_64-unknown-linux-gnu", "sapphirerapids"),
        ("x86_64-unknown-linux-gnu", "znver5"),
        ("x86_64-unknown-linux-gnu", "haswell"),
        ("aarch64-unknown-linux-gnu", "neoverse-n1"),
    ],
)
def test_sums_of_a_tile_stay_in_registers(floats, triple, cpu):
    llvm = pytest.importorskip("llvmlite.binding")
    pytest.importorskip("numba")
    from minikeras.kernels.compiled import _engine, _jit, micro, packing

    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    target = _engine.make_target(triple, cpu)
    _jit._current.append(target)
    tiles = packing.Tiles(_jit.FLOATS[floats])
    _jit._current.pop()
    module = llvm.parse_assembly(micro.micro_kernel(micro.Tile(floats, tiles.rows, 2), target))
    module.triple, machine = triple, target.machine()
    _jit._optimise(module, machine)
    loop = hot_loop(machine.emit_assembly(module), "fmla" if "aarch64" in triple else "vfmadd")
    register, stack = ("q", "[sp") if "aarch64" in triple else ("mm", "(%rsp)")
    assert not [line for line in loop if stack in line and register in line.split("#")[0]]


def hot_loop(assembly: str, multiply: str) -> list[str]:
    """The lines of the basic block with the most multiply-adds."""
    blocks: list[list[str]] = [[]]
    for line in assembly.splitlines():
        if line.startswith(".LBB"):
            blocks.append([])
        blocks[-1].append(line)
    return max(blocks, key=lambda block: sum(multiply in line for line in block))


def test_small_products_stay_on_one_thread_and_large_ones_are_shared():
    assert kernels.gemm_tasks(32, 64, 13, threads=8) == 1
    assert kernels.gemm_tasks(1024, 1024, 1024, threads=1) == 1
    assert kernels.gemm_tasks(1024, 1024, 1024, threads=2) >= 2
    assert kernels.gemm_tasks(0, 0, 0, threads=4) == 1


def test_a_product_with_few_results_of_long_sums_has_no_more_parts_than_threads():
    assert kernels.gemm_tasks(64, 128, 25088, threads=2) == 2
    assert kernels.gemm_tasks(64, 256, 6400, threads=2) == 2
    assert kernels.gemm_tasks(25088, 128, 64, threads=2) > 2
