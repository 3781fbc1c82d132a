"""The configurations of conf/examples: each is right as it stands, without a warning, and leads
alerts where its comments say. Secrets are dummies; nothing else of a file is changed but where it
looks for them, for the templates and for the store."""
import json
import re

import pytest

from support import TEMPLATES, TOP, tocsin

EXAMPLES = TOP / "conf/examples"
README = (TOP / "README.md").read_text(encoding="utf-8")

# What an alert is, of which source (None: the first): which sinks it is told to, by which route.
LEADS = {
    "security-on-call": [
        ("security_event critical", None, {"pager": "rings", "channel": "serious"}),
        ("policy_violation high", None, {"pager": "rings", "channel": "serious"}),
        ("budget_exceeded critical", None, {"channel": "serious"}),
        ("policy_violation medium", None, {"channel": "medium"}),
        ("anomaly_detected low", None, {"channel": "low"}),
        ("of_a_new_type never_seen", None, {"pager": "rings", "channel": "serious"}),
    ],
    "finops": [
        ("budget_exceeded critical", None, {"channel": "overrun", "mail": "overrun"}),
        ("budget_exceeded high", None, {"channel": "overrun", "mail": "overrun"}),
        ("budget_exceeded medium", None, {"channel": "budgets", "mail": "budgets"}),
        ("anomaly_detected critical", None, {"channel": "anomalies", "mail": "anomalies"}),
        ("security_event critical", None, {}),
    ],
    "small-team": [
        ("security_event critical", None, {"team": "critical"}),
        ("budget_exceeded high", None, {"team": "rest"}),
        ("anomaly_detected medium", None, {"team": "rest"}),
        ("policy_violation low", None, {"team": "low"}),
    ],
    "provider": [
        ("security_event critical", "alder", {"pager": "critical", "desk": "critical"}),
        ("security_event critical", "oak",
         {"oak-hook": "oak", "pager": "critical", "desk": "critical"}),
        ("policy_violation high", "pine", {"pine-hook": "pine", "desk": "high"}),
        ("budget_exceeded high", "willow", {"desk": "high"}),
        ("anomaly_detected low", "oak", {"oak-hook": "oak", "mail": "rest"}),
    ],
    "automation": [
        ("policy_violation high", None, {"workflow": "quarantine", "events": "everything"}),
        ("policy_violation low", None, {"events": "everything"}),
        ("security_event critical", None, {"events": "everything"}),
    ],
}

# What holds in each route, so that no comment promises what the file does not say.
HOLDS = {
    "security-on-call": {"rings": ["escalate"], "serious": ["storm"], "medium": ["group", "quiet"],
                         "low": ["digest"]},
    "finops": {"overrun": ["repeat"], "budgets": ["digest"], "anomalies": ["delay", "digest"]},
    "small-team": {"critical": ["repeat"], "low": ["digest"], "rest": ["group", "quiet"]},
    "provider": {"oak": [], "pine": [], "critical": ["escalate"], "high": ["group"],
                 "rest": ["digest"]},
    "automation": {"quarantine": [], "everything": []},
}


# Where a dummy must look like the real thing; the first that fits a file's name.
DUMMIES = [("-url", "https://chat.example.com/in/dummy"), ("slack-token", "xoxb-dummy"),
           ("-secret", "whsec_ZHVtbXktZHVtbXktZHVtbXktZHVtbXkt"), ("", "dummy")]


def code(text):
    """Without the comments: what the program reads."""
    return re.sub(r"(?m)(^|\s)#.*$", r"\1", text)


