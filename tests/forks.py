"""Processes forked from a server of one thread, whatever else the tests have made of this process."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from types import ModuleType
from unittest import mock

FORKS = multiprocessing.get_context("forkserver")


def forked(target: Callable[..., None], *args: object) -> ForkServerProcess:
    """A started child. Streamlit's AppTest leaves a page as __main__, which the child would otherwise run first."""
    process = FORKS.Process(target=target, args=args)
    with mock.patch.dict(sys.modules, {"__main__": ModuleType("__main__")}):
        process.start()
    return process
