"""`keras.applications`: networks known by name, with Keras's layers and weights.

`LeNet5`, `AlexNet` and `GoogLeNet` are not in Keras.
"""

from . import (
    imagenet_utils,
    inception_v3,
    mobilenet_v2,
    resnet,
    resnet50,
    resnet_v2,
    vgg16,
    vgg19,
)
from .alexnet import AlexNet
from .googlenet import GoogLeNet
from .inception_v3 import InceptionV3
from .lenet5 import LeNet5
from .mobilenet_v2 import MobileNetV2
from .resnet import ResNet50, ResNet101, ResNet152
from .resnet_v2 import ResNet50V2, ResNet101V2, ResNet152V2
from .vgg16 import VGG16
from .vgg19 import VGG19

__all__ = [
    "AlexNet",
    "GoogLeNet",
    "LeNet5",
    "VGG16",
    "VGG19",
    "InceptionV3",
    "MobileNetV2",
    "ResNet50",
    "ResNet50V2",
    "ResNet101",
    "ResNet101V2",
    "ResNet152",
    "ResNet152V2",
    "imagenet_utils",
    "inception_v3",
    "mobilenet_v2",
    "resnet",
    "resnet50",
    "resnet_v2",
    "vgg16",
    "vgg19",
]
