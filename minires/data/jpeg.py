"""python -m minires.data.jpeg OUT: CIFAR-10 re-encoded as JPEG, in the binary layout, to repeat figures on such images.

Each image is encoded by Pillow (quality 75, colours at half the resolution, 4:2:0) and decoded again.
OUT/cifar-10-batches-bin/ is what `--data-dir OUT` reads.
"""

import argparse
import io
import sys
from pathlib import Path

import numpy
from PIL import Image
from tqdm import tqdm

from minires import files
from minires.backend import HostArray
from minires.data.cifar import CIFAR10, cifar10


def through_jpeg(image: HostArray, quality: int = 75) -> HostArray:
    """Encode an image, uint8 (H, W, 3), with colours at half the resolution, and decode it again."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    return numpy.asarray(Image.open(file))


def write(out: str | Path, *, data_dir: str | Path | None = None, quality: int = 75) -> Path:
    """Write OUT/cifar-10-batches-bin/, 10,000 images per file. Returns that folder.

    Raises  ValueError: a quality outside 1 to 95. Also what cifar10 and files.write raise.
    """
    if not 1 <= quality <= 95:
        raise ValueError(f"--quality: expected 1 to 95, got {quality}")
    train, test = cifar10(data_dir=data_dir)
    version = CIFAR10.versions[0]
    folder = Path(out, version.folder)
    with files.explained(folder, 0):
        folder.mkdir(parents=True, exist_ok=True)
    size = -(-len(train) // len(version.train))
    parts = [
        (name, train.part(slice(i * size, (i + 1) * size))) for i, name in enumerate(version.train)
    ]
    for name, part in (*parts, (version.test, test)):
        records = numpy.empty((len(part), 1 + part.images[0].size), numpy.uint8)
        records[:, 0] = part.labels
        for record, image in zip(
            records, tqdm(part.images, desc=name, unit=" images", disable=None, leave=False)
        ):
            record[1:] = through_jpeg(image, quality).transpose(2, 0, 1).ravel()
        files.write(folder / name, records.tobytes())
    files.write(folder / "batches.meta.txt", "\n".join((*CIFAR10.classes, "")).encode())
    return folder


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m minires.data.jpeg", description="Re-encode CIFAR-10 as JPEG."
    )
    parser.add_argument("out", metavar="OUT")
    parser.add_argument(
        "--data-dir", metavar="DIR", help="read CIFAR-10 from this folder instead of downloading it"
    )
    parser.add_argument("--quality", type=int, default=75)
    options = parser.parse_args()
    try:
        folder = write(options.out, data_dir=options.data_dir, quality=options.quality)
    except (ValueError, OSError) as error:
        sys.exit(f"minires.data.jpeg: {error}")
    print(f"written to {folder}: minires train --data cifar10 --data-dir {options.out} "
          f'--data-label "CIFAR-10, JPEG q{options.quality} 4:2:0"')  # fmt: skip


if __name__ == "__main__":
    main()
