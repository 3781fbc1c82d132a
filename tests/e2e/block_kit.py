"""What Slack takes: a strict reading of Block Kit and of its markup, by tables.

`faults(payload)` lists what is wrong with a message, each with a JSON pointer, as Slack's own
`errors` do. Stricter than Slack where it does not say: limits count characters as they are sent,
with entities; unknown keys, blocks that we do not use and texts of white space alone are faults.
"""
import re

BLOCKS_MAX = 50
ATTACHMENTS_MAX = 100
TEXT_MAX = 4000  # what chat.update takes; Slack cuts a post at 40,000

DATE = re.compile(r"<!date\^\d{1,12}\^[^<>|^]+\|[^<>|]+>")
LINK = re.compile(r"<https?://[^<>|\s]+(\|[^<>]*)?>")


def is_text(value):
    return isinstance(value, str)


def markup(text):
    """What is wrong with mrkdwn: any < > & that is not a date, a link to a page, or an entity."""
    rest = LINK.sub("", DATE.sub("", text.removeprefix(">>> ")))  # a quotation
    rest = re.sub(r"&(amp|lt|gt);", "", rest)
    found = re.search(r"[<>&].{0,20}", rest, re.S)
    return [f"markup: {found.group()!r}"] if found else []


def plain(text, limit):
    if not is_text(text):
        return ["must be a string"]
    wrong = []
    if not text.strip("\0\t\n\r "):
        wrong.append("must be more than 0 characters")
    if len(text) > limit:
        wrong.append(f"must be less than {limit + 1} characters")
    if any("\ud800" <= c <= "\udfff" for c in text):
        wrong.append("half a surrogate pair")
    return wrong + markup(text)


def text_object(value, limit, kinds=("mrkdwn", "plain_text")):
    if not isinstance(value, dict):
        return [("", "must be an object")]
    known = {"mrkdwn": {"type", "text", "verbatim"}, "plain_text": {"type", "text", "emoji"}}
    kind = value.get("type")
    if kind not in kinds:
        return [("/type", f"unsupported type: {kind}")]
    wrong = [(f"/{key}", "unknown key") for key in set(value) - known[kind]]
    if kind == "mrkdwn" and value.get("verbatim") is not True:
        wrong.append(("/verbatim", "links would be made of what it holds"))
    return wrong + [("/text", w) for w in plain(value.get("text"), limit)]


def listed(values, count_max, each):
    if not isinstance(values, list) or not 1 <= len(values) <= count_max:
        return [("", f"must be a list of 1 to {count_max}")]
    return [(f"/{i}{at}", w) for i, value in enumerate(values) for at, w in each(value)]


def section(block):
    if ("text" in block) == ("fields" in block):
        return [("", "needs text or fields")]
    if "text" in block:
        return [("/text" + at, w) for at, w in text_object(block["text"], 3000)]
    fields = listed(block["fields"], 10, lambda f: text_object(f, 2000))
    return [("/fields" + at, w) for at, w in fields]


def context(block):
    elements = listed(block.get("elements"), 10, lambda e: text_object(e, 3000))
    return [("/elements" + at, w) for at, w in elements]


def header(block):
    return [("/text" + at, w) for at, w in text_object(block.get("text"), 150, ("plain_text",))]


def divider(block):
    return []


BLOCKS = {
    # of each type the keys it may have, and what else must hold
    "section": ({"type", "text", "fields"}, section),
    "context": ({"type", "elements"}, context),
    "header": ({"type", "text"}, header),
    "divider": ({"type"}, divider),
}


def block(value):
    kind = value.get("type") if isinstance(value, dict) else None
    if kind not in BLOCKS:
        return [("/type", f"unsupported type: {kind}")]
    keys, check = BLOCKS[kind]
    return [(f"/{key}", "unknown key") for key in set(value) - keys] + check(value)


def attachment(value):
    wrong = [(f"/{key}", "unknown key") for key in set(value) - {"color", "blocks"}]
    if not re.fullmatch("#[0-9a-f]{6}", value.get("color", "")):
        wrong.append(("/color", f"no colour: {value.get('color')}"))
    return wrong + [("/blocks" + at, w) for at, w in listed(value.get("blocks"), BLOCKS_MAX, block)]


def is_bool(value):
    return [] if isinstance(value, bool) else [("", "must be a boolean")]


def is_name(value):
    return [] if is_text(value) and value else [("", "must be a name")]


def empty_or(each, count_max):
    return lambda values: [] if values == [] else listed(values, count_max, each)


MEMBERS = {
    "blocks": empty_or(block, BLOCKS_MAX),
    "attachments": empty_or(attachment, ATTACHMENTS_MAX),
    "unfurl_links": is_bool,
    "unfurl_media": is_bool,
    "reply_broadcast": is_bool,
    "parse": lambda value: [] if value == "none" else [("", "must be none")],
    "channel": is_name,
    "ts": is_name,
    "thread_ts": is_name,
    "username": is_name,
    "icon_emoji": is_name,
}


def faults(payload, text_max=TEXT_MAX):
    """"what is wrong [json-pointer:/where]" of a message; none: Slack takes it."""
    if not isinstance(payload, dict):
        return ["must be an object [json-pointer:/]"]
    wrong = [] if "text" in payload else [("/text", "is missing")]
    for key, value in payload.items():
        if key == "text":
            found = [("", w) for w in plain(value, text_max)]
        else:
            found = MEMBERS[key](value) if key in MEMBERS else [("", "unknown key")]
        wrong += [(f"/{key}{at}", w) for at, w in found]
    inner = sum(len(a.get("blocks", [])) for a in payload.get("attachments", []))
    if len(payload.get("blocks", [])) + inner > BLOCKS_MAX:
        wrong.append(("/blocks", f"no more than {BLOCKS_MAX} items allowed"))
    return [f"{w} [json-pointer:{at}]" for at, w in wrong]


def texts(payload):
    """Every text that people see, in order."""
    found = []

    def walk(value):
        if isinstance(value, dict):
            if is_text(value.get("text")):
                found.append(value["text"])
            for key in ("text", "fields", "elements", "blocks", "attachments"):
                if not is_text(value.get(key)):
                    walk(value.get(key))
        elif isinstance(value, list):
            for item in value:
                walk(item)

    walk(payload)
    return found
