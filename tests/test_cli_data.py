"""Photos on the command line: what is read of them, how large, what is held out, and batches that cannot be."""

import re
from pathlib import Path

import numpy
import pytest
from PIL import Image

from minires import data, models, nn, optim, train
from minires.checkpoint import load_weights, save_weights
from minires.cli import dry_run
from tests.test_cli import elsewhere, typed  # noqa: F401  (a fixture among them)

EVALUATE = "evaluate --weights w.safetensors --model resnet20 --data folder:images".split()
TRAIN = ("train", "--data", "folder:images", "--model", "resnet20", "--epochs", "1", "--name", "r")


def photos(number=10, sizes=((8, 8),), folder="images"):
    """Photos of two classes; their sizes take turns."""
    rng = numpy.random.default_rng(0)
    for name in ("cat", "dog"):
        Path(folder, name).mkdir(parents=True)
        for i in range(number):
            pixels = rng.integers(0, 256, (*sizes[i % len(sizes)], 3), numpy.uint8)
            Image.fromarray(pixels).save(Path(folder, name, f"{i}.png"))


# Sizes.


def test_photos_of_one_size_keep_it():
    photos(sizes=[(12, 16)])
    assert typed(*TRAIN, "--validation", "0") == 0
    assert load_weights("runs/r/weights.safetensors")[1]["size"] == [12, 16, 3]


def test_photos_of_different_sizes_are_trained_on_at_a_size_that_a_line_tells(capsys):
    photos(sizes=[(12, 16), (16, 12)])
    assert typed(*TRAIN, "--validation", "0") == 0
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "resized" in line]
    assert line.endswith("all are resized and cropped to 64 x 64 (--size changes that)")
    assert load_weights("runs/r/weights.safetensors")[1]["size"] == [64, 64, 3]
    assert typed("evaluate", "r") == 0  # at the size that the run saw
    assert "resized" not in capsys.readouterr().err


def test_weights_bring_the_size_of_their_photos(capsys):
    photos(sizes=[(12, 12)])
    assert typed(*TRAIN, "--validation", "0") == 0
    photos(sizes=[(12, 16), (16, 12)], folder="others")
    capsys.readouterr()
    words = ("train", "--weights", "r", "--data", "folder:others", "--validation", "0")
    assert typed(*words, "--epochs", "1", "--name", "tuned") == 0
    assert "resized" not in capsys.readouterr().err
    assert load_weights("runs/tuned/weights.safetensors")[1]["size"] == [12, 12, 3]


def test_data_describes_photos_of_different_sizes(capsys):
    photos(sizes=[(12, 16), (16, 12)])
    assert typed("data", "folder:images") == 0
    assert "16 images of 64 x 64 x 3" in capsys.readouterr().out


def test_evaluate_guesses_no_size_for_the_weights_of_others(capsys):
    photos(sizes=[(12, 16), (16, 12)])
    save_weights("w.safetensors", models.resnet20(num_classes=2).state_dict())
    assert typed(*EVALUATE) == 2
    assert "--size makes all images the same" in capsys.readouterr().err
    assert typed(*EVALUATE, "--size", "16") == 0


def test_what_is_passed_over_is_told_by_train(capsys):
    photos()
    Path("images", "cat", "10.heic").write_bytes(b"")
    assert typed(*TRAIN, "--validation", "0") == 0
    assert "minires: passed over 1 file in images: 1 .heic\n" in capsys.readouterr().err


# What is held out.


def test_data_holds_nothing_out_unless_asked(capsys):
    photos()
    assert typed("data", "folder:images") == 0
    said = capsys.readouterr().out
    assert "train       Dataset(16 images" in said and "validation" not in said
    assert typed("data", "folder:images", "--validation", "0.25") == 0
    said = capsys.readouterr().out
    assert "train       Dataset(12 images" in said and "validation  Dataset(4 images" in said


def test_data_is_the_digits_where_nothing_is_said(capsys):
    assert typed("data") == 0
    assert "handwritten digits" in capsys.readouterr().out


def test_train_names_what_helps_where_a_tenth_is_less_than_one_image(capsys, elsewhere):
    photos()
    assert typed(*TRAIN) == 2
    error = capsys.readouterr().err
    assert "leaves no images for validation; --validation 0 holds none out" in error
    assert not (elsewhere / "runs").exists()
    assert typed(*TRAIN, "--validation", "0") == 0


