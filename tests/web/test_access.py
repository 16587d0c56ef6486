import pytest
from fastapi.routing import APIRoute

from dispatcher.accounts import Role, add_token, add_user, check_password, principal_of_token
from dispatcher.ports import Store
from dispatcher.web.application import create_app
from dispatcher.web.gate import is_open
from tests.web.bench import PASSWORD, Bench, csrf
from tests.web.seed import NOW


async def test_every_address_that_is_not_listed_as_open_refuses_a_stranger(bench: Bench) -> None:
    addresses = [(m, r.path) for r in routes(bench) for m in r.methods or ()]
    closed = [(method, path) for method, path in addresses if not is_open(path)]
    assert ("GET", "/") in closed
    assert ("GET", "/metrics") in closed
    assert ("GET", "/api/v1/events") in closed
    for method, path in [*closed, ("GET", "/api/openapi.json"), ("GET", "/no/such/page")]:
        answer = await bench.client.request(method, path.replace("{", "").replace("}", "").replace(":path", ""))
        assert answer.status_code == 401 or answer.headers.get("location", "").startswith("/login"), (method, path)
        assert len(answer.content) < 300


def routes(bench: Bench) -> list[APIRoute]:
    found: list[APIRoute] = []
    waiting = list(create_app(bench.context).router.routes)
    while waiting:
        route = waiting.pop()
        if isinstance(route, APIRoute):
            found.append(route)
        waiting += getattr(getattr(route, "original_router", None), "routes", [])
    assert len(found) > 20
    return found


async def test_an_unauthenticated_call_of_the_api_gets_a_problem_document(bench: Bench) -> None:
    answer = await bench.client.get("/api/v1/warnings")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["status"] == 401


async def test_a_wrong_or_revoked_token_opens_nothing(bench: Bench) -> None:
    assert (await bench.client.get("/api/v1/warnings", headers={"Authorization": "Bearer nonsense"})).status_code == 401
    async with bench.store.write() as tx:
        await tx.run("accounts.revoke_tokens", {"name": "viewer", "revoked_at": 1})
    assert (await bench.client.get("/api/v1/warnings", headers=bench.api(Role.VIEWER))).status_code == 401


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/login", "/static/page.css"])
async def test_health_login_and_static_files_need_no_principal(bench: Bench, path: str) -> None:
    assert (await bench.client.get(path)).status_code == 200


async def test_a_viewer_reads_but_changes_nothing(bench: Bench) -> None:
    viewer = bench.api(Role.VIEWER)
    assert (await bench.client.get("/api/v1/notices", headers=viewer)).status_code == 200
    for path, body in (("/api/v1/tasks/1/close", {}), ("/api/v1/notices/x/answers", {"action": "received"}), ("/api/v1/readings", {})):
        answer = await bench.client.post(path, json=body, headers=viewer)
        assert answer.status_code == 403, path
        assert "role" in answer.json()["detail"]


async def test_an_officer_logs_in_and_out(bench: Bench) -> None:
    await bench.log_in()
    page = await bench.client.get("/")
    assert page.status_code == 200
    await bench.client.post("/logout", data={"csrf": csrf(page.text)})
    assert (await bench.client.get("/")).status_code == 303


async def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(bench: Bench) -> None:
    cookie = (await bench.client.get("/login")).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


async def test_a_new_password_ends_old_sessions(bench: Bench) -> None:
    await bench.log_in()
    await add_user(bench.store, "chen", Role.DUTY_OFFICER, PASSWORD + "!", NOW)
    assert (await bench.client.get("/")).status_code == 303


async def test_guessing_passwords_is_slowed_down(bench: Bench) -> None:
    token = csrf((await bench.client.get("/login")).text)
    tries = [await bench.client.post("/login", data={"name": "chen", "password": "x", "csrf": token}) for _ in range(6)]
    assert [t.status_code for t in tries] == [401] * 5 + [429]
    assert int(tries[-1].headers["retry-after"]) > 0
    right = await bench.client.post("/login", data={"name": "chen", "password": PASSWORD, "csrf": token})
    assert right.status_code == 429
    other = await bench.client.post("/login", data={"name": "visitor", "password": PASSWORD, "csrf": token})
    assert other.status_code == 303


@pytest.mark.parametrize(
    ("path", "data"),
    [("/login", {"name": "a", "password": "b"}), ("/logout", {}), ("/tasks/1/close", {}), ("/notices/x/answers", {"action": "received"})],
)
@pytest.mark.parametrize("token", [{}, {"csrf": "guess"}], ids=["no token", "guessed token"])
async def test_a_form_from_elsewhere_is_refused(bench: Bench, path: str, data: dict[str, str], token: dict[str, str]) -> None:
    await bench.log_in()
    answer = await bench.client.post(path, data=data | token)
    assert answer.status_code == 403


async def test_a_script_of_another_site_cannot_use_the_session_for_the_api(bench: Bench) -> None:
    await bench.log_in()
    assert (await bench.client.post("/api/v1/tasks/1/close", json={})).status_code == 403


@pytest.mark.parametrize("address", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
async def test_a_login_never_leads_to_another_site(bench: Bench, address: str) -> None:
    token = csrf((await bench.client.get("/login")).text)
    data = {"name": "chen", "password": PASSWORD, "csrf": token, "next": address}
    assert (await bench.client.post("/login", data=data)).headers["location"] == "/"


async def test_metrics_are_for_the_loopback_or_a_token(bench: Bench) -> None:
    assert (await bench.client.get("/metrics")).status_code == 401
    assert "dispatcher_" in (await bench.client.get("/metrics", headers=bench.api(Role.VIEWER))).text


async def test_passwords_and_tokens_are_not_in_the_store(store: Store) -> None:
    await add_user(store, "li", Role.ADMINISTRATOR, PASSWORD, NOW)
    token = await add_token(store, "gauges", Role.FORECASTER, NOW)
    async with store.read() as reader:
        rows = [*await reader.fetch("accounts.user", {"name": "li"}), *await reader.fetch("accounts.tokens")]
    assert PASSWORD not in str(rows)
    assert token not in str(rows)
    found = await principal_of_token(store, token)
    assert found is not None
    assert (found.name, found.role) == ("gauges", Role.FORECASTER)
    assert await check_password(store, "li", PASSWORD) is not None
    assert await check_password(store, "li", "wrong") is None
    assert await check_password(store, "nobody", PASSWORD) is None


@pytest.mark.parametrize(("name", "password"), [("", PASSWORD), (" li", PASSWORD), ("li", "short")])
async def test_a_name_or_password_that_will_not_do_is_refused(store: Store, name: str, password: str) -> None:
    with pytest.raises(ValueError, match=r"name|characters"):
        await add_user(store, name, Role.VIEWER, password, NOW)


async def test_every_page_forbids_framing_foreign_scripts_and_referrers(bench: Bench) -> None:
    for path in ("/login", "/healthz", "/a/x", "/static/page.css", "/api/v1/warnings"):
        headers = (await bench.client.get(path)).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe-inline" not in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"


async def test_a_form_above_its_limit_is_refused(bench: Bench) -> None:
    answer = await bench.client.post("/login", content=b"name=" + b"x" * 70_000)
    assert answer.status_code == 413
