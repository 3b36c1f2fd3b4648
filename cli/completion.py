"""``seqtree completion``: the script that teaches a shell to complete seqtree's commands and options."""

from __future__ import annotations

import click


@click.command(
    epilog="\b\nExamples:\n"
    '  bash  eval "$(seqtree completion bash)"      in ~/.bashrc\n'
    '  zsh   eval "$(seqtree completion zsh)"       in ~/.zshrc\n'
    "  fish  seqtree completion fish | source       in ~/.config/fish/config.fish"
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script for SHELL."""
    from click.shell_completion import get_completion_class

    script = get_completion_class(shell)
    assert script is not None  # click knows all the shells of the choice
    click.echo(script(ctx.find_root().command, {}, "seqtree", "_SEQTREE_COMPLETE").source())
