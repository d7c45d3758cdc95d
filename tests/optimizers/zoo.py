"""Every optimizer and every option they share, for tests that hold for all of them."""

from minikeras import ops, optimizers
from minikeras.optimizers import schedules


class Own(optimizers.Optimizer):
    """Adam's rule, written with `ops` as a user would."""

    def build(self, variables):
        super().build(variables)
        self.m, self.v = self.add_optimizer_variables(variables, ["momentum", "velocity"])

    def update_step(self, gradient, variable, learning_rate):
        which = self._get_variable_index(variable)
        m, v = self.m[which], self.v[which]
        step = ops.cast(self.iterations + 1, variable.dtype)
        rate = ops.cast(learning_rate, variable.dtype)
        self.assign_add(m, (gradient - m) * 0.1)
        self.assign_add(v, (ops.square(gradient) - v) * 0.001)
        correction = ops.sqrt(1 - ops.power(0.999, step)) / (1 - ops.power(0.9, step))
        self.assign_sub(variable, rate * correction * m / (ops.sqrt(v) + 1e-7))


class Halved(optimizers.Adam):
    """A rule that builds on a built-in one."""

    def update_step(self, gradient, variable, learning_rate):
        super().update_step(gradient * 2, variable, learning_rate * 0.5)


def falling(rate):
    return schedules.ExponentialDecay(rate, 100, 0.3)


def of_several(**options):
    chosen = {".*_1": optimizers.Adam(0.1, **options)}
    return optimizers.MultiOptimizer(
        optimizers.OptimizerMap(optimizers.Adamax(0.1, **options), chosen)
    )


ZOO = {
    "sgd": lambda **k: optimizers.SGD(0.1, **k),
    "momentum": lambda **k: optimizers.SGD(0.02, momentum=0.9, **k),
    "nesterov": lambda **k: optimizers.SGD(0.02, momentum=0.9, nesterov=True, **k),
    "adagrad": lambda **k: optimizers.Adagrad(0.5, **k),
    "rmsprop": lambda **k: optimizers.RMSprop(0.05, **k),
    "rmsprop_momentum": lambda **k: optimizers.RMSprop(0.01, momentum=0.5, **k),
    "rmsprop_centered": lambda **k: optimizers.RMSprop(0.01, centered=True, **k),
    "adam": lambda **k: optimizers.Adam(0.1, **k),
    "amsgrad": lambda **k: optimizers.Adam(0.1, amsgrad=True, **k),
    "adamw": lambda **k: optimizers.AdamW(0.1, **{"weight_decay": 1e-5, **k}),
    "adadelta": lambda **k: optimizers.Adadelta(0.9, epsilon=1e-3, **k),
    "adamax": lambda **k: optimizers.Adamax(0.1, **k),
    "nadam": lambda **k: optimizers.Nadam(0.1, **k),
    "ftrl": lambda **k: optimizers.Ftrl(1.0, **k),
    "ftrl_power": lambda **k: optimizers.Ftrl(0.5, learning_rate_power=-0.3, **k),
    "lion": lambda **k: optimizers.Lion(0.02, **k),
    "schedule_free": lambda **k: optimizers.ScheduleFreeAdamW(0.2, warmup_steps=10, **k),
    "lamb": lambda **k: optimizers.Lamb(falling(0.05), **k),
    "adafactor": lambda **k: optimizers.Adafactor(falling(0.15), **k),
    "muon": lambda **k: optimizers.Muon(falling(0.2), **{"weight_decay": None, **k}),
    "loss_scale": lambda **k: optimizers.LossScaleOptimizer(optimizers.Adam(0.1, **k)),
    "multi": of_several,
}
RULES = {"own": lambda **k: Own(0.1, **k), "halved": lambda **k: Halved(0.1, **k)}

# every option of the base class, alone and where they meet
OPTIONS = {
    "plain": {},
    "clipnorm": {"clipnorm": 0.5},
    "clipvalue": {"clipvalue": 0.1},
    "global_clipnorm": {"global_clipnorm": 0.7},
    "weight_decay": {"weight_decay": 0.1},
    "ema": {"use_ema": True, "ema_momentum": 0.8},
    "ema_overwrite": {"use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 2},
    "loss_scale_factor": {"loss_scale_factor": 4.0},
    "accumulation": {"gradient_accumulation_steps": 2},
    "everything": {
        "gradient_accumulation_steps": 2,
        "use_ema": True,
        "ema_momentum": 0.8,
        "ema_overwrite_frequency": 1,
        "weight_decay": 0.1,
        "global_clipnorm": 0.7,
        "loss_scale_factor": 4.0,
    },
}


def make(name, option):
    """An optimizer of the zoo with some options."""
    arguments = dict(OPTIONS[option])
    if name in ("loss_scale", "multi"):  # the loss is scaled outside of the inner optimizers
        arguments.pop("loss_scale_factor", None)
    return {**ZOO, **RULES}[name](**arguments)
