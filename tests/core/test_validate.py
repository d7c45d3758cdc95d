import numpy as np
import pytest

from minikeras.core import validate

GOOD = [
    (validate.integer, np.int64(-3), -3),
    (validate.positive_int, 3, 3),
    (validate.non_negative_int, 0, 0),
    (validate.number, 2, 2.0),
    (validate.number, np.float32(0.5), 0.5),
    (validate.non_negative, 0, 0.0),
    (validate.fraction, 1, 1.0),
    (validate.boolean, np.bool_(True), True),
    (validate.boolean, 0, False),
    (validate.shape, 5, (5,)),
    (validate.shape, [None, np.int32(2)], (None, 2)),
    (validate.shape, (), ()),
]
BAD = [
    (validate.integer, 3.0, "an integer"),
    (validate.positive_int, 0, "a positive integer"),
    (validate.positive_int, True, "a positive integer"),
    (validate.positive_int, "3", "a positive integer"),
    (validate.non_negative_int, -1, "at least 0"),
    (validate.number, "x", "a number"),
    (validate.number, None, "a number"),
    (validate.non_negative, float("nan"), "at least 0"),
    (validate.fraction, 1.5, "between 0 and 1"),
    (validate.boolean, 2, "True or False"),
    (validate.boolean, "yes", "True or False"),
    (validate.shape, (-1, 2), "tuple of sizes"),
    (validate.shape, (2.0,), "tuple of sizes"),
    (validate.shape, "ab", "tuple of sizes"),
]


@pytest.mark.parametrize(("check", "value", "expected"), GOOD)
def test_good_values_come_back_in_normal_form(check, value, expected):
    result = check(value, "x")
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(("check", "value", "expected"), BAD)
def test_bad_values_are_refused_with_owner_name_and_value(check, value, expected):
    with pytest.raises(
        ValueError, match=rf"Dense: `units` must be .*{expected}.*Received: "
    ) as info:
        check(value, "units", "Dense")
    assert repr(value) in str(info.value)


def test_one_of_suggests_the_nearest_option():
    assert validate.one_of("same", ("valid", "same"), "padding") == "same"
    with pytest.raises(ValueError, match=r"`padding` must be one of 'valid', 'same'.*'same'\?"):
        validate.one_of("smae", ("valid", "same"), "padding")


def test_one_of_does_not_mistake_true_for_one():
    with pytest.raises(ValueError, match="must be one of"):
        validate.one_of(True, (1, 2), "rank")


def test_suggestions_ignore_case_and_underscores():
    assert validate.suggest("BatchNormalisation", ["batch_normalization", "dense"]).endswith(
        "'batch_normalization'?"
    )
    assert validate.suggest("zzz", ["adam"]) == ""


@pytest.mark.parametrize(
    ("word", "options", "meant"),
    [
        ("adma", ["adamax", "adam", "adadelta"], "adam"),  # two letters exchanged
        ("learningrate", ["learning_rate", "learning_rates_map"], "learning_rate"),
        ("glorot", ["glorot_normal", "orthogonal"], "glorot_normal"),  # a beginning
        ("rleu", ["elu", "relu", "relu6"], "relu"),
        ("Mine", ["hinge", "mae"], None),  # as many slips as letters that agree
    ],
)
def test_the_option_with_the_fewest_slips_is_suggested(word, options, meant):
    expected = "" if meant is None else f" Did you mean {meant!r}?"
    assert validate.suggest(word, options) == expected


def test_what_is_no_text_has_no_suggestion():
    assert validate.suggest(3, ["adam"]) == ""


def test_unknown_keywords_are_errors_with_a_suggestion():
    validate.reject_unknown({}, ["units"], "Dense")
    with pytest.raises(TypeError, match=r"Dense has no argument 'unit'. Did you mean 'units'\?"):
        validate.reject_unknown({"unit": 3}, ["units", "activation"], "Dense")
