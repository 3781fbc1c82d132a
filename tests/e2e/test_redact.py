"""What a sink must not see never gets there: looked for in the bytes that left, and in the log."""
import json

from fakes import alert, wait_for
from programs import newer, run, slack, webhook

FIELDS = ["title", "message", "user_id", "policy_id", "metadata.*", "extra.deep"]


def canaries(number):
    """An alert with a word of its own in every field that is left out."""
    return alert(number, title="canary-title", message="canary-message", user_id="canary-user",
                 policy_id="canary-policy", metadata={"a": "canary-a", "b": {"c": ["canary-b"]}},
                 extra={"deep": "canary-deep", "kept": "kept-word"}, created_at=newer())


def test_a_canary_in_every_field_stays_here(scene):
    seeing, blind, chat = scene.receiver(), scene.receiver(), scene.receiver({"body": "ok"})
    sinks = [webhook("seeing", seeing), webhook("blind", blind, redact=FIELDS),
             slack("chat", chat, redact=FIELDS)]
    routes = [{"name": "all", "to": ["seeing", "blind", "chat"]}]
    sim = scene.sim()
    daemon = scene.tocsin(sim, sinks, routes)
    sim.put(canaries(1))
    wait_for(lambda: seeing.all() and blind.all() and chat.all())
    assert b"canary-message" in seeing.all()[0].body
    for sent in blind.all() + chat.all():
        assert b"canary" not in sent.body, sent.body
    body = json.loads(blind.all()[0].body)["data"]["alert"]
    assert body["redacted"] is True and body["id"] == "al-1" and body["extra"] == {"kept": "kept-word"}
    assert "redacted" not in json.loads(seeing.all()[0].body)["data"]["alert"]
    scene.wait_drained()
    assert not any("canary-" in line for line in daemon.err)


def test_in_a_digest_too(scene):
    blind = scene.receiver()
    routes = [{"name": "all", "to": ["blind"], "group": {"wait": "1s"}}]
    sim = scene.sim()
    scene.tocsin(sim, [webhook("blind", blind, redact=FIELDS)], routes)
    sim.put(canaries(1), canaries(2))
    wait_for(lambda: blind.all())
    assert json.loads(blind.all()[0].body)["data"]["count"] == 2
    assert b"canary" not in blind.all()[0].body


BEHIND = ["user.*", "policy.name", "budget.*", "user_id"]


def test_what_is_behind_an_alert_is_left_out_too(scene):
    """Of the sample all is known. Its user's address stands in his usage again, his id in the user."""
    seeing, blind, chat = scene.receiver(), scene.receiver(), scene.receiver({"body": "ok"})
    sinks = [webhook("seeing", seeing), webhook("blind", blind, redact=BEHIND), slack("chat", chat, redact=BEHIND)]
    config = scene.config(scene.api([]), sinks)
    told = {}
    for name, receiver in (("seeing", seeing), ("blind", blind), ("chat", chat)):
        done = run(config, "send", name)
        assert done.returncode == 0, done.stderr
        told[name] = receiver.all()[0].body
    canaries = ["jose.nunez@example.com", "José Núñez", "us1b2c3d", "Whole organisation", "250000"]
    for word in canaries:
        assert word.encode() in told["seeing"], word
        assert word.encode() not in told["blind"] + told["chat"], word
    data = json.loads(told["blind"])["data"]
    assert data["alert"]["redacted"] is True and "redacted" not in data
    assert (data["user"], data["budget"]) == ({}, {})
    assert "name" not in data["policy"] and data["policy"]["id"] == data["alert"]["policy_id"]
    assert data["usage"]["total_requests"] == 9 and data["usage"]["own"]["model"] == "gpt-4"
    assert set(data["usage"]) & {"user_id", "user_email"} == set()
    assert b"Spent on" in told["chat"] and b"Budget" not in told["chat"]


def test_nor_does_what_is_kept_of_an_alert_s_people_get_out(scene):
    """The directory's user and his usage, in singles and in a digest, by the daemon."""
    seeing, blind, grouped, chat = (scene.receiver(), scene.receiver(), scene.receiver(),
                                    scene.receiver({"body": "ok"}))
    sinks = [webhook("seeing", seeing), webhook("blind", blind, redact=BEHIND),
             webhook("grouped", grouped, redact=BEHIND), slack("chat", chat, redact=BEHIND)]
    routes = [{"name": "all", "to": ["seeing", "blind", "chat"], "continue": True},
              {"name": "late", "to": ["grouped"], "group": {"wait": "1s"}}]
    sim = scene.sim()
    daemon = scene.tocsin(sim, sinks, routes, source_keys={
        "context": ["users", "budgets", "usage"], "context_wait": "20s", "poll_every": "100ms"})
    ids = [f"05e70000-0000-4000-8000-{n:012x}" for n in range(1, 7)]  # one has used something today
    sim.put(*(alert(n, user_id=who, created_at=newer()) for n, who in enumerate(ids)))
    wait_for(lambda: grouped.all() and all(len(r.all()) == len(ids) for r in (seeing, blind, chat)), 30)
    told = [json.loads(sent.body)["data"] for sent in seeing.all()]
    assert all(data["budget"]["percent"] >= 0 and "policy" not in data for data in told)
    assert {data["user"]["id"] for data in told} == set(ids)
    assert any(data["usage"]["user_email"] == data["user"]["email"] for data in told)
    secret = ids + [data["user"][name] for data in told for name in ("email", "name")]
    for sent in blind.all() + grouped.all() + chat.all():
        assert not any(word.encode() in sent.body for word in secret), sent.body
    items = json.loads(grouped.all()[0].body)["data"]["items"]
    for data in [json.loads(sent.body)["data"] for sent in blind.all()] + [i["data"] for i in items]:
        assert (data["user"], data["budget"], data["alert"]["redacted"]) == ({}, {}, True)
        assert "estimated_cost_usd" in data["usage"]
    assert len(items) == len(ids)
    scene.wait_drained()
    assert not any(word in line for word in secret for line in daemon.err)


def test_what_names_an_alert_can_t_be_left_out(scene):
    hook = scene.receiver()
    config = scene.config(scene.api([]), [webhook("hook", hook, redact=["id", "event", "mesage", "metadata.x", "user.email"])])
    said = run(config, "check")
    assert said.returncode == 78
    assert '"id" can\'t be left out' in said.stdout + said.stderr
    assert '"event" can\'t be left out' in said.stdout + said.stderr
    assert 'field "mesage"; did you mean "message"?' in said.stdout + said.stderr
