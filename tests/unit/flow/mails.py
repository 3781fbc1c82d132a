#!/usr/bin/python3
"""Usage: mails.py FOLDER [COUNT] [--update]: looks into each mail (*.eml) of a folder.

None may have a defect, a field twice, one that nobody wrote, or markup that an alert brought.
What people read of some is compared with tests/golden/email/; --update writes it there.
"""
import collections
import email.policy
import html.parser
import os
import sys

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../golden/email")
SHOWN = {
    "policy_violation-opened": "opened",
    "policy_violation-resolved": "resolved",
    "digest": "digest",
    "behind-policy_violation": "behind",
    "behind-budget_exceeded": "behind-over",
    "behind-digest": "behind-digest",
    "marked": "marked",
}
FIELDS = set("""from to subject date message-id mime-version auto-submitted references in-reply-to
    x-auto-response-suppress importance x-priority x-mailer thread-topic thread-index content-type""".split())
TAGS = set("html head meta title style body div table tr td span br b i a".split())


class Markup(html.parser.HTMLParser):
    """The words of a page, a line a block; every tag and where links lead."""

    def __init__(self, text):
        super().__init__()
        self.text, self.tags, self.links, self.inside = "", collections.Counter(), [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags[tag] += 1
        for name, value in attributes:
            assert name not in ("src", "background") and not name.startswith("on"), (tag, name)
            assert "url(" not in (value or ""), value
            if name == "href":
                self.links.append(value)
        if tag in ("style", "title"):
            self.inside.append(tag)
        self.text += {"td": " | ", "br": "\n", "a": "[", "div": "\n"}.get(tag, "")

    def handle_endtag(self, tag):
        if tag in ("style", "title"):
            self.inside.pop()
        self.text += {"tr": "\n", "div": "\n", "a": "](" + "".join(self.links[-1:]) + ")"}.get(tag, "")

    def handle_data(self, data):
        if not self.inside:
            self.text += data

    def words(self):
        lines = (" ".join(line.split()).strip("| ") for line in self.text.split("\n"))
        return "\n".join(line for line in lines if line) + "\n"


def look(name, content):
    """The mail as people read it. An assertion fails where it is no good mail."""
    mail = email.message_from_bytes(content, policy=email.policy.default)
    names = [field.lower() for field in mail.keys()]
    assert len(set(names)) == len(names) and set(names) <= FIELDS, names
    for part in mail.walk():
        assert not part.defects, part.defects
        for field in part.values():
            assert not field.defects, (field, field.defects)
    assert [a.addr_spec for a in mail["to"].addresses] == ["oncall@example.com", "j@xn--mnchen-3ya.de"]
    assert mail["to"].addresses[1].display_name == "Jürgen 🔔"
    assert mail["from"].addresses[0].display_name == "Tocsin Größe, Inc."
    assert mail["date"].datetime and mail["subject"].strip()
    text = mail.get_body(("plain",)).get_content()
    page = Markup(mail.get_body(("html",)).get_content())
    assert set(page.tags) <= TAGS and page.tags["html"] == 1 and page.tags["title"] == 1, page.tags
    assert set(page.links) <= {"https://app.example.com/alerts/al1?tab=1&b=2"}, page.links
    head = "".join(f"{field}: {value}\n" for field, value in mail.items() if "type" not in field.lower())
    return f"{head}\n{text}\n======== HTML\n{page.words()}"


def compare(name, shown, update):
    path = os.path.join(GOLDEN, SHOWN[name] + ".txt")
    if update:
        with open(path, "w", encoding="utf-8", newline="\n") as out:
            out.write(shown)
    with open(path, encoding="utf-8", newline="") as file:
        golden = file.read()
    assert shown == golden, f"not as {path}:\n{shown}"


def main():
    folder, update = sys.argv[1], "--update" in sys.argv
    files = sorted(f for f in os.listdir(folder) if f.endswith(".eml"))
    for file in files:
        name = file.removesuffix(".eml")
        with open(os.path.join(folder, file), "rb") as mail:
            content = mail.read()
        try:
            shown = look(name, content)
        except AssertionError as why:
            raise AssertionError(f"{name}: {why}") from why
        if name in SHOWN:
            compare(name, shown.replace("\r\n", "\n"), update)
    assert set(SHOWN) <= {f.removesuffix(".eml") for f in files}
    assert len(sys.argv) < 3 or sys.argv[2] in ("--update", str(len(files)))
    print(f"{len(files)} mails without a defect")


main()
