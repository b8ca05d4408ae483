# Marks for the recorder: what this shell runs, how it ends, and where. Nothing is printed but the marks.
# fish reads this file because XDG_DATA_DIRS names its folder, which is taken out again.

if set -q SEALCAST_MARKS
    if set -q SEALCAST_XDG_DATA_DIRS
        set -gx XDG_DATA_DIRS $SEALCAST_XDG_DATA_DIRS
    else
        set -e XDG_DATA_DIRS
    end
    # The secret comes through a pipe that is empty before anything else can run; fish cannot close it.
    read -g __sealcast_nonce </dev/fd/$SEALCAST_MARKS
    set -e SEALCAST_MARKS
    set -e SEALCAST_XDG_DATA_DIRS

    if status is-interactive; and test -n "$__sealcast_nonce"
        function __sealcast_escape
            string replace -a -- \\ \\\\ $argv[1] | string replace -a -- ';' '\\x3b' | string replace -a \r '\\x0d' | string replace -a \t '\\x09' | string replace -a \e '\\x1b' | string replace -a \a '\\x07' | string join '\\x0a'
        end

        function __sealcast_preexec --on-event fish_preexec
            if test (string length -- "$argv[1]" | string collect) -le 8192
                printf '\e]633;E;%s;%s\a' (__sealcast_escape "$argv[1]") $__sealcast_nonce >/dev/tty
            end
            printf '\e]633;C;%s\a' $__sealcast_nonce >/dev/tty
        end

        function __sealcast_postexec --on-event fish_postexec
            printf '\e]633;D;%s;%s\a' $status $__sealcast_nonce >/dev/tty
        end

        function __sealcast_prompt --on-event fish_prompt
            printf '\e]633;P;Cwd=%s;%s\a\e]633;A;%s\a' (__sealcast_escape "$PWD") $__sealcast_nonce $__sealcast_nonce >/dev/tty
        end
    end
end
