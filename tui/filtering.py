"""Which sessions of a list fit a query; what it asks about commands is looked up in the index."""

from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo

from recorder.index.database import NAME, damage_told, open_index
from recorder.index.query import Query, Scope, parse
from recorder.index.search import Search, SearchStoppedError
from recorder.store.catalog import Session
from recorder.store.state import State
from tui.source import Source


def read_filter(text: str, zone: tzinfo, source: Source) -> Query:
    """The query of a filter line. `QueryError` where it cannot be read, or needs an index that is not there.

    As long as no term names a fact of commands, bare text means the words of sessions: that takes no time.
    """
    query = parse(text, zone=zone, scope=Scope.SESSIONS)
    if query.needs_index and (source.store.root / NAME).exists():
        return query
    return parse(text, zone=zone)


def fitting(
    query: Query,
    sessions: Sequence[Session],
    states: Mapping[str, State],
    source: Source,
    stopped: Callable[[], bool],
) -> list[Session]:
    """Those that fit, in their order. `SealcastError` where the index cannot be read."""
    if not query.needs_index:
        return [session for session in sessions if query.matches(session, states.get(session.id))]
    with damage_told():
        connection = open_index(source.store.root / NAME)
        try:
            search = Search(connection, query, lambda name: str(states.get(name, "")), stopped)
            ids = set(search.sessions())
        except SearchStoppedError:
            return []
        finally:
            connection.close()
    return [session for session in sessions if session.id in ids]
