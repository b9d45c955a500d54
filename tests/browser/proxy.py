"""A real nginx from Debian's packages before the app, as docs/operations.md has it, on a free loopback port."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tests.browser.chrome import free_port
from tests.cases import ROOT

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin")
PREFIX = "/throughline"
FRAME = """daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{ access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
{site} }}
"""


def documented() -> str:
    """The site of the handbook, word for word."""
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    (site,) = re.findall(r"```nginx\n(.*?)```", text, re.DOTALL)
    return site


def configuration(folder: Path, app_port: int, port: int) -> Path:
    """A file with the documented site, its ports, name and certificate lines made ours."""
    site = documented().replace("127.0.0.1:8501", f"127.0.0.1:{app_port}")
    site = site.replace("listen 443 ssl;", f"listen 127.0.0.1:{port};").replace(
        "throughline.example", "localhost"
    )
    site = re.sub(r"\n\s*ssl_\w+ .*?;", "", site)
    path = folder / "nginx.conf"
    path.write_text(FRAME.format(folder=folder, site=site))
    return path


@contextlib.contextmanager
def before(app_port: int, folder: Path) -> Iterator[str]:
    """nginx with the documented site. Yields its address."""
    assert NGINX
    port = free_port()
    conf = configuration(folder, app_port, port)
    server = subprocess.Popen([NGINX, "-p", str(folder), "-c", str(conf)], stderr=subprocess.DEVNULL)
    try:
        answering(f"http://127.0.0.1:{port}{PREFIX}/healthz", server)
        yield f"http://localhost:{port}{PREFIX}"
    finally:
        server.terminate()
        server.wait(timeout=10)


@contextlib.contextmanager
def app_alone(home: Path, elsewhere: Path) -> Iterator[int]:
    """The app by its own command. Yields its port."""
    port = free_port()
    command = [sys.executable, "-m", "app", "--home", str(home), "serve", "--port", str(port)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    log = (elsewhere / "server.log").open("w+")
    server = subprocess.Popen(command, cwd=elsewhere, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        answering(f"http://127.0.0.1:{port}/healthz", server)
        yield port
    finally:
        server.terminate()
        server.wait(timeout=20)
    log.seek(0)
    assert "Traceback" not in log.read()


def answering(url: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        assert server.poll() is None, "the server ended at once"
        with contextlib.suppress(OSError):
            urllib.request.urlopen(url, timeout=2)
            return
        time.sleep(0.1)
