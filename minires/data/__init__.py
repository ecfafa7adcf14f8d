"""From files to batches of arrays on the device."""

from minires.data.batches import batches
from minires.data.dataset import Dataset
from minires.data.digits import digits
