"""The published columns of the two releases of Nemotron-Personas, which datasets of en_US must have."""

from __future__ import annotations

from shipped import united_states

TEXTS = (
    *(
        "persona",
        "professional_persona",
        "sports_persona",
        "arts_persona",
        "travel_persona",
        "culinary_persona",
    ),
    *(
        "skills_and_expertise",
        "skills_and_expertise_list",
        "hobbies_and_interests",
        "hobbies_and_interests_list",
    ),
    "career_goals_and_ambitions",
)
PEOPLE = (
    *("sex", "age", "marital_status", "education_level", "bachelors_field", "occupation"),
    *("city", "state", "zipcode", "country"),
)
NEMOTRON = ("uuid", *TEXTS, *PEOPLE)
NEMOTRON_1_1 = ("uuid", *TEXTS[:6], "cultural_background", *TEXTS[6:], *PEOPLE)
UNITED_STATES = united_states().context_columns
"""The public context columns of en_US."""
