"""`sealcast verify`: are the bytes what was signed, and is nothing missing?"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import click

from recorder.cli import output
from recorder.cli.pages import Verb
from recorder.cli.progress import Progress
from recorder.cli.recordings import names_of
from recorder.cli.settings import Settings, settings_of
from recorder.cli.stores import TargetType, expand_targets, open_store
from recorder.errors import ExitCode, SealcastError
from recorder.index.query import parse
from recorder.log.audit import LogFinding
from recorder.safe_text import safe
from recorder.store.catalog import Session
from recorder.store.checking import Checker
from recorder.store.layout import Store
from recorder.store.state import State
from recorder.store.targets import Target, resolve
from recorder.store.verdict import Verdict

SCHEMA = "sealcast.verdicts/1"
_CALM = (ExitCode.OK, ExitCode.UNVERIFIED)
_GRAVITY = (ExitCode.BAD, ExitCode.TARGET, ExitCode.FORMAT, ExitCode.SOME, ExitCode.UNVERIFIED)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one target: a verdict, or why there is none."""

    name: str
    target: Target | None
    verdict: Verdict | None
    error: SealcastError | None = None

    @property
    def code(self) -> ExitCode:
        if self.verdict is not None:
            return self.verdict.exit_code
        return self.error.code if self.error is not None else ExitCode.TARGET


@click.command(
    cls=Verb,
    examples=[
        ("sealcast verify k7f3q9xw", "one session"),
        ("sealcast verify --all", "every session, and the log of the host"),
        ("sealcast verify --query 'after:-7d'", "those that fit a query"),
        ("sealcast verify copy.cast.zst", "a file from elsewhere"),
    ],
    codes=[
        ExitCode.OK,
        ExitCode.USAGE,
        ExitCode.TARGET,
        ExitCode.BAD,
        ExitCode.UNVERIFIED,
        ExitCode.SOME,
        ExitCode.FORMAT,
    ],
    topics=["query", "exit"],
)
@click.argument("targets", nargs=-1, type=TargetType(), metavar="[TARGET]...")
@click.option("--all", "everything", is_flag=True, help="Every session of the store, and its log.")
@click.option("--query", metavar="QUERY", help="The sessions that fit.")
@click.option("--json", "form", flag_value="json", help="One JSON document.")
@click.option("--jsonl", "form", flag_value="jsonl", help="One JSON object per line, as found.")
@click.pass_context
def verify(
    context: click.Context, *, targets: Sequence[str], everything: bool, query: str | None, form: str | None
) -> int:
    """Verify signatures, seals, closing and log entry.

    Two verdicts for each recording. Integrity: these bytes are what was signed. Completeness: nothing was
    cut off or left out, held against the log of the host. Of several results the gravest decides the exit
    code: 4, then 3, then 6, then 5.
    """
    if bool(targets) + everything + (query is not None) != 1:
        raise SealcastError("name what to verify: TARGET…, or --all, or --query", "sealcast verify --all")
    settings = settings_of(context)
    store = open_store(settings)
    checker, chosen = _by_name(store, targets) if targets else _sessions(store, query, settings)
    log = checker.audit.findings if everything and store.exists() else []
    report = _Report(settings, form, brief=not targets)
    for result in _checked(checker, chosen, settings):
        report.add(result)
    report.finish(log)
    return _exit_code([result.code for result in report.results], log)


def _by_name(store: Store, targets: Sequence[str]) -> tuple[Checker, list[Result]]:
    """Of several targets the list of sessions is made once; of one, its own entries are enough."""
    names = list(expand_targets(targets))
    if len(names) == 1:
        result = _named(store, names[0], None)
        session = result.target.session if result.target is not None else None
        return Checker(store, None if session is None else session.id), [result]
    checker = Checker(store)
    return checker, [_named(store, name, checker) for name in names]


def _named(store: Store, name: str, checker: Checker | None) -> Result:
    try:
        return Result(name, resolve(store, name, None if checker is None else checker.sessions), None)
    except SealcastError as error:
        return Result(name, None, None, error)


def _sessions(store: Store, query: str | None, settings: Settings) -> tuple[Checker, list[Result]]:
    parsed = parse(query or "", zone=settings.zone)
    if parsed.needs_check:
        raise SealcastError("check: asks for what verify is about to find out", "use it with sealcast ls")
    checker = Checker(store)
    chosen = (session for session in checker.sessions if parsed.matches(session))
    return checker, [Result(session.id, Target(session.path, session), None) for session in chosen]


def _checked(checker: Checker, chosen: list[Result], settings: Settings) -> Iterator[Result]:
    """One after the other, with progress in bytes for one and in recordings for many."""
    single = chosen[0].target.session if len(chosen) == 1 and chosen[0].target else None
    if len(chosen) == 1:
        size = (single.size_bytes or 0) if single is not None else 0
        with Progress("verifying", size, settings, unit="bytes") as progress:
            yield _check(checker, chosen[0], progress)
        return
    with Progress("verifying", len(chosen), settings) as progress:
        for number, result in enumerate(chosen):
            progress.update(number)
            checked = _check(checker, result, None)
            progress.clear()
            yield checked


