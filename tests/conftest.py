"""What every test may count on: a thread a worker, fixed seeds, a cache of its own, the default parser, real data."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")  # how long an example takes says how busy the machine is


def pytest_configure() -> None:
    """Tell NLTK where the real treebanks lie, and torch how many threads it has, before they are imported."""
    if "PYTEST_XDIST_WORKER" in os.environ:  # workers have a core each; more threads wait for one another
        os.environ.setdefault("OMP_NUM_THREADS", "1")
    if os.environ.get("SEQTREE_DATA"):
        data = Path(os.environ["SEQTREE_DATA"]).resolve()
        os.environ["SEQTREE_DATA"] = str(data)  # absolute: tests change the working folder
        os.environ.setdefault("NLTK_DATA", str(data / "nltk_data"))


@pytest.fixture(scope="session", autouse=True)
def _own_surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEQTREE_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.delenv("SEQTREE_PARSER", raising=False)
        yield


@pytest.fixture(autouse=True)
def _fixed_seeds() -> None:
    """The same random numbers for a test whichever tests ran before it; loads nothing that is not loaded yet."""
    random.seed(0)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real texts and treebanks that SEQTREE_DATA names, for tests marked ``realdata``."""
    named = os.environ.get("SEQTREE_DATA")
    if not named:
        pytest.skip("SEQTREE_DATA is not set: no real texts and treebanks here")
    folder = Path(named)
    if not folder.is_dir():
        pytest.skip(f"SEQTREE_DATA names {folder}, which is not a folder")
    return folder
