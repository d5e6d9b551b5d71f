"""Diversity of a dataset's texts: the commonest items and the share of distinct ones, compared with another dataset.

    python benchmarks/diversity.py ROWS.parquet [--beside OTHER.parquet] [--rows 10000] [--most 50] [--json]

ROWS and OTHER are datasets in the Nemotron schema: a file, or a run folder. Two datasets are compared over the same
number of rows, the first of each, and the text fields that both have, since every figure depends on these.

For each kind the commonest items are listed with the share of the people who have them, the two datasets side by side.
Below stand the share of all items that is listed, and the share that is distinct, with the ratio of the two datasets:

- openings: the three words after the name of a narrative;
- verbs: what follows the name, "he", "she", "they" or "who" in a narrative, but for adverbs and function words;
- hobbies: the items of `hobbies_and_interests_list`;
- dishes: the last two words of each noun phrase of the culinary persona, a phrase being what stands between punctuation
  and words such as "and", "with" and "of". Some of what it lists is no dish, in both datasets alike;
- frames: the sentences of the narratives with "_" for every word that is not a function word, and for numbers.

Sentences, near-duplicates, distinct n-grams, openings and the Vendi score are those of `validators/dataset`.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from statistics import fmean
from typing import Any

from census_personas.foundation.dataset_reader import dataset_files
from census_personas.foundation.errors import DatasetError
from census_personas.foundation.record_reader import read_records
from census_personas.foundation.schema import NARRATIVES, PROSE
from census_personas.validators.dataset.diversity import nameless, opening_of, text_diversity
from census_personas.validators.dataset.duplication import near_duplication, sentence_sharing, sentences_of
from census_personas.validators.dataset.vendi import MOST, vendi_score
from census_personas.validators.text.prose import plain, words
from census_personas.validators.text.record_view import RecordView

Record = Mapping[str, Any]
FUNCTION_WORDS = frozenset(
    "a about across after all also although an and another any are around as at be because been before behind being"
    " between but by can could did do does down during each either even ever every few for from had has have he her"
    " hers him his how if in into is it its itself just like may might more most much must near neither never no nor"
    " not of off often on once one only onto or other our out over own per rather several she should since so some"
    " still such than that the their them then there these they this those though three through to too toward"
    " towards two under until up upon was well were what when where whether which while who whom whose why will with"
    " within without would yet always sometimes usually s t".split()
)
_SKIPPED = frozenset("also always still never often sometimes usually now then both not".split())
_PHRASE_END = re.compile(r"[^a-z' -]+")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows_of", metavar="ROWS", type=Path)
    parser.add_argument("--beside", type=Path)
    parser.add_argument("--rows", type=int, default=10_000, help="rows read of each at most")
    parser.add_argument("--most", type=int, default=50, help="commonest items listed of each kind")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    options = parser.parse_args()
    places = [options.rows_of] if options.beside is None else [options.rows_of, options.beside]
    result = compare([read_some(place, options.rows) for place in places], options.most)
    if options.json:
        print(json.dumps(result))
    else:
        print("\n".join(tables(result, [place.stem for place in places])))


def read_some(place: Path, most: int) -> list[dict[str, Any]]:
    """The first rows of a dataset."""
    return list(islice(chain.from_iterable(map(read_records, dataset_files(place))), most))


def compare(datasets: Sequence[Sequence[Record]], most: int) -> dict[str, Any]:
    """Measure one or two datasets over equal numbers of rows and the text fields that all of them have."""
    rows = min(map(len, datasets))
    cut = [[RecordView.of(record) for record in records[:rows]] for records in datasets]
    present = [{field for view in views for field in view.prose} for views in cut]
    fields = [field for field in PROSE if all(field in some for some in present)]
    return {
        "rows": rows,
        "fields": fields,
        "commonest": {
            kind: [commonest(views, items, most) for views in cut] for kind, items in KINDS.items()
        },
        "measures": [measured(views, fields) for views in cut],
    }


def commonest(
    views: Sequence[RecordView], items: Callable[[RecordView], Iterable[str]], most: int
) -> dict[str, Any]:
    """The items that most people have, with their share of the people, and the listed items' share of all items."""
    people: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for view in views:
        found = list(items(view))
        total.update(found)
        people.update(set(found))
    listed = sorted(people.items(), key=lambda pair: (-pair[1], pair[0]))[:most]
    number = total.total()
    return {
        "items": number,
        "different": len(total),
        "listed_share": sum(total[item] for item, _ in listed) / number if number else 0.0,
        "commonest": [[item, count / len(views)] for item, count in listed],
    }


def measured(views: Sequence[RecordView], fields: Sequence[str]) -> dict[str, Any]:
    """The measures of texts: sentences of two people, near-duplicates, distinct n-grams, openings and Vendi score."""
    sharing = sentence_sharing(views, fields)
    rows_of = Counter(sentence for view in views for sentence in set(sentences_of(view, fields)))
    times = Counter(sentence for view in views for sentence in sentences_of(view, fields))
    shared = sum(count for sentence, count in times.items() if rows_of[sentence] > 1)
    with_persona = [view for view in views if "persona" in view.prose][:MOST]
    return {
        "sentences": times.total(),
        "shared_sentences": shared,
        "rows_sharing_share": sharing.share,
        "commonest_sentence": sharing.commonest,
        "near_duplicate_share": near_duplication(views).share,
        "near_duplicate_share_narratives": near_duplication(views, NARRATIVES).share,
        "vendi": vendi_score(with_persona) if with_persona else None,
        "texts": {text.field: text.as_dict() for text in text_diversity(views)},
    }


