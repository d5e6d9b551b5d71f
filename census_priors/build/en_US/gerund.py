"""Gerund: turns an O*NET task statement into a phrase ("Prepare reports." -> "preparing reports")."""

from __future__ import annotations

import re

_IRREGULAR = {
    "be": "being",
    "dye": "dyeing",
    "singe": "singeing",
    "tinge": "tingeing",
    "layout": "laying out",
}
# Verbs that double the final consonant: stressed on the last syllable, or compounds of such verbs.
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
# Verbs that begin most task statements; after a conjunction they start a second clause.
_VERBS = frozenset(
    "ascertain backfill beat bolt compact dial exchange feed guard level log post probe process readjust reevaluate "
    "refund reorder rivet sanitize stamp summon tamp weld "
    "accept access accompany acquire activate adapt add address adhere adjust administer admit advertise "
    "advise advocate affix alert align allocate alter analyze anchor announce answer apply appoint "
    "appraise apprehend approve arrange arrest ask assemble assess assign assimilate assist attach "
    "attempt attend audition authorize automate bake bathe bend bleach break brief buff build butcher buy "
    "calculate calibrate call cancel capture care carry carve change check choose circulate clamp "
    "classify clean cleanse clear climb close coach collaborate collect combine comfort communicate "
    "compare compile complete compose compound compress compute conduct confer configure connect conserve "
    "consider construct consult contact contribute converse convert cook cool coordinate correct "
    "correspond counsel count couple crank create cure customize cut decide decontaminate decorate define "
    "deliver demonstrate deposit depress describe detect determine develop devise diagnose dig direct "
    "disassemble discard discharge discipline disconnect discuss disinfect dislodge dismantle dismount "
    "dispatch dispense dispose disseminate distinguish distribute divide document download draft drain "
    "draw drill drive dump duplicate edit educate eliminate embalm embed emphasize employ empty encourage "
    "enforce engage engineer engrave enhance ensure enter erect escort establish estimate euthanize "
    "evaluate examine execute experiment explain expose extend extinguish extract fabricate facilitate "
    "fasten feel file fill find fold follow forecast formulate furnish garnish gather generate give greet "
    "grill grind guide handle harvest haul hear help hire hoist hold identify ignite immerse implement "
    "impose improve improvise incise incorporate inform initiate inject insert inspect install instruct "
    "integrate interact interpret interview inventory investigate involve isolate issue join keep "
    "laminate lay learn leave lift listen load locate lower lubricate maintain make manage maneuver "
    "manipulate mark massage match measure mediate meet melt mentor mix modify mold monitor mop mount "
    "move mow negotiate notify observe obtain offer open operate optimize order organize overhaul oversee "
    "pack park participate patrol pay perform persuade photograph pick place plan plot portion pose "
    "position pour preheat prepare preprocess prescribe present preserve preside prevent prime prioritize "
    "procure produce promote proofread propose protect provide prune publish pull pump punch purchase "
    "push put question quote raise re-enter read reassemble rebuild receive recognize recommend reconcile record "
    "recover recruit redesign refer refill refinish refuel register regulate relay release remove render "
    "replace replenish report represent reproduce request requisition rescue reset resolve respond "
    "restock restore restrain retrieve return review revise rewire rework ride rinse rotate route run "
    "salvage scan schedule scrape screen scribe scrub search secure seek select sell send separate serve "
    "set settle sew shade shape sharpen shave shovel show shut sign signal simulate sing skim skin slice "
    "slide smooth soak solicit sort speak specialize specify splice spray spread sprinkle stand start "
    "stay steer sterilize stir stop store straighten stretch strip subcontract submit substitute suggest "
    "summarize supervise suspend sweep switch synchronize synthesize take talk tap teach tear tend test "
    "testify thin tie tighten tow trace track train transcribe transfer translate transmit transplant "
    "transport transpose travel treat trim troubleshoot tune turn tutor unclamp unload unpack update "
    "upload use validate vary verify visit warn wash watch waterproof weigh wet wipe withdraw work wrap "
    "write".split()
)
# Words that are mostly nouns, where they are verbs: by what follows them in the statements, or by what they break off.
_NOUN_AS_VERB = re.compile(
    r"(?:control weeds|lead funeral|pass required|cover charges|solder connections|wire speakers"
    r"|(?:repair|stack) (?:or|and|the|them|it|in|on|by|using|as|if|when|to)\b|stack$)"
)
# Verbs that may be adjectives: "accurate and complete records" has one clause.
_ADJECTIVES = frozenset(
    "alternate approximate appropriate clean clear close complete correct direct dry empty lower open present secure "
    "select separate".split()
)
_ADJECTIVE = re.compile(r"[a-z-]+(?:ate|ed|(?<!ri)al|ful|ic|(?<!m)ent|ant|ous|ble|ive|ear|eat|afe)")
_PARENTHESES = re.compile(r"\s*\([^()]*\)")
# What stands between a first verb and its object: "Sell, for a fee, real estate".
_INSERTED = re.compile(
    r"^([A-Za-z-]+), (?:for|in|on|by|with|at|from|through|under|within|without|as) [^,]+, "
)
_SPACES = re.compile(r"\s+")
_SECOND_CLAUSE = re.compile(
    r",? (?:and/or|and|or|then|but) (?:then |also )?(?P<verb>[a-z-]+)\b"
    r"(?P<object> (?:the|an?|them|it|their|its|any|these)\b)?"
    r"|, (?P<listed>[a-z-]+)\b"
)
# ", checking levels": an accompanying action, unless it is a member of an unfinished list.
_ACCOMPANIED = re.compile(r", (?:[a-z]+ly )?[a-z]+ing\b")
# Starts of qualifications that add nothing about the person; the second group is cut only to shorten a phrase.
_ALWAYS_CUT = (
    ", such as", " such as", ", including", ", using", ", by ", ", according", ", in accordance", ", as ",
    ", in order", ", so that", ", when ", ", while ", ", based on", ", for ", ", and ensure", ", with ", ", where ",
    ", which ", ", following", " based on", " pertaining to", " relating to",
    " to ensure that they", " to ensure they", " so that they", " so they", " that they", " to see that they",
    " as they",
)  # fmt: skip
_CUT_TO_FIT = (
    " in accordance", " in order", " so that", " when ", " to ensure", " according to", " including", ", to ",
    " using ", " based on", " where ", " until ", " for use ", " by ", " to ", " for ", " from ", " in ", " on ",
    " with ",
)  # fmt: skip
_LIST_END = re.compile(r", (?:and|or) ")
# A choice in a statement ("or") means both for one person.
_CHOICE = re.compile(r"(?<!whether),? (?:and/or|or|and) ")
# Phrases without meaning, or without their verb.
_EMPTY = re.compile(
    r"\bdut(?:y|ies)\b|\bas assigned|directing all activity|\bsuch (?:activities|information)$"
    r"|, [a-z]+est$|^(?:recommending actions|using)\b"
    r"|^(?:verifying|ensuring|checking|confirming|determining) (?:that|whether|if)"
    r"(?!.* (?:is|are|was|were|be|been|can|could|has|have|had|may|meet|match|work|[a-z]+(?:[^s]s|ed))\b)"
    r"|\b(?:in|during|for|of) the (?:[a-z]+(?:tion|sion|ing|ment|al)|use|design|care)$"
    # Phrases cut in the middle, or before their only informative word.
    r"|\b(?:are|is|was|were|be|locate|obtain|response|conformance|relation|regard)$"
    r"|\b(?:in|on|of|for|by|through|with|from|as) (?:areas|techniques|activities|factors|matters|items|methods|means"
    r"|tasks|issues|conditions|topics|subjects|sources|purposes|fields|forms|processes)$"
    r"|\b(?:to (?:determine|make|conceptualize|explore|identify|verify|ensure|cutting)|as opposed|of patient"
    r"|of emergency|with (?:client|customer|scientific|managerial)|common|similar)$"
    r"|\band care$|^following (?:procedures|instructions)$"
    r"|^(?:referring|providing) [a-z]+(?:ers|ents|ians|ees)$"
    r"|\binto computer\b|^selecting number|\b(?:tending|operating) machine\b|^helping \w+$|^training users$"
    r"|^learning material$"
)
_DANGLING = re.compile(
    r"(?:,|;|:| and| or| and/or| the| a| an| of| to| for| with| in| on| by| from| as| such| other| any| all"
    r"| that(?: [a-z]+)?"
    r"| which| their| its| using| including| necessary| between| into| at| about| upon| through| per| not| if| written"
    r"| appropriate| associated| engaged| involved| responsible| unable| concerned| existing| medical| various| new"
    r"| according| due| provided"
    r"| directly| applying| pertaining| submitted| received| obtained| regarding| concerning| relating| relevant"
    r"| based| required| related| needed| specified| set| taken| so| when| where| how| whether| what| who)+$"
)
# "verifying customer": a truncated noun, or a singular for several.
_ONE_THING = re.compile(
    r"[a-z]+ing (?!equipment|merchandise|machinery|information|research|money|data|payment|compliance|security"
    r"|assistance|knowledge|order|material|dictation|feedback|budget)[a-z-]+(?<!s)"
)
# Words that would embarrass a portrait, or name what this project never names.
_UNFIT = re.compile(
    r"\bown\b|\b(?:kill|stun|shackle|slaughter|euthan|embalm|corpse|death|deceased|cadaver|carcass|excrement|feces|fecal|urin|sexual|weapon|"
    r"prisoner|inmate|black|white|native|asian|hispanic|indian|african|etc|e\.g|i\.e|http|www)",
    re.IGNORECASE,
)


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


