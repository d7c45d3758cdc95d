"""The LLVM side that a warm start needs: the CPU to compile for, and a loader of object files.

Nothing here imports Numba. ``NUMBA_CPU_NAME`` and ``NUMBA_CPU_FEATURES`` choose another CPU than
the host, as they do for Numba itself; a named CPU without features means that CPU's own features.
"""

import os
from dataclasses import dataclass

import llvmlite.binding as llvm

_X86_WIDE = "-prefer-256-bit"  # Intel tunings otherwise keep loops to half of a 512-bit register


@dataclass(frozen=True)
class Target:
    """A processor to compile for.

    Attributes:
        triple: LLVM's name of architecture and system.
        cpu: LLVM's name of the CPU model.
        features: instruction set extensions, in LLVM's ``+avx2,-avx512f`` form.
        vector_bytes: bytes of one vector register, 64, 32 or 16.
    """

    triple: str
    cpu: str
    features: str
    vector_bytes: int

    def machine(self) -> llvm.TargetMachine:
        """An LLVM code generator for this target."""
        target = llvm.Target.from_triple(self.triple)
        # Position-independent x86 code reaches constants through a table that the loader of object
        # files gets wrong for the second file; absolute addresses always work.
        reloc = "static" if target.name.startswith("x86") else "default"
        return target.create_target_machine(
            cpu=self.cpu, features=self.features, opt=3, reloc=reloc, codemodel="jitdefault"
        )


def host_target() -> Target:
    """The CPU this process runs on, or the one chosen by ``NUMBA_CPU_NAME``."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    cpu = os.environ.get("NUMBA_CPU_NAME")
    features = os.environ.get("NUMBA_CPU_FEATURES")
    if features is None:
        features = "" if cpu else llvm.get_host_cpu_features().flatten()
    return make_target(llvm.get_process_triple(), cpu or llvm.get_host_cpu_name(), features)


def make_target(triple: str, cpu: str, features: str = "") -> Target:
    """A target by name; its vector width is read off the code that LLVM makes for it."""
    narrow = Target(triple, cpu, features, 16)
    width = _vector_bytes(narrow)
    if width == 64:
        features = f"{features},{_X86_WIDE}".lstrip(",")
    return Target(triple, cpu, features, width)


def _vector_bytes(target: Target) -> int:
    """Bytes of the widest vector register, asked of LLVM with the addition of two long vectors."""
    probe = """
        define void @probe(ptr %p, ptr %q) {
            %a = load <16 x float>, ptr %p, align 4
            %b = load <16 x float>, ptr %q, align 4
            %c = fadd <16 x float> %a, %b
            store <16 x float> %c, ptr %p, align 4
            ret void
        }"""
    module = llvm.parse_assembly(probe)
    module.triple = target.triple
    assembly = target.machine().emit_assembly(module)
    return 64 if "%zmm" in assembly else 32 if "%ymm" in assembly else 16


class Engine:
    """Loads object files into the process and finds the functions in them."""

    def __init__(self, target: Target):
        module = llvm.parse_assembly("")
        module.triple = target.triple
        self._engine = llvm.create_mcjit_compiler(module, target.machine())

    def load(self, symbol: str, code: bytes) -> int:
        """Load an object file and return the address of one function in it."""
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self._engine.finalize_object()
        return self.address(symbol)

    def address(self, symbol: str) -> int:
        """Address of a function loaded before (KeyError when there is none)."""
        address = self._engine.get_function_address(symbol)
        if not address:
            raise KeyError(symbol)
        return address
