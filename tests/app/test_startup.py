"""The app does not start insecure: what production refuses, what a demo says aloud, and who a sign-in makes one."""

import datetime as dt
import secrets
import sqlite3
from pathlib import Path

import pytest

from app import startup
from app.govern.commands import execute, values_of
from app.govern.identity import signed_in
from app.govern.model import OPERATOR, Actor, Add, Invalid
from app.govern.open import open_ledger
from app.runtime import utc_now
from app.server import allowed_hosts, run
from app.settings import Settings, SettingsError, is_safe, load_settings, load_sign_in
from app.startup import UnsafeStartError, check
from data import ledger_store

KEY = secrets.token_urlsafe(48)
GOOD = {
    "redirect_uri": "https://throughline.example/oauth2callback", "cookie_secret": KEY, "client_id": "throughline",
    "client_secret": "given by the service",
    "server_metadata_url": "https://login.example/.well-known/openid-configuration",
}  # fmt: skip
BAD = {
    "cookie_secret missing": ({"cookie_secret": ""}, "cookie_secret is missing"),
    "cookie_secret short": ({"cookie_secret": "abcdefghijkl"}, "cookie_secret is weak (12 characters"),
    "cookie_secret of one sign": ({"cookie_secret": "x" * 64}, "1 different ones"),
    "cookie_secret reused": ({"client_secret": KEY}, "used as client credential too"),
    "no client": ({"client_id": ""}, "client_id is missing"),
    "no client secret": ({"client_secret": ""}, "client_secret is missing"),
    "no service": ({"server_metadata_url": ""}, "server_metadata_url is missing"),
    "open service": ({"server_metadata_url": "http://login.example/x"}, "server_metadata_url is not https"),
    "open callback": ({"redirect_uri": "http://throughline.example/oauth2callback"}, "redirect_uri is not https"),
    "wrong callback": ({"redirect_uri": "https://throughline.example/"}, "does not end with /oauth2callback"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("THROUGHLINE_SECRETS", str(tmp_path / "secrets.toml"))
    own = tuple(p.replace("synchronous=OFF", "synchronous=EXTRA") for p in ledger_store.PRAGMAS)
    monkeypatch.setattr(
        ledger_store, "PRAGMAS", own
    )  # the settings of the app itself, whatever other tests run with
    configure(tmp_path)


def configure(folder: Path, **more: str) -> None:
    lines = (f'{name} = "{value}"' for name, value in (GOOD | more).items())
    (folder / "secrets.toml").write_text("[auth]\n" + "\n".join(lines))


def production(folder: Path) -> Settings:
    return Settings(home=folder / "home", mode="production")


def test_a_sound_production_starts(tmp_path: Path):
    assert check(production(tmp_path), "0.0.0.0") == ()


@pytest.mark.parametrize("name", BAD)
def test_production_refuses_a_weak_sign_in(name: str, tmp_path: Path):
    wrong, why = BAD[name]
    configure(tmp_path, **wrong)
    with pytest.raises(UnsafeStartError) as refused:
        check(production(tmp_path), "127.0.0.1")
    assert why in str(refused.value)
    assert KEY not in str(refused.value)
    assert check(Settings(home=tmp_path / "home"), "127.0.0.1") == ()


def test_no_secret_is_in_what_is_printed():
    assert KEY not in repr(load_sign_in())
    assert load_sign_in().cookie_secret == KEY


def test_a_demo_is_bound_to_loopback(tmp_path: Path):
    for host in ("0.0.0.0", "192.168.1.4", "::"):
        with pytest.raises(UnsafeStartError, match="loopback"):
            check(Settings(home=tmp_path), host)
        with pytest.raises(ValueError, match="loopback"):
            run(Settings(home=tmp_path), host, 1)


def test_production_refuses_the_data_and_the_people_of_the_demo(tmp_path: Path):
    home = tmp_path / "home"
    invented = values_of(issuer="demo", subject="hanna", name="Hanna", roles=("council",))
    execute(open_ledger(Settings(home=home), utc_now), Add("users", invented), Actor(OPERATOR, "root"), "k")
    with pytest.raises(UnsafeStartError, match="invented people"):
        check(production(tmp_path), "127.0.0.1")
    (home / "truth.json").write_text("{}")
    with pytest.raises(UnsafeStartError, match=r"demo's data \(truth.json\)"):
        check(production(tmp_path), "127.0.0.1")


def test_production_refuses_a_broken_ledger_and_a_demo_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    settings = production(tmp_path)
    ledger = open_ledger(settings, utc_now)
    values = values_of(issuer="https://login.example", subject="a", name="A", roles=("admin",))
    execute(ledger, Add("users", values), Actor(OPERATOR, "root"), "k")
    assert check(settings, "127.0.0.1") == ()
    with monkeypatch.context() as loose:
        loose.setattr(startup, "DURABLE", {"synchronous": "9"})
        with pytest.raises(UnsafeStartError, match="not durable: synchronous=3"):
            check(settings, "127.0.0.1")
    with sqlite3.connect(settings.home / "ledger.sqlite") as db:
        db.execute("DROP TRIGGER audit_no_update")
        db.execute("UPDATE audit SET subject = 'somebody'")
    with pytest.raises(UnsafeStartError, match="the ledger is broken, first bad entry 1"):
        check(settings, "127.0.0.1")
    (said,) = check(Settings(home=settings.home), "127.0.0.1")
    assert "first bad entry 1" in said


def test_a_ledger_of_another_revision_starts_nowhere(tmp_path: Path):
    store = open_ledger(production(tmp_path), utc_now).store
    with store.unlocked().begin() as db:
        db.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    for settings in (production(tmp_path), Settings(home=tmp_path / "home")):
        with pytest.raises(UnsafeStartError, match="revision 9999"):
            check(settings, "127.0.0.1")


def test_loose_options_of_the_front_end_are_refused(tmp_path: Path):
    with pytest.raises(UnsafeStartError, match="showErrorDetails"):
        check(production(tmp_path), "127.0.0.1", ("Streamlit's client.showErrorDetails is 'full'",))
    assert check(Settings(home=tmp_path), "127.0.0.1", ("loose",)) == ("loose",)


NOW = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
CLAIMS = {
    "is_logged_in": True,
    "iss": "https://login.example",
    "sub": "u-1",
    "email": "a@b",
    "iat": NOW.timestamp(),
}


def test_identity_is_issuer_and_subject_and_nothing_else():
    assert signed_in(CLAIMS, NOW, 8) == Actor("https://login.example", "u-1")
    assert signed_in(CLAIMS | {"email": "admin@b", "name": "Admin"}, NOW, 8) == Actor(
        "https://login.example", "u-1"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"is_logged_in": False}, {"is_logged_in": "yes"}, {"iss": None}, {"sub": ""}, {"sub": 1}, {"iss": "demo"},
        {"iss": "operator"}, {"iss": "system"}, {"iss": "https://a|b"}, {"sub": "a\nb"}, {"iat": None}, {"iat": "now"},
        {"iat": True}, {"iat": float("inf")}, {"iat": (NOW + dt.timedelta(hours=1)).timestamp()},
        {"iat": (NOW - dt.timedelta(hours=9)).timestamp()},
        {"auth_time": (NOW - dt.timedelta(days=2)).timestamp()},
    ],
)  # fmt: skip
def test_odd_claims_are_nobody(wrong: dict):
    assert signed_in(CLAIMS | wrong, NOW, 8) is None


