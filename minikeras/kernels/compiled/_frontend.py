"""Numba as a front end: from Python functions to unoptimised LLVM modules, in half the time.

Kernels allocate nothing, raise nothing and define no functions inside functions, so most of Numba's
passes have nothing to do for them; they call operators of numbers over and over, whose types need
to be found once; and each function is compiled for one unit at the end, not for itself.
"""

import contextlib
import gc
from collections.abc import Iterator

import llvmlite.binding as llvm
from numba.core import codegen, compiler, dispatcher, registry, types, typing
from numba.core import typed_passes as typed
from numba.core import untyped_passes as untyped
from numba.core.compiler_lock import global_compiler_lock
from numba.core.compiler_machinery import PassManager
from numba.core.datamodel.models import OpaqueModel
from numba.core.datamodel.registry import register_default
from numba.core.errors import TypingError

PASSES = (
    untyped.TranslateByteCode,
    untyped.FixupArgs,
    untyped.IRProcessing,
    untyped.RewriteSemanticConstants,
    untyped.DeadBranchPrune,  # of factories' constants
    untyped.GenericRewrites,
    untyped.ReconstructSSA,
    typed.NopythonTypeInference,
    typed.PreLowerStripPhis,
    typed.NativeLowering,
    typed.NoPythonBackend,
)


class _Compiler(compiler.CompilerBase):
    """Numba's passes that kernels need, in Numba's order."""

    def define_pipelines(self):
        passes = PassManager("kernel")
        for step in PASSES:
            passes.add_pass(step, step._name)
        passes.finalize()
        return [passes]


class _Library(codegen.JITCodeLibrary):
    """The LLVM module of one function, left as it is: a whole unit is put together at the end."""

    def __init__(self, *args):
        super().__init__(*args)
        self._modules = []

    def add_llvm_module(self, ll_module):
        for function in ll_module.functions:
            if not function.is_declaration and function.linkage == llvm.Linkage.external:
                function.linkage = "linkonce_odr"  # Numba compiles some functions twice
        self._modules.append(ll_module)

    def add_linking_library(self, library):
        self._linking_libraries.append(library)

    def finalize(self):
        self._finalized = True

    def get_pointer_to_function(self, name):
        return 0  # never called from Python

    def modules(self) -> list:
        """The modules of this library and of all that it needs, each once."""
        libraries, modules = [self], []
        for library in libraries:  # which grows meanwhile
            if isinstance(library, _Library):
                modules += library._modules
                libraries += [x for x in library._linking_libraries if x not in libraries]
            else:  # of Numba's own, with all that it needs
                library._ensure_finalized()
                modules.append(library._get_module_for_linking())
        return modules


class _Codegen(codegen.JITCPUCodegen):
    """Numba's code generator without its execution engine: ours loads object files instead."""

    _library_class = _Library

    def _add_module(self, module):
        pass

    def set_env(self, env_name, env):
        pass


class _Builtin(types.Function):
    """Type of an operator or builtin that seeks the rule for given arguments only once."""

    def __init__(self, template):
        super().__init__(template)
        self._found = {}

    def augment(self, other):
        if isinstance(other, types.Function) and other.typing_key == self.typing_key:
            return _Builtin(self.templates + other.templates)

    def get_call_type(self, context, args, kws):
        if kws:
            return super().get_call_type(context, args, kws)
        if args not in self._found:
            try:
                self._found[args] = super().get_call_type(context, args, kws)
            except TypingError as error:
                self._found[args] = error.with_traceback(None)
        found = self._found[args]
        if isinstance(found, TypingError):
            raise found
        return found


register_default(_Builtin)(OpaqueModel)


class _Typing(typing.Context):
    """Numba's rules of types, with every function as `_Builtin`."""

    def _insert_global(self, gv, gty):
        if type(gty) is types.Function:
            gty = _Builtin(gty.templates)
        super()._insert_global(gv, gty)


class _Target(registry.CPUTarget):
    """Numba's CPU, with the types of `_Typing` and the code of `_Codegen`."""

    _types = _context = None

    @property
    def typing_context(self):
        if self._types is None:
            self._types = _Typing()
        return self._types

    @property
    def target_context(self):
        if self._context is None:
            with global_compiler_lock:
                cpu = registry.cpu_target.target_context
                self._context = cpu.subtarget(
                    _internal_codegen=_Codegen("minikeras"), typing_context=self.typing_context
                )
        return self._context


class _Dispatcher(dispatcher.Dispatcher):
    targetdescr = _Target("cpu")


def jit(fastmath: set[str], **more):
    """A decorator that has Numba compile a function, for the calling unit, when it is called."""
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
    return lambda function: _Dispatcher(function, targetoptions=options, pipeline_class=_Compiler)


def module_of(dispatcher, signature):
    """The LLVM module of a function with all that it calls, and the function's name in there."""
    dispatcher.compile(signature)
    result = dispatcher.overloads[signature.args]
    first, *others = result.library.modules()
    module, name = first.clone(), result.fndesc.llvm_func_name
    module.get_function(name).linkage = "external"
    for part in others:
        module.link_in(part, preserve=True)
    return module, name


@contextlib.contextmanager
def collections_paused() -> Iterator[None]:
    """Without Python's search for cyclic garbage, a tenth of the time of a compilation."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
