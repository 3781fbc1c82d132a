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


def test_what_names_an_alert_can_t_be_left_out(scene):
    hook = scene.receiver()
    config = scene.config(scene.api([]), [webhook("hook", hook, redact=["id", "mesage", "metadata.x"])])
    said = run(config, "check")
    assert said.returncode == 78
    assert '"id" can\'t be left out' in said.stdout + said.stderr
    assert 'field "mesage"; did you mean "message"?' in said.stdout + said.stderr
