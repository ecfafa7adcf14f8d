"""The error that suggests the nearest name."""

import pytest

from minires import names

MODELS = ("resnet18", "resnet20", "resnet32", "resnet56")


def test_a_known_name_comes_back():
    assert names.check("model", "resnet20", MODELS) == "resnet20"


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("resnet21", "resnet20"), ("resnet33", "resnet32"), ("rsnet56", "resnet56")],
)
def test_an_unknown_name_is_told_with_all_and_the_nearest(name, nearest):
    with pytest.raises(ValueError) as caught:
        names.check("model", name, MODELS)
    told = f"unknown model {name!r}: choose from resnet18, resnet20, resnet32, resnet56; did you mean {nearest!r}?"
    assert str(caught.value) == told


def test_a_name_like_none_of_them_gets_no_guess():
    with pytest.raises(KeyError) as caught:
        names.check("stem", "xyz", ("cifar", "imagenet"), KeyError)
    assert caught.value.args[0] == "unknown stem 'xyz': choose from cifar, imagenet"


def test_of_many_names_those_that_are_listed_are_told_and_any_may_be_the_nearest():
    with pytest.raises(
        ValueError,
        match="^unknown part 'layer1.conv9': choose from layer1, layer2; did you mean 'layer1.conv1'\\?$",
    ):
        names.check(
            "part",
            "layer1.conv9",
            ["layer1", "layer1.conv1", "layer2"],
            listed=["layer1", "layer2"],
        )
