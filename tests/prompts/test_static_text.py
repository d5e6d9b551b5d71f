from __future__ import annotations

from pathlib import Path

import census_personas.prompts
from census_personas.prompts.static_text import static_texts

SHIPPED = Path(census_personas.prompts.__path__[0]) / "en_US"


def test_passages_end_at_facts(tmp_path: Path) -> None:
    (tmp_path / "narratives").mkdir()
    (tmp_path / "personas.j2").write_text(
        "---\ndescription: Second call.\nangles: [keeps count of something]\n---\n"
        "{% block user %}Write about {{ first_name }} of {{ city }}, in one sentence.{% endblock %}\n"
    )
    (tmp_path / "narratives" / "sports.j2").write_text("---\ndescription: Sports.\n---\nAs age allows.\n")
    said = static_texts(tmp_path)
    assert {"Second call.", "keeps count of something", "Write about ", " of ", "Sports."} <= set(said)
    assert ", in one sentence." in said
    assert not any("first_name" in passage or "{" in passage for passage in said)


def test_shipped_set_has_long_passages() -> None:
    assert sum(len(passage.split()) >= 8 for passage in static_texts(SHIPPED)) > 10
