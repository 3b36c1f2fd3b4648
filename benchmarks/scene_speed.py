"""How long a scene takes: ``python benchmarks/scene_speed.py MODEL IMAGE [--repeat N]``, on one thread.

The median of the repetitions, by the clock and by the processor's time (which other work on the machine does not
change): cutting the image into segments, their features, and the network with the merges.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch

from seqtree.scenes.model import SceneParser
from seqtree.scenes.pictures import read_image
from seqtree.scenes.preparing import prepared, reduced
from seqtree.scenes.segments import segments_of

T = TypeVar("T")


def measured(name: str, repeat: int, work: Callable[[], T]) -> T:
    """Do ``work`` once to warm up and then ``repeat`` times, and print the medians; returns what it gave last."""
    found = work()
    clock, processor = list[float](), list[float]()
    for _ in range(repeat):
        began, used = time.perf_counter(), time.process_time()
        found = work()
        clock.append(time.perf_counter() - began)
        processor.append(time.process_time() - used)
    print(f"{name:<28} {statistics.median(clock):8.3f} s  {statistics.median(processor):8.3f} s of the processor")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("image", type=Path)
    parser.add_argument("--repeat", type=int, default=7)
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = SceneParser.load(options.model)
    image = measured("reading the file", options.repeat, lambda: read_image(options.image))
    small, textons = reduced(image, model.segments.side), model.network.textons.arrays
    measured("segments", options.repeat, lambda: segments_of(small, model.segments))
    scene = measured("segments and features", options.repeat, lambda: prepared(image, model.segments, textons))
    measured("network and merges", options.repeat, lambda: model.parse_prepared([scene]))
    parse = measured("everything", options.repeat, lambda: model.parse(read_image(options.image)))
    print(f"{image.shape[1]} x {image.shape[0]} pixels, {len(parse.probabilities)} segments")


if __name__ == "__main__":
    main()
