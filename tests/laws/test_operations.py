"""The operations handbook says nothing that is not there: commands, settings, files, tests, nginx's own grammar."""

from __future__ import annotations

import re
import shlex
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
