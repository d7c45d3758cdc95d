"""The one place that knows Numba's options, how tasks are called and how code is emitted.

A *task* is a C function ``int64 task(int64 *words, int64 i, int64 n, int64 scratch)``: part ``i``
of ``n`` of one kernel launch. ``words`` holds the arguments (an array: its address, then its
dimensions; an int; a float's bits), ``scratch`` is the address of the thread's private buffer. It
returns 0, or a positive code that the caller turns into an error. Numba is only the compiler: the
machine code is kept as an object file and loaded by LLVM, so a warm start imports no Numba at all.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core.compiler_lock import global_compiler_lock
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from ..table import SIGNATURES
from ._engine import Target
from ._frontend import collections_paused, jit, module_of
from ._loader import NATIVE, PREFIX, symbol_of, unit_of

I64 = ir.IntType(64)
FLOATS = {"float32": types.float32, "float64": types.float64}
KINDS = {"i": types.int64, "I": types.int32, "u": types.uint8, "d": types.float64}
FAST = {"contract", "nsz", "reassoc"}  # never nnan or ninf: NaN must reach the caller
RAISED = (1 << 31) - 1  # code of a task that ended in an exception, which is a mistake in it

inner = jit(FAST)
exact = jit({"contract"}, forceinline=True)  # scalar functions: loops around them are vectorised


@intrinsic
def noalias(typingctx):
    """Declare that the array arguments of the calling function do not overlap.

    Its loops are then vectorised without checks at run time.
    """

    def codegen(context, builder, sig, args):
        for a in builder.function.args:
            if isinstance(a.type, ir.PointerType) and a.name.startswith("arg."):
                a.add_attribute("noalias")
        return context.get_dummy_value()

    return types.void(), codegen


_current: list[Target] = []


def current_target() -> Target:
    """The CPU that code is being generated for, which factories and what they make may depend on.

    Functions outside factories are compiled once for all CPUs: they use `external`, `IR_MAKERS`.
    """
    return _current[-1]


def shared(factory):
    """A factory asked again for the same CPU and arguments gives the same functions.

    Several units of a process then have them typed and turned into LLVM's language only once.
    """
    made: dict[tuple, Any] = {}

    @functools.wraps(factory)
    def make(*args):
        key = current_target(), *args
        if key not in made:
            made[key] = factory(*args)
        return made[key]

    return make


def compile_unit(source, name: str, floats: str, target: Target) -> tuple[list, bytes]:
    """Compile a kernel (``source`` is its factory) or native function, see ``_loader``."""
    with global_compiler_lock, collections_paused():
        _current.append(target)
        try:
            T = FLOATS.get(floats)
            symbol = symbol_of(name, floats)
            if name in NATIVE:
                signature, function = source(T) if T else source()
                return compile_function(function, signature, symbol, target)
            return _compile_kernel(source(T), _argument_types(SIGNATURES[name], T), symbol, target)
        finally:
            _current.pop()


def compile_function(function, signature, symbol: str, target: Target) -> tuple[list, bytes]:
    """The units called by, and the object file of, one C function compiled from Python by Numba."""
    module, name = module_of(inner(function), signature)
    native = module.get_function(name)
    kinds = [str(a.type) for a in native.arguments][2:]
    given = [f"{kind} %g{k}" for k, kind in enumerate(kinds)]
    return _finish(module, _entry(native, symbol, given, [], given), symbol, target)


def _compile_kernel(function, arguments, symbol: str, target: Target) -> tuple[list, bytes]:
    """The same of a task around a kernel's function, which takes arrays and numbers."""
    signature = types.int64(*_gathered(function, [types.int64] * 3 + arguments))
    module, name = module_of(inner(function), signature)
    given = ["ptr %words", "i64 %i", "i64 %n", "i64 %scratch"]
    unpacked, passed = _unpack(arguments)
    entry = _entry(module.get_function(name), symbol, given, unpacked, [*given[1:], *passed])
    return _finish(module, entry, symbol, target)


def _gathered(function, arguments: list) -> list:
    """Arguments of which those that a function takes as ``*rest`` are one tuple."""
    code = function.__code__
    if not code.co_flags & inspect.CO_VARARGS:
        return arguments
    rest = types.StarArgTuple.from_types(arguments[code.co_argcount :])
    return [*arguments[: code.co_argcount], rest]


def _finish(module, entry: str, symbol: str, target: Target) -> tuple[list, bytes]:
    module.link_in(llvm.parse_assembly(entry))
    needs = _link(module, target)
    return needs, emit_object(module, symbol, target)


# Makers of LLVM IR for functions that become part of every unit calling them, by the beginning of
# their names.
IR_MAKERS: dict[str, Callable[[str, Target], str]] = {}


def external(symbol: str, signature):
    """A function that lives elsewhere, in another unit or made by `IR_MAKERS`, to be called."""
    return types.ExternalFunction(symbol, signature)


def _link(module, target: Target) -> list[tuple[str, str]]:
    """Add what `IR_MAKERS` provide; the other units that are called, as (name, floats) pairs."""
    needs = []
    for function in list(module.functions):
        name = function.name
        if not function.is_declaration or not name.startswith(PREFIX):
            continue
        maker = next((m for start, m in IR_MAKERS.items() if name.startswith(start)), None)
        if maker is None:
            needs.append(unit_of(name))
        else:
            module.link_in(llvm.parse_assembly(maker(name, target)))
    return needs


