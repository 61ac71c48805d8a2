"""A version as one file, from one Rankloop to another: a plain tar of its directory, lineage and manifest included.

The bytes are those that were published, so the same model has the same digest everywhere. A tar from elsewhere is
untrusted: nothing is unpacked by the tar library, and only plain files with plain names are taken.
"""

from __future__ import annotations

import json
import math
import shutil
import tarfile
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from store import manifest, plain, registry, snapshots
from store.checks import clean
from store.database import Database
from store.errors import Conflict, InvalidInput, ModelRefused, NotFound
from store.published import check_files, directory_of
from store.types import Blend, Json, Version, VersionForm

_TOP = "version"
_VOUCHER = "RANKLOOP.manifest"
"""Header of the archive: the manifest vouches for every other file, and this for the manifest."""
_KEPT = ("evidence", "gate", "notes", "training")
"""Metrics that mean something elsewhere. Numbers of groups, judgments and generations belong to one database."""


def export_version(version: Version, models_dir: Path, target: Path) -> int:
    """Write the version's directory to the tar ``target`` (whole or not at all); its size in bytes.

    Raises InvalidInput for version 0, ModelRefused for a damaged directory, Conflict when ``target`` exists.
    """
    if version.form is VersionForm.FIRST_STAGE:
        raise InvalidInput(f"version {version.id} does not rerank: there is nothing to export")
    if target.exists():
        raise Conflict(f"{target} exists; choose another name")
    if not target.parent.is_dir():
        raise InvalidInput(f"there is no folder {target.parent}")
    found = check_files(version, models_dir)
    directory = directory_of(version, models_dir)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        whole = Path(scratch) / "version.tar"
        vouched = {_VOUCHER: found.digest}
        with tarfile.open(whole, "w", format=tarfile.PAX_FORMAT, pax_headers=vouched) as tar:
            for name in sorted((*found.files, manifest.NAME)):
                tar.add(directory / name, f"{_TOP}/{name}", filter=_anonymous)
        whole.rename(target)
    return target.stat().st_size


def import_version(db: Database, models_dir: Path, source: Path, now: datetime) -> Version:
    """Register the version in ``source`` under a new number. The champion stays.

    Its gate's decision is told among the reasons; here no gate has decided. Where the data set that it was trained on
    is here too, it stays known, so that no question of it counts as one that the version never saw.
    Raises InvalidInput for a file that no export writes, ModelRefused for a model that must not serve, Conflict when it
    is here already.
    """
    staged = registry.staging(models_dir, f"import-{uuid.uuid4().hex[:12]}")
    try:
        digest = _unpack(source, staged)
        found = manifest.verify(staged)
        if digest not in (None, found.digest):
            raise ModelRefused("manifest.json has changed since the version was exported")
        draft = _draft(staged, found)
        known = _known_snapshot(db, draft.metrics["origin"]["snapshot"])
        return registry.adopt(db, models_dir, staged, replace(draft, snapshot_hash=known), now)
    finally:
        shutil.rmtree(staged.parent, ignore_errors=True)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without the user, the clock and the modes of this machine: one version gives one file."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = 0
    member.mode = 0o644
    return member


def _unpack(source: Path, staged: Path) -> str | None:
    """Write the archive's files to ``staged``; the digest of the manifest that was exported, where it is told."""
    try:
        with tarfile.open(source, "r:") as tar:
            for number, (member, name) in enumerate(_members(tar), start=1):
                if number > plain.MAX_FILES:
                    raise ModelRefused(f"more than {plain.MAX_FILES} files: a model has fewer")
                path = staged / name
                if path.exists():
                    raise ModelRefused(f"{name} is there twice")
                path.parent.mkdir(parents=True, exist_ok=True)
                content = tar.extractfile(member)
                assert content is not None
                with content, path.open("xb") as out:
                    shutil.copyfileobj(content, out)
            return tar.pax_headers.get(_VOUCHER)
    except (tarfile.TarError, OSError, ValueError) as error:
        raise InvalidInput(f"{source} can't be unpacked: {error}") from error


def _members(tar: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, str]]:
    """Each file with its name below the version's directory. Raises ModelRefused for anything but plain files."""
    for member in tar:
        path = PurePosixPath(member.name)
        if member.isdir() and path == PurePosixPath(_TOP):
            continue
        if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or member.issparse():
            raise ModelRefused(f"{member.name!r:.200} is not a plain file")
        unsafe = path.is_absolute() or ".." in path.parts or "\\" in member.name or "\x00" in member.name
        if unsafe or len(path.parts) < 2 or path.parts[0] != _TOP:
            raise ModelRefused(f"{member.name!r:.200} is not a path below {_TOP}/")
        name = "/".join(path.parts[1:])
        if not plain.is_known(name) or member.size > plain.MAX_FILE:
            raise ModelRefused(f"{member.name!r:.200}: files of this kind or size are refused")
        yield member, name


def _draft(staged: Path, found: manifest.Manifest) -> registry.VersionDraft:
    lineage = manifest.lineage(staged)
    try:
        json.dumps(lineage, ensure_ascii=False, allow_nan=False).encode()
        metrics = {key: lineage["metrics"][key] for key in _KEPT if key in lineage["metrics"]}
        _check_evidence(metrics.get("evidence", {}))
        gate = lineage["gate"]
        said = str(gate["decision"] or "nothing")
        reasons = (f"Imported; the gate where it was made said {said}.", *map(str, gate["reasons"]))
        origin: Json = {key: lineage[key] for key in ("created_at", "parent", "snapshot")}
        return registry.VersionDraft(
            name=clean(str(lineage["name"]), "the name", 200),
            base=clean(str(lineage["base"]), "the base"),
            blend=_blend(lineage["blend"]),
            max_length=found.max_length,
            metrics={**metrics, "origin": {"kind": "import", "decision": said, **origin}},
            reasons=tuple(clean(reason, "a reason") for reason in reasons),
        )
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, InvalidInput) as error:
        raise ModelRefused(f"rankloop.json does not have the form of a lineage ({error})") from error


def _known_snapshot(db: Database, name: Any) -> str | None:
    """The data set of this hash where this database holds it."""
    if not isinstance(name, str):
        return None
    with db.read() as tx:
        try:
            return snapshots.head(tx, name).hash
        except NotFound:
            return None


def _blend(value: Any) -> Blend:
    weights = {name: float(value[name]) for name in ("dense", "lexical", "rerank")}
    if not all(math.isfinite(weight) for weight in weights.values()):
        raise ValueError("a weight of the blend is not finite")
    return Blend(**weights)


def _check_evidence(evidence: Any) -> None:
    """Evidence → arm → metric → number: what the admin page and the command line draw."""
    for arms in evidence.values():
        for values in arms.values():
            if not all(value is None or isinstance(value, int | float) for value in values.values()):
                raise ValueError("the evidence holds something else than numbers")
