"""How a webhook logs in: secrets that are rotated under the daemon, and OAuth 2.0."""
import json
import signal
import time

from fakes import alert, heard, wait_for
from programs import answers, newer, run, webhook


class Gate:
    """A receiver that lets in one bearer, and the token endpoint that hands it out."""

    def __init__(self, bearer):
        self.bearer = bearer
        self.granted = 0
        self.granted_before = ()  # what is still good beside the newest
        self.life = 3600
        self.refuse = None  # the token endpoint's answer instead

    def __call__(self, call):
        given = call.headers.get("authorization", "").removeprefix("Bearer ")
        if given == self.bearer or given in self.granted_before:
            return {"status": 200}
        return {"status": 401, "body": f"not {call.headers.get('authorization')}"}

    def token(self, call):
        assert call.body.startswith(b"grant_type=client_credentials&client_id=me&client_secret=s%26cret")
        if self.refuse:
            return self.refuse
        self.granted += 1
        self.bearer = f"token-{self.granted}-of-the-gate"
        body = {"access_token": self.bearer, "token_type": "Bearer", "expires_in": self.life}
        return {"body": json.dumps(body)}


def oauth2(desk):
    return {"token_url": desk.url("/token"), "client_id": "me", "client_secret": "s&cret", "scope": "ring"}


def test_a_secret_that_was_rotated_is_read_again_and_tried_at_once(scene):
    gate, sim = Gate("first-secret"), scene.sim()
    hook = scene.receiver(gate)
    path = scene.folder / "bearer"
    path.write_text("first-secret\n")
    keys = {"retry": {"min": "30s", "max": "60s"}}
    daemon = scene.start(scene.config(sim, [webhook("hook", hook, bearer=f"file:{path}", **keys)]))
    sim.put(alert(1, created_at=newer()))
    wait_for(lambda: heard(hook)[("al-1", "opened")] == 1)
    path.write_text("second-secret\n")
    gate.bearer = "second-secret"
    sim.put(alert(2, created_at=newer()))
    wait_for(lambda: heard(hook)[("al-2", "opened")] == 1, 10, "far sooner than the wait of 30 s")
    said = daemon.log("retry")
    assert len(said) == 1 and "another by now" in said[0]["hint"]
    assert not any("first-secret" in line or "second-secret" in line for line in daemon.err)


def test_oauth2_one_token_for_all(scene):
    gate, sim = Gate("nobody's yet"), scene.sim()
    hook, desk = scene.receiver(gate), scene.receiver(gate.token)
    config = scene.config(sim, [webhook("hook", hook, oauth2=oauth2(desk))])
    sim.add(n=30)
    daemon = scene.start(config)
    wait_for(lambda: len(heard(hook)) == 30)
    assert gate.granted == 1 and set(heard(hook).values()) == {1}
    done = run(config, "send", "hook", "--json")
    assert done.returncode == 0 and gate.granted == 2, done.stdout + done.stderr  # one of its own
    assert "of-the-gate" not in done.stdout and "s&cret" not in done.stdout
    assert "token-" not in "\n".join(daemon.err)


def test_oauth2_an_endpoint_that_refuses_holds_the_sink_and_it_recovers(scene):
    gate, sim = Gate("nobody's yet"), scene.sim()
    hook, desk = scene.receiver(gate), scene.receiver(gate.token)
    scene.expect("msg=sink-down")
    gate.refuse = {"status": 401, "body": '{"error":"invalid_client","error_description":"no s&cret"}'}
    config = scene.config(sim, [webhook("hook", hook, oauth2=oauth2(desk))])
    sim.put(alert(1, created_at=newer()), alert(2, created_at=newer()))
    daemon = scene.start(config)
    line = daemon.says("sink-down")
    assert "oauth2: look at client_id" in line["hint"] and "401" in line["reason"]
    assert not any("s&cret" in line for line in daemon.err)
    sink = answers(config, "status")[0]["sinks"][0]
    assert sink["state"] == "down"
    gate.refuse = None
    wait_for(lambda: len(heard(hook)) == 2)
    assert set(heard(hook).values()) == {1}
    scene.wait_drained()


def test_oauth2_a_token_that_was_revoked_is_replaced(scene):
    gate, sim = Gate("nobody's yet"), scene.sim()
    hook, desk = scene.receiver(gate), scene.receiver(gate.token)
    scene.expect("msg=sink-down")  # a token so young is refused for what the client may do
    scene.start(scene.config(sim, [webhook("hook", hook, oauth2=oauth2(desk))]))
    sim.put(alert(1, created_at=newer()))
    wait_for(lambda: len(heard(hook)) == 1)
    gate.bearer = "nobody's any more"
    sim.put(alert(2, created_at=newer()))
    wait_for(lambda: len(heard(hook)) == 2)
    assert gate.granted == 2 and set(heard(hook).values()) == {1}


def test_oauth2_a_reload_does_not_wait_for_a_renewal(scene):
    """The old setup goes while its token is being renewed."""
    gate, sim = Gate("nobody's yet"), scene.sim()
    hook, desk = scene.receiver(gate), scene.receiver(gate.token)
    gate.life = 4  # renewed from its third second on
    config = scene.config(sim, [webhook("hook", hook, oauth2=oauth2(desk))])
    daemon = scene.start(config)
    daemon.signal(signal.SIGHUP)  # the first one is kept for the daemon's life
    daemon.says("reloaded")
    for number in range(1, 60):
        sim.put(alert(number, created_at=newer()))
        wait_for(lambda n=number: len(heard(hook)) == n)
        if gate.granted == 1 and number > 1:
            gate.granted_before = (gate.bearer,)
            desk.behave = lambda call: {**gate.token(call), "delay": 1.5}
        if desk.count > 1:
            break
        time.sleep(0.1)
    assert desk.count == 2, "a renewal is under way"
    before = len(daemon.log("reloaded"))
    daemon.signal(signal.SIGHUP)
    wait_for(lambda: len(daemon.log("reloaded")) > before)
    sim.put(alert(99, created_at=newer()))
    wait_for(lambda: heard(hook)[("al-99", "opened")] == 1)
    scene.wait_drained()
