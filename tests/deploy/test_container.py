"""The image of docs/deploy/Containerfile is built by a container engine, refuses what it must, and serves."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.browser.chrome import free_port
from tests.cases import ROOT
from tests.deploy.debian import SECRETS, said

FILE = ROOT / "docs" / "deploy" / "Containerfile"
FROM = re.findall(r"^FROM (\S+)$", FILE.read_text(), re.MULTILINE)
HEALTH = ast.literal_eval(re.findall(r"HEALTHCHECK.*?CMD (\[.*?\])\n", FILE.read_text(), re.DOTALL)[0])

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("buildah") is None, reason="buildah is not installed: no image was built"
    ),
]


@dataclass(frozen=True)
class Engine:
    """buildah with a storage of its own, which needs neither a daemon nor an overlay file system."""

    folder: Path

    @property
    def command(self) -> tuple[str, ...]:
        store = ("--root", str(self.folder / "root"), "--runroot", str(self.folder / "run"))
        return ("buildah", *store, "--storage-driver", "vfs")

    def do(self, *words: str) -> str:
        return said(*self.command, *words, cwd=ROOT).stdout.strip()

    def run(self, container: str, *words: str) -> tuple[str, ...]:
        return (*self.command, "run", "--isolation", "chroot", container, "--", *words)


@pytest.fixture(scope="module")
def built(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, str]]:
    """The image on this Debian's Python, in the place of the official image that holds the same Debian and Python."""
    engine = Engine(tmp_path_factory.mktemp("images"))
    container = engine.do("from", "scratch")
    engine.do("copy", "-q", container, str(base), "/")
    bare = ("sh", "-c", "rm -f /usr/lib/python3*/EXTERNALLY-MANAGED; ln -sf python3 /usr/bin/python")
    said(*engine.run(container, *bare))
    engine.do("commit", "-q", "--rm", container, FROM[0])
    engine.do(
        "bud", "--pull-never", "--isolation", "chroot", "--network", "host", "--format", "docker",
        "-t", "throughline", "-f", str(FILE), ".",
    )  # fmt: skip
    yield engine, engine.do("from", "localhost/throughline")
    shutil.rmtree(engine.folder)


def test_without_sign_in_it_does_not_start(built: tuple[Engine, str]):
    engine, container = built
    done = said(*engine.run(container, "python", "-m", "app", "serve"), check=False)
    assert done.returncode
    assert "client_id is missing in [auth] of /etc/throughline/secrets.toml" in done.stderr


def answer(port: int) -> int:
    """The status of /readyz; 0 where nobody answers yet."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as told:
            return int(told.status)
    except urllib.error.HTTPError as told:
        return told.code
    except OSError:
        return 0


def test_it_serves_as_nobody_of_importance_and_its_own_check_agrees(
    built: tuple[Engine, str], tmp_path: Path
):
    engine, container = built
    (tmp_path / "secrets.toml").write_text(SECRETS)
    engine.do(
        "copy", "-q", "--chown", "throughline", container, f"{tmp_path}/secrets.toml", "/etc/throughline/"
    )
    assert said(*engine.run(container, "id", "-u")).stdout.strip() == "10001"
    assert said(*engine.run(container, "touch", "/opt/throughline/app/x"), check=False).returncode
    said(*engine.run(container, "python", "-m", "app", "migrate"))
    port = free_port()
    serve = ("python", "-m", "app", "serve", "--host", "0.0.0.0", "--port", str(port))
    server = subprocess.Popen(engine.run(container, *serve))
    try:
        until = time.monotonic() + 60
        while answer(port) != 200:
            assert time.monotonic() < until, answer(port)
            time.sleep(0.5)
        check = [word.replace(":8501", f":{port}") for word in HEALTH]
        said(*engine.run(container, *check))
    finally:
        said("pkill", "-f", f"app serve --host 0.0.0.0 --port {port}", check=False)
        server.wait(timeout=30)
    assert said(*engine.run(container, *check), check=False).returncode  # and says so where nobody answers
