"""One plain sentence per change, in both languages."""

from datetime import timedelta

from rules.change import Change
from rules.sentence import sentence
from tests.rules.making import RAIN, at, feed, level_engine, rain_engine, reading


def _both(change: Change, zh: str, en: str) -> list[str]:
    return [sentence(change, "zh", zh), sentence(change, "en", en)]


def test_a_raise_by_a_table_row_names_window_value_and_threshold() -> None:
    change = feed(rain_engine(), [3.0] * 12)[0]
    assert _both(change, "柳溪", "Willow Creek") == [
        "柳溪：1小时雨量36mm，达到蓝色（Ⅳ级）阈值35mm，山洪预警由无预警升为蓝色（Ⅳ级）。",
        "Willow Creek: 1 h rain 36 mm (blue from 35 mm): flash flood warning raised from none to blue.",
    ]


def test_a_raise_by_a_condition_and_a_lowering_name_what_was_seen() -> None:
    changes = feed(level_engine(), [12.0] * 13 + [12.9] + [12.0] * 20, station="Z1", variable="level")
    assert _both(changes[0], "石桥", "Stone Bridge") == [
        "石桥：水位12.9m，1小时水位变化0.9m，达到橙色（Ⅱ级）条件，河道洪水预警由无预警升为橙色（Ⅱ级）。",
        (
            "Stone Bridge: water level 12.9 m, change of water level in 1 h 0.9 m (orange condition): "
            "river flood warning raised from none to orange."
        ),
    ]
    assert sentence(changes[1], "en", "Stone Bridge") == (
        "Stone Bridge: water level 12 m, change of water level in 1 h 0 m (condition for lowering holds): "
        "river flood warning lowered from orange to yellow."
    )


def test_silence_a_person_and_a_late_reading_are_named() -> None:
    engine = rain_engine(RAIN.replace("grade: hold", "grade: expire"))
    feed(engine, [3.0] * 12)
    expired = engine.tick(at(80)).changes[0]
    assert _both(expired, "柳溪", "Willow") == [
        "柳溪：已20分钟没有数据，按规则山洪预警由蓝色（Ⅳ级）降为无预警，请核实现场情况。",
        "Willow: no data for 20 minutes, flash flood warning lowered from blue to none as the rule says; please check the site.",
    ]
    engine = rain_engine()
    feed(engine, [3.0] * 12)
    assert sentence(engine.lift("flash-flood-rain", "S1", at(61)).changes[0], "zh", "柳溪") == (
        "柳溪：值班人员解除，山洪预警由蓝色（Ⅳ级）降为无预警。"
    )
    engine = rain_engine()
    feed(engine, [5, 5, None, 5, 5, *[0.0] * 6])
    late = engine.observe([reading(16, 15)], at(55)).changes[0]
    assert late.late_by == timedelta(minutes=40)
    assert sentence(late, "en", "Willow").endswith("raised from none to blue (from data 40 minutes late).")
    assert sentence(late, "zh", "柳溪").endswith("（依据迟到40分钟的数据）。")
