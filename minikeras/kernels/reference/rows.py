"""Twins of the kernels that copy rows."""

_BAD_INDEX, _BAD_RANGE = 1, 2


def _check_range(start, stop, rows):
    if start < 0 or stop > rows:
        raise ValueError(f"Rows {start} to {stop} of {rows} do not exist.", _BAD_RANGE)


def gather_rows(source, index, start, out):
    stop = start + out.shape[0]
    _check_range(start, stop, index.size)
    rows = index[start:stop]
    if ((rows < 0) | (rows >= source.shape[0])).any():
        raise ValueError(f"An index is not within the {source.shape[0]} rows.", _BAD_INDEX)
    out[...] = source[rows]


gather_float64 = gather_uint8 = gather_int32 = gather_int64 = gather_rows
gather_labels_uint8 = gather_labels_int32 = gather_rows


def copy_rows(source, start, out):
    stop = start + out.shape[0]
    _check_range(start, stop, source.shape[0])
    out[...] = source[start:stop]
