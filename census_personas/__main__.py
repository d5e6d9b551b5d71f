"""The command `personas`, also as `python -m census_personas`; Ctrl-C ends it in one line at any time."""

from __future__ import annotations

import sys


def main() -> None:
    """Load the command line and run it; an interrupt while it loads ends with exit code 130 too."""
    try:
        from census_personas.generator.cli.main import main as run  # noqa: PLC0415  loading may be interrupted

        run()
    except KeyboardInterrupt:
        print("personas: interrupted", file=sys.stderr)  # noqa: T201  only a command prints
        sys.exit(130)


if __name__ == "__main__":
    main()
