# Marks for the recorder: what this shell runs, how it ends, and where. Nothing is printed but the marks.
# zsh reads this file because ZDOTDIR names its folder. ZDOTDIR is put back first, so that every other
# startup file is the user's own; the hooks stand before theirs in precmd_functions and preexec_functions.

if [[ -n "${SEALCAST_ZDOTDIR+set}" ]]; then
  'builtin' 'export' ZDOTDIR="$SEALCAST_ZDOTDIR"
else
  'builtin' 'unset' 'ZDOTDIR'
fi

# The secret comes through a pipe that is empty and closed before anything else can run.
if [[ "${SEALCAST_MARKS-}" == <-> ]]; then
  'builtin' 'typeset' -g __sealcast_nonce=
  IFS= 'builtin' 'read' -r -t 1 -u "$SEALCAST_MARKS" __sealcast_nonce 2>/dev/null
  'builtin' 'typeset' -g -i __sealcast_pipe="$SEALCAST_MARKS"
  { 'builtin' 'exec' {__sealcast_pipe}<&- } 2>/dev/null
fi
'builtin' 'unset' 'SEALCAST_MARKS' 'SEALCAST_ZDOTDIR' '__sealcast_pipe'

if [[ -o interactive && -n "${__sealcast_nonce-}" ]]; then
  # $1 without what would end a mark, in $REPLY.
  __sealcast_escape() {
    'builtin' 'emulate' -L zsh -o extended_glob
    REPLY=$1
    [[ $REPLY == *[[:cntrl:]\;\\]* ]] || return 0
    REPLY=${REPLY//\\/\\\\}
    REPLY=${REPLY//;/\\x3b}
    REPLY=${REPLY//(#m)[$'\x01'-$'\x1f'$'\x7f']/\\x${(l:2::0:)$(([##16] #MATCH))}}
  }

  # How the last command ended, where the shell is, a prompt follows.
  __sealcast_precmd() {
    {
      'builtin' 'local' ended=$? REPLY
      'builtin' 'emulate' -L zsh -o no_xtrace
      ((${preexec_functions[(Ie)__sealcast_preexec]})) ||
        preexec_functions=(__sealcast_preexec $preexec_functions)
      __sealcast_escape "$PWD"
      'builtin' 'print' -rn -- $'\e]633;D;'"$ended;$__sealcast_nonce"$'\a\e]633;P;Cwd='"$REPLY;$__sealcast_nonce"$'\a\e]633;A;'"$__sealcast_nonce"$'\a' >/dev/tty
    } 2>/dev/null
  }

  # The line as it was typed; output follows.
  __sealcast_preexec() {
    {
      'builtin' 'local' REPLY
      'builtin' 'emulate' -L zsh -o no_xtrace
      if [[ -n $1 ]] && ((${#1} <= 8192)); then
        __sealcast_escape "$1"
        'builtin' 'print' -rn -- $'\e]633;E;'"$REPLY;$__sealcast_nonce"$'\a' >/dev/tty
      fi
      'builtin' 'print' -rn -- $'\e]633;C;'"$__sealcast_nonce"$'\a' >/dev/tty
    } 2>/dev/null
  }

  'builtin' 'typeset' -ga precmd_functions preexec_functions
  precmd_functions=(__sealcast_precmd $precmd_functions)
  preexec_functions=(__sealcast_preexec $preexec_functions)
else
  'builtin' 'unset' '__sealcast_nonce'
fi

# A new user is greeted where there are no startup files; zsh looked for them where this one is.
if [[ -o interactive ]] && 'builtin' 'zmodload' -s zsh/newuser; then
  'builtin' 'zmodload' -u zsh/newuser
fi
if [[ -r "${ZDOTDIR-$HOME}/.zshenv" ]]; then
  'builtin' 'source' "${ZDOTDIR-$HOME}/.zshenv"
fi
