"""`tocsin check` and what routes hold: every mistake at once with its line, and doubts that are none."""
import json
import pathlib
import re

from support import TEMPLATES, tocsin

TOP = pathlib.Path(__file__).resolve().parents[2]

HEAD = """store = "%(folder)s/tocsin.db"; templates = "%(templates)s";
sources = ( { name = "acme"; base_url = "https://api.toktra.io/v1"; api_key = "k"; } );
sinks = (
  { name = "chat"; type = "webhook"; url = "https://chat.example.com/in"; fallback = "mail"; },
  { name = "mail"; type = "webhook"; url = "https://mail.example.com/in"; %(back)s },
  { name = "page"; type = "webhook"; preset = "pagerduty"; vars = { routing_key = "k"; }; }
);
"""

# Line by line, after HEAD's seven: a key, and what is said of it.
MISTAKES = [
    ("flap = { over = 0; within = \"1h\"; };", ["flap: over must be from 1 to 1000"]),
    ("routes = ( { name = \"r\"; match = \"type = x\"; to = \"chat\";", []),
    ("group = { by = [];", ["group: by is empty"]),
    ("max = 100000; wiat = \"1s\";", ["group: max must be from 2 to 1000", 'did you mean "wait"?']),
    ("wait = \"0s\"; };", ['group: wait must be from "1s" to "24h"']),
    ("digest = { at = [ \"8:00\",", ['digest: at: "8:00" is no time']),
    ("\"24:00\" ];", ['digest: at: "24:00" is no time']),
    ("days = [ \"mon\", \"Friday\" ];", ['is none of mon, tue, wed, thu, fri, sat, sun; did you mean "fri"?']),
    ("tz = \"Europe/Berln\"; };", ['digest: tz: no time zone "Europe/Berln"; did you mean "Europe/Berlin"?']),
    ("storm = { over = 0; within = \"1m\"; };", ["storm: over must be from 1 to 1000000"]),
    ("delay = 5;", ["delay must be a string and needs a unit"]),
    ("repeat = \"1s\";", ['repeat must be from "1m" to "30d"']),
    ("quiet = ( { from = \"22:00\";", []),
    ("until = \"22:00\";", ["quiet: from and until are the same"]),
    ("except = [ \"critical\", \"severity >= hihg\" ]; },",
     ['quiet: except: matcher "critical": needs one of', "severity is compared with"]),
    ("{ from = 22; until = \"25:00\"; tz = 1; } );",
     ["quiet: from must be a time", 'quiet: until: "25:00" is no time', "quiet: tz must be a string"]),
    ("escalate = ( { after = \"5m\"; to = [];", ["escalate: to is empty"]),
    ("}, { after = \"5m\"; to = \"pgae\"; } );", ['escalate: no sink is named "pgae"; did you mean "page"?']),
    ("}, { name = \"s\"; match = \"type = y\"; to = \"mail\"; quiet = (); },", ["quiet is empty"]),
    ("{ name = \"t\"; to = \"page\"; quiet = ( { from = \"00:00\"; until = \"24:00\"; } ); } );",
     ["quiet never ends"]),
]


def checked(tmp_path, text, back=""):
    """What is said of HEAD with these lines after it: (line, level, message) of each problem."""
    conf = tmp_path / "holds.conf"
    head = HEAD % {"folder": tmp_path, "templates": TEMPLATES, "back": back}
    conf.write_text(head + text, encoding="utf-8")
    done = tocsin("check", "--json", conf=conf)
    said = [json.loads(line) for line in done.stdout.splitlines()]
    return done, [(p["line"], p["level"], p["message"]) for p in said]


def test_every_mistake_of_what_routes_hold_is_told_at_once(tmp_path):
    text = "\n".join(text for text, _ in MISTAKES)
    done, said = checked(tmp_path, text, back='fallback = "chat";')
    assert done.returncode == 78
    assert {level for _, level, _ in said} == {"error"}
    wanted = [(4, ["round in a circle"])]
    wanted += [(at, parts) for at, (_, parts) in enumerate(MISTAKES, start=8)]
    for line, parts in wanted:
        here = [message for at, _, message in said if at == line]
        assert len(here) == len(parts), (line, here)
        for part in parts:
            assert any(part in message for message in here), (part, here)
    assert len(said) == sum(len(parts) for _, parts in wanted), done.stdout


DOUBTS = """routes = ( { name = "r"; match = "type = x"; to = "chat";
group = { wait = "1s"; by = [ "severty" ]; };
delay = "10m";
escalate = ( { after = "20m"; to = [ "page", "chat" ]; },
{ after = "5m"; to = "mail"; } ); },
{ name = "s"; to = "page"; events = "acknowledged";
digest = { at = "08:00"; };
repeat = "1h"; } );
"""


def test_what_is_hardly_meant_is_a_warning_and_no_error(tmp_path):
    done, said = checked(tmp_path, DOUBTS)
    assert done.returncode == 0, done.stdout
    assert {level for _, level, _ in said} == {"warning"}
    wanted = [(9, 'did you mean "severity"?'), (11, '"chat" has heard it from this route already'),
              (12, "comes before the route has told anybody"), (12, "earlier than the one above it"),
              (14, "what digest holds comes there one by one"), (15, "repeat does nothing")]
    assert len(said) == len(wanted), done.stdout
    for (line, _, message), (wanted_line, part) in zip(said, wanted):
        assert line == wanted_line and part in message, (line, message, part)


def uncommented(text):
    """What the shipped configuration says of routes, as a configuration: the keys that are explained."""
    block = text[text.index("# A route may also hold"):text.index("\nroutes = (")]
    lines = [line[1:] for line in block.splitlines() if line.startswith("#  ")]
    return "\n".join(re.sub(r"(^|\s)# .*", "", line) for line in lines)


def test_what_the_shipped_configuration_explains_is_right(tmp_path):
    keys = uncommented((TOP / "conf/tocsin.conf").read_text(encoding="utf-8"))
    for key in ("group", "digest", "storm", "delay", "repeat", "quiet", "escalate"):
        assert re.search(rf"^ *{key} *= ", keys, re.M), (key, keys)
    done, said = checked(tmp_path, f"""routes = ( {{ name = "r"; to = "chat"; {keys} }} );""")
    assert (done.returncode, said) == (0, []), keys


def test_what_the_readme_shows_of_holds_is_right(tmp_path):
    readme = (TOP / "README.md").read_text(encoding="utf-8")
    table = readme[readme.index("### What a route holds"):readme.index("\nWhere several apply")]
    keys = re.findall(r"^\| `(\w+ = .*?)` \|", table, re.M)
    assert len(keys) == 7, table
    routes = "".join(f"{key}; " for key in keys).replace('"phone"', '"page"')
    done, said = checked(tmp_path, f"""routes = ( {{ name = "r"; to = "chat"; {routes} }} );""")
    assert (done.returncode, said) == (0, []), keys
