"""The Variables of an optimizer, and optimizers of the user's own."""

import numpy as np
import pytest

from minikeras import Variable, ops, optimizers
from minikeras.initializers import Constant
from tests.optimizers.zoo import Own


class Counted(optimizers.Optimizer):
    """Keeps all kinds of state."""

    def build(self, variables):
        super().build(variables)
        self.total = Variable(0.0, trainable=False, name="total")
        self.first, self.second = self.add_optimizer_variables(
            variables, ["first", "second"], ["zeros", Constant(3.0)]
        )
        self.table = self.add_variable((2, 2), "ones", "float64", name="table")
        self.count = self.add_variable((), dtype="int", name="count")

    def update_step(self, gradient, variable, learning_rate):
        self.assign_add(self.total, ops.sum(ops.abs(gradient)))
        self.assign_add(self.count, 1)
        self.assign_sub(variable, gradient * learning_rate)
        self.assign(self.first[self._get_variable_index(variable)], gradient)


def test_all_that_an_optimizer_keeps_is_listed_in_order():
    a, b = Variable([1.0], name="a/kernel"), Variable([1.0, 2.0], name="b")
    optimizer = Counted(0.5)
    optimizer.apply([[1.0], [2.0, -3.0]], [a, b])
    assert [v.name for v in optimizer.variables] == [
        *("iteration", "learning_rate", "total", "a_kernel_first", "a_kernel_second"),
        *("b_first", "b_second", "table", "count"),
    ]
    total, first, second = optimizer.variables[2:5]
    assert (float(total), int(optimizer.count)) == (6.0, 2)
    assert (first.numpy(), second.numpy()) == (1.0, 3.0)
    assert (optimizer.table.dtype, optimizer.count.dtype) == ("float64", "int32")
    np.testing.assert_array_equal(b.numpy(), [0.0, 3.5])


def test_state_is_set_and_read_as_a_whole():
    v = Variable([1.0])
    one, other = optimizers.Adam(0.1), optimizers.Adam(0.5)
    with pytest.raises(ValueError, match="no state yet"):
        other.set_weights([])
    one.apply([[2.0]], [v])
    other.build([v])
    other.set_weights([a.numpy() for a in one.variables])
    for a, b in zip(one.variables, other.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    with pytest.raises(ValueError, match="has 4 variables. Received: 1 weights"):
        other.set_weights([0])
    with pytest.raises(ValueError, match=r"shape \(1,\). Received: a weight of shape \(2,\)"):
        other.set_weights([0, 0.5, np.zeros(2), np.zeros(1)])
    assert int(other.iterations) == 1  # and nothing was changed
    with pytest.warns(UserWarning, match="4 variables, and 2 were saved"):
        other.load_own_variables({"0": 0, "1": 0.1})


def test_wrong_arguments_of_add_variable_are_errors():
    optimizer = Own(0.1)
    with pytest.raises(ValueError, match="one initializer for all names, or one for each"):
        optimizer.add_optimizer_variables([Variable([1.0])], ["a", "b"], ["zeros"])
    with pytest.raises(ValueError, match="aggregation"):
        optimizer.add_variable((), aggregation="max")
    with pytest.raises(ValueError, match="layouts are not supported"):
        optimizer.add_variable((), layout="x")


def test_the_stateless_step_asks_for_the_right_number_of_values():
    v, optimizer = Variable([1.0]), optimizers.SGD(0.1)
    with pytest.raises(ValueError, match="needs a built optimizer"):
        optimizer.stateless_apply([], [[1.0]], [[1.0]])
    optimizer.build([v])
    with pytest.raises(ValueError, match="`optimizer_variables` must hold 2 values. Received: 1"):
        optimizer.stateless_apply([0], [[1.0]], [[1.0]])
    with pytest.raises(ValueError, match="`trainable_variables` must hold 1 values. Received: 2"):
        optimizer.stateless_apply([0, 0.1], [[1.0]], [[1.0], [2.0]])


def test_a_failed_stateless_step_changes_nothing():
    v, optimizer = Variable([1.0]), optimizers.Adam(0.1)
    optimizer.apply([[1.0]], [v])
    before = [np.array(a) for a in (v, *optimizer.variables)]
    with pytest.raises(ValueError, match="must have its shape"):
        optimizer.stateless_apply([9, 9.0, [9.0], [9.0]], [[1.0, 2.0]], [[9.0]])
    for a, b in zip(before, (v, *optimizer.variables), strict=True):
        np.testing.assert_array_equal(a, b.numpy())


def test_building_twice_keeps_the_state():
    v, optimizer = Variable([1.0]), optimizers.Adam(0.1)
    optimizer.apply([[1.0]], [v])
    optimizer.build([Variable([1.0])])
    assert optimizer._trainable_variables == [v]


def test_no_gradients_are_no_step_and_pairs_are_taken_too():
    v, optimizer = Variable([1.0]), optimizers.SGD(0.5)
    optimizer.apply([])
    assert int(optimizer.iterations) == 0
    with pytest.raises(ValueError, match="needs the variables, too"):
        optimizer.apply([[1.0]])
    assert int(optimizer.apply_gradients([([1.0], v)])) == 1
    assert v.numpy() == 0.5
    with pytest.raises(ValueError, match="one gradient per variable. Received: 2"):
        optimizer.apply([[1.0], [1.0]])
    with pytest.raises(ValueError, match="No variable has a gradient"):
        optimizer.apply([None])


def test_muon_refuses_to_ignore_an_overridden_part_of_its_step():
    class Louder(optimizers.Muon):
        def lr_adjust(self, x):
            return x * 2

    with pytest.raises(TypeError, match="Override update_step"):
        Louder().build([Variable(np.ones((2, 2)))])


def test_muons_matrices_become_nearly_orthogonal():
    optimizer = optimizers.Muon()
    rng = np.random.default_rng(0)
    for shape in ((6, 4), (4, 6), (2, 5, 3)):
        x = np.asarray(optimizer.zeropower_via_newtonschulz5(rng.normal(size=shape), 5))
        values = np.linalg.svd(x, compute_uv=False)
        assert (values > 0.6).all()
        assert (values < 1.3).all()
    with pytest.raises(ValueError, match="at least two axes"):
        optimizer.zeropower_via_newtonschulz5(np.ones(3), 5)
