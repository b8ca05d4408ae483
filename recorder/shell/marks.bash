# Marks for the recorder: what this shell runs, how it ends, and where. Nothing is printed but the marks.
# bash starts with this file instead of the user's: as --rcfile, or in a login shell as ENV in POSIX mode.
# It reads the files that bash would have read, and then adds its hooks. PS1 and the DEBUG trap are left alone.

if [[ -o posix ]]; then
  builtin set +o posix
  builtin shopt -u inherit_errexit # this and two variables had their values from POSIX mode
  [[ ${HISTFILE-} != "${HOME-}/.sh_history" ]] || HISTFILE=$HOME/.bash_history
  [[ ${MAILCHECK-} != 600 ]] || MAILCHECK=60
  builtin unset ENV
fi

# The secret comes through a pipe that is empty and closed before anything else can run.
if [[ ${SEALCAST_MARKS-} == [0-9]* && ${SEALCAST_MARKS-} != *[!0-9]* ]]; then
  { IFS= builtin read -r -t 1 -n 64 __sealcast_nonce <&"$SEALCAST_MARKS"; } 2>/dev/null
  builtin eval "exec $SEALCAST_MARKS<&-"
fi
builtin unset SEALCAST_MARKS

# $1 without what would end a mark, in $__sealcast_escaped.
__sealcast_escape() {
  __sealcast_escaped=$1
  [[ $1 == *[[:cntrl:]\;\\]* ]] || return 0
  __sealcast_escaped=${__sealcast_escaped//\\/'\\'}
  __sealcast_escaped=${__sealcast_escaped//;/'\x3b'}
  __sealcast_escaped=${__sealcast_escaped//$'\n'/'\x0a'}
  __sealcast_escaped=${__sealcast_escaped//$'\t'/'\x09'}
  [[ $__sealcast_escaped == *[[:cntrl:]]* ]] || return 0
  local code byte
  for code in 0{1..9} 0{a..f} 1{0..9} 1{a..f} 7f; do
    builtin printf -v byte "\\x$code"
    __sealcast_escaped=${__sealcast_escaped//"$byte"/"\\x$code"}
  done
}

# Of this version on PROMPT_COMMAND can be several, and HISTCMD tells there what it tells elsewhere.
__sealcast_is_501() { ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 501)); }

# The number that the next line of history gets, in $__sealcast_next.
__sealcast_count() {
  local last
  __sealcast_next=
  [[ ${HISTTIMEFORMAT@a} != *r* ]] || return 0
  last=$(HISTTIMEFORMAT= \builtin \history 1)
  last=${last#"${last%%[0-9]*}"}
  last=${last%%[!0-9]*}
  __sealcast_next=$((10#${last:-0} + 1))
}

# In PROMPT_COMMAND, before the user's own: how the last command ended, where the shell is, a prompt follows.
__sealcast_prompt() {
  # No "local -": up to bash 5.0 it would switch history on for what follows in PROMPT_COMMAND
  { local status=$? options=${-//[!eETux]/} __sealcast_escaped IFS=; builtin set +eETux; } 2>/dev/null
  [[ ${PROMPT_COMMAND[0]-} == __sealcast_prompt* ]] || status=
  __sealcast_next=${HISTCMD-} __sealcast_asked=1
  __sealcast_is_501 || __sealcast_count
  __sealcast_arrange
  __sealcast_escape "${PWD-}"
  builtin printf '\e]633;D;%s;%s\a\e]633;P;Cwd=%s;%s\a\e]633;A;%s\a' "$status" "$__sealcast_nonce" \
    "$__sealcast_escaped" "$__sealcast_nonce" "$__sealcast_nonce" 2>/dev/null >/dev/tty
  [[ -z $options ]] || builtin set "-$options"
  ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 501)) || builtin return "${status:-0}" # others put $? back
} 2>/dev/null

# In PS0, in a process of its own: how the line before ended, if this one was pasted with it; the line as
# history has it, unless it was kept out; output follows.
__sealcast_begin() {
  local - status=$? line __sealcast_escaped IFS=
  builtin set +eETux
  [[ ${__sealcast_asked-} != 0 || ${PROMPT_COMMAND[0]-} != __sealcast_prompt* ]] ||
    builtin printf '\e]633;D;%s;%s\a' "$status" "$__sealcast_nonce"
  [[ ${HISTTIMEFORMAT@a} == *r* ]] || line=$(HISTTIMEFORMAT= \builtin \history 1)
  if [[ ${line-} =~ ^[[:blank:]]*([0-9]+)[*\ ]\ (.*)$ && ${BASH_REMATCH[1]} == "${__sealcast_next-}" ]] &&
    ((${#BASH_REMATCH[2]} <= 8192)); then
    __sealcast_escape "${BASH_REMATCH[2]}"
    builtin printf '\e]633;E;%s;%s\a' "$__sealcast_escaped" "$__sealcast_nonce"
  fi
  builtin printf '\e]633;C;%s\a' "$__sealcast_nonce"
} 2>/dev/null

# The hooks in their places, also after something has moved them. Without promptvars PS0 would be shown.
# What PS0 counts, it counts without a process of its own, in the length of a text that it does not show.
__sealcast_arrange() {
  local hook='${__sealcast_nonce:+$(__sealcast_begin)${__sealcast_asked:0:$((__sealcast_next+=1,__sealcast_asked=0))}}'
  if ! builtin shopt -q promptvars; then
    [[ ${PS0-} != *"$hook"* ]] || PS0=${PS0//"$hook"/}
  elif [[ ${PS0-} != *"$hook"* && ${PS0@a} != *r* ]]; then
    PS0=${PS0-}$hook
  fi
  [[ ${PROMPT_COMMAND[0]-} != __sealcast_prompt* && ${PROMPT_COMMAND@a} != *[rx]* ]] || return 0
  local -a others=("${PROMPT_COMMAND[@]//__sealcast_prompt/:}")
  if __sealcast_is_501; then
    PROMPT_COMMAND=(__sealcast_prompt "${others[@]}")
  else
    PROMPT_COMMAND=__sealcast_prompt${others[0]:+$'\n'${others[0]}}
  fi
}

__sealcast_install() {
  { local -; builtin set +eETux; } 2>/dev/null
  builtin unset -f __sealcast_install
  if [[ -n ${__sealcast_nonce-} && $- == *i* ]] && ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 404)); then
    __sealcast_next= __sealcast_asked=1
    __sealcast_arrange 2>/dev/null
  else
    builtin unset -v __sealcast_nonce
    builtin unset -f __sealcast_escape __sealcast_is_501 __sealcast_count __sealcast_prompt __sealcast_begin __sealcast_arrange
  fi
}

if builtin shopt -q login_shell; then
  if [[ -r /etc/profile ]]; then . /etc/profile || :; fi
  if [[ -r ~/.bash_profile ]]; then
    . ~/.bash_profile || :
  elif [[ -r ~/.bash_login ]]; then
    . ~/.bash_login || :
  elif [[ -r ~/.profile ]]; then
    . ~/.profile || :
  fi
elif [[ -r ~/.bashrc ]]; then
  . ~/.bashrc || : # /etc/bash.bashrc was read by bash itself, where it reads one
fi
__sealcast_install
