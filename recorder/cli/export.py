"""`sealcast export`: a session in a form for others."""

import os
import shutil
from pathlib import Path

import click

from recorder.cast.reader import open_events
from recorder.cli.export_files import destination, is_stream, refuse_existing
from recorder.cli.export_forms import Source, lines_of, surveyed
from recorder.cli.pages import Verb
from recorder.cli.recordings import check_before_showing, names_of, open_target
from recorder.cli.settings import Settings, settings_of
from recorder.cli.stores import TargetType, open_store
from recorder.errors import ExitCode, SealcastError
from recorder.safe_text import safe
from recorder.store.layout import Store
from recorder.store.targets import Target, resolve

_MAX_OUTPUT_LINES = 1_000


@click.command(
    cls=Verb,
    examples=[
        ("sealcast export k7f3q9xw --format md -o incident.md", "a document for a postmortem"),
        ("sealcast export k7f3q9xw --format cast -o k7.cast", "the sealed recording, with its signature"),
        ("sealcast export k7f3q9xw --format cast --markers -o k7.cast", "an unsigned copy to jump in"),
    ],
    codes=[ExitCode.OK, ExitCode.USAGE, ExitCode.TARGET, ExitCode.FORMAT],
)
@click.argument("target", type=TargetType())
@click.option(
    "--format",
    "form",
    type=click.Choice(["cast", "cast3", "md", "txt"]),
    required=True,
    help="The sealed recording, asciicast v3, Markdown, or plain text.",
)
@click.option("-o", "path", metavar="FILE", default="-", help="Where to; - is standard output (-).")
@click.option("--markers", is_flag=True, help="With cast: an unsigned copy with one marker per command.")
@click.option("--max-lines", type=click.IntRange(min=0), default=_MAX_OUTPUT_LINES, metavar="N")
@click.option("--force", is_flag=True, help="Replace FILE.")
@click.pass_context
def export(
    context: click.Context,
    *,
    target: str,
    form: str,
    path: str,
    markers: bool,
    max_lines: int,
    force: bool,
) -> None:
    """Write a session in a form for others.

    cast is the sealed recording itself, byte for byte: it verifies, and with -o its signature is written
    beside it. Seals hold for these bytes only, so cast --markers and cast3 are new, unsigned files: their
    title says so, and they have one marker per command, which players jump to, and one for each thing that
    players do not show. md tells who, where from, when, the verdict, what a transfer did to files, and every
    command with at most --max-lines lines of its output (1000). txt is a transcript. What is not in a form
    stands in it as a sentence, and on stderr.
    """
    settings = settings_of(context)
    store = open_store(settings)
    found = resolve(store, target)
    if found.at is not None or found.until is not None:
        raise SealcastError("a session is exported whole", f"leave out the time: {names_of(found).short}")
    sealed = form == "cast" and not markers
    for name in _files(path, sealed=sealed):
        refuse_existing(name, force=force)
    verdict = check_before_showing(store, found, settings)
    if sealed:
        _copy_sealed(store, found, path, settings)
        return
    source = Source(found, verdict, surveyed(found), settings, max_lines)
    with destination(path) as file:
        file.writelines(lines_of(source, form))
    _note_losses(source, form)


def _files(path: str, *, sealed: bool) -> list[str]:
    """What will be written."""
    return [path, f"{path}.sig"] if sealed and not is_stream(path) else [path]


def _copy_sealed(store: Store, target: Target, path: str, settings: Settings) -> None:
    with open_target(target) as recording:
        open_events(recording, names_of(target).full)  # what is no recording is not exported as one
    with open_target(target) as recording, destination(path) as file:
        shutil.copyfileobj(recording, file, 1 << 20)
    if not is_stream(path):
        _copy_signature(store, target, f"{path}.sig", settings)


def _copy_signature(store: Store, target: Target, path: str, settings: Settings) -> None:
    if target.session is not None:
        signature = store.sealed_signature_path(target.session.id)
    else:
        signature = Path(f"{target.path}.sig")
    if signature.exists():
        with destination(path) as file:
            file.write(signature.read_bytes())
        return
    if os.path.lexists(path):
        os.unlink(path)  # another file's: it was to be replaced
    settings.note("there is no signature to go with it")


def _note_losses(source: Source, form: str) -> None:
    """The export says itself what is not in it; here it is for who exports."""
    for loss in source.survey.losses():
        source.settings.note(safe(loss))
    if form in ("cast", "cast3") and source.survey.seals:
        source.settings.note(
            f"an unsigned copy: its {source.survey.seals:,} seals hold for the recording only"
        )
