import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.answers.understanding import Understood, opts_out, understand
from dispatcher.model.answer import Said

R, G, E, H, X = Said.RECEIVED, Said.EVACUATING, Said.EVACUATED, Said.HELP, Said.REFUSED
WORDINGS: dict[str, Understood | None] = {
    "1 4217": Understood(R, "4217"),
    "2 4217": Understood(G, "4217"),
    "3 4217 35": Understood(E, "4217", 35),
    "3 4217 1200": Understood(E, "4217", 1200),
    "3 4217 35人": Understood(E, "4217", 35),
    "3，4217，35 人。": Understood(E, "4217", 35),
    "34217 35": Understood(E, "4217", 35),
    "14217": Understood(R, "4217"),
    "１　４２１７": Understood(R, "4217"),
    "３ ４２１７ ３５人": Understood(E, "4217", 35),
    "① 4217": Understood(R, "4217"),
    "“1 4217”": Understood(R, "4217"),
    "【1】4217": Understood(R, "4217"),
    "9 4217": Understood(H, "4217"),
    "4217": Understood(R, "4217"),
    "收到": Understood(R),
    "收到！": Understood(R),
    "收到 4217": Understood(R, "4217"),
    "4217收到": Understood(R, "4217"),
    "好的，收到，马上通知": Understood(R),
    "收到，正在转移": Understood(G),
    "开始转移了": Understood(G),
    "已转移 35 人": Understood(E, "", 35),
    "已转移35人 4217": Understood(E, "4217", 35),
    "已经转移120人": Understood(E, "", 120),
    "全部转移，共４０人": Understood(E, "", 40),
    "已转移 1200 人": Understood(E, "", 1200),
    "已转移13500人": Understood(E, "", 13500),
    "3 35": Understood(E, "", 35),
    "3": Understood(E),
    "需要帮助": Understood(H),
    "不知道怎么办，救命": Understood(H),
    "HELP! no boat": Understood(H),
    "收到，不需要帮助": Understood(R),
    "no help needed": None,
    "去不了，路断了": Understood(X),
    "老人拒绝转移": Understood(X),
    "我们不转移": Understood(X),
    "无法转移": Understood(X),
    "can't go": Understood(X),
    "can’t go": Understood(X),
    "OK": Understood(R),
    "Received, moving now": Understood(G),
    "Evacuated 12 people": Understood(E, "", 12),
    "all moved": Understood(E),
    "received 07700900123": Understood(R),
    "没收到": None,
    "没有收到": None,
    "还没转移": None,
    "还没转移完": None,
    "没有全部转移": None,
    "尚未完全转移": None,
    "not received": None,
    "haven't evacuated": None,
    "有人受伤": None,
    "4217 4218 已转移": Understood(E),
    "1 2": Understood(R),
    "": None,
    "？？？": None,
}


@pytest.mark.parametrize(("text", "meant"), WORDINGS.items(), ids=lambda v: repr(v) if isinstance(v, str) else "")
def test_the_wordings_of_the_field_are_understood(text: str, meant: Understood | None) -> None:
    assert understand(text) == meant


@given(st.text(max_size=700))
def test_any_text_is_understood_or_handed_to_a_person_and_never_raises(text: str) -> None:
    meant = understand(text)
    assert meant is None or isinstance(meant.said, Said)
    assert isinstance(opts_out(text), bool)


@given(st.text(alphabet="0123456789０１２３９ ,，.人收到已转移正在help no people moved“”\t\n", max_size=40))
def test_numbers_and_words_in_any_order_never_raise(text: str) -> None:
    meant = understand(text)
    assert meant is None or meant.people is None or meant.people >= 0


SPACE = st.sampled_from([" ", "  ", "，", ", ", "。", "\n", " 、"])


@given(
    code=st.integers(1000, 9999).map(str),
    word=st.sampled_from(["已转移", "正在转移", "evacuated", "全部转移", "3", "2"]),
    people=st.one_of(st.none(), st.integers(1, 999)),
    first=st.booleans(),
    space=SPACE,
)
def test_a_code_is_never_read_as_people(*, code: str, word: str, people: int | None, first: bool, space: str) -> None:
    parts = [code, word] if first and not word.isdigit() else [word, code]
    meant = understand(space.join([*parts, *([f"{people}人"] if people else [])]))
    assert meant is not None
    assert meant.code == code
    assert meant.people == people


@given(one=st.integers(1000, 9999), other=st.integers(1000, 9999))
def test_of_two_numbers_like_codes_neither_is_taken_for_people(one: int, other: int) -> None:
    meant = understand(f"已转移 {one} {other}")
    assert meant == Understood(E)


def test_a_code_has_as_many_digits_as_the_county_gives() -> None:
    assert understand("1 421700", 6) == Understood(R, "421700")
    assert understand("3 421700 1200", 6) == Understood(E, "421700", 1200)


@pytest.mark.parametrize("text", ["STOP", "stop", " Stop. ", "ＳＴＯＰ", "退订", "TD", "unsubscribe"])
def test_the_words_by_which_carriers_block_a_number_are_known(text: str) -> None:
    assert opts_out(text)


@pytest.mark.parametrize("text", ["stop the water", "cancel that", "1 4217", "收到", "the end"])
def test_other_words_do_not_opt_out(text: str) -> None:
    assert not opts_out(text)
