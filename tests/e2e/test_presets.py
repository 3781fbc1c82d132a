"""Every shipped preset: the requests it makes, byte by byte, and that no alert breaks them.

tests/golden/presets/NAME.txt holds all requests of a preset, one after another, of alerts that
nothing more is known of; tests/golden/behind/NAME.txt those with a context. GOLDEN=write writes
them anew: read the difference before it is committed. A further case is a line of options of
`tocsin presets render` in tests/golden/presets/NAME.args, as
    --event opened --var mode=binary
"""
import difflib
import functools
import json
import os
import re
import shlex
import urllib.parse

import jsonschema
import pytest

from preset_schemas import SCHEMAS
from support import TEMPLATES, TOP, tocsin

GOLDEN = TOP / "tests/golden/presets"
BEHIND = TOP / "tests/golden/behind"
NAMES = sorted(path.stem for path in (TEMPLATES / "presets").glob("*.preset"))
SINGLES = ["opened", "acknowledged", "reopened", "changed", "resolved"]


@pytest.fixture(scope="module")
def conf(tmp_path_factory):
    path = tmp_path_factory.mktemp("presets") / "tocsin.conf"
    path.write_text(f'templates = "{TEMPLATES}";\n')
    return path


@functools.cache
def listed(conf):
    done = tocsin("presets", "--json", conf=conf)
    assert done.returncode == 0, done.stderr
    return {p["name"]: p for p in map(json.loads, done.stdout.splitlines())}


def facts(conf, name):
    """What `tocsin presets --json` says of it."""
    return listed(conf)[name]


@functools.cache
def plain_render(conf, name, *options):
    return render(conf, name, *options)


def render(conf, name, *options):
    """The request as text, or None where the preset sends none. What is too long for it may be
    left out, which the log then tells."""
    done = tocsin("presets", "render", name, *options, conf=conf, text=False)
    err = done.stderr.decode()
    if done.returncode == 1 and "no request of the preset" in err:
        return None
    assert done.returncode == 0, err
    assert err == "" or "--alert" in options and err.count("\n") == 1 and "msg=template-failed" in err
    return done.stdout


# ---- golden bytes ----------------------------------------------------------------------------


def events_of(preset):
    return [["--event", e] for e in SINGLES if e in preset["events"]] + (
        [["--digest"]] if "digest" in preset["events"] else [])


def further(name):
    """The cases of its own."""
    path = GOLDEN / f"{name}.args"
    return [shlex.split(line) for line in path.read_text().splitlines()] if path.exists() else []


def cases(preset):
    """Lists of options: each event, and each with what the file makes its requests differ by."""
    text = (TEMPLATES / f"presets/{preset['name']}.preset").read_text()
    head = text.split("\n=== ")[0]
    events = events_of(preset)
    yield from events
    yield ["--event", "opened", "--sample", "security_event"]
    optional = [v["name"] for v in preset["vars"] if not v["required"] and v["fallback"] is None]
    if optional:
        yield ["--event", "opened"] + [w for n in optional for w in ("--var", f"{n}={n.upper()}")]
    if re.search(r"\bhandle *=", head) or "{{handle" in text:
        yield from (e + ["--handle", "HANDLE"] for e in events)
    if re.search(r"\brepeat *=", head) or "possible_repeat" in text:
        yield from (e + ["--repeat"] for e in events[:1])
    for step in sorted(set(re.findall(r'\bstep *= *"([^"]+)"', head))):
        yield from (e + ["--progress", f"{step}\tKEPT"] for e in events)
    yield from further(preset["name"])


def with_context(preset):
    """Each sample once; and the alert and all behind it in one, where that is to be asked for."""
    for kind in ("policy_violation", "budget_exceeded", "anomaly_detected", "security_event"):
        yield ["--event", "opened", "--sample", kind]
    if any(v["name"] == "context" for v in preset["vars"]):
        yield ["--event", "opened", "--var", "context=yes"]
        yield ["--event", "opened", "--var", "context=yes", "--context", "none"]


def rendered(conf, name, all_options, *more):
    pieces = []
    for options in all_options:
        request = render(conf, name, *options, *more)
        if request is not None:
            check_limits(name, request)
        title = shlex.join(options).replace("\t", "<tab>")
        pieces.append(f"#### {title}\n" + ("(nothing)\n" if request is None else request.decode()))
    return re.sub(r"(?m)^User-Agent: tocsin/.*$", "User-Agent: tocsin/VERSION", "\n".join(pieces))


@pytest.mark.parametrize("name", NAMES)
def test_its_requests_are_these(conf, name):
    expect_golden(GOLDEN / f"{name}.txt", rendered(conf, name, cases(facts(conf, name)), "--context", "none"))


