"""Names on plots: none on another, none outside, each near what it names."""

from itertools import combinations, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from llmops.report.labels import LINE, Anchor, Box, in_rows, placed, spread, text_width

PROPERTY = settings(max_examples=200, deadline=None, derandomize=True, database=None)
SIZE = 13
BOUNDS = Box(0, 0, 400, 300)
ANCHORS = st.builds(Anchor, st.floats(0, 400), st.floats(0, 300), st.floats(2, 10))


@PROPERTY
@given(st.lists(st.floats(-50, 350), max_size=30))
def test_names_at_the_right_keep_their_distance_and_their_order(wanted):
    places = spread(wanted, 15, 0, 300)
    assert len(places) == len(wanted)
    known = sorted((want, place) for want, place in zip(wanted, places, strict=True) if place is not None)
    assert len(known) == min(len(wanted), 21)
    assert all(-1e-6 <= place <= 300 + 1e-6 for _, place in known)
    assert all(after[1] - before[1] >= 15 - 1e-6 for before, after in pairwise(sorted(known, key=lambda pair: pair[1])))
    assert all(before[1] <= after[1] for before, after in pairwise(known) if before[0] < after[0])


def test_names_that_have_room_stand_where_they_belong_and_others_meet_in_the_middle():
    assert spread([200, 20, 100], 15, 0, 300) == [200, 20, 100]
    assert spread([100, 100], 10, 0, 300) == [95, 105]
    assert spread([0, 0], 10, 0, 300) == [0, 10]
    assert spread([300, 300], 10, 0, 300) == [290, 300]
    assert spread([], 10, 0, 300) == []


@PROPERTY
@given(st.lists(st.tuples(st.floats(0, 400), st.floats(5, 90)), max_size=20))
def test_names_above_share_a_row_only_where_they_do_not_touch(names):
    rows = in_rows([centre for centre, _ in names], [width for _, width in names])
    for (first, row), (second, other) in combinations(zip(names, rows, strict=True), 2):
        if row == other:
            assert abs(first[0] - second[0]) >= (first[1] + second[1]) / 2 - 1e-6


@PROPERTY
@given(st.lists(st.tuples(ANCHORS, st.text("abcde ", min_size=1, max_size=14)), max_size=25))
def test_labels_lie_on_no_mark_and_on_no_other_label_and_inside(labels):
    marks = [anchor for anchor, _ in labels]
    boxes = [place.box for place in placed(labels, marks, BOUNDS, SIZE) if place is not None]
    assert not any(first.overlaps(second) for first, second in combinations(boxes, 2))
    assert not any(box.overlaps(mark.box) for box in boxes for mark in marks)
    assert all(BOUNDS.holds(box) for box in boxes)


def test_a_label_stands_beside_its_mark_and_one_without_room_is_left_out():
    anchor = Anchor(200, 150, 4)
    (place,) = placed([(anchor, "RTX 4090")], [anchor], BOUNDS, SIZE)
    assert place is not None
    assert place.box.left == 206
    assert place.box.right == 206 + text_width("RTX 4090", SIZE)
    assert place.box.top < 150 < place.box.bottom
    assert not place.far
    assert placed([(anchor, "x" * 100)], [anchor], BOUNDS, SIZE) == [None]


def test_many_labels_at_a_point_stand_above_each_other_and_say_that_they_are_far():
    anchor = Anchor(200, 150, 4)
    places = placed([(anchor, f"name {number}") for number in range(12)], [anchor], BOUNDS, SIZE)
    assert None not in places
    assert [place.far for place in places if place].count(True) > 0
    assert all(abs((place.box.top + place.box.bottom) / 2 - 150) < 7 * LINE * SIZE for place in places if place)
