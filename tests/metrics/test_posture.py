from itertools import product

import pytest

from metrics.core.posture import ALONE, Right, Told, automation
from metrics.core.verdict import State, Verdict


def told(state: State, subject: str = "error") -> Told:
    return Told(subject, Verdict(state, "because"))


def test_without_a_declaration_a_model_may_only_advise():
    found = automation((), (told(State.MET),), "acts alone")
    assert (found.right, found.exceeds) == (Right.ADVISORY, True)
    assert found.why == ("no acceptable error is declared",)


@pytest.mark.parametrize("state", [s for s in State if s is not State.MET])
def test_what_is_not_met_for_certain_never_acts_alone(state):
    found = automation((told(State.MET), told(state)), level="acts alone")
    assert found.right is (Right.STOP if state is State.NOT_MET else Right.ADVISORY)
    assert found.exceeds


def test_a_broken_declaration_stops_whatever_else_is_met():
    found = automation((told(State.MET), told(State.NOT_MET, "recall")), (told(State.MET),) * 5)
    assert (found.right, found.why) == (Right.STOP, ("recall is beyond what was declared acceptable",))


def test_a_broken_target_of_another_kind_takes_the_hand_off_the_wheel():
    found = automation((told(State.MET),), (told(State.NOT_MET, "four-fifths rule"),), "acts with veto")
    assert (found.right, found.why) == (Right.ADVISORY, ("four-fifths rule misses its target",))


@pytest.mark.parametrize("level", ["none", "advice", "acts after approval", *ALONE])
def test_only_all_met_is_autonomous_and_then_no_level_exceeds(level):
    found = automation((told(State.MET),), (told(State.MET), told(State.INCONCLUSIVE)), level)
    assert (found.right, found.exceeds) == (Right.AUTONOMOUS, False)


def test_worse_evidence_never_widens_the_right():
    order = (Right.STOP, Right.ADVISORY, Right.AUTONOMOUS)
    for states in product(State, repeat=2):
        here = order.index(automation([told(s) for s in states]).right)
        worse = order.index(automation([told(State.NOT_MET), told(states[1])]).right)
        assert worse <= here
