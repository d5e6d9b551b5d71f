"""Number words: the English names of small numbers, as texts state ages and spans of years."""

from __future__ import annotations

ONE_TO_TEN = {
    name: number
    for number, name in enumerate("one two three four five six seven eight nine ten".split(), start=1)
}
TENS = {
    name: 10 * number
    for number, name in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)
}