def _check(checker: Checker, result: Result, progress: Progress | None) -> Result:
    if result.target is None:
        return result
    try:
        verdict = checker.check(result.target, progress.update if progress else None)
    except SealcastError as error:
        return Result(result.name, result.target, None, error)
    if progress is not None:
        progress.clear()
    return Result(result.name, result.target, verdict)


class _Report:
    """Writes results as they come, and the sum of them at the end."""

    def __init__(self, settings: Settings, form: str | None, *, brief: bool) -> None:
        """`brief` leaves out what is verified, unless -v asks for it."""
        self.results: list[Result] = []
        self._settings = settings
        self._form = form
        self._brief = brief and settings.verbosity < 1

    def add(self, result: Result) -> None:
        self.results.append(result)
        if self._form == "jsonl":
            output.write_json(item(result), one_line=True)
        elif self._form is None and not (self._brief and result.code == ExitCode.OK):
            self._write(result)

    def _write(self, result: Result) -> None:
        first, *rest = (self._settings.signs(line) for line in _lines(result, self._settings))
        alarming = result.code not in _CALM and self._settings.colored(sys.stdout)
        click.echo(click.style(first, bold=True) if alarming else first)
        for line in rest:
            click.echo(line)

    def finish(self, log: Iterable[LogFinding]) -> None:
        if self._form == "json":
            output.write_json(_document(self.results, log))
        elif self._form == "jsonl":
            for finding in log:
                output.write_json(_log_item(finding), one_line=True)
        else:
            self._sum_up(log)

    def _sum_up(self, log: Iterable[LogFinding]) -> None:
        for finding in log:
            click.echo(self._settings.signs(f"✗ the log: {safe(finding.sentence)}"))
        if self._brief and not self.results:
            self._settings.note("no sessions to verify")
        elif self._brief:
            click.echo(self._settings.signs(_counts(self.results)))
        failed = sum(result.code not in _CALM for result in self.results)
        if failed:
            self._settings.note(f"{failed:,} of {len(self.results):,} failed")


def _lines(result: Result, settings: Settings) -> Iterator[str]:
    if result.verdict is None or result.target is None:
        reason = safe(result.error.message.split("\n")[0]) if result.error else "not found"
        yield f"✗ {safe(result.name)}  {reason}"
        return
    verdict = result.verdict
    yield f"{verdict.sign} {names_of(result.target).short}  {verdict.word}{_who(result.target, settings)}"
    yield f"    integrity     {safe(verdict.integrity)}"
    yield f"    completeness  {safe(verdict.completeness)}"
    if verdict.state is State.VERIFIED and settings.verbosity < 1:
        return
    for row in verdict.rows:
        if settings.verbosity >= 1:
            yield f"    {row.sign} {safe(row.name):12} {safe(row.result)}"
        yield from (f"    {safe(advice)}" for advice in row.advice)


def _who(target: Target, settings: Settings) -> str:
    session = target.session
    if session is None:
        return ""
    return f"  {safe(session.user)}@{safe(session.host)} {settings.stamp(session.start)}"


def _counts(results: Iterable[Result]) -> str:
    """`✓ 190 verified   … 2 partial   ✗ 1 BAD SIGNATURE`, in the order of the states."""
    found = Counter(result.verdict.state if result.verdict else State.UNREADABLE for result in results)
    return "   ".join(f"{state.sign} {found[state]:,} {state.word}" for state in State if found[state])


def _exit_code(codes: list[ExitCode], log: Sequence[LogFinding]) -> ExitCode:
    """4 over 3 over 6 over 5; a lone failure keeps its own code."""
    seen = set(codes) | ({ExitCode.BAD} if log else set())
    worst = next((code for code in _GRAVITY if code in seen), ExitCode.OK)
    several = len(codes) > 1 and worst is ExitCode.FORMAT
    return ExitCode.SOME if several else worst


def _document(results: list[Result], log: Iterable[LogFinding]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "total": len(results),
        "complete": all(result.verdict is not None for result in results),
        "items": [item(result) for result in results],
        "log": [_log_item(finding) for finding in log],
    }


def _log_item(finding: LogFinding) -> dict[str, Any]:
    return {"log": "bad", "sentence": finding.sentence}


def item(result: Result) -> dict[str, Any]:
    """One result for programs."""
    verdict, target = result.verdict, result.target
    session: Session | None = target.session if target else None
    return {
        "target": result.name,
        "id": session.id if session else None,
        "path": str(target.path) if target and target.path else None,
        "error": result.error.message if result.error else None,
        "exit_code": int(result.code),
        "check": verdict_object(verdict) if verdict else None,
    }


def verdict_object(verdict: Verdict) -> dict[str, Any]:
    return {
        "state": str(verdict.state),
        "word": verdict.word,
        "integrity": verdict.integrity,
        "completeness": verdict.completeness,
        "verified_to_s": verdict.verified_to_s,
        "bad_from_s": verdict.bad_from_s,
        "rows": [
            {"name": row.name, "sign": row.sign, "result": row.result, "advice": list(row.advice)}
            for row in verdict.rows
        ],
        "findings": [
            {
                "kind": str(finding.kind),
                "sentence": finding.sentence,
                "first_line": finding.first_line,
                "last_line": finding.last_line,
                "start_s": finding.start_s,
                "end_s": finding.end_s,
            }
            for finding in verdict.findings
        ],
    }
