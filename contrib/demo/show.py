"""What the demo shows: captions, arrivals and log lines, in colour where there is a terminal.

An arrival is one line; those of one chosen alert are shown whole, each as its destination would
show it, and what comes meanwhile is kept and shown after them. Callable from any thread.
"""
import json
import os
import re
import shutil
import sys
import textwrap
import threading
import time
import unicodedata

import receivers

WIDTH_MIN, WIDTH_MAX = 80, 108
MARGIN = 20  # time and place stand left of it

STYLES = {
    "api": "33",
    "chat": "35",
    "mail": "34",
    "hook": "36",
    "critical": "1;31",
    "high": "31",
    "medium": "33",
    "low": "36",
    "opened": "1",
    "reopened": "1",
    "acknowledged": "2",
    "resolved": "32",
    "good": "32",
    "bad": "1;31",
    "info": "2",
    "warning": "33",
    "error": "1;31",
    "strong": "1",
    "dim": "2",
}


def clean(text):
    """Without what a terminal would obey."""
    return "".join(c if c.isprintable() else " " for c in str(text)).rstrip()


def width_of(text):
    """How many columns of a terminal text takes: some characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def cut(text, width):
    """Exactly that wide."""
    text = clean(text)
    if width_of(text) > width:
        while width_of(text) >= width:
            text = text[:-1]
        text += "…"
    return text + " " * (width - width_of(text))


def fields(line):
    """A log line (logfmt) as a dict."""
    found = re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S*)', line)
    return {name: value.strip('"') for name, value in found}


class Show:
    def __init__(self, out=sys.stdout):
        self.out = out
        wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self.is_colour = wanted and out.isatty()
        self.is_broken = False  # nobody reads any more
        self.is_after_gap = False
        self.lock = threading.RLock()
        self.chosen = None  # the alert that is shown whole
        self.places = ()  # where it is to arrive, in the order to be shown
        self.awaited = []  # where it has not yet
        self.found = []  # its arrivals
        self.kept = []  # the others', meanwhile

    # ---- lines

    def width(self):
        columns = shutil.get_terminal_size((WIDTH_MAX, 24)).columns
        return max(WIDTH_MIN, min(columns, WIDTH_MAX))

    def paint(self, text, style):
        code = STYLES.get(style)
        return f"\033[{code}m{text}\033[0m" if self.is_colour and code and text else text

    def line(self, text=""):
        """One line; of several empty ones only the first."""
        text = text.rstrip()
        with self.lock:
            if not text and self.is_after_gap:
                return
            self.is_after_gap = not text
            try:
                print(text, file=self.out, flush=True)
            except OSError:
                self.is_broken = True

    def wrap(self, text, style="", first="   ", rest="   ", margin=3):
        """As many lines as text needs, with first and rest (margin wide) before it."""
        parts = textwrap.wrap(text, self.width() - margin, break_on_hyphens=False) or [""]
        with self.lock:
            for number, part in enumerate(parts):
                self.line((rest if number else first) + self.paint(part, style))

    def caption(self, number, title, text):
        with self.lock:
            self.line()
            self.line(self.paint(f"{number}  {title}", "strong"))
            self.wrap(text)
            self.line()

    def remark(self, text, style=""):
        with self.lock:
            self.line()
            self.wrap(text, style)
            self.line()

    def start_of_line(self, place, at=None, mark=" "):
        clock = time.strftime("%H:%M:%S", time.localtime(at))
        return f"  {self.paint(clock, 'dim')}  {self.paint(f'{place:<4}', place)} {mark}  "

    def table(self, head, rows):
        """The first column to the left, the others to the right; a cell is (text, style)."""
        rows = [[(name, "dim") for name in head], *rows]
        widths = [max(len(row[i][0]) for row in rows) for i in range(len(head))]
        with self.lock:
            for row in rows:
                cells = [
                    self.paint(f"{text:{'>' if i else '<'}{widths[i]}}", style)
                    for i, (text, style) in enumerate(row)
                ]
                self.line("   " + "   ".join(cells))

    # ---- tocsin's own words

    def log_line(self, line):
        """A line of the log; its time stands where times stand here."""
        text = clean(re.sub(r"^time=\S+ ", "", line))
        said = fields(text)
        style = "good" if said.get("msg") == "sink-up" else said.get("level", "error")
        self.wrap(text, style, self.start_of_line("log"), " " * MARGIN, MARGIN)

    def output(self, command, text):
        """What a command printed, under its prompt, no line broken."""
        with self.lock:
            self.line()
            self.line("   " + self.paint(f"$ {command}", "strong"))
            for line in text.rstrip().split("\n"):
                self.line("   " + cut(line, self.width() - 3))

    # ---- arrivals

    def choose(self, alert_id, places):
        """Shows the next arrivals of that alert whole, once it is in all these places."""
        with self.lock:
            self.chosen, self.places, self.awaited = alert_id, places, list(places)

    def arrival(self, arrival):
        with self.lock:
            if not self.awaited:
                self.one_line(arrival)
            elif arrival.alert_id == self.chosen and arrival.where in self.awaited:
                self.awaited.remove(arrival.where)
                self.found.append(arrival)
            else:
                self.kept.append(arrival)
            if self.found and not self.awaited:
                self.found.sort(key=lambda one: self.places.index(one.where))
                self.let_go()

    def let_go(self):
        """Shows what there is, whether or not the chosen alert is everywhere."""
        with self.lock:
            found, kept = self.found, self.kept
            self.awaited, self.found, self.kept = [], [], []
            for arrival in found:
                self.whole(arrival)
            self.line()
            for arrival in kept:
                self.one_line(arrival)

    def one_line(self, arrival):
        start = (
            self.start_of_line(arrival.where, arrival.at, self.mark(arrival))
            + self.paint(f"{cut(arrival.severity, 8)}  ", arrival.severity)
            + self.paint(f"{cut(arrival.event, 12)}  ", arrival.event)
        )
        note = "repeat? " if arrival.says_repeat else ""
        room = self.width() - MARGIN - 24 - len(note)
        self.line(start + self.paint(note, "warning") + cut(arrival.title, room))

    def mark(self, arrival):
        """Whether it is signed rightly; nothing where nothing is signed."""
        if arrival.signed is None:
            return " "
        return self.paint("✓", "good") if arrival.signed else self.paint("✗", "bad")

    # ---- the chosen one

    def whole(self, arrival):
        shown = {"chat": self.whole_chat, "mail": self.whole_mail, "hook": self.whole_hook}
        shown[arrival.where](arrival)

    def head(self, arrival, text):
        self.line()
        start = self.start_of_line(arrival.where, arrival.at, self.mark(arrival))
        self.line(start + self.paint(text, "dim"))

    def block(self, text, style="", bar="│", bar_style="dim"):
        """Text of several lines, wrapped, beside a bar."""
        edge = " " * MARGIN + self.paint(bar, bar_style) + " "
        for line in str(text).split("\n"):
            self.wrap(clean(line), style, edge, edge, MARGIN + 2)

    def whole_chat(self, arrival):
        self.head(arrival, "as the channel shows it")
        for block in arrival.message["blocks"]:
            self.block(receivers.plain(block["text"]["text"]), "strong", " ")
        for attachment in arrival.message.get("attachments", []):
            for block in attachment["blocks"]:
                texts = block.get("elements") or block.get("fields") or [block["text"]]
                text = "  ".join(receivers.plain(one["text"]) for one in texts)
                style = "dim" if block["type"] == "context" else ""
                self.block(text, style, "▌", arrival.severity)

    def whole_mail(self, arrival):
        mail = arrival.message
        self.head(arrival, "header and text; an HTML part came with them")
        for name in ("From", "To", "Subject", "Message-ID"):
            self.block(f"{name + ':':<12}{mail[name]}", "strong" if name == "Subject" else "")
        self.block("")
        self.block(mail.get_body(("plain",)).get_content().rstrip())

    def whole_hook(self, arrival):
        headers, body = arrival.message
        self.head(arrival, "the headers of Standard Webhooks, and the body")
        for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
            self.block(f"{name + ':':<19}{headers[name]}")
        verdict = ("✓ signature verified", "good") if arrival.signed else ("✗ WRONG", "bad")
        self.block(*verdict)
        self.block("")
        text = json.dumps(body, indent=2, ensure_ascii=False)
        # The innermost objects on one line.
        text = re.sub(r"\{[^{}]*\}", lambda m: re.sub(r"\n\s*", " ", m.group()), text)
        edge = " " * MARGIN + self.paint("│", "dim") + " "
        for line in text.split("\n"):
            self.line(edge + cut(line, self.width() - MARGIN - 2))
