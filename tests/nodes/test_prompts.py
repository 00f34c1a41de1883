import pytest

from tests.nodes.fake_comfy import part

Schedule = part("nodes.prompts").Schedule
InputError = part("echotorrent_core.errors").InputError


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("", [(0, "")]),
        ("smiling", [(0, "smiling")]),
        ("smiling / looks left", [(0, "smiling / looks left")]),
        ("0: smiling / 4.5: looks left", [(0, "smiling"), (4.5, "looks left")]),
        ("0: smiling\n4.5: looks left\n", [(0, "smiling"), (4.5, "looks left")]),
        ("smiling / 4.5: looks left", [(0, "smiling"), (4.5, "looks left")]),
        ("2: sad", [(0, ""), (2, "sad")]),
        ("1:30: sad / 2:00: glad", [(0, ""), (90, "sad"), (120, "glad")]),
        ("a talk at 4: about birds", [(0, "a talk at 4: about birds")]),
        ("0: / 3: sad", [(0, ""), (3, "sad")]),
    ],
)
def test_reads(text, entries):
    assert Schedule.parse(text).entries == tuple(entries)


@pytest.mark.parametrize("text", ["0: a / b", "3: a / 2: b", "3: a / 3: b", "a / 0: b"])
def test_refuses_in_one_sentence(text):
    with pytest.raises(InputError) as error:
        Schedule.parse(text)
    assert "\n" not in str(error.value)


def test_holds_from_its_time_on():
    schedule = Schedule.parse("0: a / 2: b / 3: c")
    assert [schedule.at(t) for t in (0, 1.99, 2, 2.5, 3, 100)] == list("aabbcc")