@pytest.fixture
def settled(tmp_path):
    """settled(NAME): the example with dummies for its secrets, and the environment for it."""

    def settle(name):
        text = (EXAMPLES / f"{name}.conf").read_text(encoding="utf-8")
        env = {n: f"dummy-{n.lower()}" for n in re.findall(r'"env:(\w+)"', code(text))}
        env["CREDENTIALS_DIRECTORY"] = str(tmp_path)
        for file in re.findall(r'"(?:file:/etc/tocsin/|cred:)([\w/-]+)"', code(text)):
            path = tmp_path / file
            path.parent.mkdir(exist_ok=True)
            path.write_text(next(dummy for end, dummy in DUMMIES if file.endswith(end)) + "\n")
        assert 'store = "/var/lib/tocsin/tocsin.db"' in text
        text = text.replace("/var/lib/tocsin/", f"{tmp_path}/").replace("/etc/tocsin/", f"{tmp_path}/")
        conf = tmp_path / f"{name}.conf"
        # Behind the last line, so that each keeps its number.
        conf.write_text(f'{text}templates = "{TEMPLATES}";\n', encoding="utf-8")
        return conf, env

    return settle


def asked(settled_conf, words, source, tmp_path, *options):
    conf, env = settled_conf
    kind, severity = words.split()
    file = tmp_path / "alert.json"
    file.write_text(json.dumps({
        "id": "al-1", "org_id": "acme", "type": kind, "severity": severity, "status": "open",
        "title": "A title", "message": "", "created_at": "2026-11-24T03:45:56Z"}))
    more = ["--source", source] if source else []
    done = tocsin("route", "--json", "--alert", file, *more, *options, conf=conf, env=env)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_there_are_five_and_each_is_looked_at():
    assert {p.stem for p in EXAMPLES.iterdir()} == set(LEADS) == set(HOLDS)
    assert len(LEADS) == 5


@pytest.mark.parametrize("name", LEADS)
def test_it_is_right_without_a_warning(settled, name):
    conf, env = settled(name)
    done = tocsin("check", "--json", conf=conf, env=env)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


@pytest.mark.parametrize("name", LEADS)
def test_it_leads_where_it_says(settled, tmp_path, name):
    here = settled(name)
    for words, source, wanted in LEADS[name]:
        told = asked(here, words, source, tmp_path)
        got = {s["sink"]: s["route"] for s in told["sinks"] if s["told"]}
        assert (got, told["unrouted"]) == (wanted, not wanted), (words, source)


@pytest.mark.parametrize("name", LEADS)
def test_its_routes_hold_what_it_says(settled, tmp_path, name):
    told = asked(settled(name), "security_event critical", None, tmp_path)
    assert {r["route"]: sorted(r["holds"]) for r in told["routes"]} == HOLDS[name]


@pytest.mark.parametrize("name", LEADS)
def test_no_secret_stands_in_it(name):
    text = code((EXAMPLES / f"{name}.conf").read_text(encoding="utf-8"))
    secrets = re.findall(r'\b(\w*(?:secret|token|password|api_key|routing_key|bearer|client_id))\s*=\s*"([^"]*)"',
                         text)
    assert secrets
    for key, value in secrets:
        assert re.match(r"(env|file|cred):", value), key


def test_machines_get_changes_and_a_workflow_no_end(settled, tmp_path):
    here = settled("automation")
    for event, wanted in (("changed", {"events"}), ("reopened", {"events", "workflow"}),
                          ("acknowledged", {"events"}), ("resolved", {"events"})):
        told = asked(here, "policy_violation high", None, tmp_path, "--event", event)
        assert {s["sink"] for s in told["sinks"] if s["told"]} == wanted, event


def test_a_provider_has_twenty_of_his_own(settled):
    text = code((EXAMPLES / "provider.conf").read_text(encoding="utf-8"))
    keys = re.findall(r'"file:/etc/tocsin/keys/(\w+)"', text)
    assert len(keys) == len(set(keys)) == 20


@pytest.mark.parametrize("name", LEADS)
def test_the_readme_names_it(name):
    assert f"conf/examples/{name}.conf" in README


def test_what_the_readme_shows_of_explain_is_what_it_tells():
    golden = (TOP / "tests/golden/explain/escalation-waiting.txt").read_text(encoding="utf-8")
    shown = README.split("$ tocsin explain al-1\n…\n")[1].split("```")[0]
    assert shown.count("\n") > 8 and golden.endswith(shown)
