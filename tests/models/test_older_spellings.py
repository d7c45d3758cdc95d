import numpy as np

import minikeras as keras


def test_classes_are_predicted_from_probabilities_or_from_one_unit():
    x = np.array([[0.2, 0.7], [3.0, 1.0]], "float32")
    several = keras.Sequential([keras.Input((2,)), keras.layers.Softmax()])
    np.testing.assert_array_equal(several.predict_classes(x), [1, 0])
    np.testing.assert_array_equal(several.predict_proba(x), several.predict(x))
    one = keras.Sequential([keras.Input((1,)), keras.layers.Activation("linear")])
    np.testing.assert_array_equal(one.predict_classes(x[:, :1]), [[0], [1]])
