"""Data on its way to a model: arrays, batches, splits, class weights, checks."""

from .arrays import to_array, to_nest
from .batches import ArrayData
from .inputs import align_inputs, in_order
from .split import train_validation_split
from .targets import align_target, target_kind
from .weights import class_to_sample_weights, combine_weights

__all__ = [
    "ArrayData",
    "align_inputs",
    "align_target",
    "class_to_sample_weights",
    "combine_weights",
    "in_order",
    "target_kind",
    "to_array",
    "to_nest",
    "train_validation_split",
]
