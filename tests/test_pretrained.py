"""Published weights by name, from servers on this machine; which net a file is of; and a photo prepared as for ImageNet."""

import hashlib
import http.server
import threading

import numpy
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from minires import data, models, nn, pretrained
from minires.checkpoint import save_weights
from tests.test_cli import typed


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A function that puts a net on a server under a name, as torchvision names its files; the cache is empty."""
    monkeypatch.setenv("MINIRES_CACHE", str(tmp_path / "cache"))
    room = tmp_path / "server"
    room.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        asked = []

        def __init__(self, *arguments):
            super().__init__(*arguments, directory=room)

        def log_message(self, *_):
            self.asked.append(self.path)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def publish(name, model, facts, digits=None):
        save_weights(room / "w", model.state_dict())
        digits = digits or hashlib.sha256((room / "w").read_bytes()).hexdigest()[:8]
        (room / "w").rename(room / f"net-{digits}.pth")
        address = f"http://127.0.0.1:{server.server_port}/net-{digits}.pth"
        monkeypatch.setattr(pretrained, "PUBLISHED", {name: (address, facts)})
        return Quiet.asked

    yield publish
    server.shutdown()
    server.server_close()


def test_a_published_name_is_fetched_once_and_checked_by_the_digits_in_its_name(
    published, tmp_path
):
    nn.manual_seed(0)
    model = models.resnet20()
    asked = published("resnet20.cifar10", model, pretrained.CIFAR10)
    for _ in range(2):
        state, facts = pretrained.read("resnet20.cifar10")
        assert (
            facts["model"] == "resnet20"
            and facts["classes"] == list(data.CLASSES["cifar10"])
            and facts["size"] == [32, 32, 3]
        )
        for name, value in model.state_dict().items():
            assert_array_equal(state[name], value)
    assert len(asked) == 1 and len(list((tmp_path / "cache").glob("net-*.pth"))) == 1


def test_another_file_under_the_name_is_refused(published, tmp_path):
    published("resnet20.cifar10", models.resnet20(), {}, digits="0123abcd")
    with pytest.raises(ConnectionError, match=r"(?s)no source provided the weights:.*it is a different file .*SHA-256 .*Download net-0123abcd.pth "
                                              r"\(SHA-256 0123abcd\) by other means.*or name the file with --weights"):  # fmt: skip
        pretrained.read("resnet20.cifar10")
    assert not list((tmp_path / "cache").glob("*.pth"))


def test_names_are_those_that_others_know_and_each_has_digits_of_its_checksum():
    assert len(pretrained.PUBLISHED) == 18
    for name, (address, facts) in pretrained.PUBLISHED.items():
        model, file = name.partition(".")[0], address.rpartition("/")[2]
        digits = file.rpartition("-")[2].partition(".")[0]
        assert (
            model in models.MODELS
            and file.startswith(model)
            and len(digits) == 8
            and int(digits, 16)
        )
        assert (
            len(facts["classes"]) == (1000 if name.endswith("in1k") else 10)
            and len(facts["mean"]) == len(facts["std"]) == 3
        )
    with pytest.raises(
        ValueError,
        match="unknown file, run or published name 'resnet50.tv_in1': choose from .* did you mean 'resnet50.tv_in1k'",
    ):
        pretrained.read("resnet50.tv_in1")


def test_imagenet_has_a_thousand_classes_in_their_order():
    names = data.CLASSES["imagenet"]
    assert len(names) == len(set(names)) == 1000
    found = {i: names[i] for i in (0, 1, 207, 281, 283, 404, 817, 999)}
    assert found == {0: "tench", 1: "goldfish", 207: "golden retriever", 281: "tabby", 283: "Persian cat", 404: "airliner",
                     817: "sports car", 999: "toilet tissue"}  # fmt: skip


@pytest.mark.parametrize("name", models.MODELS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"stem": "imagenet", "num_classes": 3},
        {"preactivation": True, "in_channels": 1},
        {"shortcut": "B"},
    ],
    ids=str,
)
def test_a_net_is_recognised_by_its_shapes(name, options):
    deep = name in ("resnet101", "resnet152", "resnet110")
    if (name == "resnet8" and options) or (deep and len(options) != 1):
        return
    state = {
        key: numpy.broadcast_to(numpy.float32(0), value.shape)
        for key, value in models.build(name, **options).state_dict().items()
    }
    found, told = models.infer_model(state)
    assert found == name
    again = models.build(found, **told).state_dict()
    assert {key: value.shape for key, value in again.items()} == {
        key: value.shape for key, value in state.items()
    }
    assert all(told[key] == value for key, value in options.items())


def test_nets_that_are_none_of_ours_are_not_recognised():
    for model in (models.ResNet(models.BasicBlock, (2, 2, 2), (16, 32, 64)), models.ResNet(models.BasicBlock, (3, 3, 3), (16, 32, 65)),
                  models.resnet18(shortcut="A"), models.resnet18(shortcut="none"), nn.Sequential(nn.Linear(2, 3))):  # fmt: skip
        assert models.infer_model(model.state_dict()) is None
    state = models.resnet18().state_dict()
    assert models.infer_model({**state, "conv1.weight": numpy.zeros((5, 5, 3, 64))}) is None
    assert models.infer_model({**state, "conv1.weight": numpy.zeros((3, 3, 3, 32))}) is None
    assert models.infer_model({}) is None


def photo(path, width, height):
    pixels = numpy.random.default_rng(0).integers(
        0, 256, (height // 8 + 1, width // 8 + 1, 3), dtype=numpy.uint8
    )
    Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC).save(path)
    return path


@pytest.mark.parametrize(("width", "height", "became", "left", "top"), [(500, 375, (341, 256), 58, 16), (301, 400, (256, 340), 16, 58),
                                                                      (256, 256, (256, 256), 16, 16), (60, 90, (256, 384), 16, 80),
                                                                      (343, 256, (343, 256), 60, 16), (600, 448, (342, 256), 59, 16)])  # fmt: skip
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_a_photo_is_prepared_as_for_imagenet(
    width, height, became, left, top, interpolation, tmp_path
):
    """The shorter side becomes 256, the other int(256 * long / short); of the centre 224 x 224 are left: numbers by hand."""
    path = photo(tmp_path / "photo.png", width, height)
    found = data.load_image(path, size=224, resize=256, interpolation=interpolation)
    with Image.open(path) as image:
        expected = image.resize(became, getattr(Image.Resampling, interpolation.upper())).crop(
            (left, top, left + 224, top + 224)
        )
    assert found.shape == (224, 224, 3)
    assert_array_equal(found, numpy.asarray(expected))


def test_a_preparation_that_is_none_is_refused(tmp_path):
    path = photo(tmp_path / "photo.png", 40, 40)
    for options, message in (({"resize": 20}, "resize: expected a size of at most 20 as well, got size None"), ({"size": 30, "resize": 20}, "resize: expected .*, got size 30"),
                             ({"size": 8, "interpolation": "cubic"}, "unknown interpolation 'cubic': .* bilinear, bicubic")):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            data.load_image(path, **options)


def test_predict_says_what_a_net_of_imagenet_sees(published, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    nn.manual_seed(3)
    model = models.resnet18(stem="imagenet", num_classes=1000)
    save_weights("w.safetensors", model.state_dict())
    photo("photo.png", 300, 260)
    assert typed("predict", "photo.png", "--weights", "w.safetensors", "--top", "1") == 0
    pixels = data.load_image("photo.png", size=224, resize=256)
    x = (pixels[None] / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    logits = model.eval()(nn.Parameter(x.astype("f4"))).numpy()
    assert capsys.readouterr().out.startswith(
        f"photo.png: {data.CLASSES['imagenet'][logits[0].argmax()]} "
    )
    published(
        "resnet18.mine",
        model,
        {**pretrained.IMAGENET, "classes": [f"thing {i}" for i in range(1000)]},
    )
    assert typed("predict", "photo.png", "--weights", "resnet18.mine", "--top", "1") == 0
    assert capsys.readouterr().out.startswith(f"photo.png: thing {logits[0].argmax()} ")