def openings(view: RecordView) -> Iterator[str]:
    """The opening of each narrative."""
    return (opening_of(words(text)) for text in nameless(view).values())


def verbs(view: RecordView) -> Iterator[str]:
    """What the person does: the first word after the name, or after a pronoun for it, that may be a verb."""
    name = f"{re.escape(view.name.full.lower())}|" if view.name else ""
    for text in map(str.lower, view.narratives.values()):
        for match in re.finditer(rf"\b(?:{name}he|she|they|who)(?= ((?:[a-z'-]+ ){{1,4}}))", text):
            after = (word for word in match[1].split() if word not in _SKIPPED and not word.endswith("ly"))
            if (verb := next(after, "")) and verb not in FUNCTION_WORDS:
                yield verb


def hobbies(view: RecordView) -> Iterator[str]:
    """The items of the list of hobbies, in lower case."""
    return (plain(item).casefold() for item in view.list_of("hobbies_and_interests_list") or ())


def dishes(view: RecordView) -> Iterator[str]:
    """The last two words of each noun phrase of the culinary persona."""
    name = frozenset(words(view.name.full)) if view.name else frozenset()
    for part in _PHRASE_END.split(view.lowered.get("culinary_persona", "")):
        phrase: list[str] = []
        for token in (*words(part), "the"):
            if token not in FUNCTION_WORDS and token not in name:
                phrase.append(token)
                continue
            if len(phrase) > 1:
                yield " ".join(phrase[-2:])
            phrase = []


def frames(view: RecordView) -> Iterator[str]:
    """The skeleton of each sentence of the narratives: its function words, and "_" for what stands between them."""
    for sentence in sentences_of(view, NARRATIVES):
        skeleton: list[str] = []
        for token in sentence.split():
            part = token if token in FUNCTION_WORDS else "_"
            if part != "_" or skeleton[-1:] != ["_"]:
                skeleton.append(part)
        yield " ".join(skeleton)


KINDS: dict[str, Callable[[RecordView], Iterable[str]]] = {
    "openings": openings,
    "verbs": verbs,
    "hobbies": hobbies,
    "dishes": dishes,
    "frames": frames,
}


def tables(result: Mapping[str, Any], names: Sequence[str]) -> Iterator[str]:
    """What was measured as lines of text, the datasets side by side."""
    yield f"{result['rows']} rows of each; fields: {', '.join(result['fields'])}"
    for kind, sides in result["commonest"].items():
        yield f"\n{kind:<8}" + "".join(f"{name[:40]:>50}" for name in names)
        for place in range(max(len(side["commonest"]) for side in sides)):
            yield f"{place + 1:>8}" + "".join(_item(side["commonest"], place) for side in sides)
        shares = [side["listed_share"] for side in sides]
        yield f"{'listed':>8}" + "".join(f"{share:>50.1%}" for share in shares) + _ratio(shares)
        different = [side["different"] / max(side["items"], 1) for side in sides]
        yield f"{'distinct':>8}" + "".join(f"{share:>50.1%}" for share in different) + _ratio(different)
    yield ""
    for label, value in MEASURES.items():
        values = [value(side) for side in result["measures"]]
        yield f"{label:<40}" + "".join(f"{number:>14.4f}" for number in values) + _ratio(values)
    for name, side in zip(names, result["measures"], strict=True):
        yield f"commonest sentence of {name}: {side['commonest_sentence']}"


def _item(commonest: Sequence[tuple[str, float]], place: int) -> str:
    if place >= len(commonest):
        return " " * 50
    item, share = commonest[place]
    return f"{item[:40]:>42}{share:>8.2%}"


def _ratio(values: Sequence[float]) -> str:
    return f"   ratio {values[0] / values[1]:.2f}" if len(values) > 1 and values[1] else ""


def _mean(side: Mapping[str, Any], value: Callable[[Any], float]) -> float:
    return fmean(map(value, side["texts"].values()))


MEASURES: dict[str, Callable[[Mapping[str, Any]], float]] = {
    "sentences that two people have": lambda side: side["shared_sentences"] / max(side["sentences"], 1),
    "people who share a sentence": lambda side: side["rows_sharing_share"],
    "near-duplicates, persona": lambda side: side["near_duplicate_share"],
    "near-duplicates, six personas": lambda side: side["near_duplicate_share_narratives"],
    "distinct words, mean of fields": lambda side: _mean(side, lambda text: text["distinct"]["1"]),
    "distinct pairs, mean of fields": lambda side: _mean(side, lambda text: text["distinct"]["2"]),
    "distinct threes, mean of fields": lambda side: _mean(side, lambda text: text["distinct"]["3"]),
    "different openings, mean of fields": lambda side: _mean(side, lambda text: text["openings"]),
    "commonest opening, mean of fields": lambda side: _mean(side, lambda text: text["commonest_opening"][1]),
    "compression, mean of fields": lambda side: _mean(side, lambda text: text["compression"]),
    "Vendi score of at most 1,000 personas": lambda side: side["vendi"] or 0.0,
}


if __name__ == "__main__":
    try:
        main()
    except DatasetError as error:
        sys.exit(f"diversity.py: {error}")
