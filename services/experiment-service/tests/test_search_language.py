"""The language of run search: what it reads, and where it says that something is wrong."""

import pytest
from experiment_service.search.syntax import (
    MAX_COMPARISONS,
    Ago,
    All,
    Any_,
    Comparison,
    Not,
    parse_filter,
)
from experiment_service.search.tokens import Mistake
from hypothesis import given
from hypothesis import strategies as st


def one(text: str) -> Comparison:
    node = parse_filter(text)
    assert isinstance(node, Comparison)
    return node


@pytest.mark.parametrize(
    ("text", "group", "key", "operator", "values"),
    [
        ("metrics.loss < 0.2", "metrics", "loss", "<", (0.2,)),
        ("metrics.train.loss <> -1e3", "metrics", "train.loss", "!=", (-1000.0,)),
        ("params.\"a b\" = 'it''s'", "params", "a b", "=", ("it's",)),
        ('tags.`x.y` like "A%"', "tags", "x.y", "LIKE", ("A%",)),
        ("status NOT in ('failed', 'lost')", None, "status", "NOT IN", ("failed", "lost")),
        ("params.lr is not null", "params", "lr", "IS NOT NULL", ()),
        ("created_at > -7d", None, "created_at", ">", (Ago(-604800),)),
        ("archived = TRUE", None, "archived", "=", (True,)),
    ],
)
def test_a_comparison_is_read(
    text: str, group: str | None, key: str, operator: str, values: tuple[object, ...]
) -> None:
    read = one(text)
    assert (read.field.group, read.field.key) == (group, key)
    assert (read.operator, read.values) == (operator, values)


def test_and_binds_closer_than_or_and_not_closer_than_both() -> None:
    a, b, c = one("a = 1"), one("b = 1"), one("c = 1")
    node = parse_filter("a = 1 or not b = 1 and c = 1")
    assert _shape(node) == ["or", _shape(a), ["and", ["not", _shape(b)], _shape(c)]]
    grouped = parse_filter("(a = 1 or b = 1) and c = 1")
    assert _shape(grouped) == ["and", ["or", _shape(a), _shape(b)], _shape(c)]


def test_an_empty_filter_holds_for_every_run() -> None:
    assert parse_filter("  ") == All(())


@pytest.mark.parametrize(
    ("text", "start", "length"),
    [
        ("metrics.loss <", 14, 0),
        ("metrics.loss ~ 2", 13, 1),
        ("metrics. < 2", 9, 1),
        ("a = 1 b = 2", 6, 1),
        ("a = 1 and", 9, 0),
        ("(a = 1", 6, 0),
        ("a = 'open", 4, 5),
        ("é = ü", 4, 1),
        ("a in 3", 5, 1),
        ("a in (1 2)", 8, 1),
    ],
)
def test_a_mistake_points_at_its_characters(text: str, start: int, length: int) -> None:
    with pytest.raises(Mistake) as caught:
        parse_filter(text)
    assert (caught.value.span.start, caught.value.span.length) == (start, length)


@pytest.mark.parametrize(
    "text",
    [
        " and ".join(["a = 1"] * (MAX_COMPARISONS + 1)),
        "(" * 1000 + "a = 1" + ")" * 1000,
        "not " * 1000 + "a = 1",
        "a = 1" + " " * 8000,
        f"a in ({','.join(['1'] * 1001)})",
    ],
    ids=["comparisons", "parentheses", "nots", "characters", "values"],
)
def test_what_is_too_much_is_refused(text: str) -> None:
    with pytest.raises(Mistake, match="at most"):
        parse_filter(text)


pieces = st.sampled_from(["a", "metrics.", "params", "(", ")", ",", ".", "=", "!=", "<", "1"])
pieces |= st.sampled_from(["and", "or", "not", "in", "is", "null", "like", "-7d", ".5e3"])
pieces |= st.sampled_from(["'x'", '"y"', "`z`", "'", '"', "`", "\0", "é"])


@given(st.one_of(st.text(), st.lists(pieces).map(" ".join)))
def test_no_text_ends_in_anything_but_a_tree_or_a_mistake_within_it(text: str) -> None:
    try:
        parse_filter(text)
    except Mistake as mistake:
        assert 0 <= mistake.span.start <= mistake.span.end <= len(text)  # noqa: PT017


@given(st.text(min_size=1), st.text())
def test_every_key_and_every_text_can_be_written(key: str, value: str) -> None:
    quoted, text = key.replace("`", "``"), value.replace("'", "''")
    read = one(f"params.`{quoted}` = '{text}'")
    assert (read.field.key, read.values) == (key, (value,))


def _shape(node: object) -> list[object]:
    match node:
        case Comparison():
            return [node.field.key, node.operator, *node.values]
        case Not():
            return ["not", _shape(node.part)]
        case All():
            return ["and", *map(_shape, node.parts)]
        case Any_():
            return ["or", *map(_shape, node.parts)]
        case _:
            raise AssertionError(node)
