"""Work phrases: phrases for the tasks, tools and skills of an occupation in texts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from census_personas.census_priors.build.en_US.gerund import gerund_phrase
from census_personas.census_priors.build.en_US.tool_names import name_tool

LONGEST, LONGEST_SHORT = 84, 62
"""Most characters of a task's phrase in a narrative, and in a list."""
# Words of tasks that only supervisors do.
_SUPERVISION = re.compile(
    r"\b(?:supervise|supervising|oversee|hire)\b|^(?:Train|Direct|Assign|Manage|Recruit|Educate)\b.{0,45}"
    r"\b(?:staff|workers?|employees|personnel|technicians|engineers|assistants|crews?|teams?|subordinates)\b",
    re.IGNORECASE,
)
# Phrases for O*NET names of skills and knowledge.
_SKILL_WORDS = {
    "active learning": "learning on the job",
    "administration and management": "team administration",
    "administrative": "office administration",
    "biology": "a grounding in biology",
    "building and construction": "construction know-how",
    "chemistry": "practical chemistry",
    "communications and media": "media communication",
    "complex problem solving": "untangling hard problems",
    "computers and electronics": "computer skills",
    "coordination": "coordinating with others",
    "customer and personal service": "customer service",
    "design": "design principles",
    "economics and accounting": "basic accounting",
    "education and training": "training others",
    "engineering and technology": "engineering basics",
    "english language": "clear written English",
    "equipment maintenance": "equipment upkeep",
    "equipment selection": "choosing the right equipment",
    "fine arts": "artistic technique",
    "food production": "food handling",
    "foreign language": "foreign languages",
    "geography": "geographic knowledge",
    "history and archeology": "historical research",
    "installation": "equipment installation",
    "instructing": "instructing beginners",
    "judgment and decision making": "sound judgment",
    "law and government": "rules and regulations",
    "learning strategies": "teaching methods",
    "management of financial resources": "budget management",
    "management of material resources": "materials management",
    "management of personnel resources": "staff supervision",
    "mathematics": "practical math",
    "mechanical": "mechanical know-how",
    "medicine and dentistry": "medical knowledge",
    "monitoring": "progress monitoring",
    "negotiation": "negotiating",
    "operation and control": "equipment operation",
    "operations analysis": "working out what a system must do",
    "operations monitoring": "reading gauges and indicators",
    "personnel and human resources": "hiring and staff relations",
    "philosophy and theology": "ethical reasoning",
    "persuasion": "bringing others around",
    "physics": "applied physics",
    "production and processing": "production planning",
    "psychology": "applied psychology",
    "public safety and security": "workplace safety",
    "quality control analysis": "quality control",
    "reading comprehension": "close reading",
    "repairing": "equipment repair",
    "science": "scientific reasoning",
    "service orientation": "looking after people's needs",
    "social perceptiveness": "reading people",
    "sociology and anthropology": "cultural awareness",
    "speaking": "confident speaking",
    "systems analysis": "seeing how systems fit together",
    "systems evaluation": "judging how well systems work",
    "technology design": "adapting tools to the task",
    "telecommunications": "communications equipment",
    "therapy and counseling": "counseling",
    "transportation": "transport logistics",
    "writing": "concise writing",
}


def phrase_columns(tasks: Iterable[str], tools: Iterable[str], skills: Iterable[str]) -> dict[str, list[Any]]:
    """Return the phrase columns of one occupation (see `Occupation`), aligned with their sources."""
    phrases = [_phrase(task) for task in tasks]
    named = [name_tool(tool) for tool in tools]
    return {
        "task_phrases": [long for long, _, _ in phrases],
        "task_short_phrases": [short for _, short, _ in phrases],
        "task_supervises": [supervises for _, _, supervises in phrases],
        "tool_names": [name for name, _ in named],
        "tool_kinds": [kind for _, kind in named],
        "skill_phrases": [_SKILL_WORDS.get(skill, skill) for skill in skills],
    }


def _phrase(task: str) -> tuple[str, str, bool]:
    """Return a task's phrase for narratives and for lists, and whether it supervises others."""
    long = gerund_phrase(task, LONGEST)
    short = long if long and len(long) <= LONGEST_SHORT else gerund_phrase(task, LONGEST_SHORT)
    return long or "", short or "", _SUPERVISION.search(task) is not None
