"""Completion for shells: `eval "$(sealcast completion bash)"`."""

import click
from click.shell_completion import get_completion_class

from recorder.cli.pages import Verb
from recorder.errors import ExitCode, SealcastError


@click.command(
    cls=Verb,
    examples=[
        ('eval "$(sealcast completion bash)"', "in ~/.bashrc"),
        ('eval "$(sealcast completion zsh)"', "in ~/.zshrc, after compinit"),
        ("sealcast completion fish | source", "in ~/.config/fish/config.fish"),
    ],
    codes=[ExitCode.OK, ExitCode.USAGE],
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script for a shell.

    It completes commands, options, session ids, the newest first, and the fields and values of queries.
    """
    completer = get_completion_class(shell)
    if completer is None:
        raise SealcastError(f"no completion for {shell}")
    click.echo(completer(context.find_root().command, {}, "sealcast", "_SEALCAST_COMPLETE").source())
