"""The one place that knows Numba's options, how tasks are called and how code is emitted.

A *task* is a C function ``int64 task(int64 *words, int64 i, int64 n, int64 scratch)``: part ``i``
of ``n`` of one kernel launch. ``words`` holds the arguments (an array: its address, then its
dimensions; an int; a float's bits), ``scratch`` is the address of the thread's private buffer. It
returns 0, or a positive code that the caller turns into an error. Numba is only the compiler: the
machine code is kept as an object file and loaded by LLVM, so a warm start imports no Numba at all.
"""

from collections.abc import Callable

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import codegen, dispatcher, registry
from numba.core.compiler_lock import global_compiler_lock
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from ..table import SIGNATURES
from ._engine import Target
from ._loader import NATIVE, PREFIX, symbol_of, unit_of

I64 = ir.IntType(64)
FLOATS = {"float32": types.float32, "float64": types.float64}
KINDS = {"i": types.int64, "I": types.int32, "u": types.uint8, "d": types.float64}
FAST = {"contract", "nsz", "reassoc"}  # never nnan or ninf: NaN must reach the caller
RAISED = (1 << 31) - 1  # code of a task that ended in an exception, which is a mistake in it
TASK = types.int64(types.CPointer(types.int64), types.int64, types.int64, types.int64)


class _Library(codegen.JITCodeLibrary):
    """The LLVM module of one function, left as it is: a whole unit is optimised at the end."""

    def _optimize_functions(self, ll_module):
        ll_module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self):
        pass

    def get_pointer_to_function(self, name):
        self._ensure_finalized()
        return 0  # never called from Python


class _Codegen(codegen.JITCPUCodegen):
    """Numba's code generator without its execution engine: ours loads object files instead."""

    _library_class = _Library

    def _add_module(self, module):
        pass

    def set_env(self, env_name, env):
        pass


class _KernelTarget(registry.CPUTarget):
    """Numba's CPU, generating code through `_Codegen`."""

    _context = None

    @property
    def typing_context(self):
        return registry.cpu_target.typing_context

    @property
    def target_context(self):
        if self._context is None:
            with global_compiler_lock:
                cpu = registry.cpu_target.target_context
                self._context = cpu.subtarget(_internal_codegen=_Codegen("minikeras"))
        return self._context


class _Dispatcher(dispatcher.Dispatcher):
    targetdescr = _KernelTarget("cpu")


def _jit(fastmath, **more):
    options = {
        "nopython": True,
        "nogil": True,
        "error_model": "numpy",
        "boundscheck": False,
        "no_cpython_wrapper": True,
        "no_cfunc_wrapper": True,
        "_nrt": False,  # kernels allocate nothing, so no references are counted
        "fastmath": fastmath,
        **more,
    }
    return lambda function: _Dispatcher(function, targetoptions=options)


inner = _jit(FAST)
exact = _jit({"contract"}, forceinline=True)  # scalar functions: loops around them are vectorised


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


def compile_unit(source, name: str, floats: str, target: Target) -> tuple[list, bytes]:
    """Compile a kernel (``source`` is its factory) or native function, see ``_loader``."""
    with global_compiler_lock:
        _current.append(target)
        try:
            T = FLOATS.get(floats)
            if name in NATIVE:
                signature, function = source(T) if T else source()
            else:
                signature, function = TASK, _task(source(T), SIGNATURES[name], T)
            return compile_function(function, signature, symbol_of(name, floats), target)
        finally:
            _current.pop()


def compile_function(function, signature, symbol: str, target: Target) -> tuple[list, bytes]:
    """The units called by, and the object file of, one C function compiled from Python by Numba."""
    dispatcher = inner(function)
    dispatcher.compile(signature)
    result = dispatcher.overloads[signature.args]
    module = result.library._final_module.clone()
    entry = result.fndesc.llvm_func_name
    module.link_in(llvm.parse_assembly(_c_entry(module.get_function(entry), symbol)))
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


def _c_entry(native, symbol: str) -> str:
    """IR of the C function around a function in Numba's convention.

    Numba's takes pointers to the result and to an exception first and returns a status. Kernels are
    not meant to raise; if one does, it returns the code `RAISED`, and nothing of Python is linked.
    """
    kinds = [str(a.type) for a in native.arguments]
    names = [f"%a{k}" for k in range(len(kinds))]
    given = ", ".join(f"{kind} {name}" for kind, name in list(zip(kinds, names, strict=True))[2:])
    passed = ", ".join(f"{kind} {name}" for kind, name in zip(kinds, names, strict=True))
    return f"""
        declare i32 @"{native.name}"({", ".join(kinds)})
        define i64 @"{symbol}"({given}) {{
            %a0 = alloca i64
            %a1 = alloca ptr
            %status = call i32 @"{native.name}"({passed})
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


def _task(body, signature, T):
    """The C function of a kernel: it unpacks the words and calls the kernel's own function."""
    unpack = _unpack(_argument_types(signature, T))
    body = inner(body)

    def task(words, i, n, scratch):
        return body(i, n, scratch, *unpack(words))

    return task


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


def _unpack(argument_types):
    """Intrinsic that turns the words of a launch into a tuple of arrays and numbers."""
    result = types.Tuple(argument_types)

    def array(context, builder, ty, word, at):
        data = builder.inttoptr(word(at), context.get_data_type(ty.dtype).as_pointer())
        shape = [word(at + 1 + d) for d in range(ty.ndim)]
        itemsize = ir.Constant(I64, context.get_abi_sizeof(context.get_data_type(ty.dtype)))
        strides, step = [], itemsize
        for extent in reversed(shape):
            strides.insert(0, step)
            step = builder.mul(step, extent)
        value = context.make_array(ty)(context, builder)
        populate_array(
            value, data=data, shape=shape, strides=strides, itemsize=itemsize, meminfo=None
        )
        return value._getvalue()

    @intrinsic
    def unpack(typingctx, words):
        def codegen(context, builder, sig, args):
            def word(k):
                return builder.load(builder.gep(args[0], [ir.Constant(I64, k)]))

            values, at = [], 0
            for ty in argument_types:
                if isinstance(ty, types.Array):
                    values.append(array(context, builder, ty, word, at))
                    at += 1 + ty.ndim
                else:
                    bits = word(at)
                    is_float = ty is types.float64
                    values.append(builder.bitcast(bits, ir.DoubleType()) if is_float else bits)
                    at += 1
            return context.make_tuple(builder, result, values)

        return result(words), codegen

    return unpack


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
