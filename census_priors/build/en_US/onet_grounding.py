"""O*NET grounding: selects short and distinctive O*NET details of an occupation.

An OCCP code often covers several O*NET occupations, which are read in order of closeness. Details that more of them
share come first, so that a postsecondary teacher grades papers before teaching astronomy.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median_low

import pandas as pd

from census_personas.census_priors.build.source import SourceError

TASKS, TOOLS, TECHNOLOGIES, SKILLS, KNOWLEDGE, TITLES = 8, 3, 3, 3, 3, 6
LONGEST_TASK, LONGEST_TOOL, LONGEST_TITLE = 150, 40, 36
COMPONENTS = 12  # most O*NET occupations used for one code, closest first
IMPORTANT = 3.0  # O*NET importance scale 1-5: 3 is "important"
# Required level of education, categories 1-12, as the locale's seven levels.
EDUCATION = dict(
    enumerate(
        ("9th_12th_no_diploma", "high_school", "some_college", "some_college", "associates", "bachelors"),
        start=1,
    )
) | dict.fromkeys(range(7, 13), "graduate")


@dataclass(frozen=True)
class Grounding:
    """The O*NET files of one folder; its methods take the O*NET codes of an occupation."""

    folder: Path

    @classmethod
    def read(cls, folder: Path) -> Grounding:
        """Open a folder of O*NET text files (`Task_Statements.tsv.gz`, …)."""
        if not (folder / "Occupation_Data.tsv.gz").is_file():
            raise SourceError(f"{folder}: no O*NET files there; fetch the text edition from onetcenter.org")
        return cls(folder)

    def closest(self, codes: Sequence[str], soc: str) -> list[str]:
        """Select the codes to use: those of the SOC code itself if they have tasks, base codes (.00) first."""
        described = [code for code in codes if code in self._tasks]
        described = [code for code in described if code[:7] == soc] or described
        return [code for code in described if code.endswith(".00")] or described or list(codes)

    @cached_property
    def _related(self) -> dict[str, list[str]]:
        raw = self._file("Related_Occupations")
        raw = raw[raw["Relatedness Tier"] == "Primary-Short"]
        return _listed(
            raw.assign(index=raw["Index"].astype(int)).sort_values("index"), "Related O*NET-SOC Code"
        )

    def _rated(self, codes: Sequence[str], known: Container[str]) -> list[str]:
        """Return rated codes, or rated related ones for occupations too new for ratings."""
        rated = [code for code in codes if code in known]
        related = (other for code in codes for other in self._related.get(code, []))
        return rated or [other for other in related if other in known]

    def _file(self, name: str) -> pd.DataFrame:
        path = self.folder / f"{name}.tsv.gz"
        if not path.is_file():
            raise SourceError(f"{path}: no such file; fetch the O*NET text edition from onetcenter.org")
        frame = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, quoting=3, compression="gzip")
        return frame.rename(columns={"O*NET-SOC Code": "onet"})

    @property
    def codes(self) -> list[str]:
        """All O*NET-SOC codes, ascending."""
        return sorted(self._file("Occupation_Data")["onet"])

    @cached_property
    def _zones(self) -> dict[str, int]:
        zones = self._file("Job_Zones")
        return dict(zip(zones["onet"], zones["Job Zone"].astype(int), strict=True))

    def job_zone(self, codes: Sequence[str]) -> int:
        """Return the (lower) median job zone (1 little preparation … 5 extensive); 0 if O*NET has none."""
        zones = [self._zones[code] for code in codes if code in self._zones]
        return median_low(zones) if zones else 0

    @cached_property
    def _required(self) -> dict[str, dict[str, float]]:
        raw = self._file("Education_Training_and_Experience")
        raw = raw[raw["Scale ID"] == "RL"]
        levels = raw["Category"].astype(float).astype(int).map(EDUCATION)
        required: dict[str, dict[str, float]] = {}
        for onet, level, share in zip(raw["onet"], levels, raw["Data Value"].astype(float), strict=True):
            found = required.setdefault(onet, {})
            found[level] = found.get(level, 0.0) + share
        return required

    def education(self, codes: Sequence[str]) -> str:
        """Return the education required according to most incumbents; '' if O*NET has none."""
        total: dict[str, float] = {}
        for code in self._rated(codes, self._required):
            for level, share in self._required[code].items():
                total[level] = total.get(level, 0.0) + share
        return min(total, key=lambda level: (-total[level], level)) if total else ""

    @cached_property
    def _tasks(self) -> dict[str, list[str]]:
        raw = self._file("Task_Statements")
        raw["asked"] = pd.to_numeric(raw["Incumbents Responding"], errors="coerce").fillna(0)
        raw["core"] = raw["Task Type"] == "Core"
        raw["id"] = raw["Task ID"].astype(int)
        raw = raw[raw["Task"].str.len() <= LONGEST_TASK]
        return _listed(raw.sort_values(["core", "asked", "id"], ascending=[False, False, True]), "Task")

    def tasks(self, codes: Sequence[str]) -> list[str]:
        """Return up to 8 tasks, core ones first, in O*NET's words without the final stop."""
        return [task.rstrip(". ") for task in _shared(self._tasks, codes, TASKS)]

    @cached_property
    def _tools(self) -> dict[str, list[str]]:
        return _distinctive(self._file("Tools_Used"), LONGEST_TOOL)

    @cached_property
    def _technologies(self) -> dict[str, list[str]]:
        raw = self._file("Technology_Skills")
        hot = (raw["In Demand"] == "Y") | (raw["Hot Technology"] == "Y")
        return _distinctive(raw[hot], LONGEST_TOOL)

    def tools(self, codes: Sequence[str]) -> list[str]:
        """Return up to 3 tools and 3 technologies in demand, those of fewer occupations first."""
        found = [_lower(tool) for tool in _shared(self._tools, codes, TOOLS)]
        return found + _shared(self._technologies, codes, TECHNOLOGIES)

    @cached_property
    def _skills(self) -> dict[str, list[str]]:
        return _above_average(self._file("Skills"))

    @cached_property
    def _knowledge(self) -> dict[str, list[str]]:
        return _above_average(self._file("Knowledge"))

    def skills(self, codes: Sequence[str]) -> list[str]:
        """Return up to 3 skills and 3 fields of knowledge that matter more here than in other occupations."""
        found = _shared(self._skills, self._rated(codes, self._skills), SKILLS)
        found += _shared(self._knowledge, self._rated(codes, self._knowledge), KNOWLEDGE)
        return [_lower(skill) for skill in dict.fromkeys(found)]

    @cached_property
    def _titles(self) -> dict[str, list[str]]:
        raw = self._file("Sample_of_Reported_Titles").rename(
            columns={"Reported Job Title": "Alternate Title"}
        )
        raw = pd.concat([raw, self._file("Alternate_Titles")], ignore_index=True)
        title = raw["Alternate Title"].str.replace(r"\s*\(.*?\)", "", regex=True).str.strip()
        raw = raw.assign(shown=raw["Shown in My Next Move"].eq("Y"), order=range(len(raw)))
        plain = title.str.fullmatch(r"[A-Z][A-Za-z' -]+") & title.str.len().between(4, LONGEST_TITLE)
        raw = raw.assign(title=title)[plain].sort_values(["shown", "order"], ascending=[False, True])
        return _listed(raw, "title")

    def alternate_titles(self, codes: Sequence[str]) -> list[str]:
        """Return up to 6 short titles from incumbents, in lower case except for abbreviations."""
        return [_lower(title) for title in _round_robin([self._titles.get(c, []) for c in codes], TITLES)]


