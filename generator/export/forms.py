"""Forms: functions from a person to what a program loads."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined
from jinja2 import TemplateError as JinjaError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from census_personas.foundation.errors import PersonasError
from census_personas.generator.export.person import Person

Form = Callable[[Person], Mapping[str, Any]]
INSTRUCTION = "You answer as the person that the traits describe, in the first person."


class ExportError(PersonasError, ValueError):
    """A form, a template or a destination that cannot be used; the message names it and the remedy."""


def chat(template: Path | None = None) -> Form:
    """Return a form of OpenAI chat messages: `{"messages": [{"role": "system", "content": …}], "uuid": …}`.

    Args:
        template: a Jinja template for the system prompt, with the variables `name`, `facts` (each with `name` and
            `value`), `texts` (each with `field`, `title` and `value`), `lists` and `traits`; by default the shipped
            one.

    Raises:
        ExportError: the template cannot be read or parsed.
    """
    place = "system_prompt.j2" if template is None else str(template)
    try:
        source = (
            files(__package__).joinpath("system_prompt.j2").read_text(encoding="utf-8")
            if template is None
            else template.read_text(encoding="utf-8")
        )
        environment = ImmutableSandboxedEnvironment(
            undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        parsed = environment.from_string(source)
    except (OSError, UnicodeDecodeError) as error:
        raise ExportError(
            f"{place}: cannot be read ({error}); give a text file with a Jinja template"
        ) from error
    except JinjaError as error:
        raise ExportError(f"{place}: {error}; mend the template") from error

    def message(person: Person) -> Mapping[str, Any]:
        try:
            said = parsed.render(
                name=person.name,
                facts=[{"name": _words(key), "value": _shown(value)} for key, value in person.facts.items()],
                texts=[
                    {"field": key, "title": _words(key), "value": value}
                    for key, value in person.texts.items()
                ],
                lists=dict(person.lists),
                traits=dict(person.traits),
            )
        except JinjaError as error:
            raise ExportError(f"{place}: {error}; known are name, facts, texts, lists and traits") from error
        return {"messages": [{"role": "system", "content": said.strip()}], "uuid": person.uuid}

    return message


def edsl(person: Person) -> Mapping[str, Any]:
    """Return an agent for EDSL's `Agent.from_dict`, or one entry of an `AgentList`: name, traits and instruction."""
    traits = {
        **person.facts,
        **person.texts,
        **{key: ", ".join(items) for key, items in person.lists.items()},
    }
    return {
        "name": person.uuid,
        "traits": {**traits, **person.traits, **({"full_name": person.name} if person.name else {})},
        "instruction": INSTRUCTION,
        "edsl_class_name": "Agent",
    }


def tinytroupe(person: Person) -> Mapping[str, Any]:
    """Return TinyTroupe's agent specification (`TinyPerson`), as in its file `Lisa.agent.json`."""
    by_role, country = person.roles, person.facts.get("country")
    home = (by_role.get("municipality"), by_role.get("region"), country)
    persona: dict[str, Any] = {
        "name": person.name or person.uuid,
        "age": by_role.get("age"),
        "gender": by_role.get("sex"),
        "nationality": by_role.get("birth", country),
        "residence": ", ".join(str(place) for place in home if place),
        "education": _shown(by_role.get("schooling", "")),
        "occupation": {
            "title": _shown(by_role.get("occupation", "")),
            "description": person.texts.get("professional_persona", ""),
        },
        "personality": {
            "traits": [text for key, text in person.texts.items() if key == "persona"],
            "big_five": {
                key: f"T-score {score}, where 50 is the mean" for key, score in person.traits.items()
            },
        },
        "preferences": {"interests": list(person.lists.get("hobbies_and_interests_list", ()))},
        "skills": list(person.lists.get("skills_and_expertise_list", ())),
        "long_term_goals": [
            text for key, text in person.texts.items() if key == "career_goals_and_ambitions"
        ],
        "other_facts": [
            text
            for key, text in person.texts.items()
            if key not in {"persona", "professional_persona", "career_goals_and_ambitions"}
        ],
    }
    return {"type": "TinyPerson", "persona": persona}


def _words(key: str) -> str:
    return key.replace("_", " ").capitalize()


def _shown(value: Any) -> str:
    return (
        value.replace("_", " ")
        if isinstance(value, str)
        else json.dumps(value, ensure_ascii=False, default=str)
    )
