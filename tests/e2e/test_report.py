"""`tocsin report`: what the API says of usage and budgets, as a table and as JSON Lines."""
import json
import urllib.request
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from programs import answers, run, source, webhook


@pytest.fixture
def report(scene):
    """A simulator, and a call that gives the finished `tocsin report …`."""
    sim = scene.sim("--users", "60", "--page-max", "7")
    config = scene.config(sim, [webhook("hook", scene.receiver())])
    return sim, config, lambda *arguments: run(config, "report", *arguments)


def listed(sim, path):
    """All items, walked by hand."""
    items, cursor = [], None
    while True:
        url = f"{sim.base}/{path}" + (f"&cursor={cursor}" if cursor else "")
        request = urllib.request.Request(url, headers={"Authorization": "Bearer sandbox-key"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            page = json.loads(answer.read(), parse_float=Decimal)
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return items


def lines(done):
    assert done.returncode == 0, done.stderr
    return [json.loads(line, parse_float=Decimal) for line in done.stdout.splitlines()]


SUMS = ["total_requests", "total_input_tokens", "total_output_tokens", "estimated_cost_usd"]


@pytest.mark.parametrize("by, key", [
    ("user", "user_id"), ("model", "model"), ("department", "department")])
def test_usage_adds_up_to_what_the_api_lists(report, by, key):
    sim, _, call = report
    today = datetime.now(timezone.utc).date()
    first = today - timedelta(days=3)
    items = listed(sim, f"usage?start_date={first}&end_date={today}&limit=100")
    users = {u["id"]: u for u in listed(sim, "users?limit=100")}
    rows = lines(call("usage", "--since", str(first), "--by", by, "--json"))
    want = {}
    for item in items:
        group = users[item["user_id"]]["department"] if by == "department" else item[key]
        sums = want.setdefault(group, dict.fromkeys(SUMS, 0))
        for name in SUMS:
            sums[name] += item[name]
    assert {row[key]: {name: row[name] for name in SUMS} for row in rows} == want
    assert all(row["start_date"] == str(first) and row["end_date"] == str(today) for row in rows)
    costs = [row["estimated_cost_usd"] for row in rows]
    assert costs == sorted(costs, reverse=True)
    table = call("usage", "--since", str(first), "--by", by).stdout
    assert table.count("\n") == len(rows) + 2 and "$" in table


def test_budgets_are_the_api_s_own_numbers_and_the_most_spent_first(report):
    sim, _, call = report
    rows = lines(call("budgets", "--json"))
    api = {b["id"]: b for b in listed(sim, "budgets?limit=100")}
    percents = [row["percent"] for row in rows]
    for row in rows:
        percent = row.pop("percent")
        assert row.pop("source") == "acme"
        assert row == api[row["id"]]
        share = Decimal(row["spent"]) * 100 / Decimal(row["amount"])
        assert abs(percent - share) <= Decimal("0.1")
    # to a tenth of a percent: two that spent 37.00 % and 37.00012 % stand as the API lists them
    assert len(rows) == 6 and percents == sorted(percents, reverse=True)
    done = call("budgets")
    assert done.returncode == 0 and "¥" in done.stdout and "€" in done.stdout
    assert "\x1b" not in done.stdout


def test_odd_budgets_are_told_as_they_are(report):
    sim, _, call = report
    sim.call("POST", "/_sim/budgets", [
        {"id": "nulls", "name": None, "department": None, "amount": None, "spent": None,
         "remaining": None, "currency": None, "period": None, "hard_cap": None},
        {"id": "zero", "name": "zero", "amount": 0, "spent": 5, "currency": "USD"},
        {"id": "minus", "name": "minus", "amount": -5, "spent": -7.5, "currency": "XTS"},
        {"id": "huge", "name": "huge", "amount": 1e30, "spent": 1e29, "currency": "credits"},
        {"id": "text", "name": "a\x1b[2Jb\nc", "amount": "much", "currency": ["EUR"]},
        {}, 7, None, "x",
    ])
    rows = {row.get("id"): row for row in lines(call("budgets", "--json"))}
    assert {"nulls", "zero", "minus", "huge", "text", None} <= rows.keys()
    assert all("percent" not in rows[name] for name in ("nulls", "zero", "minus", "text", None))
    done = call("budgets")
    assert done.returncode == 0 and "\x1b" not in done.stdout
    assert "-XTS 7.50" in done.stdout and "much" in done.stdout


def test_what_fails_is_told_and_what_passes_is_waited_for(report):
    sim, _, call = report
    sim.fault(path="/v1/budgets", kind="status", status=429, retry_after=1, count=1)
    sim.fault(path="/v1/budgets", kind="status", status=500, count=1)
    assert len(lines(call("budgets", "--json"))) == 6
    for fault, says in (({"kind": "status", "status": 403}, "403"),
                        ({"kind": "status", "status": 404}, "404"),
                        ({"kind": "status", "status": 429, "retry_after": 9999}, "429"),
                        ({"kind": "status", "status": 500}, "500"),
                        ({"kind": "html"}, "502"), ({"kind": "badjson"}, "cut")):
        sim.heal()
        sim.fault(path="/v1/budgets", **fault)
        done = call("budgets")
        assert done.returncode == 1 and says in done.stderr, done.stderr
        assert "source acme" in done.stderr and done.stdout == ""


def test_one_source_that_fails_does_not_hide_another(scene):
    sim = scene.sim()
    sources = [source(sim, name="good"), source(sim, name="bad", api_key="wrong"),
               source(sim, name="token", api_key=None, client_id="sandbox",
                      client_secret="sandbox")]
    sources[2].pop("api_key")
    config = scene.config(sources, [webhook("hook", scene.receiver())])
    done = run(config, "report", "budgets", "--json")
    assert done.returncode == 1 and "source bad" in done.stderr and "wrong" not in done.stderr
    names = [json.loads(line)["source"] for line in done.stdout.splitlines()]
    assert names == ["good"] * 6 + ["token"] * 6
    assert len(answers(config, "report", "budgets", "--source", "good")) == 6
    assert run(config, "report", "budgets", "--source", "none").returncode == 1


@pytest.mark.parametrize("arguments", [
    [], ["costs"], ["usage", "budgets"], ["usage", "--by", "team"], ["usage", "--since", "soon"],
    ["usage", "--since", "2999-01-01"], ["budgets", "--since", "7d"], ["budgets", "--by", "user"]])
def test_wrong_words_are_a_usage_error(report, arguments):
    done = report[2](*arguments)
    assert done.returncode == 2 and "usage: tocsin report" in done.stderr
