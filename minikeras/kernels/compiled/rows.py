"""Copying rows: a task owns rows of the output.

Rows that keep their type are copied as bytes, whatever the type. An index out of range is error
1, a range of rows that reaches out of the index or the source is error 2.
"""

from ._jit import inner, noalias
from ._parts import row, row_part

BAD_INDEX = 1
BAD_RANGE = 2


def _gather(convert=None):
    """Kernel factory: out[r] = source[index[start + r]], number by number through `convert`."""

    def factory(T):
        move = convert(T) if convert else _copy()

        def task(i, n, scratch, source, index, start, out):
            lo, hi = row_part(i, n, out.shape[0])
            if start < 0 or start + out.shape[0] > index.size:
                return BAD_RANGE
            for r in range(lo, hi):
                k = index[start + r]
                if k < 0 or k >= source.shape[0]:
                    return BAD_INDEX
                move(row(source, k), row(out, r))
            return 0

        return task

    return factory


def _copy():
    @inner
    def copy(source, out):
        noalias()
        for j in range(out.size):
            out[j] = source[j]

    return copy


def _to_working_type(T):
    @inner
    def convert(source, out):
        noalias()
        for j in range(out.size):
            out[j] = T(source[j])

    return convert


gather_rows = _gather()
gather_float64 = _gather(_to_working_type)
gather_uint8 = _gather(_to_working_type)
gather_int32 = _gather(_to_working_type)
gather_int64 = _gather(_to_working_type)
gather_labels_uint8 = _gather()
gather_labels_int32 = _gather()


def copy_rows(T):
    """out[r] = source[start + r]."""
    copy = _copy()

    def task(i, n, scratch, source, start, out):
        lo, hi = row_part(i, n, out.shape[0])
        if start < 0 or start + out.shape[0] > source.shape[0]:
            return BAD_RANGE
        for r in range(lo, hi):
            copy(row(source, start + r), row(out, r))
        return 0

    return task
