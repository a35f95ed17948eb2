"""Differences between versions: both texts can be read off them, and only what changed is marked."""

from hypothesis import given
from hypothesis import strategies as st

from boycott.guidance.differences import Mark, differences, is_changed

lines_of_text = st.lists(st.sampled_from(["", "a b c", "a b d", "x", "- [ ] Tell the partners"]), max_size=8)


def read(lines, *marks):
    """The lines that have a piece with one of these marks, put together from those pieces."""
    kept = [[piece for piece in line if piece.mark in marks] for line in lines]
    return ["".join(piece.text for piece in line) for line in kept if line]


@given(lines_of_text, lines_of_text)
def test_both_texts_can_be_read_off(before, after):
    found = differences("\n".join(before), "\n".join(after))
    assert read(found, Mark.SAME, Mark.REMOVED) == "\n".join(before).splitlines()
    assert read(found, Mark.SAME, Mark.ADDED) == "\n".join(after).splitlines()
    assert any(is_changed(line) for line in found) == (
        "\n".join(before).splitlines() != "\n".join(after).splitlines()
    )


def test_a_changed_line_is_marked_word_by_word():
    [line] = differences("Tell all partners today", "Tell all GPs today")
    assert [(piece.mark.value, piece.text) for piece in line] == [
        ("SAME", "Tell all "),
        ("REMOVED", "partners"),
        ("ADDED", "GPs"),
        ("SAME", " today"),
    ]


def test_another_line_is_not_taken_for_a_changed_one():
    found = differences("Tell the partners", "Print letters")
    assert [piece.mark for line in found for piece in line] == [Mark.REMOVED, Mark.ADDED]
