"""The chain: a worked line by hand, its arithmetic, and random warehouses against a plain engine of its own."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter

import numpy as np
import pytest

from app.measure.refresh import refresh
from app.runtime import Runtime, open_runtime
from app.settings import Settings
from metrics import ALL
from metrics._chain_contacts import ARRIVED, UNDELIVERED
from metrics._chain_costs import COSTS
from metrics._chain_line import (
    LINKS,
    LOSSES,
    Line,
    LineCells,
    constraint,
    passing,
    recoverable,
    valued,
    waterfall,
    worth_of,
)
from metrics._chain_rows import FOLLOW_US, LINE
from metrics.core.intervals import Moment
from metrics.core.metric import Choice, Reading, Scope
from tests import postgres
from tests.conftest import clock
from tests.metrics.homes import loaded_into
from tests.metrics.worlds import cells, many
from tests.oracle import activation
from tests.oracle.engine import SECOND, Row, View, World, world

FIRST = dt.datetime(2026, 9, 1, 9, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
EXAMPLES = 30
LINK_OF = {
    "excluded_holdout": "holdout", "unlinked_identity": "identity", "invalid_negative": "clock", "late": "latency",
    "competing_suppressed": "suppressed", "competing_converted": "bought_first", "open": "open", "missed": "integration",
}  # fmt: skip


# ----- a line of twelve signals, by hand -----


class Sheet:
    """CSV rows of the worked line: one model, a window of a day, everything followed to the end."""

    def __init__(self) -> None:
        self.rows: dict[str, list[str]] = {
            "signals": ["signal_id,person_id,model_id,signal_name,decision,arm,scored_at,window_seconds,expected_value,currency"],
            "activations": ["activation_id,person_id,channel,purpose,campaign_id"],
            "activation_signals": ["signal_id,activation_id"],
            "message_events": ["source,event_id,activation_id,event_type,event_at"],
            "outcomes": ["outcome_id,person_id,outcome_type,occurred_at,revenue,currency"],
            "suppression_events": [
                "suppression_event_id,person_id,trigger_type,action,origin_channel,scope_channels,scope_purpose,"
                "effective_at"
            ],
            "costs": ["cost_id,initiative_id,cost_date,category,layer,amount,currency",
                      "c1,i,2026-09-01,run,models,30,EUR", "c2,i,2026-09-08,run,orchestration,10,EUR"],
            "data_watermarks": ["source,complete_through_at", "all,2026-10-15T00:00:00Z"],
        }  # fmt: skip

    def signal(
        self, name: str, person: str | None = None, *, arm: str = "treatment", hours: float = 0.0
    ) -> None:
        decision = "hold_out" if arm == "holdout" else "activate"
        who = name if person is None else person
        at = (FIRST + hours * HOUR).isoformat()
        self.rows["signals"].append(f"{name},{who},m1,hot,{decision},{arm},{at},86400,7,EUR")

    def send(self, name: str, hours: float, *then: str, key: str = "") -> None:
        activation = f"a-{name}{key}"
        self.rows["activations"].append(f"{activation},{name},email,marketing,spring")
        self.rows["activation_signals"].append(f"{name},{activation}")
        for i, event in enumerate(("sent", *then)):
            at = (FIRST + hours * HOUR + i * dt.timedelta(seconds=1)).isoformat()
            self.rows["message_events"].append(f"esp,{activation}-{event},{activation},{event},{at}")

    def bought(self, name: str, hours: float, revenue: float) -> None:
        at = (FIRST + hours * HOUR).isoformat()
        self.rows["outcomes"].append(f"o-{name}-{hours},{name},purchase,{at},{revenue},EUR")

    def text(self) -> dict[str, str]:
        return {name: "\n".join(rows) + "\n" for name, rows in self.rows.items()}


def worked() -> Sheet:
    sheet = Sheet()
    for name in ("r1", "r2", "r3", "r4", "bounced", "saved", "late", "missed", "stopped"):
        sheet.signal(name)
    sheet.signal("nobody", "")
    for name in ("h1", "h2"):
        sheet.signal(name, arm="holdout")
    sheet.signal("again", "r1", hours=2)  # repeats r1: a signal, no unit
    for name in ("r1", "r2", "r3", "r4"):
        sheet.send(name, 1, "delivered")
    sheet.send("again", 3)
    sheet.send("bounced", 1, "bounced_hard")
    sheet.send("saved", 1, "bounced_soft")
    sheet.send("saved", 2, "delivered", key="-b")  # another message got through in time
    sheet.send("late", 25, "delivered")
    stop = (FIRST + HOUR).isoformat()
    sheet.rows["suppression_events"].append(f"x1,stopped,opt_out,suppress,email,*,marketing,{stop}")
    sheet.bought("r1", 30, 60.0)
    sheet.bought("r2", 40, 30.0)
    sheet.bought("late", 48, 9.0)
    sheet.bought("r3", 24 * 14 + 1, 1000.0)  # after the follow-up
    sheet.bought("h1", 50, 4.0)
    return sheet


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    return loaded_into(tmp_path_factory.mktemp("chain") / "home", worked().text(), (LINE, COSTS))


@pytest.fixture(scope="module", params=["DuckDB", pytest.param("PostgreSQL", marks=pytest.mark.postgres)])
def line(files: Runtime, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    """The worked line on each engine."""
    if request.param == "DuckDB":
        return files
    url = request.getfixturevalue("pg")
    postgres.mirror(files.lake, url, "chain")
    home = tmp_path_factory.mktemp("chain-pg")
    runtime = open_runtime(Settings(home=home, warehouse_url=url, warehouse_schema="chain"))
    refresh((LINE, COSTS), runtime.warehouse, runtime.store, clock)
    return runtime


def read(runtime: Runtime, name: str, **settings: str) -> Reading:
    (found,) = runtime.readings.read(ALL[f"chain.{name}"], Scope(settings=tuple(settings.items())))
    return found


def test_the_worked_line_has_its_signals_at_the_links_that_a_hand_finds(line: Runtime):
    want = {
        "reached": 6,
        "delivery": 1,
        "latency": 1,
        "integration": 1,
        "identity": 1,
        "suppressed": 1,
        "holdout": 2,
    }
    got = {link: read(line, "signals", link=link).value for link in LINKS}
    assert got == {link: want.get(link, 0) for link in LINKS}
    assert read(line, "signals").value == 13
    assert (read(line, "reached_share").numerator, read(line, "reached_share").denominator) == (6, 10)
    converted = read(line, "converted_share")
    assert (converted.numerator, converted.denominator) == (2, 5)  # r1 and r2 of r1 to r4 and saved


def test_the_worked_lines_money_is_what_a_hand_finds(line: Runtime):
    # Nine treated units followed brought 60, 30, 9 and six times 0: 11 each. Two held out brought 4 and 0: 2 each.
    # Five of nine were reached: (11 - 2) / (5 / 9) = 16.2 a reached unit.
    worth = read(line, "worth")
    assert worth.value == pytest.approx(16.2)
    assert worth.n == 11
    revenue, reached = np.array([60.0, 30, 9, 0, 0, 0, 0, 0, 0]), np.array([1.0, 1, 0, 1, 1, 1, 0, 0, 0])
    spread = np.var(revenue, ddof=1) / 9 + np.var([4.0, 0], ddof=1) / 2
    spread += (16.2**2 * 20 / 81 - 2 * 16.2 * np.cov(revenue, reached, ddof=0)[0, 1]) / 9
    assert worth.high is not None
    assert worth.high - 16.2 == pytest.approx(
        2.3002 * math.sqrt(spread) / (5 / 9), rel=2e-2
    )  # t of about 8 df
    assert read(line, "attributed_value").value == pytest.approx(5 * 16.2)
    assert read(line, "potential_value").value == pytest.approx(12 * 16.2)
    assert read(line, "lost_value").value == pytest.approx(4 * 16.2)
    assert read(line, "cost").value == 40
    assert read(line, "net_value").value == pytest.approx(81 - 40)


def test_closing_a_link_returns_what_still_passes_the_later_ones(line: Runtime):
    # delivery lets 5 of 6 through, latency 6 of 7 units; of what identity loses, 5 of 9 would arrive
    for link, passes in (("delivery", 1), ("latency", 5 / 6), ("integration", 5 / 7), ("identity", 5 / 9)):
        assert read(line, "recoverable_value", link=link).value == pytest.approx(16.2 * passes), link
    best = read(line, "recoverable_value")
    assert best.value == pytest.approx(16.2)
    assert best.warnings[0] == "Lost in delivery"
    assert any("Lost to latency overlaps" in w for w in best.warnings)
    half = read(
        line, "recoverable_value", link="delivery", left=str(1 / 12)
    )  # 1 of 6 is lost; to half of that
    assert half.value == pytest.approx(16.2 / 2)


def test_spending_by_layer_is_compared_with_the_losses(line: Runtime):
    # losses: data 5/9, orchestration 5/7 + 5/6, infrastructure 1; spending: models 0.75, orchestration 0.25
    losses = np.array([5 / 9, 5 / 7 + 5 / 6, 1.0, 0.0])
    want = np.abs(np.array([0, 0.25, 0, 0.75]) - losses / losses.sum()).sum() / 2
    assert read(line, "misallocation").value == pytest.approx(want)


def test_a_target_that_is_no_share_is_refused(files: Runtime):
    with pytest.raises(ValueError, match="from 0 to below 1"):
        read(files, "recoverable_value", left="1")


def test_a_channel_without_a_holdout_is_claimed_and_never_called_attributed(files: Runtime):
    email = Scope(where=(("channel", "email"),))
    (potential,) = files.readings.read(ALL["chain.potential_value"], email)
    assert potential.value == 7 * 7  # r1 to r4, bounced, saved, late: units, each claiming 7
    assert potential.warnings[0].startswith("claimed")
    (value,) = files.readings.read(ALL["chain.attributed_value"], email)
    assert value.value is None
    assert "never called attributed" in value.reason


def test_a_new_signal_changes_what_the_one_before_it_brought(tmp_path):
    sheet = worked()
    home = loaded_into(tmp_path / "home", sheet.text(), (LINE, COSTS))
    later = Sheet()
    later.signal("r1-later", "r1", hours=27)  # the purchase at 30 h is now its own
    loaded_into(tmp_path / "home", {"signals": later.text()["signals"]}, (LINE,), home)
    grown = read(home, "worth")
    refresh((LINE,), home.warehouse, home.store, clock, full=True)
    assert read(home, "worth").value == pytest.approx(grown.value)
    (found,) = (c for _, c in home.readings.cells(LINE, Scope()))
    assert found.lines[0].after("reached").n * found.lines[0].after("reached").mean == pytest.approx(30)


def test_channel_and_campaign_are_those_of_one_activation_the_first_sent_or_else_the_first_planned(tmp_path):
    sheet = Sheet()
    sheet.signal("sent")
    sheet.signal("planned")
    sheet.send("sent", 1)
    sheet.rows["activations"][-1] = "a-sent,sent,email,marketing,"  # sent, and in no campaign
    for name in ("sent", "planned"):
        sheet.rows["activations"].append(f"0-{name},{name},push,marketing,autumn")
        sheet.rows["activation_signals"].append(f"{name},0-{name}")
    filled = {name: rows for name, rows in sheet.text().items() if rows.count("\n") > 1}
    runtime = loaded_into(tmp_path / "home", filled, (LINE,))
    found = runtime.readings.read(ALL["chain.signals"], Scope(by=("channel", "campaign_id")))
    told = {(dict(r.by)["channel"], dict(r.by)["campaign_id"]): r.value for r in found}
    assert told == {("email", None): 1, ("push", "autumn"): 1}


# ----- arithmetic -----


def made(name: str, worth: float, **units: int) -> Line:
    """A line with exact revenues: the reached bring `worth` or `worth + 2`, everyone else 0 or 2."""
    n = tuple(units.get(k, 0) for k in LINKS)
    followed = tuple(
        Moment(c, 1 + (worth if k == "reached" else 0), float(c)) for k, c in zip(LINKS, n, strict=True)
    )
    return Line(name, "EUR", n, n, tuple(3.0 * c for c in n), 0, followed)


def test_counts_and_money_add_up_from_potential_to_those_reached():
    lines = (
        made(
            "a",
            5,
            identity=20,
            integration=300,
            latency=200,
            holdout=400,
            suppressed=50,
            delivery=10,
            reached=700,
        ),
        made(
            "b", 0.7, integration=90, latency=400, holdout=100, clock=3, open=17, bought_first=8, reached=111
        ),
    )
    start, *rest, end = waterfall(valued(LineCells(lines)))
    assert start.n == sum(s.n for s in rest) + end.n == sum(line.total for line in lines)
    assert start.money.value == pytest.approx(sum(s.money.value for s in rest) + end.money.value, rel=1e-12)


def test_the_constraint_is_the_greatest_return_and_names_what_overlaps_it():
    clear = constraint(
        valued(LineCells((made("a", 50, integration=10, latency=3000, holdout=4000, reached=4000),)))
    )
    assert clear is not None
    assert (clear.link, clear.rivals) == ("latency", ())
    close = constraint(
        valued(LineCells((made("a", 5, integration=111, latency=91, holdout=400, reached=400),)))
    )
    assert close is not None
    assert close.rivals == ("integration",)
    assert constraint(valued(LineCells((made("a", -5, latency=91, holdout=400, reached=400),)))) is None


def test_measured_and_claimed_money_are_never_added():
    told, claimed = made("a", 5, latency=10, holdout=40, reached=50), made("b", 5, latency=900, reached=1)
    chain = valued(LineCells((told, claimed)))
    assert [line.name for line, _ in chain.lines] == ["a"]
    assert chain.others == (claimed,)
    result = ALL["chain.lost_value"].finalise(LineCells((told, claimed)), Choice())
    assert result.value == pytest.approx(10 * worth_of(told).value)
    assert any("b claims 2,703" in w for w in result.warnings)


def test_amounts_of_two_currencies_have_no_sum():
    two = LineCells(
        (
            made("a", 5, reached=5),
            Line(
                "a",
                "USD",
                *(
                    getattr(made("a", 5, reached=5), f)
                    for f in ("n", "units", "claimed", "converted", "followed")
                ),
            ),
        )
    )
    assert "do not add up" in ALL["chain.potential_value"].finalise(two, Choice()).reason


def test_the_worths_interval_covers_a_planted_worth():
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(400):
        got = rng.random(300) < 0.4
        revenue = rng.exponential(10, 300) + np.where(got, 6.0, 0.0)
        parts = {"reached": revenue[got], "latency": revenue[~got], "holdout": rng.exponential(10, 200)}
        moments = tuple(
            Moment(len(v), float(v.mean()), float(((v - v.mean()) ** 2).sum()))
            if (v := parts.get(k)) is not None
            else Moment(0, 0, 0)
            for k in LINKS
        )
        n = tuple(int(m.n) for m in moments)
        found = worth_of(Line("a", "", n, n, (0.0,) * len(LINKS), 0, moments))
        held += found.low <= 6.0 <= found.high
    assert 0.92 <= held / 400 <= 0.98


def test_recovered_signals_never_return_more_than_was_lost():
    line = made(
        "a", 4, identity=7, integration=8, latency=9, delivery=3, holdout=20, suppressed=4, reached=30
    )
    for link in LOSSES:
        assert 0 < passing(line, link) <= 1
        assert recoverable(line, worth_of(line), link).value <= line.unit(link) * worth_of(line).value + 1e-9


# ----- random warehouses, judged by a plain engine -----


def plain_link(w: World, s: Row) -> str | None:
    """The link of one signal, from the activation oracle's state and the messages' reports."""
    if s["decision"] not in ("activate", "hold_out") or (
        s["decision"] == "hold_out" and s["arm"] != "holdout"
    ):
        return None
    found = activation.state_of(w, s)
    if found.state == "excluded_test" or found.state == "excluded_no_action":
        return None
    if found.state != "in_window":
        return LINK_OF[found.state]
    rivals = activation.competing_events(w, w.person(s), s["scored_at"])
    for at, name in activation.sends_of(w, {s["signal_id"]}):
        told = {
            e["event_type"]
            for e in w["message_events"]
            if e["activation_id"] == name and e["event_at"] <= w.end
        }
        in_time = at <= s["scored_at"] + s["window_seconds"] * SECOND and (not rivals or at <= rivals[0][0])
        if in_time and not (told & set(UNDELIVERED) and not told & set(ARRIVED)):
            return "reached"
    return "delivery"


def plain_units(w: World, links: dict[str, str]) -> dict[str, list[Row]]:
    """Unit signal -> the outcomes that are its own."""
    own: dict[str, list[Row]] = {}
    merited = [s for s in w["signals"] if s["signal_id"] in links]
    for key in {(s["model_id"], w.person(s)) for s in merited if s.get("person_id")}:
        theirs = sorted((s for s in merited if s.get("person_id") and (s["model_id"], w.person(s)) == key),
                        key=lambda s: (s["scored_at"], s["signal_id"]))  # fmt: skip
        firsts = [s for i, s in enumerate(theirs) if not i or s["scored_at"] - theirs[i - 1]["scored_at"]
                  > min(s["window_seconds"] * SECOND, FOLLOW_US)]  # fmt: skip
        for s, after in zip(firsts, [*firsts[1:], None], strict=True):
            end = s["scored_at"] + FOLLOW_US
            own[s["signal_id"]] = [
                o for o in w["outcomes"]
                if w.person(o) == key[1] and o["outcome_type"] != "churn" and o.get("reversed_at") is None
                and s["scored_at"] <= o["occurred_at"] <= end and (after is None or o["occurred_at"] < after["scored_at"])
            ]  # fmt: skip
    return own | {s["signal_id"]: [] for s in merited if not s.get("person_id")}


def test_random_warehouses_have_the_chain_of_the_plain_engine():
    w = world(many(3, EXAMPLES), View())
    (found,) = cells(w, (LINE,))["chain.line"].values()
    links = {s["signal_id"]: link for s in w["signals"] if (link := plain_link(w, s))}
    units = plain_units(w, links)
    scored = {s["signal_id"]: s for s in w["signals"]}
    told = {
        k: v
        for k, v in units.items()
        if w.end - scored[k]["scored_at"] >= FOLLOW_US and scored[k].get("person_id")
    }
    assert {k: found.count(k) for k in LINKS} == {k: Counter(links.values())[k] for k in LINKS}
    assert {k: found.unit(k) for k in LINKS} == {k: Counter(links[s] for s in units)[k] for k in LINKS}
    assert sum(x.converted for x in found.lines) == sum(
        1 for s, o in units.items() if o and links[s] == "reached"
    )
    for link in LINKS:
        money = [sum(o.get("revenue") or 0.0 for o in v) for k, v in told.items() if links[k] == link]
        parts = [x.after(link) for x in found.lines]
        assert sum(p.n for p in parts) == len(money), link
        assert sum(p.n * p.mean for p in parts) == pytest.approx(sum(money), abs=1e-9), link
    claims = sum(scored[k].get("expected_value") or 0.0 for k in units)
    assert sum(x.claim(*LINKS) for x in found.lines) == pytest.approx(claims)
    start, *rest, end = waterfall(valued(found))
    assert start.money.value == pytest.approx(sum(s.money.value for s in rest) + end.money.value, rel=1e-9)
