"""A reader without a browser: the app's own protocol over a websocket, timed from a click to the end of its answer."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

PATIENCE = 120.0


@dataclass(frozen=True)
class Answer:
    """What one click took: seconds until the page's run was over and everything of it had arrived, and bytes of it."""

    page: str
    seconds: float
    size: int
    faults: tuple[str, ...]


@dataclass
class Visitor:
    """One session. Knows its pages by name and its lists by label, as a browser does from what it is sent."""

    line: ClientConnection
    pages: dict[str, str] = field(default_factory=dict)
    lists: dict[str, str] = field(default_factory=dict)
    chosen: dict[str, str] = field(default_factory=dict)
    page: str = "scorecard"

    async def open(self, page: str, query: str = "") -> Answer:
        """Arrive by a link, or turn to another page of the navigation."""
        asked = BackMsg()
        state = asked.rerun_script
        state.query_string = query
        if page in self.pages:
            state.page_script_hash = self.pages[page]
        else:
            state.page_name = page
        self.page = page
        self._hold(asked)
        return await self._answered(asked)

    async def choose(self, label: str, option: str) -> Answer:
        """Pick an option of a list of the page."""
        self.chosen[self.lists[label]] = option
        asked = BackMsg()
        if self.page in self.pages:
            asked.rerun_script.page_script_hash = self.pages[self.page]
        self._hold(asked)
        return await self._answered(asked)

    def _hold(self, asked: BackMsg) -> None:
        for name, option in self.chosen.items():
            widget = asked.rerun_script.widget_states.widgets.add()
            widget.id, widget.string_value = name, option

    async def _answered(self, asked: BackMsg) -> Answer:
        began, size, faults = time.perf_counter(), 0, []
        await self.line.send(asked.SerializeToString())
        while True:
            data = await self.line.recv()
            assert isinstance(data, bytes)
            size += len(data)
            said = ForwardMsg.FromString(data)
            match said.WhichOneof("type"):
                case "navigation":
                    self.pages = {
                        p.url_pathname or p.page_name: p.page_script_hash for p in said.navigation.app_pages
                    }
                case "delta":
                    faults += self._noticed(said)
                case "script_finished" if said.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    return Answer(self.page, time.perf_counter() - began, size, tuple(faults))

    def _noticed(self, said: ForwardMsg) -> list[str]:
        """Remember the lists; tell what went wrong."""
        made = said.delta.new_element
        if made.WhichOneof("type") == "selectbox":
            self.lists[made.selectbox.label] = made.selectbox.id
        body = made.html.body if made.WhichOneof("type") == "html" else ""
        bad = made.WhichOneof("type") == "exception" or "could not be drawn" in body
        return [made.exception.message or body] if bad else []


async def visitor(url: str) -> Visitor:
    """A new session at the address of the app, http://..."""
    line = await connect(
        f"{url.replace('http', 'ws', 1)}/_stcore/stream", subprotocols=["streamlit"], max_size=None, open_timeout=PATIENCE,
        ping_interval=None,
    )  # fmt: skip
    return Visitor(line)
