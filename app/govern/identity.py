"""Who somebody is, from what the sign-in service says: issuer and subject, and never an e-mail address or a name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from app.govern.model import RESERVED, Actor

SKEW = dt.timedelta(minutes=5)  # by which the clocks of two machines may differ


def signed_in(claims: Mapping[str, object], now: dt.datetime, hours: float) -> Actor | None:
    """The actor of these claims; None where nobody is signed in, or the sign-in is older than `hours`.

    The cookie that carries the claims would live for 30 days, so its own time decides, not the browser.
    """
    issuer, subject = claims.get("iss"), claims.get("sub")
    if claims.get("is_logged_in") is not True or not _named(issuer) or not _named(subject):
        return None
    if issuer in (*RESERVED, "demo") or "|" in str(issuer):
        return None
    began = _time(claims)
    if began is None or began > now + SKEW or now - began > dt.timedelta(hours=hours):
        return None
    return Actor(str(issuer), str(subject))


def _named(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 300 and value.isprintable()


def _time(claims: Mapping[str, object]) -> dt.datetime | None:
    """When the person signed in; when the token was made where the service does not say that."""
    for name in ("auth_time", "iat"):
        value = claims.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e11:
            return dt.datetime.fromtimestamp(value, dt.UTC)
    return None
