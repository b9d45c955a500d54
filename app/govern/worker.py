"""How a page asks for a write: in a thread of its own, without a script context, so that no rerun can end it half way.

Streamlit ends a script at the next `st.*` call when the reader clicks, reloads or leaves. A transaction in that script
would be lost, or worse, stay open and lock everybody out. Here the transaction goes on and the key finds it again.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong

from app.govern.commands import execute, execute_all, find
from app.govern.model import Actor, Command, CommandError, Ledger, Receipt

PATIENCE = 10.0  # seconds; a commit takes milliseconds, a busy ledger up to its busy timeout
_POOL = ThreadPoolExecutor(max_workers=4, thread_name_prefix="ledger")


class Unsure(CommandError):  # noqa: N818
    """No answer yet. The command may still be recorded: ask again with the same key."""


def submit(ledger: Ledger, command: Command, actor: Actor, key: str, patience: float = PATIENCE) -> Receipt:
    """Carry out a command away from the page's own thread. Raises what `execute` raises, or Unsure."""
    future = _POOL.submit(execute, ledger, command, actor, key)
    try:
        return future.result(patience)
    except TookTooLong as error:
        found = find(ledger, key)
        if found is not None:
            return found
        raise Unsure(
            "the ledger has not answered yet; press save again, it will not be recorded twice"
        ) from error


def submit_all(
    ledger: Ledger, commands: tuple[Command, ...], actor: Actor, key: str, patience: float = 6 * PATIENCE
) -> tuple[Receipt, ...]:
    """Several commands in one transaction, away from the page's own thread. Raises what `execute_all` raises, or Unsure."""
    future = _POOL.submit(execute_all, ledger, commands, actor, key)
    try:
        return future.result(patience)
    except TookTooLong as error:
        raise Unsure(
            "the ledger has not answered yet; import the file again, it will not be recorded twice"
        ) from error