def _entry(native, symbol: str, given: list, prepared: list, passed: list) -> str:
    """IR of the C function around a function in Numba's convention.

    Numba's takes pointers to the result and to an exception first and returns a status. Kernels are
    not meant to raise; if one does, it returns the code `RAISED`, and nothing of Python is linked.

    Args:
        native: Numba's function.
        symbol: name of the C function.
        given: arguments of the C function, as "type %name".
        prepared: instructions that make what is passed from what is given.
        passed: arguments of Numba's function after its first two, as "type %name".
    """
    kinds = ", ".join(str(a.type) for a in native.arguments)
    arguments = ", ".join(["ptr %a0", "ptr %a1", *passed])
    instructions = "\n".join(prepared)
    return f"""
        declare i32 @"{native.name}"({kinds})
        define i64 @"{symbol}"({", ".join(given)}) {{
            %a0 = alloca i64
            %a1 = alloca ptr
            {instructions}
            %status = call i32 @"{native.name}"({arguments})
            %result = load i64, ptr %a0
            %fine = icmp eq i32 %status, 0
            %code = select i1 %fine, i64 %result, i64 {RAISED}
            ret i64 %code
        }}"""


def emit_object(module, symbol: str, target: Target) -> bytes:
    """Machine code of a module of which only ``symbol`` stays visible."""
    for value in [*module.functions, *module.global_variables]:
        if not value.is_declaration and value.name != symbol:
            value.linkage = "internal"
    machine = target.machine()
    module.triple = target.triple
    module.data_layout = str(machine.target_data)
    _optimise(module, machine)
    _check_calls(module, symbol)
    return machine.emit_object(module)


def _check_calls(module, symbol: str) -> None:
    """Refuse code that needs Python or Numba at run time, as anything that may raise does."""
    for function in module.functions:
        if function.is_declaration and function.name.startswith(("Py", "_Py", "numba", "NRT_")):
            raise RuntimeError(
                f"{symbol} calls {function.name}: kernels must not raise, allocate or use objects."
            )


def _optimise(module, machine) -> None:
    """Numba's order of passes: loops into the form that vectorises, then everything."""
    quick = llvm.create_pipeline_tuning_options(0)
    quick.loop_vectorization = quick.slp_vectorization = False
    builder = llvm.create_pass_builder(machine, quick)
    passes = builder.getModulePassManager()
    passes.add_loop_rotate_pass()
    passes.add_instruction_combine_pass()
    passes.add_jump_threading_pass()
    passes.run(module, builder)
    full = llvm.create_pipeline_tuning_options(3)
    full.loop_vectorization = full.slp_vectorization = True
    builder = llvm.create_pass_builder(machine, full)
    builder.getModulePassManager().run(module, builder)


def _argument_types(signature, T):
    """Numba types of the arguments, from the kinds of ``table.py``."""
    result = []
    for kind in signature.values():
        kind = kind.split()[-1]
        if kind in ("int", "float"):
            result.append(types.int64 if kind == "int" else types.float64)
        else:
            result.append(types.Array(T if kind[0] == "F" else KINDS[kind[0]], int(kind[1]), "C"))
    return result


def _unpack(arguments) -> tuple[list[str], list[str]]:
    """IR that turns the words of a launch into arguments: instructions, and what they result in.

    An array is passed as Numba's convention has it: owner, parent, size, item size, data, shape and
    strides.
    """
    lines, passed, at = [], [], 0

    def word(kind):
        nonlocal at
        lines.append(f"%at{at} = getelementptr i64, ptr %words, i64 {at}")
        lines.append(f"%w{at} = load {kind}, ptr %at{at}")
        at += 1
        return f"{kind} %w{at - 1}"

    for ty in arguments:
        if isinstance(ty, types.Array):
            itemsize = ty.dtype.bitwidth // 8
            data, shape = word("ptr"), [word("i64") for _ in range(ty.ndim)]
            strides = [f"i64 {itemsize}"]
            for d, extent in enumerate(reversed(shape)):
                lines.append(f"%s{at}.{d} = mul {strides[0]}, {extent.removeprefix('i64 ')}")
                strides.insert(0, f"i64 %s{at}.{d}")
            lines.append(f"%size{at} = sdiv {strides[0]}, {itemsize}")
            owner = ["ptr null", "ptr null", f"i64 %size{at}", f"i64 {itemsize}"]
            passed += [*owner, data, *shape, *strides[1:]]
        else:
            passed.append(word("double" if ty is types.float64 else "i64"))
    return lines, passed


def view(T):
    """``view(address, size)``: the memory at an address (scratch) as a flat array of a type."""
    kind = types.Array(T, 1, "C")

    @intrinsic
    def at(typingctx, address, size):
        def codegen(context, builder, sig, args):
            item = context.get_data_type(T)
            itemsize = ir.Constant(I64, context.get_abi_sizeof(item))
            value = context.make_array(kind)(context, builder)
            populate_array(
                value,
                data=builder.inttoptr(args[0], item.as_pointer()),
                shape=[args[1]],
                strides=[itemsize],
                itemsize=itemsize,
                meminfo=None,
            )
            return value._getvalue()

        return kind(types.int64, types.int64), codegen

    return at


@intrinsic
def address_of(typingctx, array):
    """Address of an array's numbers, as int64."""

    def codegen(context, builder, sig, args):
        value = context.make_array(sig.args[0])(context, builder, args[0])
        return builder.ptrtoint(value.data, I64)

    return types.int64(array), codegen


@intrinsic
def call_task(typingctx, address, words, i, n, scratch):
    """Call the task at an address."""
    kind = ir.FunctionType(I64, [I64.as_pointer(), I64, I64, I64])

    def codegen(context, builder, sig, args):
        function = builder.inttoptr(args[0], kind.as_pointer())
        return builder.call(function, [builder.inttoptr(args[1], I64.as_pointer()), *args[2:]])

    return types.int64(*[types.int64] * 5), codegen
