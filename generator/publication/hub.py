"""Hub: a run's public files in a dataset repository of the Hugging Face hub, by its own library."""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
from collections.abc import Container, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from census_personas.generator.publication.contents import PUBLIC_MANIFEST, PublicationError, PublicFile
from census_personas.generator.publication.privacy import leaks

_SHOWN = 5
_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_OF_THE_HUB = frozenset({".gitattributes"})
"""Files that the hub itself puts into a new repository."""


def push(files: Sequence[PublicFile], repository: str, *, public: bool = False, replace: bool = False) -> str:
    """Publish files in one commit; return its address.

    Files that the repository already has are not sent again, so the same call resumes one that was interrupted.

    Args:
        files: as `public_files` returns them.
        repository: `ORGANISATION/NAME` or `USER/NAME`.
        public: for everybody to see; private by default. A repository that exists must be as public as asked.
        replace: allow a repository that has other files, or another run; these are deleted.

    Raises:
        PublicationError: a file has a suspect, the repository has other content or another visibility, or the hub
            refuses or is away.
    """
    if not _NAME.fullmatch(repository):
        raise PublicationError(f"{repository}: no name of a repository; write ORGANISATION/NAME")
    refuse_leaks(files)
    hub = _library()
    with _told(repository):
        api = hub.HfApi()
        api.create_repo(repository, repo_type="dataset", private=not public, exist_ok=True)
        _refuse_visibility(
            repository, is_private=api.repo_info(repository, repo_type="dataset").private, public=public
        )
        there = set(api.list_repo_files(repository, repo_type="dataset")) - _OF_THE_HUB
        others = sorted(there - {file.path for file in files})
        if others and not replace:
            raise PublicationError(
                f"{repository}: has {len(others)} other files, such as {others[0]}; give another repository, or add "
                "--replace, which deletes them"
            )
        if there and not replace and (other := _other_run(api, repository, there, files)):
            raise PublicationError(f"{repository}: has {other}; give another repository, or add --replace")
        operations: list[Any] = [hub.CommitOperationDelete(path) for path in others]
        operations += [hub.CommitOperationAdd(file.path, _sent(file.content)) for file in files]
        commit = api.create_commit(
            repository, operations, repo_type="dataset", commit_message="Publish a run of census-personas"
        )
    return str(commit.commit_url)


def _refuse_visibility(repository: str, *, is_private: bool, public: bool) -> None:
    if public and is_private:
        raise PublicationError(
            f"{repository}: exists and is private, which --public does not change; change it on the hub, or leave "
            "--public out"
        )
    if not public and not is_private:
        raise PublicationError(
            f"{repository}: exists and is public; add --public, or give another repository"
        )


def _other_run(api: Any, repository: str, there: Container[str], files: Sequence[PublicFile]) -> str:
    """Return what a repository has instead of this run; empty if it has this run, or a part of it."""
    if PUBLIC_MANIFEST not in there:
        return f"files without a {PUBLIC_MANIFEST}, which may be another dataset"
    with tempfile.TemporaryDirectory() as folder:
        path = api.hf_hub_download(repository, PUBLIC_MANIFEST, repo_type="dataset", local_dir=folder)
        seen = _fingerprint(Path(path).read_bytes())
    (own,) = (file.content for file in files if file.path == PUBLIC_MANIFEST)
    return "" if isinstance(own, bytes) and seen == _fingerprint(own) else "another run"


def _fingerprint(manifest: bytes) -> object:
    try:
        values = json.loads(manifest)
    except ValueError:
        return None
    return values.get("fingerprint") if isinstance(values, dict) else None


def refuse_leaks(files: Sequence[PublicFile]) -> None:
    """Refuse files with keys, personal data or local paths.

    Raises:
        PublicationError: the message has the first places, not the values.
    """
    found = list(islice(leaks(files), _SHOWN + 1))
    if found:
        more = " and more" if len(found) > _SHOWN else ""
        raise PublicationError(
            f"not published, for it may hold what others must not see: {'; '.join(found[:_SHOWN])}{more}; make the run "
            "again without it (a rule can reject such texts)"
        )


def _sent(content: Path | bytes) -> str | bytes:
    return content if isinstance(content, bytes) else str(content)


def _library() -> Any:
    try:
        import huggingface_hub.errors  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise PublicationError(
            'huggingface_hub is not installed; pip install "census-personas[hub]"'
        ) from error
    return huggingface_hub


@contextlib.contextmanager
def _told(repository: str) -> Iterator[None]:
    """Turn the library's errors into one line with a remedy."""
    errors = _library().errors

    try:
        yield
    except errors.HFValidationError as error:
        raise PublicationError(f"{repository}: no name of a repository; write ORGANISATION/NAME") from error
    except errors.LocalTokenNotFoundError as error:
        raise PublicationError(f"{repository}: {_LOG_IN}") from error
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        remedy = _REMEDIES.get(status, "try again later; what was sent is not sent again")
        raise PublicationError(f"{repository}: the hub answers {status}; {remedy}") from error
    except (errors.HTTPError, OSError) as error:
        raise PublicationError(
            f"{repository}: the hub cannot be reached ({type(error).__name__}); see the network and HF_ENDPOINT, and "
            "repeat the command"
        ) from error


_LOG_IN = "no token; run `hf auth login`, or set HF_TOKEN"
_REMEDIES = {
    401: _LOG_IN,
    403: "the token may not write there; use one with the right to write to this name",
    404: "see whether the name is right and the token may see it",
    409: "somebody else writes there; repeat the command",
    429: "too many requests; wait a few minutes and repeat the command",
}
