"""Shapes on the command line: how many are drawn from which seeds, and a run on a few of them."""

import numpy
import pytest
from PIL import Image

from minires import data
from minires.checkpoint import load_weights
from minires.cli import recipes, settings
from tests.test_cli import elsewhere, typed  # noqa: F401  (a fixture)

whole = data.shapes


@pytest.fixture
def few(monkeypatch):
    """A fiftieth of the shapes: 100 for training, 10 for validation, 20 for test."""
    monkeypatch.setattr(data, "shapes", lambda n, seed: whole(n // 50, seed))


def test_data_describes_and_draws_them(elsewhere, capsys):
    assert typed("data", "shapes") == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "shapes. drawn from seeds 0, 2, 1" and said[-1] == "picture in shapes.png"
    for line, (part, n, each) in zip(
        said[1:], (("train", "5,000", 500), ("validation", "500", 50), ("test", "1,000", 100))
    ):
        images = f"Dataset({n} images of 32 x 32 x 3, 10 classes), {each} per class"
        assert line == f"{part:10}  {images}"
    assert (elsewhere / "shapes.png").read_bytes().startswith(b"\x89PNG")


def test_the_three_sets_have_no_image_in_common():
    parts = settings.datasets(settings.merged({"data": "shapes"}, {}))
    images = [{image.tobytes() for image in part.images} for part in parts]
    assert [len(part) for part in images] == [5000, 500, 1000]
    assert len(set.union(*images)) == 6500
    assert (parts[2].images[:20] == whole(20, 1).images).all()  # what the course tests on


@pytest.mark.usefixtures("few")
def test_a_run_on_shapes_is_trained_evaluated_and_used(elsewhere, capsys):
    assert typed("train", "--recipe", "shapes", "--epochs", "1") == 0
    said = capsys.readouterr().out
    assert "resnet20, 269,722 parameters, on 100 images of shapes" in said
    facts = load_weights("runs/shapes/weights.safetensors")[1]
    assert facts["classes"] == list(data.CLASSES["shapes"]) and facts["size"] == [32, 32, 3]
    assert facts["mean"] == [0.4] * 3 and facts["std"] == [0.3] * 3
    for part, count in (("test", 20), ("validation", 10), ("train", 100)):
        assert typed("evaluate", "shapes", "--part", part) == 0
        said = capsys.readouterr().out
        assert f"{part} part of shapes: " in said and f" of {count})" in said
    Image.fromarray(whole(1, 3).images[0]).save("circle.png")
    assert typed("predict", "circle.png", "--run", "shapes") == 0
    said = capsys.readouterr().out
    assert numpy.any([f"circle.png: {name} " in said for name in data.CLASSES["shapes"]])
    card = (elsewhere / "runs/shapes/card.md").read_text(encoding="utf-8")
    assert (
        "| data | shapes: 100 for training, 10 for validation, 20 for test; drawn from seeds 0, 2, 1 |"
        in card
    )


def test_what_is_drawn_is_already_split(capsys):
    assert typed("train", "--data", "shapes", "--validation", "0.2") == 2
    said = "--validation cannot be used with the shapes, which are drawn from seeds, already split"
    assert said in " ".join(capsys.readouterr().err.split())


def test_the_recipe_is_what_shapes_are_trained_on_where_nothing_is_said():
    written, variants = recipes.read("shapes")
    recipe = settings.merged({}, written).to_config()
    alone = settings.merged({"data": "shapes"}, {}).to_config()
    assert not variants
    assert {name for name in recipe if recipe[name] != alone.get(name)} <= {"shortcut", "drop_last"}
