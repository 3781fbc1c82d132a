"""What a silence holds, and lets go, with the real program: over its end, a kill, and beside another."""
import pytest

from fakes import wait_for
from programs import webhook
from support import json_lines, tocsin


class Watch:
    """A daemon of one sink, asked quickly, and its rows."""

    def __init__(self, scene):
        self.scene, self.bus, self.api = scene, scene.receiver(), scene.sim()
        self.config = scene.config(self.api, [webhook("bus", self.bus)],
                                   source_keys={"poll_every": "250ms", "sweep_every": "500ms"})
        self.start()

    def start(self):
        self.daemon = self.scene.start(self.config)
        self.daemon.says("ready")

    def stop(self):
        self.scene.stop(self.daemon)

    def add(self, *matchers):
        done = tocsin("silence", "add", *matchers, "--for", "1h", "--comment", "c", conf=self.config)
        assert done.returncode == 0, done.stderr
        return int(done.stdout)

    def end(self, number):
        assert tocsin("silence", "end", number, conf=self.config).returncode == 0

    def heeds(self, in_force):
        self.daemon.says("silences", in_force=str(in_force))

    def held(self):
        """How many rows each silence holds."""
        return {s["id"]: s["held"] for s in json_lines(tocsin("silence", "list", "--json", "--all",
                                                              conf=self.config))}

    def row(self, alert, event="opened"):
        rows = self.scene.query("SELECT state, reason FROM v_deliveries WHERE alert_id = ? AND event = ? "
                                "ORDER BY id DESC", alert, event)
        return (rows[0]["state"], rows[0]["reason"]) if rows else None

    def comes(self, alert, state, reason=None, event="opened"):
        wait_for(lambda: self.row(alert, event) == (state, reason), 20,
                 f"{event} of {alert} to be {state}, not {self.row(alert, event)}")

    def one(self, severity):
        return self.api.add(n=1, severity=severity)[0]


@pytest.fixture
def watch(scene):
    return Watch(scene)


def test_what_matches_waits_for_the_end_and_the_rest_goes_out(watch):
    before = watch.one("low")
    watch.comes(before, "done")
    number = watch.add("severity = low")
    watch.heeds(1)
    quiet, brief, loud = watch.one("low"), watch.one("low"), watch.one("high")
    watch.comes(loud, "done")
    watch.comes(quiet, "held", "silence")
    watch.api.change(brief, status="resolved")
    watch.comes(brief, "dropped", "silenced")
    watch.comes(brief, "dropped", "silenced", "resolved")
    watch.api.change(before, status="resolved")
    watch.comes(before, "done", event="resolved")
    assert watch.held() == {number: 1}
    watch.end(number)
    watch.comes(quiet, "done")
    assert watch.held() == {number: 0}
    watch.stop()


def test_it_holds_over_a_kill_and_ends_while_nobody_runs(watch):
    number = watch.add("severity = low")
    watch.heeds(1)
    quiet = watch.one("low")
    watch.comes(quiet, "held", "silence")
    watch.daemon.kill9()
    watch.start()
    watch.heeds(1)
    other = watch.one("low")
    watch.comes(other, "held", "silence")
    assert watch.row(quiet) == ("held", "silence")
    watch.daemon.kill9()
    watch.end(number)
    watch.start()
    watch.comes(quiet, "done")
    watch.comes(other, "done")
    watch.stop()


def test_another_that_matches_holds_on(watch):
    first = watch.add("severity <= medium")
    watch.heeds(1)
    quiet = watch.one("low")
    watch.comes(quiet, "held", "silence")
    second = watch.add("severity = low")
    watch.heeds(2)
    watch.end(first)
    watch.heeds(1)
    wait_for(lambda: watch.held() == {first: 0, second: 1}, 20, "the second to hold it")
    assert watch.row(quiet) == ("held", "silence")
    watch.end(second)
    watch.comes(quiet, "done")
    watch.stop()
