"""What a person's reply means: stop, start again, or perhaps stop."""

from __future__ import annotations

import re

# Twilio's default words and the per-se words of 47 CFR 64.1200(a)(10).
STOP = frozenset(
    (
        "stop",
        "stopall",
        "stop all",
        "unsubscribe",
        "end",
        "quit",
        "cancel",
        "revoke",
        "optout",
        "opt out",
        "opt-out",
    )
)
START = frozenset(("start", "unstop", "yes", "opt in", "optin", "opt-in", "subscribe"))
_PERHAPS = re.compile(
    r"\b(stop|unsubscribe|opt[\s-]?out|quit|cancel|revoke|remove me|take me off|leave me alone"
    r"|(do not|don'?t|dont|no more) (text|texts|message|messages|contact|write|email|emails|call|calls))\b"
)


def meaning(text: str | None, declared: str | None = None) -> str | None:
    """The trigger of a reply: opt_out for a keyword alone (case and punctuation aside), re_opt_in, and
    opt_out_suspected for free text that a reasonable reader may take for a stop. None: nothing of the kind.

    `declared` is what the provider made of it (Twilio's OptOutType, Braze's action); it comes first.
    """
    said = _bare(declared)
    if said in STOP or said in ("opted out", "unsubscribed"):
        return "opt_out"
    if said in START or said in ("opted in", "subscribed"):
        return "re_opt_in"
    words = _bare(text)
    if words in STOP:
        return "opt_out"
    if words in START - {"yes", "subscribe"}:
        return "re_opt_in"
    return "opt_out_suspected" if _PERHAPS.search(words) else None


def _bare(text: str | None) -> str:
    return " ".join((text or "").lower().strip(" \t\r\n.!,;:'\"").split())
