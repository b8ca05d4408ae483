"""The key map of the player."""

from textual.binding import Binding, BindingType

_PLAYBACK = Binding.Group("Playback")
_GO = Binding.Group("Go to")
_LOOK = Binding.Group("Look")
_ACT = Binding.Group("Act")


def _key(keys: str, action: str, text: str, name: str, group: Binding.Group) -> Binding:
    return Binding(keys, action, text, id=f"player.{name}", group=group)


PLAYER_KEYS: list[BindingType] = [
    _key("space,p", "play", "play / pause", "play", _PLAYBACK),
    _key("left", "seek(-5)", "5 seconds", "seek_back", _PLAYBACK),
    _key("right", "seek(5)", "5 seconds", "seek_fwd", _PLAYBACK),
    _key("shift+left", "seek(-60)", "1 minute", "seek_back_long", _PLAYBACK),
    _key("shift+right", "seek(60)", "1 minute", "seek_fwd_long", _PLAYBACK),
    _key("comma", "step(-1)", "one change", "step_back", _PLAYBACK),
    _key("full_stop", "step(1)", "one change", "step_fwd", _PLAYBACK),
    _key("left_curly_bracket,less_than_sign", "slower", "half / double speed", "slower", _PLAYBACK),
    _key("right_curly_bracket,greater_than_sign", "faster", "half / double speed", "faster", _PLAYBACK),
    _key("backspace", "normal_speed", "normal speed", "speed_reset", _PLAYBACK),
    _key("i", "idle", "skip idle on / off", "idle", _PLAYBACK),
    # priority: the very next key belongs to the prompt
    Binding("g", "goto", "a typed time", id="player.goto", group=_GO, priority=True),
    Binding("slash", "search", "search this session", id="player.find", group=_GO, priority=True),
    _key("n", "find(1)", "next / previous match", "find_next", _GO),
    _key("N", "find(-1)", "next / previous match", "find_prev", _GO),
    _key("home", "share(0)", "start", "start", _GO),
    _key("G,end", "end", "end", "end", _GO),
    _key("pageup", "by_share(-0.1)", "10 percent", "pct_back", _GO),
    _key("pagedown", "by_share(0.1)", "10 percent", "pct_fwd", _GO),
    *(_key(str(n), f"share({n / 10})", "0 % … 90 %", f"pct.{n}", _GO) for n in range(10)),
    _key("up,k", "command(-1)", "previous / next command", "cmd_prev", _GO),
    _key("down,j", "command(1)", "previous / next command", "cmd_next", _GO),
    _key("e", "failed(1)", "next / previous failed", "fail_next", _GO),
    _key("E", "failed(-1)", "next / previous failed", "fail_prev", _GO),
    _key("left_square_bracket", "mark(-1)", "previous / next mark", "mark_prev", _GO),
    _key("right_square_bracket", "mark(1)", "previous / next mark", "mark_next", _GO),
    _key("f", "full", "full screen", "full", _LOOK),
    _key("s", "sidebar", "sidebar on / off", "sidebar", _LOOK),
    _key("t", "timeline", "timeline on / off", "timeline", _LOOK),
    _key("plus,equals_sign", "zoom(1)", "zoom the timeline", "zoom_in", _LOOK),
    _key("minus", "zoom(-1)", "zoom the timeline", "zoom_out", _LOOK),
    _key("H", "pan(-8, 0)", "pan a big recording", "pan_left", _LOOK),
    _key("J", "pan(0, 4)", "pan a big recording", "pan_down", _LOOK),
    _key("K", "pan(0, -4)", "pan a big recording", "pan_up", _LOOK),
    _key("L", "pan(8, 0)", "pan a big recording", "pan_right", _LOOK),
    _key("z", "follow", "follow the cursor", "follow_cursor", _LOOK),
    _key("d", "details", "details, verification", "details", _ACT),
    _key("V", "verify", "verify again", "verify", _ACT),
    _key("Y", "copy_link", "copy link to here", "copy_link", _ACT),
    _key("q", "back", "back", "back", _ACT),
    Binding("escape", "clear", show=False),
]

HINTS = (
    ("space", "play"),
    ("←→", "5s"),
    ("↑↓", "command"),
    ("e", "failed"),
    ("[ ]", "mark"),
    ("/", "search"),
    ("g", "go to"),
    ("{ }", "speed"),
    ("i", "skip idle"),
    (", .", "step"),
    ("f", "full"),
    ("s", "sidebar"),
    ("d", "details"),
    ("Y", "copy link"),
    ("V", "verify"),
    ("⇧←→", "1m"),
    ("t", "timeline"),
    ("+ -", "zoom"),
    ("H J K L", "pan"),
    ("q", "back"),
)
