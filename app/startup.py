"""What must hold before anything is served. Production refuses to start otherwise; a demo says it aloud and goes on."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass

from app.govern import anchors, rows
from app.govern.open import existing_ledger
from app.govern.verify import verify
from app.runtime import utc_now
from app.settings import LOOPBACK, Settings, SignIn, is_safe, load_sign_in, secrets_file
from data.ledger_store import LedgerError

LEAST_SECRET = 32  # characters
LEAST_KINDS = 10  # different characters in it
DURABLE = {
    "synchronous": "3",
    "recursive_triggers": "1",
    "foreign_keys": "1",
    "fsync": "on",
    "synchronous_commit": "on",
}
DEMO_ISSUER = "demo"


class UnsafeStartError(ValueError):
    """The app would start insecure; the message says what to mend, a line each."""


@dataclass(frozen=True)
class Fault:
    """One thing that does not hold. `always`: refused in every mode."""

    what: str
    always: bool = False


def check(settings: Settings, host: str, front: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Everything that does not hold, as sentences; `front` is what the front end's own options say.

    Raises UnsafeStartError where the app must not start with it.
    """
    found = (*(f for rule in RULES for f in rule(settings, host)), *(Fault(text) for text in front))
    fatal = [f for f in found if f.always or settings.mode == "production"]
    if fatal:
        raise UnsafeStartError("; ".join(f.what for f in fatal))
    return tuple(f.what for f in found)


def _bind(settings: Settings, host: str) -> list[Fault]:
    if settings.mode == "demo" and host not in LOOPBACK:
        what = "demo mode serves on a loopback address only; set THROUGHLINE_MODE=production"
        return [Fault(what, always=True)]
    return []


def _sign_in(settings: Settings, _: str) -> list[Fault]:
    """OIDC as it must be in production."""
    if settings.mode != "production":
        return []
    given = load_sign_in()
    where = f"in [auth] of {secrets_file()}"
    missing = [n for n in vars(given) if not getattr(given, n)]
    faults = [Fault(f"{name} is missing {where}") for name in missing]
    if importlib.util.find_spec("authlib") is None:
        faults.append(Fault("Authlib is not installed; run pip install -r requirements.txt"))
    return faults + [Fault(f"{text} {where}") for text in (*_secret(given), *_addresses(given))]


def _secret(given: SignIn) -> list[str]:
    """A cookie is as good as its key: long, not one known sign after another, and used for nothing else."""
    key = given.cookie_secret
    if not key:
        return []
    advice = "make one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'"
    if len(key) < LEAST_SECRET or len(set(key)) < LEAST_KINDS:
        return [
            f"cookie_secret is weak ({len(key)} characters, {len(set(key))} different ones); {advice}, and write it"
        ]
    if key in (given.client_secret, given.client_id):
        return [f"cookie_secret is used as client credential too; {advice}, and write it"]
    return []


def _addresses(given: SignIn) -> list[str]:
    faults = []
    if given.server_metadata_url and not is_safe(given.server_metadata_url):
        faults.append("server_metadata_url is not https; write the https address of the sign-in service")
    if given.redirect_uri and not is_safe(given.redirect_uri):
        faults.append("redirect_uri is not https; write the https address under which people reach the app")
    if given.redirect_uri and not given.redirect_uri.endswith("/oauth2callback"):
        faults.append("redirect_uri does not end with /oauth2callback; write it so")
    return faults


def _no_demo(settings: Settings, _: str) -> list[Fault]:
    """Simulated data and people among real ones would be believed."""
    if settings.mode != "production":
        return []
    truth = sorted(p.name for p in settings.home.glob("truth*"))
    if truth:
        return [Fault(f"{settings.home} holds the demo's data ({truth[0]}); start on another home")]
    return []


def _ledger(settings: Settings, _: str) -> list[Fault]:
    """Revision, durability, people of the demo, and the chain against the newest anchor."""
    try:
        ledger = existing_ledger(settings, utc_now)
    except LedgerError as error:
        return [Fault(str(error), always=True)]
    if ledger is None:
        return []
    read = ledger.store.settings()
    loose = [f"{n}={read[n]}" for n, wanted in DURABLE.items() if read.get(n, wanted) != wanted]
    faults = [Fault(f"the ledger's database is not durable: {', '.join(loose)}")] if loose else []
    with ledger.store.read() as db:
        invented = [u for u in rows.rows(db, "users") if u["issuer"] == DEMO_ISSUER]
    if invented and settings.mode == "production":
        faults.append(
            Fault(f"the ledger holds {len(invented)} invented people of the demo; start on another ledger")
        )
    proof = verify(
        ledger.store, deep=False, anchor=anchors.newest(settings), trusted=anchors.public_key(settings)
    )
    if not proof.holds:
        what = f"the ledger is {proof.state}, first bad entry {proof.first_bad}; run: python -m app verify --deep"
        faults.append(Fault(what))
    return faults


RULES: tuple[Callable[[Settings, str], list[Fault]], ...] = (_bind, _sign_in, _no_demo, _ledger)
