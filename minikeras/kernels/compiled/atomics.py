"""Atomic operations on int64 words in memory, as intrinsics for the thread pool.

Every operation is sequentially consistent. Addresses are plain integers, counted in bytes.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ._engine import Target
from ._jit import IR_MAKERS, PREFIX, external

_I64 = ir.IntType(64)
_ORDER = "seq_cst"


def _pointer(builder, address):
    return builder.inttoptr(address, _I64.as_pointer())


@intrinsic
def load(typingctx, address):
    """Value of the word."""

    def codegen(context, builder, sig, args):
        return builder.load_atomic(_pointer(builder, args[0]), _ORDER, 8)

    return types.int64(types.int64), codegen


@intrinsic
def store(typingctx, address, value):
    """Set the word."""

    def codegen(context, builder, sig, args):
        builder.store_atomic(args[1], _pointer(builder, args[0]), _ORDER, 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), codegen


def _read_modify_write(operation, doc):
    def modify(typingctx, address, value):
        def codegen(context, builder, sig, args):
            return builder.atomic_rmw(operation, _pointer(builder, args[0]), args[1], _ORDER)

        return types.int64(types.int64, types.int64), codegen

    modify.__doc__ = doc
    return intrinsic(modify)


add = _read_modify_write("add", "Add to the word and return what it held before.")
exchange = _read_modify_write("xchg", "Set the word and return what it held before.")
minimum = _read_modify_write("min", "Lower the word to a value and return what it held before.")


def _pause_ir(symbol: str, target: Target) -> str:
    """LLVM IR of `pause` for a processor."""
    if target.triple.startswith(("x86_64", "i686")):
        hint, call = "declare void @llvm.x86.sse2.pause()", "call void @llvm.x86.sse2.pause()"
    elif target.triple.startswith(("aarch64", "arm64")):
        # isb waits for some nanoseconds; the yield hint returns at once on most cores
        hint, call = "declare void @llvm.aarch64.isb(i32)", "call void @llvm.aarch64.isb(i32 15)"
    else:
        hint = call = ""
    return f'{hint}\ndefine void @"{symbol}"() alwaysinline {{\n{call}\nret void\n}}'


_PAUSE = f"{PREFIX}pause"
IR_MAKERS[_PAUSE] = _pause_ir
pause = external(_PAUSE, types.void())  # tells the core that this is a waiting loop


def _float_mode_ir(symbol: str, target: Target) -> str:
    """LLVM IR of `flush_tiny` and of `set_float_mode` for a processor."""
    if target.triple.startswith(("x86_64", "i686")):
        declared = """declare void @llvm.x86.sse.stmxcsr(ptr)
            declare void @llvm.x86.sse.ldmxcsr(ptr)"""
        got = """%place = alloca i32
            call void @llvm.x86.sse.stmxcsr(ptr %place)
            %bits = load i32, ptr %place
            %mode = zext i32 %bits to i64
            %new = or i64 %mode, 32768"""  # flush to zero
        put = """%narrow = trunc i64 %new to i32
            %to = alloca i32
            store i32 %narrow, ptr %to
            call void @llvm.x86.sse.ldmxcsr(ptr %to)"""
    elif target.triple.startswith(("aarch64", "arm64")):
        declared = """declare i64 @llvm.aarch64.get.fpcr()
            declare void @llvm.aarch64.set.fpcr(i64)"""
        got = """%mode = call i64 @llvm.aarch64.get.fpcr()
            %new = or i64 %mode, 16777216"""  # flush to zero
        put = "call void @llvm.aarch64.set.fpcr(i64 %new)"
    else:
        declared, got, put = "", "%mode = add i64 0, 0", ""
    if symbol == _FLUSH:
        body = f'define i64 @"{symbol}"() alwaysinline {{\n{got}\n{put}\nret i64 %mode\n}}'
    else:
        body = f'define void @"{symbol}"(i64 %new) alwaysinline {{\n{put}\nret void\n}}'
    return f"{declared}\n{body}"


_FLUSH, _SET_MODE = f"{PREFIX}flush_tiny", f"{PREFIX}set_float_mode"
IR_MAKERS[_FLUSH] = IR_MAKERS[_SET_MODE] = _float_mode_ir
# results below the smallest normal number become zero on this thread; returns the mode before
flush_tiny = external(_FLUSH, types.int64())
set_float_mode = external(_SET_MODE, types.void(types.int64))  # what `flush_tiny` returned


@intrinsic
def acquire(typingctx, function, lock):
    """Block on a lock of the Python runtime, through the address of ``PyThread_acquire_lock``."""
    i32 = ir.IntType(32)
    kind = ir.FunctionType(i32, [_I64.as_pointer(), i32])

    def codegen(context, builder, sig, args):
        target = builder.inttoptr(args[0], kind.as_pointer())
        builder.call(target, [_pointer(builder, args[1]), ir.Constant(i32, 1)])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), codegen


@intrinsic
def release(typingctx, function, lock):
    """Release a lock of the Python runtime, through the address of ``PyThread_release_lock``."""
    kind = ir.FunctionType(ir.VoidType(), [_I64.as_pointer()])

    def codegen(context, builder, sig, args):
        target = builder.inttoptr(args[0], kind.as_pointer())
        builder.call(target, [_pointer(builder, args[1])])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), codegen


@intrinsic
def call(typingctx, function):
    """Call a C function without arguments."""
    kind = ir.FunctionType(ir.VoidType(), [])

    def codegen(context, builder, sig, args):
        builder.call(builder.inttoptr(args[0], kind.as_pointer()), [])
        return context.get_dummy_value()

    return types.void(types.int64), codegen