def test_evaluate_holds_out_only_what_it_is_asked_for(capsys):
    photos()
    save_weights("w.safetensors", models.resnet20(num_classes=2).state_dict())
    for part, count in (("test", 4), ("train", 16)):
        assert typed(*EVALUATE, "--part", part) == 0
        assert f" of {count})" in capsys.readouterr().out
    assert typed(*EVALUATE, "--part", "validation") == 2
    assert "leaves no images for validation" in capsys.readouterr().err
    assert typed(*EVALUATE, "--part", "validation", "--validation", "0.25") == 0
    assert " of 4)" in capsys.readouterr().out


def test_evaluate_splits_a_runs_training_images_as_the_run_did(capsys):
    photos(20)
    assert typed(*TRAIN, "--validation", "0.25") == 0
    capsys.readouterr()
    for part, count in (("test", 8), ("train", 24), ("validation", 8)):
        assert typed("evaluate", "r", "--part", part) == 0
        assert f" of {count})" in capsys.readouterr().out


# Batches.


def seventeen(side):
    """Photos of which 17 are for training; batches of 8 leave one of them. resnet20 quarters the side."""
    photos(sizes=[(side, side)])
    Path("images", "cat", "more.png").write_bytes(Path("images", "cat", "0.png").read_bytes())
    return (*TRAIN, "--validation", "0", "--augment", "none", "--batch-size")


def test_a_last_batch_of_one_image_is_refused_before_a_run_is_made(capsys, elsewhere):
    words = seventeen(4)
    assert typed(*words, "8") == 2
    told = "the last batch of an epoch has one image, too few for the model's batch norm: "
    cure = "leave it out (--drop-last), or choose another --batch-size"
    assert capsys.readouterr().err == f"minires train: {told}{cure}\n"
    assert typed(*words, "1") == 2
    assert capsys.readouterr().err == f"minires train: {told}choose another --batch-size\n"
    assert not (elsewhere / "runs").exists()


@pytest.mark.parametrize(
    "cure", [("8", "--drop-last"), ("7",), ("8", "--freeze", "until:fc", "--weights", "r")]
)
def test_what_is_advised_helps_and_frozen_batch_norms_take_one_image(cure):
    words = seventeen(4)
    assert typed(*words, "9") == 0
    assert typed(*words[:8], "s", *words[9:], *cure) == 0


def test_a_last_batch_of_one_image_is_trained_on_where_its_maps_are_larger():
    assert typed(*seventeen(8), "8") == 0


def test_a_dry_run_leaves_the_weights_and_the_random_numbers_as_they_were():
    images = numpy.zeros((5, 8, 8, 3), numpy.uint8)
    five = data.Dataset(images, numpy.array([0, 1, 0, 1, 0]), ["a", "b"])
    nn.manual_seed(0)
    model = models.resnet20(num_classes=2)
    before = {name: array.copy() for name, array in model.state_dict().items()}
    position = nn.init.generator().bit_generator.state
    dry_run.check_smallest_batch(model, data.batches(five, 4))
    assert nn.init.generator().bit_generator.state == position
    for name, array in model.state_dict().items():
        assert (array == before[name]).all(), name


def test_the_library_says_the_same_of_a_last_batch_of_one_image():
    images = numpy.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), numpy.uint8)
    five = data.Dataset(images, numpy.array([0, 1, 0, 1, 0]), ["a", "b"])
    nn.manual_seed(0)
    model = models.resnet18(num_classes=2)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(ValueError, match=r"leave out a last batch of one image \(drop_last=True\)"):
        train.train_epoch(model, data.batches(five, 4, seed=0), optimizer)
    score = train.train_epoch(model, data.batches(five, 4, seed=0, drop_last=True), optimizer)
    assert score.count == 4


def test_a_batch_larger_than_the_training_set_is_told(capsys):
    photos()
    assert typed(*TRAIN, "--validation", "0", "--batch-size", "17") == 0
    told = "--batch-size is 17: each epoch is one step, on all 16 training images"
    assert told in capsys.readouterr().err
    assert typed(*TRAIN[:-1], "s", "--validation", "0", "--batch-size", "16") == 0
    assert "--batch-size" not in capsys.readouterr().err


@pytest.mark.parametrize("augment", ["crop=8", "crop=40", "cutout=8", "flip,cutout=100"])
def test_augmentation_that_leaves_nothing_of_an_image_is_refused(capsys, elsewhere, augment):
    photos()
    assert typed(*TRAIN, "--validation", "0", "--augment", augment) == 2
    assert re.search(
        r"(crop|cutout): expected less than 8 on images of 8 x 8", capsys.readouterr().err
    )
    assert not (elsewhere / "runs").exists()
    assert typed(*TRAIN, "--validation", "0", "--augment", "crop=7,cutout=7") == 0
