"""The options that every command takes, and what they come to."""

import math
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import click

from recorder import VERSION


@dataclass(slots=True)
class Settings:
    """`verbosity` is below zero for quiet; `store` is the folder named by --store, if any."""

    verbosity: int = 0
    color: str = "auto"
    pager: bool = True
    interactive: bool = True
    ascii: bool = False
    store: str | None = None
    zone: tzinfo = UTC

    def note(self, text: str) -> None:
        """One line for the person on stderr, unless --quiet."""
        if self.verbosity >= 0:
            click.echo(self.signs(f"sealcast: {text}"), err=True)

    def colored(self, stream: object) -> bool:
        """Whether colours go to this stream: by --color, NO_COLOR, FORCE_COLOR, else if it is a terminal."""
        if self.color != "auto":
            return self.color == "always"
        if os.environ.get("NO_COLOR"):
            return False
        if os.environ.get("FORCE_COLOR"):
            return True
        return bool(getattr(stream, "isatty", bool)()) and os.environ.get("TERM") != "dumb"

    def signs(self, text: str) -> str:
        """Our own signs in ASCII where --ascii asks for it."""
        return text.translate(_ASCII) if self.ascii else text

    def stamp(self, moment: datetime, *, seconds: bool = False) -> str:
        return moment.astimezone(self.zone).strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")

    def zone_name(self) -> str:
        return datetime.now(self.zone).strftime("%Z")


_ASCII = str.maketrans({"✓": "+", "✗": "X", "…": ".", "–": "-", "∅": "0", "·": "-", "×": "x", "●": "*"})


class Finite(click.FloatRange):
    """A number in a range. NaN is in none, though no bound keeps it out."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401  click's signature
        number = super().convert(value, param, ctx)
        return self.fail(f"{value} is no number", param, ctx) if math.isnan(number) else number


def settings_of(context: click.Context) -> Settings:
    """The settings of this invocation; they start as the defaults at its root."""
    return context.find_root().ensure_object(Settings)


pass_settings = click.make_pass_decorator(Settings, ensure=True)


def _stores(field: str) -> Callable[[click.Context, click.Parameter, object], None]:
    def callback(context: click.Context, _parameter: click.Parameter, value: object) -> None:
        if value is not None:
            setattr(settings_of(context), field, value)

    return callback


def _verbosity(context: click.Context, parameter: click.Parameter, value: int | bool) -> None:
    settings = settings_of(context)
    if value:
        settings.verbosity = -1 if parameter.name == "quiet" else max(settings.verbosity, 0) + int(value)


def _zone(context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value is None:
        return
    settings_of(context).zone = MachineZone() if value == "local" else _named_zone(value)


class MachineZone(tzinfo):
    """The zone of this machine with its summer times: each moment has the offset that was in force then."""

    def fromutc(self, moment: datetime) -> datetime:
        there = moment.replace(tzinfo=UTC).astimezone()
        here = there.replace(tzinfo=self)
        return here if here.utcoffset() == there.utcoffset() else here.replace(fold=1)

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        return None if moment is None else moment.replace(tzinfo=None).astimezone().utcoffset()

    def dst(self, _moment: datetime | None) -> timedelta | None:
        return None

    def tzname(self, moment: datetime | None) -> str | None:
        return None if moment is None else moment.replace(tzinfo=None).astimezone().tzname()


def _named_zone(name: str) -> tzinfo:
    import zoneinfo  # noqa: PLC0415  only this option needs it; rec starts without

    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise click.BadParameter(f'no time zone "{name}"; an example is Europe/Berlin') from error


def _version(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        python = ".".join(map(str, sys.version_info[:3]))
        click.echo(f"sealcast {VERSION} (Python {python})")
        context.exit()


def common_options(*, hidden: bool) -> list[click.Option]:
    """Fresh options for a command; hidden where the page of the whole program lists them already."""

    def option(*names: str, **attributes: object) -> click.Option:
        return click.Option(names, expose_value=False, hidden=hidden, is_eager=True, **attributes)  # type: ignore[arg-type]  # click types each keyword, this passes them on

    return [
        option("--version", is_flag=True, callback=_version, help="Print the version."),
        option("-q", "--quiet", is_flag=True, callback=_verbosity, help="Errors only."),
        option(
            "-v", "--verbose", count=True, callback=_verbosity, help="Say more; -vv prints error reports."
        ),
        option(
            "--color",
            type=click.Choice(["auto", "always", "never"]),
            callback=_stores("color"),
            help="When to use colours (auto).",
        ),
        option(
            "--no-pager",
            "pager",
            flag_value=False,
            is_flag=True,
            default=None,
            callback=_stores("pager"),
            help="Never page long output.",
        ),
        option(
            "--no-input",
            "interactive",
            flag_value=False,
            is_flag=True,
            default=None,
            callback=_stores("interactive"),
            help="Never ask.",
        ),
        option(
            "--ascii", is_flag=True, default=None, callback=_stores("ascii"), help="Signs and lines in ASCII."
        ),
        option(
            "--store",
            metavar="PATH",
            callback=_stores("store"),
            help="The folder with the recordings (SEALCAST_STORE, SEALCAST_HOME).",
        ),
        option("--utc", "zone_utc", flag_value="UTC", callback=_zone, help="Times in UTC (the default)."),
        option(
            "--local",
            "zone_local",
            flag_value="local",
            callback=_zone,
            help="Times in the zone of this machine.",
        ),
        option(
            "--tz", "zone", metavar="ZONE", callback=_zone, help="Times in this zone, such as Europe/Berlin."
        ),
    ]
