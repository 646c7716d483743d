"""Values and lines of draft fields."""

from patternmind.domain.draft_fields import NOT_STATED, WITHDRAWN, stated_lines, value_lines, value_to_text
from patternmind.web.pages.prereading_edit import field_to_text


def test_lines_of_a_value_leave_out_what_states_nothing() -> None:
    text, lines = f"One.\n\n {NOT_STATED} \n{WITHDRAWN}", (" One. ", "", NOT_STATED, f"But {WITHDRAWN}")
    assert value_lines(text) == ["One.", WITHDRAWN]
    assert value_lines(lines) == [" One. ", f"But {WITHDRAWN}"]
    assert stated_lines({"text": text, "lines": lines}, "text") == ("One.",)
    assert stated_lines({"text": text, "lines": lines}, "lines") == ("One.",)
    assert stated_lines({}, "lines") == ()


def test_forms_show_a_field_that_states_nothing_as_empty() -> None:
    assert value_to_text(NOT_STATED) == value_to_text((NOT_STATED,)) == field_to_text(NOT_STATED) == ""
    assert field_to_text(("One  line.", "two")) == "One line.\ntwo"
