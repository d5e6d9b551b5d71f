"""Answers of the test server for prompts with facts in Spanish, by the requested schema."""

from __future__ import annotations

import random
from typing import Any

PASTIMES = (
    "jugar ajedrez", "leer novelas", "caminar temprano", "sembrar tomates", "cantar boleros", "ver la pelota",
    "tejer manteles", "nadar en la playa", "tocar la guitarra", "pintar paisajes", "visitar museos",
)  # fmt: skip
SKILLS = (
    "llevar las cuentas", "escuchar con calma", "reparar la nevera", "hablar en público", "planificar el mes",
    "cocinar para muchos", "enseñar con ejemplos", "redactar cartas", "ordenar papeles", "negociar precios",
)  # fmt: skip
SIDES = ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo")


def value(name: str, spec: dict[str, Any], facts: dict[str, str], draw: random.Random) -> Any:
    """Return a value of the schema's type that agrees with the facts."""
    if "enum" in spec:
        return spec["enum"][0]
    pool = PASTIMES if name.startswith("hobbies") else SKILLS
    items = random.Random(f"{facts}{pool}").sample(pool, 6)
    if spec.get("type") == "array":
        return [item.capitalize() for item in items]
    who = "esta mujer" if facts.get("Sexo", "").startswith("mujer") else "este hombre"
    age, day = facts.get("Edad", "40").split()[0], draw.choice(SIDES)
    topic = name.removesuffix("_persona").replace("_", " ")
    first, second = draw.sample(PASTIMES, 2)
    if name.endswith("persona"):
        return (
            f"En lo que toca a {topic}, {who} de {age} años prefiere {first} los {day} por la tarde y {second} con los "
            f"vecinos, aunque la lluvia de los {draw.choice(SIDES)} le obligue a cambiar de planes en {topic}."
        )
    listed = f"{', '.join(items[:-1])} y {items[-1]}"
    return (
        f"Como {who} sabe {listed}, se habla mucho en la casa de {topic}. Cada {day} dedica una hora a {first}, sin "
        f"prisa, con la radio encendida y {topic} en la cabeza. Para el año próximo quisiera más tiempo para "
        f"{second} y para los suyos, y en {topic} más calma."
    )
