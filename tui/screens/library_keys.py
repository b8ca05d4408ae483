"""The key map of the Library."""

from textual.binding import Binding, BindingType

_MOVE = Binding.Group("Move")
_FIND = Binding.Group("Find")
_ACT = Binding.Group("Act")


def _key(keys: str, action: str, text: str, name: str, group: Binding.Group) -> Binding:
    return Binding(keys, action, text, id=f"library.{name}", group=group)


LIBRARY_KEYS: list[BindingType] = [
    _key("enter", "open", "play", "open", _ACT),
    _key("d", "details", "details, verification", "details", _ACT),
    _key("V", "verify", "verify again", "verify", _ACT),
    _key("Y", "copy_link", "copy the id", "copy_link", _ACT),
    _key("R", "rescan", "read the store again", "rescan", _ACT),
    _key("D", "demo", "play the demo session", "demo", _ACT),
    _key("q", "quit", "quit", "quit", _ACT),
    # priority: the very next key belongs to the filter
    Binding("slash", "filter", "filter", id="library.filter", group=_FIND, priority=True),
    _key("S", "search", "search in all sessions", "search", _FIND),
    _key("1", "view('1')", "all sessions", "view.1", _FIND),
    _key("2", "view('2')", "live sessions", "view.2", _FIND),
    _key("5", "view('5')", "failed checks", "view.5", _FIND),
    _key("o", "sort", "sort by the next column", "sort", _FIND),
    _key("O", "reverse", "turn the order round", "reverse", _FIND),
    _key("p", "preview", "preview on / off", "preview", _FIND),
    _key("down,j", "move(1)", "next / previous session", "next", _MOVE),
    _key("up,k", "move(-1)", "next / previous session", "previous", _MOVE),
    _key("pagedown", "page(1)", "one page", "page_down", _MOVE),
    _key("pageup", "page(-1)", "one page", "page_up", _MOVE),
    _key("home", "move(-1000000000)", "first / last session", "first", _MOVE),
    _key("end,G", "move(1000000000)", "first / last session", "last", _MOVE),
    Binding("escape", "clear", show=False),
]
