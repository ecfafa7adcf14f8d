"""The error that gives the nearest name."""

import pytest

from minires import names

MODELS = ("resnet18", "resnet20", "resnet32", "resnet56")


def test_a_known_name_comes_back():
    assert names.check("model", "resnet20", MODELS) == "resnet20"


@pytest.mark.parametrize(("name", "nearest"), [("resnet21", "resnet20"), ("resnet33", "resnet32"), ("rsnet56", "resnet56")])
def test_an_unknown_name_is_told_with_all_and_the_nearest(name, nearest):
    with pytest.raises(ValueError) as caught:
        names.check("model", name, MODELS)
    told = f"unknown model {name!r}: there are resnet18, resnet20, resnet32, resnet56; did you mean {nearest!r}?"
    assert str(caught.value) == told


def test_a_name_like_none_of_them_gets_no_guess():
    with pytest.raises(KeyError) as caught:
        names.check("stem", "xyz", ("cifar", "imagenet"), KeyError)
    assert caught.value.args[0] == "unknown stem 'xyz': there are cifar, imagenet"
