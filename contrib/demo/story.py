"""The demo's story, once everything is built: story.py TOP BUILD [--once] [--keep]

Owns the temporary folder and the programs: whatever ends this process, they end with it. All
counts are made outside of tocsin: what the API lists, against what the receivers were given.
"""
import argparse
import base64
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import count
import receivers
import show

PLACES = ("chat", "mail", "hook")
RATE = "20/min"  # alerts that open at the API
BURST = 5  # and those that open at once, before tocsin is killed
SLOW_S = 1.5  # how late the receivers answer then
# Of tocsin's log; and all errors.
LOG_SHOWN = ("started", "ready", "sink-down", "sink-up", "stopping", "stopped")

CONFIG = """\
# The demo's configuration. Durations are short, so that there is something to see.
store     = "{folder}/tocsin.db";
listen    = "";
templates = "{top}/templates";
link      = "https://app.example.com/alerts/{{{{id}}}}";

sources = ( {{
  name = "acme";
  base_url = "{api}";
  client_id = "sandbox";  client_secret = "sandbox";
  poll_every = "1s";  sweep_every = "1s";
  start = "all";
}} );

sinks = (
  {{
    name = "chat";  type = "slack";
    url = "http://127.0.0.1:{chat}/services/T000/B000/demo";
    rate = "10/s";  window = 2;
    retry = {{ min = "1s"; max = "2s"; }};
  }},
  {{
    name = "mail";  type = "email";
    server = "smtp://127.0.0.1:{mail}";  starttls = "off";
    from = "Tocsin <tocsin@example.com>";  to = [ "oncall@example.com" ];
    window = 2;
    retry = {{ min = "1s"; max = "2s"; }};
  }},
  {{
    name = "hook";  type = "webhook";
    url = "http://127.0.0.1:{hook}/in";
    secret = "file:{folder}/hook-secret";
    window = 2;
    retry = {{ min = "1s"; max = "2s"; }};
  }}
);

routes = (
  {{ name = "urgent";  match = [ "severity >= high" ];  to = [ "mail" ];  continue = true; }},
  {{ name = "all";  to = [ "chat", "hook" ]; }}
);
"""


class Ended(Exception):
    """Somebody wants the demo to end; by this signal."""


class Failed(Exception):
    """The demo can't go on; says why."""


