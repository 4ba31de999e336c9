"""Indices of kernels are places, never counted from an array's end.

Numba asks of each signed index whether it is negative, and adds the array's length where it is. In
loops that do little else, that is up to half of the time. A kernel never counts from the end by a
variable, so its indices are handed on as what they are: numbers without a sign. With
`NUMBA_BOUNDSCHECK=1` one that was negative after all is an IndexError. A constant such as `a[-1]`
means the last, as ever.
"""

from typing import Any

from numba.core import ir, types
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.typed_passes import NoPythonSupportedFeatureValidation


@register_pass(mutates_CFG=False, analysis_only=False)
class IndicesAsPlaces(FunctionPass):
    """Type the signed indices of what reads and writes arrays as unsigned ones."""

    _name = "indices_as_places"

    def __init__(self) -> None:
        super().__init__()

    def run_pass(self, state: Any) -> bool:
        for block in state.func_ir.blocks.values():
            for use in (*block.find_exprs(op="getitem"), *block.find_insts(ir.SetItem)):
                signature = state.calltypes.pop(use)
                array, index, *value = signature.args
                if isinstance(array, types.Array):
                    index = _without_sign(state.typemap[use.index.name], index)
                # Numba refuses to write over a type, so the old one was taken out.
                state.calltypes[use] = signature.replace(args=(array, index, *value))
        return True


class KernelCompiler(CompilerBase):
    """Numba's compiler with that pass, before types are lowered to LLVM's."""

    def define_pipelines(self) -> list[Any]:
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.add_pass_after(IndicesAsPlaces, NoPythonSupportedFeatureValidation)
        passes.finalize()
        return [passes]


def _without_sign(given: Any, index: Any) -> Any:
    """The index type to cast to: unsigned, unless it is a slice or a constant below zero."""
    if isinstance(index, types.Tuple | types.UniTuple):
        pairs = zip(given.types, index.types, strict=True)
        return types.Tuple([_without_sign(*pair) for pair in pairs])
    if not isinstance(index, types.Integer):
        return index
    if isinstance(given, types.IntegerLiteral) and given.literal_value < 0:
        return index
    return types.uintp
