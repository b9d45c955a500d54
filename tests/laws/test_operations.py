"""The operations handbook says nothing that is not there: commands, settings, files, tests, nginx's own grammar."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest

from app.__main__ import cli
from app.settings import Settings
from tests.browser import proxy
from tests.cases import ROOT

DOCS = [ROOT / "docs" / n for n in ("operations.md", "engines.md", "scale.md")]
DEPLOY = ROOT / "docs" / "deploy"
TEXT = "\n".join(p.read_text() for p in (*DOCS, *sorted(DEPLOY.iterdir())))


def test_every_command_named_is_one():
    named = re.findall(r"-m\"?,? \"?app\"?,? \"?([a-z]+)((?: --?[a-z-]+)*)", TEXT)
    assert len(named) > 10
    for name, words in named:
        command = cli.commands[name]
        known = {o for p in command.params for o in p.opts}
        assert set(shlex.split(words)) <= known, (name, words)


def test_every_setting_named_is_one():
    body = re.search(r"```toml\n\[throughline\]\n(.*?)```", DOCS[0].read_text(), re.DOTALL)
    assert body
    names = re.findall(r"^(\w+) =", body[1], re.MULTILINE)
    assert set(names) <= {f.name for f in fields(Settings)}


def test_every_test_and_file_named_exists():
    for name in re.findall(r"(?:tests|docs|data|app)/[\w/.-]+\.(?:py|md|yaml|service|timer)", TEXT):
        assert (ROOT / name).exists(), name
    for name in re.findall(r"^COPY (\S+) ", (DEPLOY / "Containerfile").read_text(), re.MULTILINE):
        assert (ROOT / name).exists(), name


def test_every_metric_named_is_served():
    source = (ROOT / "app" / "observe.py").read_text()
    for name in set(re.findall(r"throughline_\w+", DOCS[0].read_text())):
        assert name.removesuffix("_total") in source, name


@pytest.mark.skipif(proxy.NGINX is None, reason="nginx is not installed: its grammar was not asked")
def test_nginx_reads_the_documented_site(tmp_path: Path):
    conf = proxy.configuration(tmp_path, 8501, 8443)
    done = subprocess.run(
        [str(proxy.NGINX), "-t", "-p", str(tmp_path), "-c", str(conf)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


UNITS = ("throughline.service", "throughline-refresh.service", "throughline-refresh.timer")
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd is not installed: the units were not read by it"
)


def analyzed(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False)


@needs_systemd
def test_systemd_reads_the_units_without_a_word(tmp_path: Path):
    """In a root of their own, where the interpreter that they start exists; an unknown key or value is told, not an error."""
    units, python = tmp_path / "etc/systemd/system", tmp_path / "opt/throughline/.venv/bin/python"
    shutil.copytree("/usr/lib/systemd/system", tmp_path / "usr/lib/systemd/system", symlinks=True)
    for folder in (units, python.parent):
        folder.mkdir(parents=True)
    for name in UNITS:
        shutil.copy(DEPLOY / name, units)
    shutil.copy("/bin/true", python)
    done = analyzed("verify", f"--root={tmp_path}", *UNITS)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@needs_systemd
@pytest.mark.parametrize("name", [u for u in UNITS if u.endswith(".service")])
def test_a_service_is_exposed_to_little(name: str):
    """systemd's own count, 0 to 100; a service without any restriction has 96."""
    done = analyzed("security", "--offline=true", "--threshold=20", str(DEPLOY / name))
    assert done.returncode == 0, done.stdout
