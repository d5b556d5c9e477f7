"""lemon24/reader on the same texts: from an Atom feed over HTTP to entries that its search finds.

reader and `sgmllib3k`, which it needs and does not ask for, go into a virtualenv of their own under `.cache/peers`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from benchmarks import pages, wire
from benchmarks.measuring import empty, rate
from benchmarks.server import serving
from tests.loopback_arxiv import Paper

_VENV = Path(__file__).resolve().parents[1] / ".cache" / "peers"
_ROUNDS = 3
#: Runs in that virtualenv: prints the seconds of updating and of indexing, and how many entries a search could find.
_SCRIPT = """
import sys, time
from reader import make_reader
reader = make_reader(sys.argv[1], search_enabled=True)
for url in sys.argv[2:]:
    reader.add_feed(url)
start = time.perf_counter()
reader.update_feeds()
stored = time.perf_counter()
reader.update_search()
print(stored - start, time.perf_counter() - stored, reader.get_entry_counts().total)
"""


def table(papers: Sequence[Paper], folder: Path) -> Table:
    """Both in turn, from an empty database each time; our pages are OAI-PMH, reader's are Atom."""
    python = _install()
    served = folder / "peers"
    chunks = [papers[i : i + pages.PAGE] for i in range(0, len(papers), pages.PAGE)]
    wire.save(wire.oai_pages(papers, pages.PAGE), served / pages.PATH)
    for n, chunk in enumerate(chunks):
        (served / f"feed{n}.xml").write_bytes(wire.feed(chunk, f"https://blog{n}.example.org"))
    ours: list[float] = []
    theirs: list[float] = []
    with serving(served) as url:
        feeds = [f"{url}/feed{n}.xml" for n in range(len(chunks))]
        for n in range(_ROUNDS):
            ours.append(rate(lambda: pages.fresh(folder, url, len(papers))))
            command = [str(python), "-c", _SCRIPT, str(folder / f"reader{n}.db"), *feeds]
            said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
            if int(said[2]) != len(papers):
                raise SystemExit(f"reader holds {said[2]} of {len(papers)} entries")
            theirs.append(len(papers) / (float(said[0]) + float(said[1])))
    one, other = sorted(ours)[_ROUNDS // 2], sorted(theirs)[_ROUNDS // 2]
    out = empty(f"HTTP to searchable, {len(papers):,} papers on pages of {pages.PAGE:,}", ("who", "per second", "ours/theirs"))
    out.add_row("Skillfeed: tagged, resolved, stored, searchable", f"{one:,.0f}", "")
    out.add_row("reader: update_feeds, then update_search", f"{other:,.0f}", f"{one / other:.1f}")
    return out


def _install() -> Path:
    python = _VENV / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(_VENV)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "reader", "sgmllib3k"], check=True)
    return python
