"""A Debian made by debootstrap in a folder: the machine that the handbook installs on, and the base of the image."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

MIRROR = "http://deb.debian.org/debian"
PACKAGES = (
    "ca-certificates", "dbus", "make", "python3", "python3-pip", "python3-venv", "systemd", "systemd-sysv",
)  # fmt: skip
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
SECRETS = """
[auth]
redirect_uri = "https://throughline.example/oauth2callback"
cookie_secret = "0123456789abcdef0123456789abcdef"
client_id = "throughline"
client_secret = "not a secret"
server_metadata_url = "https://id.example/.well-known/openid-configuration"

[throughline]
webhook_url = "http://127.0.0.1:9009/"
webhook_secret = "long enough and not random"
"""


def said(*command: str, cwd: Path | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command; where it fails, the test's message is what it said last."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if check and done.returncode:
        pytest.fail(f"{' '.join(command)}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done


def debian(root: Path) -> Path:
    """A minimal Debian with Python. What this machine trusts and whom it asks for names hold there too."""
    said("debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", "bookworm", str(root), MIRROR)
    shutil.copy(CERTIFICATES, root / CERTIFICATES.relative_to("/"))
    shutil.copy("/etc/resolv.conf", root / "etc" / "resolv.conf")
    return root
