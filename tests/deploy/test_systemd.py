"""The units of docs/deploy under a running systemd: a Debian is booted, and the app lives in it as the handbook says."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cases import ROOT
from tests.deploy.debian import SECRETS, said

DEPLOY = ROOT / "docs" / "deploy"
APP, HOME = "/opt/throughline", "/var/lib/throughline"
SERVICE, REFRESH = "throughline.service", "throughline-refresh.service"
ASK = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8501/%s', timeout=9).read().decode())"
RECEIVER = """
import http.server
class Told(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers['Content-Length'])); self.send_response(204); self.end_headers()
        open('/run/told', 'a').write(self.headers.get('Content-Type', '') + chr(10))
http.server.HTTPServer(('127.0.0.1', 9009), Told).serve_forever()
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("systemd-nspawn") is None,
        reason="systemd-nspawn is not installed: the units were not run",
    ),
]


@dataclass(frozen=True)
class Machine:
    """A booted Debian; `pid` is its systemd's."""

    root: Path
    pid: int

    def do(self, *command: str, check: bool = True) -> str:
        done = said("nsenter", "-t", str(self.pid), "-a", *command, check=check)
        return done.stdout.strip() + (done.stderr if not check else "")

    def is_(self, unit: str, *names: str) -> list[str]:
        """Properties of a unit, in this order."""
        told = dict(line.split("=", 1) for line in self.do("systemctl", "show", unit).splitlines())
        return [told[name] for name in names]

    def answers(self, page: str = "readyz") -> str:
        return self.do(f"{APP}/.venv/bin/python", "-c", ASK % page, check=False)

    def ready(self, seconds: float = 60) -> None:
        until = time.monotonic() + seconds
        while '"status": "ready"' not in (told := self.answers()):
            assert time.monotonic() < until, told
            time.sleep(0.5)

    def under_restrictions(self, *command: str) -> str:
        """Run as the service's user with all that its unit forbids."""
        lines = (DEPLOY / SERVICE).read_text().split("[Service]")[1].split("[Install]")[0].split()
        kept = [w for w in lines if "=" in w and not w.startswith(("Exec", "Restart", "Timeout"))]
        properties = [word for k in kept for word in ("-p", k)]
        return self.do("systemd-run", "--wait", "--pipe", "--collect", "-q", *properties, *command)


def installed(base: Path) -> None:
    """As the handbook has it: the sources and `make setup` in /opt, the secrets and the units in /etc."""
    said("useradd", "--root", str(base), "--system", "--home-dir", HOME, "throughline")
    said("git", "clone", "-q", str(ROOT), str(base) + APP)
    said("chroot", str(base), "make", "-C", APP, "setup")
    secrets = base / "etc/throughline/secrets.toml"
    secrets.parent.mkdir()
    secrets.write_text(SECRETS)
    said("chroot", str(base), "chown", "throughline", "/etc/throughline/secrets.toml")
    secrets.chmod(0o400)
    for unit in DEPLOY.glob("throughline*"):
        shutil.copy(unit, base / "etc/systemd/system")
    said("systemctl", f"--root={base}", "enable", SERVICE, "throughline-refresh.timer")


@pytest.fixture(scope="module")
def machine(base: Path) -> Iterator[Machine]:
    installed(base)
    # No bus of this machine is asked, and its network is not touched.
    boot = ("systemd-nspawn", "-D", str(base), "--register=no", "--keep-unit", "--private-network", "--boot")
    with (base.parent / "console").open("w") as console:
        outer = subprocess.Popen(boot, stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        until = time.monotonic() + 30
        while not (pids := said("pgrep", "-P", str(outer.pid), check=False).stdout.split()):
            assert time.monotonic() < until, (base.parent / "console").read_text()
            time.sleep(0.2)
        booted = Machine(base, int(pids[0]))
        booted.ready()
        yield booted
        outer.send_signal(signal.SIGTERM)
        outer.wait(timeout=60)


def test_it_comes_back_after_a_kill_and_ends_when_asked(machine: Machine):
    machine.do("systemctl", "kill", "--signal=KILL", SERVICE)
    until = time.monotonic() + 30
    while machine.is_(SERVICE, "NRestarts", "ActiveState") != ["1", "active"]:
        assert time.monotonic() < until
        time.sleep(0.5)
    machine.ready()
    machine.do("systemctl", "stop", SERVICE)
    assert machine.is_(SERVICE, "Result", "ActiveState") == ["success", "inactive"]
    machine.do("systemctl", "start", SERVICE)
    machine.ready()


def test_what_the_unit_forbids_keeps_nothing_from_working(machine: Machine):
    """Loader, ledger and the limited reader of files, which forks and sets limits; then refresh, publish, alert."""
    machine.do("systemctl", "stop", SERVICE)
    python = f"{APP}/.venv/bin/python"
    machine.under_restrictions(
        python, "-m", "app", "--home", HOME, "demo", "--days", "14", "--persons", "300"
    )
    machine.do("systemd-run", "-q", "--unit=receiver", python, "-c", RECEIVER)
    machine.do("systemctl", "start", REFRESH)
    assert machine.is_(REFRESH, "Result", "ExecMainStatus") == ["success", "0"]
    assert "application/json" in machine.do("cat", "/run/told")
    machine.do("systemctl", "start", SERVICE)
    machine.ready()
    assert "throughline_rollup_refreshed_timestamp_seconds" in machine.answers("metrics")


def test_nothing_outside_its_folder_can_be_written_or_read(machine: Machine):
    for path in (f"{APP}/app/x", "/etc/throughline/x", "/root/x"):
        tried = f"touch {path} && echo written"
        refused = machine.under_restrictions("sh", "-c", f"{tried} || echo refused")
        assert refused.endswith("refused"), path


def test_the_timer_waits_for_the_next_hour(machine: Machine):
    (state, then) = machine.is_("throughline-refresh.timer", "ActiveState", "NextElapseUSecRealtime")
    assert state == "active"
    assert then