def gerund_phrase(task: str, longest: int = 90, shortest: int = 14) -> str | None:
    """Return a task statement as a gerund phrase that is cut to `shortest` to `longest` characters.

    Only the leading verbs are inflected; a second clause ("..., and direct calls") and trailing
    qualifications ("such as ...", "according to ...") are cut where the phrase stays whole. None when no
    whole phrase of that length is left, or the statement is unfit to describe a person by. In the phrase an "or"
    becomes an "and", one character longer.
    """
    text = _SPACES.sub(" ", _PARENTHESES.sub("", task)).strip().rstrip(".;,")
    text = _INSERTED.sub(r"\1 ", text)
    if not text or _UNFIT.search(text) or any(mark in text for mark in ';:{}"') or ". " in text:
        return None
    head, rest = _inflected(text.split(" "))
    if not rest:
        return None
    phrase = _shortened(_first_clause(head, " ".join(rest)), head, longest)
    if phrase is None or not shortest <= len(phrase) <= longest or _EMPTY.search(phrase):
        return None
    if _ONE_THING.fullmatch(phrase):
        return None
    return _CHOICE.sub(" and ", phrase)


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
        at = found.start("verb" if found["verb"] else "listed")
        sure = verb in _VERBS or _NOUN_AS_VERB.match(rest, at) is not None
        if not sure and (found["object"] is None or verb.endswith(("s", "ing", "ed", "all"))):
            continue
        before = rest[: found.start()]
        if not _in_infinitive(before, new=found.group().startswith((", and ", ", or "))):
            # "accurate, complete, and correct records": adjectives that could be verbs.
            whole = verb in _ADJECTIVES and _ADJECTIVE.fullmatch(before) is not None
            return f"{head} {rest if whole else before}"
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
        if before.endswith("ing"):
            break
        if "," not in before or _LIST_END.search(before, before.rfind(",")):
            phrase = phrase[: found.start()]
            break
    for cut in _ALWAYS_CUT:
        phrase = _before(phrase, cut, len(head) + 4)
    for cut in _CUT_TO_FIT:
        if len(phrase) > longest:
            phrase = _before(phrase, cut, least)
    phrase = _DANGLING.sub("", _without_broken_list(phrase, len(head)))
    return phrase if len(phrase) > len(head) + 2 else None


def _before(phrase: str, cut: str, least: int) -> str:
    at = phrase.find(cut, least)
    return phrase if at < 0 else phrase[:at]


def _without_broken_list(phrase: str, start: int) -> str:
    """Cut a list that lost its last member to its first, and a second list behind a finished one."""
    ends = [found.start() for found in _LIST_END.finditer(phrase, start)]
    if len(ends) > 1:
        return phrase[: phrase.find(", ", ends[0] + 1)]
    last = phrase.rfind(", ", start)
    if last < 0 or re.search(r"\b(?:and|or)\b", phrase[last:]):
        return phrase
    first = phrase[start : phrase.find(", ", start)].strip()
    if first.endswith("ing"):  # "heating, lighting systems": the noun that all of them belong to is lost
        return phrase[:start]
    # "accurate, detailed reports": one word that is no plural is the first of two adjectives.
    return phrase if " " not in first and not first.endswith("s") else f"{phrase[:start]} {first}"
