"""Templates of the operator's own: what `check` says of them, and what becomes of an alert when
one fails at night."""
import json
import re

import pytest

from fakes import alert, wait_for
from programs import webhook as sink
from support import TEMPLATES, configuration, tocsin, webhook
from test_web import ANYWHERE, value


def with_template(folder, text, partials=None, more=""):
    (folder / "own.json.mustache").write_text(text, encoding="utf-8")
    for name, partial in (partials or {}).items():
        (folder / f"{name}.json.mustache").write_text(partial, encoding="utf-8")
    return configuration(folder, sinks=[webhook(more=f'template = "own"; {more}')])


MISTAKES = {
    "unclosed section": ('{\n "a":"{{#title}}"}', {}, "own.json.mustache:2: column 7: "
                         "{{#title}} is not closed"),
    "unclosed in a partial": ("{{> head}}", {"head": '{"é":\n"ü{{#id}}"}'},
                              "head.json.mustache:2: column 3: {{#id}} is not closed"),
    "endless recursion": ("{{> head}}", {"head": "\n {{> head}}"},
                          "head.json.mustache:2: column 2: with the sample "
                          "policy_violation, opened: partials more than 32 deep: one that names "
                          "itself never ends"),
    "no JSON": ('{"a":\n {{id}} }', {}, "own.json.mustache:2: column 2: with the sample "
                "policy_violation, opened: the rendering is not JSON at byte 7: "),
    "unknown filter": ('{"a":"{{id | truncat 3}}"}', {}, "own.json.mustache:1: column 7: "
                       'no filter "truncat"; did you mean "truncate"?'),
    "unknown zone": ('{"a":"{{at | date %R Europe/Berln}}"}', {}, "own.json.mustache:1: "
                     'column 7: no time zone "Europe/Berln"; did you mean "Europe/Berlin"?'),
    "larger than a body may be": ('{"a":"' + "{{#a}}{{/a}}" * 10 + "{{> p}}" * 60 + '"}',
                                  {"p": "x" * 200000}, "p.json.mustache:1: column "),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_its_place(tmp_path, mistake):
    text, partials, wanted = MISTAKES[mistake]
    done = tocsin("check", conf=with_template(tmp_path, text, partials))
    assert done.returncode == 78
    assert wanted in done.stdout
    assert str(tmp_path / wanted.split(":")[0]) in done.stdout


def test_a_template_that_two_sinks_share_is_told_once(tmp_path):
    with_template(tmp_path, '{"a":"{{#title}}"}')
    both = [webhook(name, more='template = "own";') for name in ("bus", "car")]
    done = tocsin("check", conf=configuration(tmp_path, sinks=both))
    assert done.stdout.count("is not closed") == 1


SLIPS = {
    "{{titel}}": ("{{titel}}", "{{title}}"),
    "{{metadata.modell}}": ("{{metadata.modell}}", "{{metadata.model}}"),
    "{{vars.teem}}": ("{{vars.teem}}", "{{vars.team}}"),
    "{{#titel}}x{{/titel}}": ("{{titel}}", "{{title}}"),  # no sample goes in
    "{{^count = 1}}{{storn}}{{/count}}": ("{{storn}}", "{{storm}}"),
    "{{at | duration creatd_at}}": ("{{creatd_at}}", "{{created_at}}"),
    "{{severty | default none}}": ("{{severty}}", "{{severity}}"),
}


@pytest.mark.parametrize("text", SLIPS)
def test_a_slip_is_a_warning_with_the_nearest_name(tmp_path, text):
    name, near = SLIPS[text]
    conf = with_template(tmp_path, f'{{"a":\n"{text}"}}', more='vars = { team = "sec"; };')
    done = tocsin("check", conf=conf)
    assert done.returncode == 0
    assert (f"own.json.mustache:2: warning: no name {name} is known; did you mean {near}?"
            in done.stdout)
    assert done.stdout.count(": warning: ") == 1


def test_what_may_be_there_one_day_may_be_asked_for(tmp_path):
    text = ('{"a":"{{#metadata.rack}}{{metadata.rack}}{{/metadata.rack}}'
            '{{#alerts}}{{index}}{{last}}{{/alerts}}{{x_ray | default none}}"}')
    done = tocsin("check", conf=with_template(tmp_path, text))
    assert (done.returncode, ": warning: " in done.stdout) == (0, False)


def test_a_partial_that_is_not_there_is_a_warning(tmp_path):
    done = tocsin("check", conf=with_template(tmp_path, '{\n{{> haed}}}', {"head": '"a":1'}))
    assert done.returncode == 0
    assert "own.json.mustache:2: warning: no partial {{> haed}}" in done.stdout


@pytest.mark.parametrize("name", ["email.txt", "email.html"])
def test_a_mail_of_many_counts_what_it_does_not_list(tmp_path, name):
    one = {"id": "a", "title": "A title", "event": "opened", "at": "2026-11-24T03:45:56Z"}
    data = tmp_path / "data.json"
    data.write_text(json.dumps({"count": 2, "alerts": [one, one], "rest": {"count": 7}}))
    conf = configuration(tmp_path)
    assert "+7 more" in tocsin("render", name, "--data", data, conf=conf).stdout
    data.write_text(json.dumps({"count": 1, "alerts": [one | {"rest": {"count": 7}}]}))
    assert "+7 more" not in tocsin("render", name, "--data", data, conf=conf).stdout


DIGEST = """title = "Mine"; base_url = "http://127.0.0.1:9";
requests = ( { name = "one"; events = "opened"; }, { name = "list"; events = "digest"; } );
=== one.json
POST {{{base_url}}}

{ "a": "{{title}}" }
=== list.json
POST {{{base_url}}}

{ "a": [ {{#alerts}}
  "{{title}}" {{/alerts}} ] }
"""


def test_a_preset_s_digest_is_tried_too(tmp_path):
    """A list without its commas: as a digest of one it would pass."""
    (tmp_path / "mine.preset").write_text(DIGEST)
    conf = configuration(tmp_path, sinks=['{ name = "bus"; type = "webhook"; preset = "mine"; }'])
    done = tocsin("check", conf=conf)
    assert done.returncode == 78
    assert (f"{tmp_path}/mine.preset:11: column 3: with a digest of all samples: "
            "the rendering is not JSON") in done.stdout


def test_a_template_is_tried_with_digests_where_a_route_makes_them(tmp_path):
    """{{raw}} is of one alert: of several there is nothing."""
    conf = with_template(tmp_path, '{ "a":\n {{raw}} }')
    assert tocsin("check", conf=conf).returncode == 0
    text = conf.read_text()
    assert 'to = [ "bus" ];' in text
    conf.write_text(text.replace('to = [ "bus" ];', 'to = [ "bus" ]; group = { wait = "1m"; };'))
    done = tocsin("check", conf=conf)
    assert done.returncode == 78
    assert "own.json.mustache:2: column 10: with a digest of all samples: the rendering" in done.stdout


def test_the_shipped_templates_have_no_warning(tmp_path):
    sinks = [webhook(),
             '{ name = "sec"; type = "slack"; url = "http://127.0.0.1:9/x"; }',
             '{ name = "mail"; type = "email"; server = "smtp://127.0.0.1:9"; starttls = "off"; '
             'from = "a@example.com"; to = [ "b@example.com" ]; }']
    done = tocsin("check", conf=configuration(tmp_path, sinks=sinks))
    assert done.returncode == 0
    assert "mustache" not in done.stdout


def test_a_slip_in_a_link_is_a_warning_of_the_configuration(tmp_path):
    conf = configuration(tmp_path, more='link = "https://app.example.com/{{idd}}";')
    done = tocsin("check", conf=conf)
    assert done.returncode == 0
    assert re.search(r"tocsin\.conf:\d+: warning: no name {{idd}} is known; did you mean {{id}}\?",
                     done.stdout)
    assert done.stdout.count(": warning: ") == 1


@pytest.mark.parametrize("name,near", [("webhok.json", "webhook.json"), ("webhook", "webhook.json"),
                                       ("slack.slak.json", "slack.slack.json"),
                                       ("onw.json.mustache", "own.json")])
def test_a_template_that_is_not_found_has_a_hint(tmp_path, name, near):
    conf = with_template(tmp_path, "{}")
    done = tocsin("render", name, conf=conf)
    assert done.returncode == 1
    assert f'no template "{name}"' in done.stderr
    assert f'did you mean "{near}"?' in done.stderr
    assert str(TEMPLATES) in done.stderr


def test_check_has_the_hint_too(tmp_path):
    done = tocsin("check", conf=configuration(
        tmp_path, sinks=[webhook(more='template = "webhok";')]))
    assert done.returncode == 78
    assert 'did you mean "webhook.json"?' in done.stdout


def test_a_template_that_fails_at_night_costs_no_alert(scene):
    """Each alert goes out, the log has one line, the metric counts them all."""
    titles = ["quiet", "boom", "boom", "quiet"]
    api = scene.api([alert(n, title=title) for n, title in enumerate(titles, 1)])
    hook = scene.receiver()
    (scene.folder / "own.json.mustache").write_text(
        '{"own":"{{id}}"\n{{#title = boom}},{{/title}}}', encoding="utf-8")
    scene.expect("msg=template-failed")
    daemon = scene.tocsin(api, [sink("bus", hook, template="own")], listen=ANYWHERE)
    wait_for(lambda: len(hook.accepted()) == 4)
    bodies = [json.loads(seen.body) for seen in hook.accepted()]
    assert sum("own" in b for b in bodies) == 2
    plain = [b for b in bodies if "own" not in b]
    assert len(plain) == 2 and all("boom" in json.dumps(b) for b in plain)
    (line,) = daemon.log("template-failed")
    assert line["sink"] == "bus" and "tocsin render" in line["hint"]
    assert re.search(r"own\.json\.mustache:2:\d+: the rendering is not JSON", line["reason"])
    wait_for(lambda: value(daemon, "tocsin_template_failures_total", sink="bus") == 2)