class Program:
    """A child process that dies with this one; `said` is given each of its lines."""

    def __init__(self, arguments, said):
        guard = [] if shutil.which("setpriv") is None else ["setpriv", "--pdeathsig", "KILL"]
        # A session of its own: Ctrl-C is for the demo, which then ends them in order.
        self.process = subprocess.Popen(
            [*guard, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self.name = os.path.basename(arguments[0])
        self.reader = threading.Thread(target=self.read, args=(said,), daemon=True)
        self.reader.start()

    def read(self, said):
        for line in self.process.stdout:
            said(line.rstrip("\n"))

    def is_running(self):
        return self.process.poll() is None

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.reader.join(2)

    def end(self):
        """Exit status after a TERM; None when it had to be killed."""
        self.process.terminate()
        try:
            status = self.process.wait(15)
            self.reader.join(2)
            return status
        except subprocess.TimeoutExpired:
            self.kill()
            return None


class Demo:
    def __init__(self, top, build, folder):
        self.top, self.build, self.folder = top, build, folder
        self.show = show.Show()
        self.sim = self.tocsin = self.api = None
        self.log = []
        self.arrivals = []
        self.secret = "whsec_" + base64.b64encode(os.urandom(24)).decode()
        self.chat = receivers.HttpReceiver(
            self.arrived, lambda headers, body: receivers.read_chat(body)
        )
        self.hook = receivers.HttpReceiver(
            self.arrived, lambda headers, body: receivers.read_hook(headers, body, self.secret)
        )
        self.mail = receivers.MailReceiver(self.arrived)

    # ---- what comes in

    def arrived(self, arrival):
        self.arrivals.append(arrival)
        self.show.arrival(arrival)

    def logged(self, line):
        self.log.append(line)
        with open(os.path.join(self.folder, "tocsin.log"), "a", encoding="utf-8") as out:
            print(line, file=out)
        fields = show.fields(line)
        if fields.get("msg") in LOG_SHOWN or fields.get("level", "error") == "error":
            self.show.log_line(line)

    # ---- waiting

    def wait(self, seconds, condition=lambda: False):
        """True as soon as condition() is, False after that many seconds."""
        deadline = time.monotonic() + seconds
        while not condition():
            if self.show.is_broken:
                raise Ended(signal.SIGPIPE)
            for program in (self.sim, self.tocsin):
                if program is not None and not program.is_running():
                    raise Failed(f"{program.name} ended, status {program.process.returncode}")
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def wait_for_log(self, seconds, message, sink):
        def is_there():
            lines = map(show.fields, self.log[since:])
            return any(f.get("msg") == message and f.get("sink") == sink for f in lines)

        since = len(self.log)
        if not self.wait(seconds, is_there):
            raise Failed(f"tocsin's log has no {message} of {sink} after {seconds} s")

    # ---- the programs

    def start_sim(self):
        said = []
        path = os.path.join(self.build, "toktra-sim")
        self.sim = Program([path, "--port", "0", "--history", "0", "--rate", RATE], said.append)
        if not self.wait(10, lambda: said):
            raise Failed("toktra-sim does not start")
        self.api = count.Api(said[0].split()[-1])

    def write_config(self):
        ports = {"chat": self.chat.port, "mail": self.mail.port, "hook": self.hook.port}
        text = CONFIG.format(top=self.top, folder=self.folder, api=self.api.base, **ports)
        for name, content in (("tocsin.conf", text), ("hook-secret", self.secret + "\n")):
            with open(os.path.join(self.folder, name), "w", encoding="utf-8") as out:
                out.write(content)

    def command(self, *arguments):
        config = os.path.join(self.folder, "tocsin.conf")
        return [os.path.join(self.build, "tocsin"), "-c", config, *arguments]

    def start_tocsin(self):
        self.tocsin = Program(self.command("run"), self.logged)

    def show_command(self, *arguments):
        done = subprocess.run(
            self.command(*arguments),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=20,
            check=False,
        )
        self.show.output("tocsin " + " ".join(arguments), done.stdout + done.stderr)

    def end(self):
        for program in (self.tocsin, self.sim):
            if program is not None:
                program.end()

    # ---- the story

    def introduce(self):
        self.show.line()
        self.show.wrap("All on this machine:", "strong")
        for name, what in (
            ("api", f"is a simulated Toktra where alerts open, {self.api.base}"),
            ("chat", "is given every alert, as a Slack message"),
            ("mail", "is given the high and the critical ones, by SMTP"),
            ("hook", "is given every alert, as a signed webhook"),
            ("log", "is what tocsin says of itself"),
        ):
            self.show.line(f"   {self.show.paint(f'{name:<6}', name)}{what}")

    def one_alert(self):
        self.show.caption(
            1,
            "An alert opens",
            "A policy was violated, and it is critical. What each destination is given of it:",
        )
        alert_id = self.api.open_alerts(1, type="policy_violation", severity="critical")[0]
        self.show.choose(alert_id, PLACES)
        self.start_tocsin()
        self.wait(15, lambda: not self.show.awaited)
        self.show.let_go()
        return alert_id

    def its_end(self, alert_id):
        self.show.caption(
            2,
            "It is acknowledged and resolved, while others open",
            "Each line is a message that arrived; ✓ is a signature that is right. Who heard "
            "an alert open hears it close.",
        )
        self.wait(3)
        self.api.change_alert(alert_id, "acknowledged")
        self.wait(4)
        self.api.change_alert(alert_id, "resolved")
        self.wait(6)

    def outage(self):
        self.show.caption(
            3,
            "The chat answers 503 to everything",
            "What it misses waits in the store. The mail server and the webhook hear the rest: "
            "among it a security event that opens, and is resolved, meanwhile.",
        )
        self.chat.failing = True
        alert_id = self.api.open_alerts(1, type="security_event", severity="critical")[0]
        self.wait_for_log(20, "sink-down", "chat")
        self.wait(5)
        self.api.change_alert(alert_id, "resolved")
        self.wait(4)
        self.show_command("status")
        self.show.remark(
            f"The chat is well again, after {self.chat.refused} tries that it refused, and "
            "gets what it missed. The security event is one message there, that tells its end."
        )
        self.chat.failing = False
        self.wait_for_log(15, "sink-up", "chat")
        self.wait(4)

    def crash(self):
        self.show.caption(
            4,
            "tocsin is killed with -9 while it sends",
            f"{BURST} alerts open at once, and the receivers take their time to answer.",
        )
        everybody = (self.chat, self.mail, self.hook)
        for receiver in everybody:
            receiver.slow_s = SLOW_S
        burst = self.api.open_alerts(BURST, severity="high")

        def under_way():
            return [a.alert_id for a in list(self.arrivals) if a.alert_id in burst]

        if not self.wait(10, lambda: len(under_way()) >= 3):
            raise Failed("of the alerts that opened at once nothing arrives")
        self.tocsin.kill()
        self.tocsin = None
        self.show.remark(
            "Killed. For 4 seconds nobody looks, while more alerts open, and one of those "
            "above is resolved.",
            "bad",
        )
        for receiver in everybody:
            receiver.slow_s = 0
        self.wait(2)
        self.api.change_alert(under_way()[0], "resolved")
        self.wait(2)
        self.show.remark(
            "Started again, on the same store. Whether the messages under way had arrived it "
            "can't know: they are sent again, and say that they may be repeats."
        )
        self.start_tocsin()
        self.wait(7)

    def result(self):
        """True when nothing was lost."""
        self.show.caption(
            5,
            "Was anything lost?",
            "The demo fetches all alerts from the API itself, and looks for each in what the "
            "destinations were given. What is on its way has 20 seconds to arrive.",
        )
        listed = self.api.list_alerts()

        def tallies():
            return [count.tally(place, listed, list(self.arrivals)) for place in PLACES]

        self.wait(20, lambda: not any(tally.lost for tally in tallies()))
        self.show_command("status")
        return self.show_tallies(tallies())

    def show_tallies(self, tallies):
        head = ("", "listed", "delivered", "resolved", "closes delivered", "repeats", "lost")
        rows = [
            [(t.where, t.where)]
            + [(str(n), "") for n in (t.listed, t.delivered, t.resolved, t.closed, t.repeats)]
            + [(str(t.lost), "bad" if t.lost else "good")]
            for t in tallies
        ]
        self.show.line()
        self.show.table(head, rows)
        self.show.remark(
            "listed: what the API lists and the routes mean for this destination. delivered: "
            "those of which it has a message, known by the alert's id in it. resolved, closes "
            "delivered: the same for their ends. repeats: a webhook-id, a Message-ID or, in "
            "the chat, an event of an alert that came again. lost: of which no message came, "
            "or none that tells how far they are.",
            "dim",
        )
        checks = [
            (sum(t.lost for t in tallies), "Nothing was lost.", "{} LOST."),
            (
                sum(arrival.signed is False for arrival in self.arrivals),
                "The signature of every webhook is right.",
                "The signature of {} webhooks is WRONG.",
            ),
            (
                sum(t.unmarked for t in tallies),
                "Every repeat said that it may be one.",
                "{} repeats did NOT say so.",
            ),
        ]
        for number, good, bad in checks:
            self.show.wrap(bad.format(number) if number else good, "bad" if number else "good")
        return not any(number for number, _, _ in checks) and all(t.delivered for t in tallies)

    def go_on(self):
        config = os.path.join(self.folder, "tocsin.conf")
        self.show.caption(
            6,
            "It goes on, until Ctrl-C",
            "Meanwhile, in another terminal:",
        )
        for command in (
            f"{self.build}/tocsin -c {config} queue",
            f"{self.build}/tocsin -c {config} alerts",
            f"tail -f {self.folder}/tocsin.log",
            f"curl -d '{{\"n\":3,\"severity\":\"critical\"}}' {self.api.control}",
        ):
            self.show.line("   $ " + command)
        self.show.line()
        self.wait(float("inf"))

    def tell(self, is_once):
        self.start_sim()
        self.write_config()
        self.introduce()
        alert_id = self.one_alert()
        self.its_end(alert_id)
        self.outage()
        self.crash()
        is_good = self.result()
        if not is_once:
            self.go_on()
        return is_good

    def end(self):
        """Ends what was started; true when tocsin stopped cleanly."""
        status = self.tocsin.end() if self.tocsin is not None else 0
        if self.sim is not None:
            self.sim.end()
        # Right after its start it has no handler yet, and TERM ends it as it ends anybody.
        return status in (0, -signal.SIGTERM)


def end_on(*numbers):
    def handle(number, frame):
        for other in numbers:  # once is enough: the end takes some seconds at most
            signal.signal(other, signal.SIG_IGN)
        raise Ended(number)

    for number in numbers:
        signal.signal(number, handle)


def run(options, folder):
    demo = Demo(options.top, options.build, folder)
    status = 1
    try:
        status = 0 if demo.tell(options.once) else 1
    except Ended as ended:
        number = ended.args[0]
        # Ctrl-C is how the demo is meant to end, but not how --once is.
        status = 0 if number == signal.SIGINT and not options.once else 128 + number
    except (Failed, OSError, subprocess.SubprocessError) as error:
        demo.show.let_go()
        for line in demo.log[-10:]:
            demo.show.wrap(line, "error")
        print(f"demo: {error}", file=sys.stderr)
    finally:
        demo.show.line()
        is_clean = demo.end()
    if not is_clean:
        print("demo: tocsin did not stop cleanly", file=sys.stderr)
    demo.show.line()
    demo.show.wrap("Everything that was started has ended.", "dim")
    if options.keep:
        demo.show.wrap(f"Kept: {folder}", "dim")
    return status if is_clean else status or 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("top")
    parser.add_argument("build")
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    end_on(signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    folder = tempfile.mkdtemp(prefix="tocsin-demo.")
    try:
        return run(options, folder)
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
        try:
            sys.stdout.flush()
        except BrokenPipeError:  # nobody reads any more: no word of Python's about it
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