@pytest.mark.parametrize("name", NAMES)
def test_its_requests_say_who_and_what_is_behind_it(conf, name):
    expect_golden(BEHIND / f"{name}.txt", rendered(conf, name, with_context(facts(conf, name))))


def expect_golden(path, got):
    if os.environ.get("GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(got)
    wanted = path.read_text() if path.exists() else ""
    diff = difflib.unified_diff(wanted.splitlines(), got.splitlines(), str(path), "rendered",
                                lineterm="")
    assert got == wanted, "\n".join(diff) + "\n(GOLDEN=write writes it)"


def test_each_golden_file_is_of_a_preset():
    assert sorted({path.stem for path in [*GOLDEN.iterdir(), *BEHIND.iterdir()]} - set(NAMES)) == []


# ---- hostile alerts --------------------------------------------------------------------------

EMOJI = "\U0001f468\u200d\U0001f4bb"
TEXTS = {
    "long": "x" * 800_000,
    "long and wide": EMOJI * 20_000,
    "line breaks": "a\r\nX-Evil: 1\r\n\r\nb\u2028c\u0085d\x0be",
    "control characters": "a\x00b\x01c\x1b[31md\x7f",
    "emoji at any cut": "".join(EMOJI + "x" * n for n in range(600)),
    "JSON": '"}],"evil":{"a":"\\',
    "Mustache": "{{vars}} {{{url}}} {{#alerts}} }} {{=<% %>=}}",
    "markup": "<!channel> @everyone @here <@U1> <users/all> *b* _i_ `c` [a](javascript:x) &amp; <b>",
    "address": "../../?a=b&c=d#e %2e%2e%2f http://evil.example/ @evil.example",
    "empty": "",
    "blank": " \t ",
    "right to left": "\u202etxt.exe\u202c \u0627\u0644",
}
AS_ID = ["line breaks", "emoji at any cut", "JSON", "address"]
FIELDS = ["title", "message", "type", "severity", "user_id", "policy_id"]


def hostile(text, event, as_id):
    """An alert all of whose fields are this text; the id may be, too."""
    body = dict.fromkeys(FIELDS, text[:30_000])
    if as_id and text:
        name = text[:400].replace("\x00", "")  # an id that holds one is set aside as it comes
        body.update(id=name, org_id=name)
    else:
        body.update(id="al-1", org_id="og-1")
    body.update(status={"acknowledged": "acknowledged", "resolved": "resolved"}.get(event, "open"))
    body.update(created_at="2026-11-24T03:45:52Z", resolved_at=None)
    body.update(message=text[:300_000])
    body.update(metadata={"k": text[300_000:] or text, text[:200]: [text[:1000], {"a": text[:1000]}], "n": 1.5})
    return body


def hostile_context(text, whole):
    """All that is behind the alert says the same; whole: but for a number that has a bar."""
    words = {
        "user": ["id", "name", "email", "department"],
        "policy": ["id", "name", "description"],
        "budget": ["id", "name", "amount", "spent", "currency", "period", "percent"],
        "usage": ["user_email", "date", "estimated_cost_usd"],
    }
    context = {kind: dict.fromkeys(names, text[:30_000]) for kind, names in words.items()}
    context["usage"]["own"] = {"model": text[:1000], "estimated_cost_usd": text[:1000]}
    if not whole:
        context["budget"]["percent"] = 104.25
    return context


def split(request):
    """(method, url, headers, body) of a rendered request."""
    head, _, body = request.partition(b"\n\n")
    lines = head.decode().split("\n")
    method, url = lines[0].split(" ", 1)
    return method, url, dict(line.split(": ", 1) for line in lines[1:]), body.removesuffix(b"\n")


def check_shape(request, plain):
    """A hostile request differs from the plain one in values alone."""
    method, url, headers, body = split(request)
    wanted = split(plain)
    assert method == wanted[0]
    assert re.fullmatch(r"[!-~]+", url), url
    asked, usual = urllib.parse.urlsplit(url), urllib.parse.urlsplit(wanted[1])
    assert asked[:2] == usual[:2] and asked.fragment == ""
    assert asked.path.count("/") == usual.path.count("/"), url
    assert ".." not in asked.path.split("/"), url
    assert [p.split("=")[0] for p in asked.query.split("&")] == \
        [p.split("=")[0] for p in usual.query.split("&")], url
    assert set(headers) <= set(wanted[2]), headers
    for name, value in headers.items():
        assert re.fullmatch(r"[^\x00-\x08\x0a-\x1f\x7f]*", value), (name, value)
    kind = wanted[2].get("Content-Type", "")
    if "json" in kind:
        assert body.count(b"\x00") == 0
        json.loads(body)
    elif "urlencoded" in kind:
        assert re.fullmatch(rb"[!-~]*", body), body[:200]
        names = [p.split(b"=")[0] for p in body.split(b"&")]
        assert len(names) == len(set(names))
    body.decode()


def hostile_alerts(events, more):
    """(label, options, the alert): each text in every field, the worst of them with every request
    and as an id, too."""
    usual = ["--event", events[0]]
    for label, text in TEXTS.items():
        if label in AS_ID:
            yield from ((label, options, hostile(text, events[0], True)) for options in [usual, *more])
        yield label, usual, hostile(text, events[0], False)
    for event in events[1:]:
        yield "JSON", ["--event", event], hostile(TEXTS["JSON"], event, True)


@pytest.mark.parametrize("name", NAMES)
def test_no_alert_breaks_a_request(conf, tmp_path, name):
    """Whatever its fields hold: valid, within the preset's limits, the same address and headers."""
    preset = facts(conf, name)
    path, behind = tmp_path / "alert.json", tmp_path / "context.json"
    events = [e for e in ("opened", "acknowledged", "resolved") if e in preset["events"]]
    handle = "--handle", "HANDLE"  # what a follow-up may refer to
    for label, options, body in hostile_alerts(events, further(name)):
        path.write_text(json.dumps(body, ensure_ascii=False))
        behind.write_text(json.dumps(hostile_context(TEXTS[label], label in AS_ID), ensure_ascii=False))
        plain = plain_render(conf, name, *options, *handle)
        request = render(conf, name, *options, *handle, "--alert", path, "--context", behind)
        try:
            check_shape(request, plain)
            check_limits(name, request)
        except (AssertionError, ValueError, jsonschema.ValidationError) as failure:
            raise AssertionError(f"{label}, {options}: {failure}") from None


def test_a_megabyte_is_told_by_its_beginning(conf, tmp_path):
    path = tmp_path / "alert.json"
    body = hostile("", "opened", False) | {"title": "A title", "message": "Beginning " + "x y " * 248_000}
    path.write_text(json.dumps(body))
    for name in NAMES:
        request = render(conf, name, "--event", "opened", "--alert", path)
        check_limits(name, request)
        text = urllib.parse.unquote_plus(split(request)[3].decode())
        assert "A title" in text and "Beginning x y" in text, (name, text[:500])


METADATA = [[1, {"a": 2}], {"metadata": 5, "x": 1}, "text", 1.5, None, [], {}]


@pytest.mark.parametrize("name", ["pagerduty", "incident-io", "zenduty"])
@pytest.mark.parametrize("metadata", METADATA, ids=json.dumps)
def test_metadata_of_any_shape_stays_whole(conf, tmp_path, name, metadata):
    path = tmp_path / "alert.json"
    path.write_text(json.dumps(hostile("a text", "opened", False) | {"metadata": metadata}))
    done = tocsin("presets", "render", name, "--alert", path, conf=conf)
    assert (done.returncode, done.stderr) == (0, "")
    body = json.loads(done.stdout.partition("\n\n")[2])
    found = [v for d in (body, *body.values()) if isinstance(d, dict)
             for details in (d, d.get("custom_details", {})) for k, v in details.items()
             if k == ("details" if name == "incident-io" else "metadata")]
    assert metadata in found, body


@pytest.mark.parametrize("field", ["created_at", "resolved_at"])
@pytest.mark.parametrize("text", ["", "yesterday", "0000-99-99T99:99:99Z", "x" * 1000])
def test_a_time_that_is_none_is_not_told_as_one(conf, tmp_path, field, text):
    path = tmp_path / "alert.json"
    path.write_text(json.dumps(hostile("a text", "resolved", False) | {field: text}))
    for name in NAMES:
        for event in ("opened", "resolved"):
            request = render(conf, name, "--event", event, "--alert", path)
            if request is not None:
                check_limits(name, request)


# ---- what the vendors take -------------------------------------------------------------------

# From their documentation: the path of a field in the body's JSON -> characters; "body" is the
# whole, in bytes.
LIMITS = {
    "pagerduty": {"payload.summary": 1024, "dedup_key": 255, "body": 512_000},
    "opsgenie": {"message": 130, "alias": 512, "description": 15_000},
    "jsm": {"message": 130, "alias": 512, "description": 15_000},
    "splunk-oncall": {"state_message": 20_480},
    "incident-io": {"body": 512_000},
    "teams": {"body": 21_000},
    "google-chat": {"body": 32_000},
    "pushover": {"message": 1024, "title": 250},
    "matrix": {"body": 65_000},
    "sns": {"body": 262_144},
    "kafka-rest": {"body": 1_000_000},
    "splunk-hec": {"body": 1_000_000},
    "loki": {"body": 262_144},
}


def check_limits(name, request):
    """The limits, and the schema where there is one."""
    _, url, headers, body = split(request)
    limits = LIMITS.get(name, {})
    assert len(body) <= limits.get("body", 4 << 20)
    is_json = "json" in headers.get("Content-Type", "")
    for path, most in limits.items():
        value = json.loads(body) if is_json and path != "body" else None
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        assert value is None or len(value) <= most, f"{path}: {len(value)} of {most}"
    if name in SCHEMAS and "ce-id" not in headers:
        schema = next(schema for end, schema in SCHEMAS[name] if url.endswith(end))
        jsonschema.Draft202012Validator(schema).validate(json.loads(body))


# ---- the command -----------------------------------------------------------------------------


def test_the_list_tells_what_each_of_them_needs(conf):
    pagerduty = facts(conf, "pagerduty")
    assert pagerduty["title"] == "PagerDuty (Events API v2)"
    assert pagerduty["base_url"] == "https://events.pagerduty.com"
    assert pagerduty["vars"][0] == {"name": "routing_key", "required": True, "secret": True,
                                    "fallback": None, "help": "the integration key, 32 characters"}
    assert pagerduty["events"] == ["opened", "acknowledged", "resolved", "reopened", "changed"]
    assert (pagerduty["batch_max"], pagerduty["collapse"], pagerduty["rate"]) == (1, True, "120/min")
    assert pagerduty["limits"]["summary"] == "1024 characters"
    assert facts(conf, "zenduty")["base_url"] is None
    text = tocsin("presets", conf=conf).stdout
    assert "…" not in text
    assert sorted(line.split()[0] for line in text.splitlines()[1:]) == NAMES
    assert re.search(r"^zenduty .* url\* ", text, re.M), text


def test_one_beside_the_configuration_comes_before_the_shipped(tmp_path):
    conf = tmp_path / "tocsin.conf"
    conf.write_text(f'templates = "{TEMPLATES}";\n')
    shipped = tocsin("presets", "show", "rootly", conf=conf).stdout
    assert shipped == (TEMPLATES / "presets/rootly.preset").read_text()
    own = shipped.replace("/webhooks/incoming", "/mine")
    (tmp_path / "rootly.preset").write_text(own)
    assert tocsin("presets", "show", "rootly", conf=conf).stdout == own
    assert "https://webhooks.rootly.com/mine/" in tocsin("presets", "render", "rootly", conf=conf).stdout
    names = [line.split()[0] for line in tocsin("presets", conf=conf).stdout.splitlines()[1:]]
    assert sorted(names) == NAMES


def test_a_broken_one_is_told_with_its_line_and_the_rest_is_listed(tmp_path):
    conf = tmp_path / "tocsin.conf"
    conf.write_text(f'templates = "{TEMPLATES}";\n')
    (tmp_path / "mine.preset").write_text('title = "Mine";\nrequest = ();\n')
    done = tocsin("presets", conf=conf)
    assert done.returncode == 1 and "pagerduty" in done.stdout
    assert f'{tmp_path}/mine.preset:2: unknown key "request"; did you mean "requests"?' in done.stderr


def test_where_there_are_none_it_says_where_it_looked(tmp_path):
    conf = tmp_path / "tocsin.conf"
    conf.write_text(f'templates = "{tmp_path}/nowhere";\n')
    done = tocsin("presets", conf=conf)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"no presets in {tmp_path}/nowhere/presets" in done.stderr and "templates" in done.stderr


@pytest.mark.parametrize("line, code, text", [
    ("show nothing", 1, 'no preset "nothing"'),
    ("render nothing", 1, 'no preset "nothing"'),
    ("render pagerduty --event gone", 2, "--event is one of opened, acknowledged"),
    ("render pagerduty --alert /nowhere", 1, "/nowhere"),
    ("render incident-io --event acknowledged", 1, "no request of the preset incident-io fits"),
    ("render better-stack --event resolved", 1, "--handle, --progress and --repeat choose others"),
    ("render pagerduty --var componet=x", 2, 'pagerduty has no variable "componet"'),
    ("render pagerduty --var component", 2, "--var is NAME=VALUE"),
    ("list", 2, "it takes nothing, `show NAME` or `render NAME`"),
])
def test_what_it_can_not_do_it_says(conf, line, code, text):
    done = tocsin("presets", *line.split(), conf=conf)
    assert done.returncode == code and text in done.stderr and done.stdout == ""
