"""Data on its way to a model: arrays, batches, splits, class weights, checks."""

from .arrays import count_samples, to_array, to_array_or_text, to_nest
from .batches import ArrayData, Table
from .dataset import PyDataset
from .indexed import IndexedData
from .inputs import align_inputs, in_order
from .kinds import data_kind
from .packing import pack_x_y_sample_weight, unpack_x_y_sample_weight
from .source import Source
from .split import split_batches, train_validation_split
from .stored import Stored, has_stored, to_lazy_nest
from .streams import StreamData
from .targets import align_target, target_kind
from .weights import class_to_sample_weights, combine_weights, match_weights, weigh_classes
from .windows import Place, WindowedData

__all__ = [
    "ArrayData",
    "IndexedData",
    "Place",
    "PyDataset",
    "Source",
    "Stored",
    "StreamData",
    "Table",
    "WindowedData",
    "align_inputs",
    "align_target",
    "class_to_sample_weights",
    "combine_weights",
    "count_samples",
    "data_kind",
    "has_stored",
    "in_order",
    "match_weights",
    "pack_x_y_sample_weight",
    "split_batches",
    "target_kind",
    "to_array",
    "to_array_or_text",
    "to_lazy_nest",
    "to_nest",
    "train_validation_split",
    "unpack_x_y_sample_weight",
    "weigh_classes",
]
