"""What people in the town do with a text."""

import signal
from pathlib import Path

import aiohttp
import pytest
from twilio.request_validator import RequestValidator

from simulators.ledger import Kind
from tests.simulators.towns import ACCOUNT, ASKS, BASIC, PHONE, SENDER, TOKEN, Hooks, StartTown, until, write_registry

PAGE = """<!doctype html><html><head><script>document.forms[0].action = "/wrong"</script></head><body>
<form method="get" action="/language"><button name="lang" value="en">English</button></form>
<form method="post" action="/a/tok.en-1"><input type="hidden" name="csrf" value="x1">
<input type="number" name="people"><textarea name="note"></textarea>
<button name="action" value="received">收到</button><button name="action" value="evacuating">正在转移</button>
<button name="action" value="evacuated">已转移</button><button name="action" value="help">求助</button></form></body></html>"""


async def test_a_prompt_villager_answers_each_action_with_the_code_and_a_signed_call(start_town: StartTown, hooks: Hooks) -> None:
    town = await start_town("--inbound-url", f"{hooks.url}/in")
    await town.post(PHONE["prompt"])
    await until(lambda: len(hooks.bodies()) == 3)
    assert hooks.bodies()[:2] == ["1 4821", "2 4821"]
    assert hooks.bodies()[2].startswith("3 4821 ")
    call = hooks.calls[0]
    assert call.fields["From"] == PHONE["prompt"]
    assert RequestValidator(TOKEN).validate(f"{hooks.url}/in", call.fields, call.headers["X-Twilio-Signature"])


async def test_a_villager_with_a_link_presses_the_buttons_of_its_form(start_town: StartTown, hooks: Hooks) -> None:
    hooks.pages["/a/tok.en-1"] = PAGE
    town = await start_town()
    await town.post(PHONE["link"], f"{ASKS}{hooks.url}/a/tok.en-1 防汛办")
    await until(lambda: len(hooks.at("/a/")) == 3)
    pressed = [call.fields for call in hooks.at("/a/")]
    assert [fields["action"] for fields in pressed] == ["received", "evacuating", "evacuated"]
    assert {fields["csrf"] for fields in pressed} == {"x1"}
    assert (pressed[0]["people"], int(pressed[2]["people"]) > 0) == ("", True)
    assert len(await town.wait_for(Kind.LINK_SUBMITTED, 3)) == 3


async def test_a_button_that_the_page_does_not_offer_is_passed_over(start_town: StartTown, hooks: Hooks) -> None:
    town = await start_town()
    await town.post(PHONE["link"], f"{ASKS}{hooks.url}/a/expired")
    assert {entry.code for entry in await town.wait_for(Kind.LINK_GAVE_UP, 3)} == {"http-410"}


async def test_who_refuses_says_so_once_and_who_is_silent_says_nothing(start_town: StartTown, hooks: Hooks) -> None:
    town = await start_town("--inbound-url", f"{hooks.url}/in")
    await town.post(PHONE["silent"])
    await town.post(PHONE["refuses"])
    await town.post(PHONE["prompt"])
    await until(lambda: len(hooks.bodies()) == 4)
    assert [call.fields["Body"][:3] for call in hooks.at("/in") if call.fields["From"] == PHONE["refuses"]] == ["去不了"]
    assert not [call for call in hooks.at("/in") if call.fields["From"] == PHONE["silent"]]


async def test_a_repeated_question_is_answered_once(start_town: StartTown, hooks: Hooks) -> None:
    town = await start_town("--inbound-url", f"{hooks.url}/in")
    for _ in range(3):
        await town.post(PHONE["prompt"])
    await town.post(PHONE["deputy"], ASKS.replace("4821", "5932"))
    await until(lambda: len(hooks.bodies()) >= 6)
    assert sorted(body[:6] for body in hooks.bodies()) == ["1 4821", "1 5932", "2 4821", "2 5932", "3 4821", "3 5932"]


async def test_a_lifting_asks_nothing_and_is_not_answered(start_town: StartTown, hooks: Hooks) -> None:
    town = await start_town("--inbound-url", f"{hooks.url}/in")
    await town.post(PHONE["prompt"], "河口村：山洪预警解除。已转移人员请听村里安排返回。防汛办07月20日14:05")
    await town.post(PHONE["deputy"])
    await until(lambda: len(hooks.bodies()) == 3)
    assert {call.fields["From"] for call in hooks.at("/in")} == {PHONE["deputy"]}


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
async def test_a_town_stopped_in_the_middle_goes_on_and_answers_nothing_twice(
    start_town: StartTown, hooks: Hooks, tmp_path: Path, how: signal.Signals
) -> None:
    write_registry(tmp_path / "registry", {"evacuating": [1.0, 1.0], "evacuated": [1.2, 1.2]})
    inbound = ("--inbound-url", f"{hooks.url}/in")
    first = await start_town(*inbound)
    await first.post(PHONE["prompt"])
    await until(lambda: [entry for entry in first.entries(Kind.CALLBACK_SENT) if entry.act.endswith("/received")])
    first.stop(how)
    second = await start_town(*inbound)
    assert second.ready["messages_remembered"] == 1
    await until(lambda: len(hooks.bodies()) == 3)
    second.stop()
    third = await start_town(*inbound)
    assert third.ready["waiting"] == 0
    assert [body[:1] for body in hooks.bodies()] == ["1", "2", "3"]


async def test_a_text_to_us_is_listed_once_also_after_a_restart(start_town: StartTown) -> None:
    town = await start_town()
    await town.post(PHONE["prompt"])
    written = await town.wait_for(Kind.SMS_REPLY, 3)
    assert town.stop(signal.SIGKILL)
    again = await start_town()
    async with aiohttp.ClientSession(headers={"Authorization": BASIC}) as session:
        address = f"{again.url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
        async with session.get(address, params={"To": SENDER}) as response:
            listed = (await response.json())["messages"]
    assert [(m["sid"], m["body"], m["direction"]) for m in listed] == [(e.reference, e.body, "inbound") for e in reversed(written)]


async def test_replies_to_a_number_that_is_not_called_for_are_only_listed(start_town: StartTown, hooks: Hooks) -> None:
    other = "+447700900998"
    town = await start_town("--inbound-url", f"{hooks.url}/in", "--uncalled", other)
    await town.post(PHONE["prompt"], From=other)
    await town.post(PHONE["refuses"])
    assert {entry.more["sender"] for entry in await town.wait_for(Kind.SMS_REPLY, 4)} == {other, SENDER}
    await until(hooks.bodies)
    assert {call.fields["From"] for call in hooks.at("/in")} == {PHONE["refuses"]}
    async with aiohttp.ClientSession(headers={"Authorization": BASIC}) as session:
        address = f"{town.url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
        listed = await (await session.get(address, params={"To": other})).json()
    assert sorted(one["body"][:6] for one in listed["messages"]) == ["1 4821", "2 4821", "3 4821"]
