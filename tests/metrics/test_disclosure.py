from hypothesis import given
from hypothesis import strategies as st

from metrics.core.disclosure import SMALLEST, protect


def test_small_groups_are_hidden_with_the_complementary_cell():
    assert list(protect([500, 9, 40, 300])) == [False, True, True, False]
    assert list(protect([500, 9, 3, 300])) == [False, True, True, False]
    assert list(protect([500, 10, 300])) == [False, False, False]
    assert list(protect([4])) == [True]
    assert list(protect([4, 800])) == [True, True]
    assert list(protect([])) == []


@given(st.lists(st.integers(0, 60), max_size=12))
def test_nothing_small_is_shown_and_no_hidden_group_stands_alone(sizes):
    hidden = protect(sizes)
    assert all(h for h, n in zip(hidden, sizes, strict=True) if n < SMALLEST)
    assert hidden.sum() != 1 or len(sizes) == 1
    if not any(n < SMALLEST for n in sizes):
        assert not hidden.any()


@given(st.lists(st.integers(0, 60), min_size=1, max_size=12, unique=True))
def test_the_order_of_the_groups_does_not_matter(sizes):
    shown = {n for n, h in zip(sizes, protect(sizes), strict=True) if not h}
    backwards = sizes[::-1]
    assert shown == {n for n, h in zip(backwards, protect(backwards), strict=True) if not h}
