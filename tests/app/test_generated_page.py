"""The Generated text page: people's word first, a judge's own word never alone."""

from tests.app.test_pages import open_page, predictions, shown

HEAD = "review_id,item_id,model_id,rubric,reviewer_type,verdict,reviewed_at\n"


def reviews(people: int, marked: int, judge: tuple[int, int] | None = None) -> str:
    """So many answers read by people, of which so many invent facts; a judge reads all: finds, of those, and wrongly."""
    lines, day = [], "2026-10-20T00:00:00Z"
    for i in range(people):
        bad = i < marked
        lines.append(f"h{i},i{i},m,hallucination,human,{int(bad)},{day}")
        if judge is not None:
            found = i < judge[0] if bad else i < marked + judge[1]
            lines.append(f"j{i},i{i},m,hallucination,judge,{int(found)},{day}")
    return HEAD + "\n".join(lines) + "\n"


def test_the_sentence_tells_the_rate_that_people_found_with_its_interval(loaded, monkeypatch):
    """20 of 400 is 5 %; Wilson's interval is 3.3 to 7.6 %."""
    runtime = loaded(reviews=reviews(400, 20))
    text = shown(open_page(runtime.settings.home, "generated", monkeypatch)).replace("\xa0", " ")
    assert "m: 5 % of answers state what is not so (3 to 8 %)" in text
    assert "400 answers read by people" in text
    assert "Hallucination: told by people alone" in text


def test_a_judge_that_reports_too_much_is_named_and_stands_beside_the_people(loaded, monkeypatch):
    """The judge marks all 20 and 60 more: 20 % by its own word, 5 % once it is corrected."""
    runtime = loaded(reviews=reviews(400, 20, (20, 60)))
    at = open_page(runtime.settings.home, "generated", monkeypatch)
    text = shown(at)
    assert "<td>judge alone</td>" in text
    assert "<td>judge, corrected</td>" in text
    assert "20" in text
    assert "What the judge finds (sensitivity)" in text
    specs = " ".join(c.proto.spec for c in at.get("plotly_chart"))
    assert "judge alone" in specs


def test_without_a_review_the_page_says_what_to_load(loaded, monkeypatch):
    runtime = loaded(predictions=predictions(60))
    text = shown(open_page(runtime.settings.home, "generated", monkeypatch))
    assert "No written answer has been reviewed yet." in text
