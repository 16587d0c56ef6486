"""The phone network as Twilio's own client sees it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from simulators.ledger import Kind
from tests.simulators.towns import ACCOUNT, ASKS, PHONE, SENDER, TOKEN, Hooks, RunningTown, StartTown, until

# Twilio's client signs in by a way that aiohttp has announced to remove; our adapter goes round it, this test takes it as it is.
pytestmark = [
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning"),
]


async def _client(town: RunningTown, token: str = TOKEN) -> AsyncIterator[Client]:
    async with AsyncTwilioHttpClient(timeout=10) as http:
        client = Client(ACCOUNT, token, http_client=http)
        client.api.base_url = town.url
        yield client


@pytest.fixture
async def town(start_town: StartTown) -> RunningTown:
    return await start_town()


@pytest.fixture
async def client(town: RunningTown) -> AsyncIterator[Client]:
    async for client in _client(town):
        yield client


async def test_a_text_is_taken_and_found_again_by_its_sid(client: Client) -> None:
    taken = await client.messages.create_async(to=PHONE["prompt"], from_=SENDER, body=ASKS, validity_period=60)
    assert (str(taken.status), taken.num_segments, taken.to, taken.body) == ("queued", "1", PHONE["prompt"], ASKS)
    found = await client.messages(str(taken.sid)).fetch_async()
    assert (found.sid, str(found.direction), found.account_sid) == (taken.sid, "outbound-api", ACCOUNT)


async def test_a_list_comes_in_pages_newest_first_and_only_to_that_number(client: Client) -> None:
    for n in range(5):
        await client.messages.create_async(to=PHONE["silent"], from_=SENDER, body=f"第{n}条")
    await client.messages.create_async(to=PHONE["off"], from_=SENDER, body="另一个人")
    found = await client.messages.list_async(to=PHONE["silent"], page_size=2)
    assert [text.body for text in found] == [f"第{n}条" for n in (4, 3, 2, 1, 0)]


async def test_a_list_can_be_asked_for_what_was_sent_since_a_time(client: Client) -> None:
    await client.messages.create_async(to=PHONE["silent"], from_=SENDER, body="现在")
    now = datetime.now(UTC)
    assert len(await client.messages.list_async(to=PHONE["silent"], date_sent_after=now - timedelta(minutes=1))) == 1
    assert await client.messages.list_async(to=PHONE["silent"], date_sent_after=now + timedelta(minutes=1)) == []


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        pytest.param({"to": "12345", "body": "x"}, 400, 21211, id="bad-number"),
        pytest.param({"to": PHONE["prompt"], "body": ""}, 400, 21602, id="no-body"),
        pytest.param({"to": PHONE["prompt"], "body": "长" * 1601}, 400, 21617, id="too-long"),
        pytest.param({"to": PHONE["prompt"], "body": "x", "validity_period": 40_000}, 400, 20001, id="validity-above-36000"),
        pytest.param({"to": PHONE["prompt"], "body": "x", "status_callback": "nowhere"}, 400, 21609, id="bad-callback"),
    ],
)
async def test_a_wrong_request_gets_twilios_error(client: Client, form: dict[str, Any], status: int, code: int) -> None:
    with pytest.raises(TwilioRestException) as refused:
        await client.messages.create_async(**{"from_": SENDER, **form})
    assert (refused.value.status, refused.value.code) == (status, code)


async def test_a_wrong_token_is_refused(town: RunningTown) -> None:
    async for client in _client(town, "another"):
        with pytest.raises(TwilioRestException) as refused:
            await client.messages.create_async(to=PHONE["prompt"], from_=SENDER, body="x")
        assert (refused.value.status, refused.value.code) == (401, 20003)


async def test_above_its_rate_the_network_says_429(start_town: StartTown) -> None:
    town = await start_town("--rate", "2")
    answers = [await town.post(PHONE["silent"], f"{n}") for n in range(6)]
    assert {status for status, _ in answers} == {201, 429}
    assert next(body["code"] for status, body in answers if status == 429) == 20429


async def test_every_step_of_a_text_is_called_back_signed_in_order(start_town: StartTown, hooks: Hooks) -> None:
    town = await start_town()
    url = f"{hooks.url}/hooks/sms/status?d=delivery-1"
    await town.post(PHONE["silent"], StatusCallback=url)
    await until(lambda: len(hooks.calls) == 2)
    assert [call.fields["MessageStatus"] for call in hooks.calls] == ["sent", "delivered"]
    for call in hooks.calls:
        assert RequestValidator(TOKEN).validate(url, call.fields, call.headers["X-Twilio-Signature"])
    assert [entry.delivery for entry in await town.wait_for(Kind.SMS_DELIVERED)] == ["delivery-1"]


@pytest.mark.parametrize(("who", "status", "code"), [("off", "undelivered", "30003"), ("dead", "failed", "30005")])
async def test_a_phone_that_cannot_be_reached_is_called_back_with_its_code(
    start_town: StartTown, hooks: Hooks, who: str, status: str, code: str
) -> None:
    town = await start_town()
    await town.post(PHONE[who], StatusCallback=f"{hooks.url}/st?d=1")
    await until(lambda: hooks.calls and hooks.calls[-1].fields["MessageStatus"] == status)
    assert hooks.calls[-1].fields["ErrorCode"] == code


async def test_a_number_that_nobody_has_fails_as_unknown(start_town: StartTown) -> None:
    town = await start_town()
    await town.post("+447700900555")
    assert [entry.code for entry in await town.wait_for(Kind.SMS_FAILED)] == ["30005"]


async def test_callbacks_wait_for_an_engine_that_is_away(start_town: StartTown, hooks: Hooks) -> None:
    town = await start_town()
    await hooks.shut()
    await town.post(PHONE["silent"], StatusCallback=f"{hooks.url}/st?d=1")
    await town.wait_for(Kind.SMS_DELIVERED)
    await hooks.open()
    await until(lambda: {"sent", "delivered"} <= {call.fields["MessageStatus"] for call in hooks.calls})


async def test_a_callback_is_given_up_when_patience_ends(start_town: StartTown, hooks: Hooks) -> None:
    await hooks.shut()
    town = await start_town("--callback-patience", "0.3")
    await town.post(PHONE["dead"], StatusCallback=f"{hooks.url}/st?d=1")
    assert [entry.code for entry in await town.wait_for(Kind.CALLBACK_GAVE_UP)] == ["no-answer"]


async def test_three_hundred_texts_at_once_lose_no_callback(start_town: StartTown, hooks: Hooks) -> None:
    town = await start_town()
    async for client in _client(town):
        for n in range(300):
            await client.messages.create_async(to=PHONE["silent"], from_=SENDER, body=f"{n}", status_callback=f"{hooks.url}/st?d={n}")
    await until(lambda: len(hooks.calls) >= 600)
    assert len({(call.path, call.fields["MessageStatus"]) for call in hooks.calls}) == 600
