"""`skillfeed tag` and `skillfeed train`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from catalog.tagging import Tagger
from catalog.taxonomy import load_taxonomy
from ingest.tagging.stream import arriving, tag_batches


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    cli.command("tag")(tag)
    cli.command("train")(train)


def tag(no_evidence: Annotated[bool, typer.Option("--no-evidence", help="Topics and scores only; faster.")] = False) -> None:
    """Tag JSON lines {"id","title","abstract","categories"} from stdin, one line each on stdout, in order.

    Needs no database.
    """
    tagger = Tagger.load(load_taxonomy())
    for answers in tag_batches(arriving(sys.stdin.buffer), tagger, evidence=not no_evidence):
        sys.stdout.writelines(f"{line}\n" for line in answers)
        sys.stdout.flush()  # so that a program at the other end can wait for each answer


def train(
    texts: Annotated[Path, typer.Option(help="JSON lines with id, title, abstract, categories of the labelled papers.")],
    out: Annotated[Path | None, typer.Option(help="Where to write the model; default: the packaged one.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a better model.")] = False,
) -> None:
    """Rebuild the tagger from the project's labels and their texts, and print its scores per topic. Needs the `train` group."""
    from ingest.tagging import train as trainer  # scikit-learn is loaded by this command alone

    trainer.main(texts, out, force)