def _listed(frame: pd.DataFrame, column: str) -> dict[str, list[str]]:
    return {str(onet): list(dict.fromkeys(part)) for onet, part in frame.groupby("onet", sort=False)[column]}


def _distinctive(frame: pd.DataFrame, longest: int) -> dict[str, list[str]]:
    """Choose one example per commodity, those of few occupations first, but those of a single one last."""
    frame = frame[frame["Example"].str.len() <= longest]
    usual = frame.groupby("Example")["onet"].transform("nunique")
    spread = frame.groupby("Commodity Title")["onet"].transform("nunique")
    frame = frame.assign(usual=usual, spread=spread.where(spread > 1, len(frame)))
    frame = frame.sort_values(["onet", "spread", "Commodity Title", "usual", "Example"], kind="stable")
    return _listed(frame.drop_duplicates(["onet", "Commodity Title"]), "Example")


def _above_average(frame: pd.DataFrame) -> dict[str, list[str]]:
    frame = frame[frame["Scale ID"] == "IM"].assign(value=lambda raw: raw["Data Value"].astype(float))
    frame["above"] = frame["value"] - frame.groupby("Element Name")["value"].transform("mean")
    frame = frame[frame["value"] >= IMPORTANT]
    return _listed(frame.sort_values(["above", "Element Name"], ascending=[False, True]), "Element Name")


def _shared(choices: dict[str, list[str]], codes: Sequence[str], count: int) -> list[str]:
    """Select items of several occupations: those that most of them share first, then in turn."""
    lists = [choices.get(code, []) for code in codes[:COMPONENTS]]
    having = Counter(item for found in lists for item in found)
    ranked = [sorted(found, key=lambda item: -having[item]) for found in lists]
    return _round_robin(ranked, count)


def _round_robin(lists: Sequence[Sequence[str]], count: int) -> list[str]:
    longest = max((len(found) for found in lists), default=0)
    turns = (found[i] for i in range(longest) for found in lists if i < len(found))
    return list(dict.fromkeys(turns))[:count]


def _lower(text: str) -> str:
    """Convert to lower case, except words with two or more capitals (CNC, PowerPoint)."""
    return re.sub(r"[A-Za-z']+", lambda m: m[0] if sum(map(str.isupper, m[0])) > 1 else m[0].lower(), text)
