"""One Debian for all tests of this folder."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cases import SOAK
from tests.deploy.debian import debian


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    if not SOAK:
        pytest.skip("a Debian of its own takes minutes: THROUGHLINE_SOAK=1")
    if os.geteuid() or not shutil.which("debootstrap"):
        pytest.skip("debootstrap needs to be installed, and root to run it")
    root = debian(tmp_path_factory.mktemp("debian") / "root")
    yield root
    shutil.rmtree(root)