def test_an_issuer_is_https_or_this_machine(tmp_path: Path):
    assert is_safe("http://127.0.0.1:9/x")
    assert is_safe("https://login.example")
    ledger = open_ledger(Settings(home=tmp_path), utc_now)
    for issuer in ("http://login.example", "login", "http://127.0.0.1.evil.example", "ftp://localhost"):
        assert not is_safe(issuer)
        values = values_of(issuer=issuer, subject="a", name="A", roles=("viewer",))
        with pytest.raises(Invalid, match="https"):
            execute(ledger, Add("users", values), Actor(OPERATOR, "root"), issuer)


def test_the_server_answers_to_its_public_name_and_to_no_other():
    assert allowed_hosts("0.0.0.0", GOOD["redirect_uri"])[-1] == "throughline.example"
    assert "*" not in allowed_hosts("0.0.0.0", GOOD["redirect_uri"])
    assert allowed_hosts("127.0.0.1") == ["127.0.0.1", "localhost", "[::1]"]


def test_settings_that_cannot_be_read_say_what_to_write(tmp_path: Path):
    for hours in ("many", "0", "nan", "1e9"):
        with pytest.raises(SettingsError, match="session_hours"):
            load_settings(tmp_path, {"THROUGHLINE_SESSION_HOURS": hours})
    (tmp_path / "secrets.toml").write_text("[auth")
    with pytest.raises(SettingsError, match="no sound TOML"):
        load_settings(tmp_path)
