"""Gerund: an O*NET task statement as a phrase inside a sentence ("Prepare reports." -> "preparing reports")."""

from __future__ import annotations

import re
from functools import lru_cache

_IRREGULAR = {
    "be": "being",
    "dye": "dyeing",
    "singe": "singeing",
    "tinge": "tingeing",
    "layout": "laying out",
}
# Stressed on the last syllable, or compounds of a verb that doubles: the final consonant is doubled.
_DOUBLING = frozenset(
    "abet acquit admit allot begin commit compel concur confer control debug defer deter diagram dispel embed equip "
    "excel expel forget format handicap incur infer inset kidnap occur offset omit outfit output input overlap "
    "overrun patrol permit prefer preset program propel rebel recap recur refer refit regret remit repel rerun "
    "reformat reset retrofit rewrap sublet submit transfer transmit transship typeset uncap unplug unwrap unzip "
    "upset babysit unclog unpin".split()
)
_NOT_ADVERBS = frozenset(
    "apply assembly comply imply multiply rely reply supply ply bully tally rally".split()
)
_PARTICLES = frozenset("up down out off on in over back away apart together".split())
_JOINTS = frozenset({"and", "or", "and/or", "&"})
# Verbs that begin most task statements: behind a conjunction they start a second clause.
_VERBS = frozenset(
    "act adapt add adjust administer advise align analyze answer apply arrange assemble assess assign assist attach "
    "attend authorize build calculate calibrate carry check clean clear collaborate collect communicate compare "
    "compile complete compose compute conduct confer connect consult contact coordinate correct create cut decide "
    "deliver demonstrate design determine develop diagnose direct disassemble discuss dispose distribute document "
    "draft drain draw educate encourage enforce ensure enter escort establish estimate evaluate examine exchange "
    "explain fabricate file fill fit follow formulate gather give greet guide help hire hold identify implement "
    "inform initiate inspect install instruct interpret interview inventory investigate issue keep lay lead listen "
    "load locate lubricate maintain make manage mark measure meet mix modify monitor mount move negotiate notify "
    "observe obtain offer open operate order organize oversee perform place plan position post prepare present "
    "process procure produce provide purchase read recommend reconcile record recruit refer regulate relay remove "
    "repair replace report represent request requisition research resolve respond return review revise rinse "
    "schedule secure select sell send serve set sign solicit sort start stock stop store submit suggest supervise take teach tend "
    "test track train transfer transport treat trim troubleshoot turn unload update use verify visit wash weigh "
    "work write".split()
)
_PARENTHESES = re.compile(r"\s*\([^()]*\)")
_SPACES = re.compile(r"\s+")
_SECOND_CLAUSE = re.compile(
    r",? (?:and/or|and|or|then|but) (?:then |also )?(?P<verb>[a-z-]+)\b"
    r"(?P<object> (?:the|an?|them|it|their|its|any|these)\b)?"
    r"|, (?P<listed>[a-z-]+)\b"
)
# ", checking levels": what accompanies the task, unless it is a member of a list that still runs.
_ACCOMPANIED = re.compile(r", (?:[a-z]+ly )?[a-z]+ing\b")
_CUTS = (
    ", such as", " such as", ", including", ", using", ", by ", ", according", ", in accordance", " in accordance",
    ", as ", ", in order", " in order", ", so that", " so that", ", when ", " when ", ", while ", ", based on",
    ", for ", ", to ", " to ensure", ", ensuring", ", and ensure", " according to", " including", ", with ",
    " using ", " based on", " where ", ", where ", ", which ", ", following", " until ", ", or ", ", and ",
    " for use ", " by ", " to ", " for ", " from ", " in ", " on ", " with ",
)  # fmt: skip
_CLAUSE_CUTS = 33
_DANGLING = re.compile(
    r"(?:,|;|:| and| or| and/or| the| a| an| of| to| for| with| in| on| by| from| as| such| other| any| all| that"
    r"| which| their| its| using| including| necessary| between| into| at| about| upon| through| per| not| if| written"
    r"| based| taken| so| when| where)+$"
)
# Words that would embarrass a portrait, or name what this project never names.
_UNFIT = re.compile(
    r"\b(?:kill|stun|shackle|slaughter|euthan|embalm|corpse|death|deceased|cadaver|carcass|excrement|feces|urine|sexual|weapon|"
    r"prisoner|inmate|black|white|native|asian|hispanic|indian|african|etc|e\.g|i\.e|http|www)",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def gerund(verb: str) -> str:
    """Return the -ing form of a base verb; a hyphenated verb is inflected in its last part."""
    head, hyphen, last = verb.lower().rpartition("-")
    if hyphen:
        return f"{head}-{gerund(last)}"
    if last in _IRREGULAR:
        return _IRREGULAR[last]
    if last.endswith("ie"):
        return last[:-2] + "ying"
    if last.endswith("e") and not last.endswith(("ee", "oe", "ye")) and len(last) > 2:
        return last[:-1] + "ing"
    if last.endswith("ic"):
        return last + "king"
    return last + (last[-1] if _doubles(last) else "") + "ing"


def _doubles(verb: str) -> bool:
    if verb in _DOUBLING:
        return True
    one_syllable = re.fullmatch(r"(?:[^aeiouy]*qu|y?[^aeiouy]*)[aeiouy][^aeiouwxy]", verb)
    return one_syllable is not None


@lru_cache(maxsize=65536)
def gerund_phrase(task: str, longest: int = 90, shortest: int = 14) -> str | None:
    """Return a task statement as a gerund phrase of `shortest` to `longest` characters.

    Only the leading verbs are inflected; a second clause ("..., and direct calls") and trailing
    qualifications ("such as ...", "according to ...") are cut where the phrase stays whole. None when no
    whole phrase of that length is left, or the statement is unfit to describe a person by.
    """
    text = _SPACES.sub(" ", _PARENTHESES.sub("", task)).strip().rstrip(".;,")
    if not text or _UNFIT.search(text) or any(mark in text for mark in ';:{}"') or ". " in text:
        return None
    head, rest = _inflected(text.split(" "))
    if not rest:
        return None
    phrase = _shortened(_first_clause(head, " ".join(rest)), head, longest)
    return phrase if phrase is not None and shortest <= len(phrase) <= longest else None


def _inflected(tokens: list[str]) -> tuple[str, list[str]]:
    """Inflect the leading verbs ("Plan, direct, or coordinate") and return them with the tokens after them."""
    verbs: list[str] = []
    at, adverb = 0, ""
    while at < len(tokens):
        token = tokens[at]
        word = token.rstrip(",").lower()
        at += 1
        if word in _JOINTS:
            continue
        if word.endswith("ly") and word not in _NOT_ADVERBS:
            adverb = f"{adverb}{word} "
            continue
        form = gerund(word)
        comma = token.endswith(",")
        if not comma and at < len(tokens) and tokens[at].rstrip(",") in _PARTICLES:
            particle = tokens[at]
            form = f"{form} {particle.rstrip(',')}"
            comma = particle.endswith(",")
            at += 1
        verbs.append(adverb + form)
        adverb = ""
        following = tokens[at] if at < len(tokens) else ""
        if not (comma or following in _JOINTS):
            break
    if len(verbs) > 1:
        return ", ".join(verbs[:-1]) + " and " + verbs[-1], tokens[at:]
    return "".join(verbs), tokens[at:]


def _first_clause(head: str, rest: str) -> str:
    """Cut `rest` before a conjunction that starts another clause of the statement."""
    for found in _SECOND_CLAUSE.finditer(rest):
        verb = found["verb"] or found["listed"]
        if verb not in _VERBS and (found["object"] is None or verb.endswith(("s", "ing", "ed", "all"))):
            continue
        before = rest[: found.start()]
        if not _in_infinitive(before, new=found.group().startswith((", and ", ", or "))):
            return f"{head} {before}"
    return f"{head} {rest}"


def _in_infinitive(before: str, *, new: bool) -> bool:
    """Whether the verb behind `before` continues an infinitive ("to identify and resolve"), not the statement."""
    _, found, infinitive = f" {before}".rpartition(" to ")
    if not found or (new and "," not in infinitive):
        return False
    return infinitive.split(" ")[0].rstrip(",") in _VERBS


def _shortened(phrase: str, head: str, longest: int) -> str | None:
    least = len(head) + 8
    for found in _ACCOMPANIED.finditer(phrase, least):
        before = phrase[len(head) : found.start()]
        if "," not in before or re.search(r", (?:and|or) [^,]*$", before):
            phrase = phrase[: found.start()]
            break
    for index, cut in enumerate(_CUTS):
        if len(phrase) <= longest and index < _CLAUSE_CUTS and "," not in cut and " such as" not in cut:
            continue
        if len(phrase) <= longest and (index >= _CLAUSE_CUTS or cut in {", or ", ", and ", ", to "}):
            break
        if cut in {", or ", ", and "}:
            continue
        at = phrase.find(cut, least)
        if at > 0:
            phrase = phrase[:at]
    phrase = _DANGLING.sub("", phrase)
    listed = phrase.rfind(", ", len(head))
    if listed > 0 and not phrase.startswith(("and ", "or "), listed + 2):
        # A list that lost its last member reads broken: keep the first member alone.
        phrase = phrase[: phrase.find(", ", len(head))] if phrase.count(", ", len(head)) == 1 else phrase
    return phrase if len(phrase) > len(head) + 2 else None
