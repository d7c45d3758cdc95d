"""Pictures of models."""

from .plot import ModelPicture, model_to_dot, plot_model

__all__ = ["ModelPicture", "model_to_dot", "plot_model"]
