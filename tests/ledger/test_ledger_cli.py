"""The ledger's commands as a user types them."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.__main__ import cli

ADAM = ("https://id.example", "adam")


def run(home: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["--home", str(home), *words])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    done = run(tmp_path, "admin", "grant", *ADAM, "--name", "Adam", "--json")
    assert json.loads(done.stdout)["number"] == 1
    return tmp_path


def test_the_first_admin_is_granted_and_seen_in_the_history(home: Path):
    assert run(home, "admin", "grant", *ADAM, "--role", "viewer").exit_code == 0
    lines = json.loads(run(home, "ledger", "history", "users", "|".join(ADAM), "--json").stdout)
    assert [line["version"] for line in lines] == [1, 2]
    assert lines[1]["changes"] == [["roles", "admin", "admin; viewer"]]
    assert lines[0]["who"].startswith("operator|")


def test_an_unknown_role_is_refused_with_the_choices(home: Path):
    done = run(home, "admin", "grant", *ADAM, "--role", "root")
    assert "viewer, analyst, owner, council, admin" in str(done.exception)


def test_verify_says_intact_and_then_names_the_bad_entry(home: Path):
    assert json.loads(run(home, "verify", "--deep", "--json").stdout)["state"] == "intact"
    db = sqlite3.connect(home / "ledger.sqlite")
    db.executescript("DROP TRIGGER users_no_update; UPDATE users SET name = 'Eve'")
    db.close()
    assert run(home, "verify").exit_code == 0  # the chain itself is whole
    done = run(home, "ledger", "verify", "--deep", "--json")
    assert done.exit_code == 1
    assert (
        json.loads(done.stdout)["findings"][0]["detail"]
        == "users https://id.example|adam version 1 differs in name"
    )
    assert "first bad entry: 1" in done.stderr


def test_an_anchor_finds_a_cut_end(home: Path):
    run(home, "admin", "grant", "https://id.example", "ada")
    path = json.loads(run(home, "ledger", "anchor", "--json").stdout)["path"]
    assert run(home, "verify", "--anchor", path).exit_code == 0
    db = sqlite3.connect(home / "ledger.sqlite")
    db.executescript(
        "DROP TRIGGER users_no_delete; DROP TRIGGER audit_no_delete;"
        "DELETE FROM users WHERE seq = 2; DELETE FROM audit WHERE seq = 2"
    )
    db.close()
    assert run(home, "verify", "--anchor", path).exit_code == 1
    assert run(home, "verify").exit_code == 1  # the newest anchor is taken by itself


def test_a_backup_restores_elsewhere(home: Path, tmp_path: Path):
    assert run(home, "backup", str(tmp_path / "b")).exit_code == 0
    other = tmp_path / "other"
    assert run(other, "restore", str(tmp_path / "b")).exit_code == 0
    assert json.loads(run(other, "verify", "--deep", "--json").stdout)["entries"] == 1


def test_a_missing_ledger_says_what_to_do(tmp_path: Path):
    assert "python -m app migrate" in str(run(tmp_path, "verify").exception)
    assert "revision" in run(tmp_path, "migrate").stdout
    assert json.loads(run(tmp_path, "verify", "--json").stdout)["state"] == "empty"
