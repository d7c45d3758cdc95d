"""The multiply-add peak of one core: a loop of nothing but vector multiply-adds in registers.

The loop is written in LLVM's language, for vectors of 512, 256 and 128 bits; the fastest counts. It
knows nothing of our kernels, so that their share of the peak is a fair figure.
"""

import ctypes
import time
from collections.abc import Callable
from typing import Any

ACCUMULATORS = 24  # enough to hide the latency, few enough for the registers of AVX-512
WIDTHS = (16, 8, 4)


def loop(width: int, accumulators: int) -> str:
    """IR of `void name(i64 n)`: n rounds of one multiply-add into each accumulator."""
    vector = f"<{width} x float>"
    ones = f"<{', '.join(['float 1.0'] * width)}>"
    halves = f"<{', '.join(['float 0.5'] * width)}>"
    start = "\n".join(
        f"  %a{i} = phi {vector} [ {ones}, %entry ], [ %b{i}, %loop ]" for i in range(accumulators)
    )
    body = "\n".join(
        f"  %b{i} = call {vector} @llvm.fma.v{width}f32"
        f"({vector} %a{i}, {vector} {halves}, {vector} {halves})"
        for i in range(accumulators)
    )
    end = "\n".join(
        f"  store volatile {vector} %b{i}, ptr %sink, align 4" for i in range(accumulators)
    )
    return f"""
declare {vector} @llvm.fma.v{width}f32({vector}, {vector}, {vector})
define void @peak(i64 %n, ptr %sink) {{
entry:
  br label %loop
loop:
  %k = phi i64 [ 0, %entry ], [ %next, %loop ]
{start}
{body}
  %next = add i64 %k, 1
  %more = icmp ult i64 %next, %n
  br i1 %more, label %loop, label %done
done:
{end}
  ret void
}}
"""


class Peak:
    """A compiled loop; `gflops()` times it once."""

    def __init__(self, width: int, accumulators: int = ACCUMULATORS):
        import llvmlite.binding as llvm
        from llvmlite import ir  # noqa: F401  (loads the library before the engine is made)

        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        target = llvm.Target.from_default_triple()
        machine = target.create_target_machine(
            cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3
        )
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
        self._engine.add_module(llvm.parse_assembly(loop(width, accumulators)))
        self._engine.finalize_object()
        address = self._engine.get_function_address("peak")
        self._run = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_void_p)(address)
        self._sink = ctypes.create_string_buffer(width * 4)
        self._flops = 2 * width * accumulators

    def gflops(self, rounds: int = 200_000) -> float:
        start = time.perf_counter()
        self._run(rounds, ctypes.addressof(self._sink))
        return self._flops * rounds / (time.perf_counter() - start) / 1e9


def best(widths: tuple[int, ...] = WIDTHS) -> Peak:
    """The loop of the fastest width (and of fewer accumulators, where registers are few)."""
    candidates = [Peak(width, count) for width in widths for count in (ACCUMULATORS, 12)]
    return max(candidates, key=lambda peak: max(peak.gflops() for _ in range(5)))


def gflops(function: Callable[[], Any], flops: float, repeat: int) -> float:
    """Billions of multiplications and additions per second of something that does so many."""
    start = time.perf_counter()
    for _ in range(repeat):
        function()
    return flops * repeat / (time.perf_counter() - start) / 1e9


if __name__ == "__main__":
    print(f"{max(best().gflops() for _ in range(50)):.1f} GFLOP/s in one core")
