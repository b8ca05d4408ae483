# Sourced by scripts/sealcast, scripts/test and scripts/check: makes and updates .venv from the locked versions.
# Needs $root, the checkout. POSIX sh.
#
# .venv/.sealcast-<lock>    the state this environment was made for; written last
# .venv/.sealcast-building  stands while it is being changed: found later, the work was cut short and starts over

venv=$root/.venv

say() { printf 'sealcast: %s\n' "$*" >&2; }

fail() {
    say "$1"
    [ $# -lt 2 ] || printf '  %s\n' "$2" >&2
    exit "${3:-1}"
}

# Where the checkout lies, which interpreter (a new Debian brings another one), which versions
wanted_state() {
    printf '%s\n%s\n' "$root" "$(readlink -f -- "$venv/bin/python")"
    cat "$root/scripts/$1.lock"
}

is_ready() {
    [ -x "$venv/bin/python" ] && [ ! -e "$venv/.sealcast-building" ] && [ -e "$venv/.sealcast-$1" ] &&
        [ "$(cat "$venv/.sealcast-$1")" = "$(wanted_state "$1")" ]
}

find_python() {
    for python in "${SEALCAST_PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11; do
        [ -n "$python" ] && command -v "$python" >/dev/null 2>&1 &&
            "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && return
    done
    fail 'Python 3.11 or newer is needed, and was not found' 'on Debian 12 or newer: apt install python3 python3-venv'
}

create_venv() {
    find_python
    "$python" -c 'import venv, ensurepip' 2>/dev/null ||
        fail "$python cannot make virtual environments" 'on Debian and Ubuntu: apt install python3-venv'
    say "making .venv in $root with $("$python" --version)"
    rm -rf -- "$venv"
    mkdir -- "$venv" && : >"$venv/.sealcast-building" &&
        "$python" -m venv "$venv" || fail "could not make $venv"
}

# An environment cut short, or whose interpreter is gone, is made anew; any other is brought up to date in place
usable_venv() {
    [ ! -e "$venv/.sealcast-building" ] && "$venv/bin/python" -c 'import pip' 2>/dev/null
}

# Every version and hash comes from the lock, so there is nothing to resolve
install_lock() {
    say "installing the packages of scripts/$1.lock (the first time takes a minute)"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --no-deps --require-hashes \
        -r "$root/scripts/$1.lock" >&2 || fail "pip could not install scripts/$1.lock" 'run the same command again to retry'
}

# A .pth file is what an editable install comes down to, without a build
link_checkout() {
    "$venv/bin/python" - "$root" <<'PYTHON'
import pathlib, sys, sysconfig
pathlib.Path(sysconfig.get_path("purelib"), "sealcast-checkout.pth").write_text(sys.argv[1] + "\n")
PYTHON
}

build() {
    usable_venv || create_venv
    : >"$venv/.sealcast-building"
    for lock in "$@"; do
        install_lock "$lock"
    done
    link_checkout
    for lock in "$@"; do
        wanted_state "$lock" >"$venv/.sealcast-$lock.new"
        mv -- "$venv/.sealcast-$lock.new" "$venv/.sealcast-$lock"
    done
    rm -f -- "$venv/.sealcast-building"
}

all_ready() {
    for lock in "$@"; do
        is_ready "$lock" || return 1
    done
}

# ensure_venv LOCK...: returns when .venv holds these locks; of several callers at once, one builds and the rest wait
ensure_venv() {
    all_ready "$@" && return
    [ -w "$root" ] || fail "cannot make .venv: $root is not writable for you" 'run scripts/sealcast once as its owner'
    (
        flock -n 9 || { say 'another process is making .venv; waiting for it' && flock 9; }
        all_ready "$@" || build "$@"
    ) 9>"$root/.venv.lock"
}
