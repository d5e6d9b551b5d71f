"""Answers of the test server, built from the facts in the prompt and the requested schema."""

from __future__ import annotations

import argparse
import hashlib
import json
import random
from collections import Counter
from typing import Any

import chat_answers_es
import orjson

CONTENT_FAULTS = (
    "bad_json", "length", "refusal", "empty", "prose", "fenced", "control", "wrong_type", "missing", "wrong_age",
    "nameless", "foreign", "reasoning", "shared",
)  # fmt: skip


class Answers:
    """Builds the content for a request, as a function of its messages, schema and seed."""

    def __init__(self, options: argparse.Namespace) -> None:
        """Take the options that decide content."""
        self.counts: Counter[str] = Counter()
        self.forms = options.understands.split(",")
        self.refused = [name for name in options.refuses.split(",") if name]
        faults = {"bad_json": options.bad_json} | dict(pair.split("=") for pair in options.fault)
        self.faults = {name: float(faults.get(name, 0)) for name in CONTENT_FAULTS}
        self.heat = options.heat
        # A rate would let chance decide whether two rows of a shard share the sentence, and whether a row ever stops.
        self.shares = self.faults.pop("shared") > 0
        self.first_seeds: dict[bytes, int | None] = {}

    def refusal(self, body: dict[str, Any]) -> str:
        """Return why a strict endpoint refuses this request; empty if it accepts it."""
        for name in self.refused:
            if name in body:
                instead = " Use 'max_completion_tokens' instead." if name == "max_tokens" else ""
                return f"Unsupported parameter: '{name}' is not supported with this model.{instead}"
            if f'"{name}"' in json.dumps(body.get("response_format", {})):
                return f"Invalid schema for response_format: '{name}' is not permitted."
        return ""

    def schema(self, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Return the requested form, if this server understands it, and the schema."""
        shape = body.get("response_format") or {}
        if shape.get("type") == "json_schema" and "json_schema" in self.forms:
            return "json_schema", shape["json_schema"]["schema"]
        if "structured_outputs" in body and "structured_outputs" in self.forms:
            return "structured_outputs", body["structured_outputs"]["json"]
        _, found, text = body["messages"][-1]["content"].partition("JSON schema, without any other text:\n")
        schema = json.loads(text) if found else {}
        if shape.get("type") == "json_object" and "json_object" in self.forms:
            return "json_object", schema
        return "prompt", schema

    def content(self, body: dict[str, Any], fault: str) -> tuple[dict[str, Any], str]:
        """Return the message and the finish reason."""
        body = body | {"messages": [message | {"content": text_of(message)} for message in body["messages"]]}
        identity = orjson.dumps([body["messages"], body.get("seed")])
        draw = random.Random(hashlib.blake2b(identity, digest_size=8).digest())
        form, schema = self.schema(body)
        fault = fault or self.fault(body, schema, draw)
        if fault:
            self.counts[f"fault_{fault}"] += 1
        if form == "prompt" and not schema:
            return {"role": "assistant", "content": "hello"}, "stop"
        if form == "json_object" and not schema:
            return {"role": "assistant", "content": '{"reply": "hello"}'}, "stop"
        facts = facts_of(body["messages"])
        if fault == "wrong_age":
            facts["Age"] = "91"
        if fault == "nameless":
            facts["Name"] = "Somebody Else"
        lists = {"skills": draw.sample(SKILLS, 8), "hobbies": draw.sample(HOBBIES, 8)}
        if "Edad" in facts:
            asked = schema["properties"].items()
            values = {name: chat_answers_es.value(name, spec, facts, draw) for name, spec in asked}
        else:
            values = {
                name: value(name, spec, facts, lists, draw) for name, spec in schema["properties"].items()
            }
        text = spoilt(values, fault, body)
        if form == "prompt" and not fault:
            text = f"Certainly! Here it is:\n\n```json\n{text}\n```\nAnything else?"
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if fault == "refusal":
            message = {"role": "assistant", "content": None, "refusal": "I cannot help with that."}
        if fault == "reasoning":
            message["reasoning_content"] = "First, think: {not json}"
        cut = fault == "length" and body.get("max_tokens", 0) <= 2048
        return message, "length" if cut else "stop"

    def fault(self, body: dict[str, Any], schema: dict[str, Any], draw: random.Random) -> str:
        """Return the fault of an answer, or an empty text."""
        drawn = next((name for name, p in self.faults.items() if p and draw.random() < p), "")
        if not drawn and self.heat and draw.random() < self.heat * body.get("temperature", 1.0):
            drawn = "wrong_age"
        return drawn or ("shared" if self.shares and self.is_first(body, schema) else "")

    def is_first(self, body: dict[str, Any], schema: dict[str, Any]) -> bool:
        """Return whether this is the first attempt's first question about a person, however often it is sent.

        Later attempts ask the same with other seeds.
        """
        if any(message["role"] == "assistant" for message in body["messages"]):
            return False
        if not TOPICS.keys() & schema.get("properties", {}).keys():
            return False
        question = hashlib.blake2b(orjson.dumps(body["messages"])).digest()
        return self.first_seeds.setdefault(question, body.get("seed")) == body.get("seed")


def spoilt(values: dict[str, Any], fault: str, body: dict[str, Any]) -> str:
    """Return the answer as text, with a fault of content if one is requested."""
    text = orjson.dumps(values).decode()
    if not fault:
        return text
    first = next(iter(values))
    foreign = {
        name: said if isinstance(said, list) else "这个人喜欢做饭。" * 40 for name, said in values.items()
    }
    # The last of these fields, as not every schema of a dataset has the first.
    prose = next((name for name in reversed(values) if name in TOPICS), first)
    shared = {**values, prose: f"{values[prose]} {SHARED}"}
    spoilers = {
        "bad_json": lambda: text[: len(text) // 2],
        "length": lambda: text[: len(text) // 2] if body.get("max_tokens", 0) <= 2048 else text,
        "empty": lambda: "",
        "prose": lambda: "I would rather describe this person in my own words.",
        "fenced": lambda: f"Sure!\n```json\n{text}\n```",
        "control": lambda: text.replace(" ", "\n", 3),
        "wrong_type": lambda: json.dumps(values | {first: 7}),
        "missing": lambda: json.dumps({name: value for name, value in values.items() if name != first}),
        "foreign": lambda: json.dumps(foreign),
        "shared": lambda: json.dumps(shared),
    }
    return spoilers.get(fault, lambda: text)()


def text_of(message: dict[str, Any]) -> str:
    """Return a message's text, which clients may send in parts."""
    content = message["content"]
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def facts_of(messages: list[dict[str, str]]) -> dict[str, str]:
    """Return the prompt's facts: its `- Name: value` lines up to the first line of another kind."""
    facts: dict[str, str] = {}
    text = "\n".join(message["content"] for message in messages)
    title = "Datos" if "Datos\n- " in text else "Facts"
    after = text.partition(f"\n{title}\n")[2] or text.removeprefix(f"{title}\n")
    for line in after.splitlines():
        name, colon, said = line.removeprefix("- ").partition(": ")
        if not line.startswith("- ") or not colon:
            break
        facts[name] = said
    return facts


def value(
    name: str, spec: dict[str, Any], facts: dict[str, str], lists: dict[str, list[str]], draw: random.Random
) -> Any:
    """Return a value of the schema's type and bounds that agrees with the facts."""
    if "enum" in spec:
        return spec["enum"][0]
    mine = lists["hobbies" if name.startswith("hobbies") else "skills"]
    if spec.get("type") == "array":
        longest = spec["items"].get("maxLength", 120)
        return [item[:longest] for item in mine[: spec.get("maxItems", 8)]]
    low, high = spec.get("minLength", 1), spec.get("maxLength", 4000)
    if name.endswith("persona"):
        return sentence(name, facts, draw)
    text, i = prose(facts, mine, name, draw), 0
    while len(text) < low:
        text, i = f"{text} {REST[i % len(REST)].format(things(draw))}", i + 1
    return text[:high]


def sentence(name: str, facts: dict[str, str], draw: random.Random) -> str:
    """A narrative: one sentence, the full name first."""
    pronoun, possessive = pronouns(facts)
    hobby, skill = draw.sample(HOBBIES, 2), draw.choice(SKILLS)
    work, age = work_of(facts), facts.get("Age", "40").split()[0]
    article = "an" if age.startswith(("8", "11", "18")) else "a"
    side = name.removesuffix("_persona") if name != "persona" else "everyday"
    return (
        f"{facts.get('Name', 'Nobody')}, {article} {age}-year-old from {facts.get('Home', 'town')}{work}, "
        f"gives the {side} side of life to {hobby[0]} and {hobby[1]}, leaning on {possessive} {skill} on "
        f"{draw.choice(DAYS)} {draw.choice(TIMES)}, when {pronoun} {habit(name, facts)}."
    )


def habit(name: str, facts: dict[str, str]) -> str:
    """A habit that no other field of this person has."""
    order = random.Random(facts.get("Name", "")).sample(HABITS, len(HABITS))
    return order[FIELDS.index(name) if name in FIELDS else sum(name.encode()) % len(HABITS)]


def work_of(facts: dict[str, str]) -> str:
    said = facts.get("Work", "")
    return f" who {said}" if said.startswith(("works as", "serves in")) else ""


def pronouns(facts: dict[str, str]) -> tuple[str, str]:
    return ("she", "her") if facts.get("Sex", "").startswith("Female") else ("he", "his")


def prose(facts: dict[str, str], items: list[str], name: str, draw: random.Random) -> str:
    """A paragraph that begins with the first name's own form for this field, and names every item."""
    pronoun, possessive = pronouns(facts)
    return PROSE.get(name, PROSE["hobbies_and_interests"]).format(
        first=facts.get("First name", "Nobody"),
        city=facts.get("Home", "town").partition(",")[0],
        topic=TOPICS.get(name, name),
        items=f"{', '.join(items[:-1])} and {items[-1]}",
        day=f"{draw.choice(DAYS)} {draw.choice(TIMES)}",
        pronoun=pronoun,
        possessive=possessive,
        habit=habit(name, facts),
        things=things(draw),
        more=things(draw),
    )


def things(draw: random.Random) -> str:
    """Return words in an order that differs for every person, as a run accepts no sentence twice."""
    first, second, third, last = draw.sample(THINGS, 4)
    return f"{first}, {second}, {third} and {last}"


SHARED = "Nobody on the street remembers a winter without a kettle on that stove."
TOPICS = {
    "cultural_background": "family and old customs",
    "skills_and_expertise": "doing a thing well",
    "hobbies_and_interests": "free time",
    "career_goals_and_ambitions": "the years ahead",
}
FIELDS = (
    *TOPICS, "professional_persona", "sports_persona", "arts_persona", "travel_persona", "culinary_persona", "persona",
)  # fmt: skip
PROSE = {
    "cultural_background": "When it comes to {topic}, {first} in {city} cares for {items}. On {day} {pronoun} {habit}, "
    "and {possessive} neighbours have long stopped being surprised that it matters as much as {things}. More room is "
    "wanted, and the patience to look after {more}.",
    "skills_and_expertise": "As for {topic}, people in {city} turn to {first} for {items}. {first} {habit} most of all "
    "on {day}, which friends compare with {things}. The next lesson is planned already, about {more}.",
    "hobbies_and_interests": "To {first}, {topic} in {city} means {items}. There is a rule for {day}, namely that "
    "{pronoun} {habit}, and nobody minds the {things}. What is missing so far stands on a list under {more}.",
    "career_goals_and_ambitions": "Of {topic}, {first} in {city} says little, but {items} belong to them. A calendar "
    "has {day} marked in green, since {pronoun} {habit} best then, near {things}. One day it may all lead to {more}.",
}
HOBBIES = (
    "baking bread", "bird watching", "board games", "crossword puzzles", "evening walks", "fishing", "gardening",
    "knitting", "listening to records", "local history", "old films", "photography", "quilting", "reading novels",
    "repairing bicycles", "singing", "stargazing", "swimming", "table tennis", "woodworking",
)  # fmt: skip
SKILLS = (
    "active listening", "attention to detail", "budgeting", "careful planning", "clear writing", "conflict resolution",
    "cooking for many", "keeping records", "mental arithmetic", "patience with beginners", "punctuality",
    "reading maps", "repairing small things", "speaking in public", "teaching by example", "working in a team",
)  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
TIMES = ("mornings", "afternoons", "evenings")
HABITS = (
    "keeps a notebook within reach", "prefers the long way home", "invites whoever is near", "likes the radio on low",
    "measures twice and cuts once", "forgets the time", "brews a second pot of tea", "hums without noticing",
    "waves at every bus", "counts the stairs", "folds paper boats", "writes lists on envelopes",
)  # fmt: skip
THINGS = (
    "acorns", "apricots", "barrels", "baskets", "bells", "blankets", "buttons", "candles", "chestnuts", "clouds",
    "copper", "cushions", "daisies", "driftwood", "embers", "feathers", "ferns", "gravel", "icicles", "ivy",
    "kites", "lanterns", "marbles", "maples", "mirrors", "moss", "pebbles", "pinecones", "ribbons", "sparrows",
)  # fmt: skip
REST = (
    "There is a drawer of unfinished things, none of them given up: {}.",
    "Advice is given when asked for, and seldom before, on {}.",
    "A good day ends with something put back where it belongs, among {}.",
    "Friends are few, old and easily pleased with {}.",
)
