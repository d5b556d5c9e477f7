"""Facts found in text: where the authors say the paper was accepted, and which code, model and data they link as theirs.

Precision goes first: what can be read in two ways is no fact. The rules, and how well they hold, are in docs/facts.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice, pairwise

from catalog.entries import EntryData
from catalog.venues import Mention, mentions_in
from ingest.formats.tiers import tier as tier_in


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact that a text states."""

    what: str  # "accepted", "code", "model", "data"
    text: str  # "NeurIPS 2025", "EACL 2026 workshop"; for the other three the canonical address
    status: str = ""  # "claimed" for acceptances: the authors say so, the venue was not asked
    tier: str = ""  # "oral", "spotlight", "poster", "best paper"; "" when none is said


def facts_of(entry: EntryData) -> tuple[Fact, ...]:
    """The facts of comment, journal reference and abstract, in this order, each once."""
    found: dict[tuple[str, str], Fact] = {}
    for fact in (*claims(entry.comment, entry.journal), *links(entry.comment), *links(entry.abstract)):
        # GitHub and its like do not tell upper from lower case in names.
        found.setdefault((fact.what if fact.what == "accepted" else "link", fact.text.casefold()), fact)
    return tuple(found.values())


# ------------------------------------------------------------------ acceptance
_COMMENT_LIMIT = 2_000  # characters that are read of a comment
_CUES_LIMIT = 12  # words of acceptance and refusal that are looked at in a clause
_OBJECT_LIMIT = 300  # characters after "accepted at" that may name the venue

#: The paper is taken by the venue that is named next.
_TAKEN = (
    r"\b(?:ac[ce]*pe?te?d?|acceptance|to appear|appears?|appearing|appeared|(?:published|presented)"
    r"(?= (?:as|at|to|in|by|on|with|for)\b|:| @)|publication in|in press|camera[- ]ready|in ?proc(?:eedings?|\.)|"
    r"proc(?:eedings)?|(?:poster|oral) presentation|spotlight paper)(?!\w)"
)
#: It is not, or not yet.
_NOT_TAKEN = (
    r"\b(?:not (?:yet )?(?:been )?(?:accepted|published)|(?:upon|if|once|after|until|pending|before) (?:accept\w*|publication)|"
    r"re-?submi\w*|submi\w*|under (?:\w+[- ])?(?:peer[- ])?review\w*|(?:in|for) (?:\w+ )?review|"
    r"under (?:revision|consideration)|undergoing|being reviewed|reject\w*|declined|targett?\w*|"
    r"plan\w* to|planned|prepar\w*|prep[ae]ration|pending)\b"
)
#: From here on the clause speaks of another paper: a shorter or an earlier one, a thesis, a challenge, someone else's work.
_OTHER = (
    r"\b(?:extended(?! abstract)|extends|extending|extension|expanded|expansion|journal (?:\w+ )?version|"
    r"(?:short|shorter|condensed|abridged|preliminary|earlier|prior|previous|initial|workshop|first) (?:\w+ )?(?:version|draft|"
    r"work|publication)|preliminary|previous(?:ly)?|originally|earlier|in part|(?<!as )parts? of (?:this|the|our)|"
    r"partly|partially|portions? of|first half|based on|builds? (?:up)?on|building on|supersedes?|companion|follow-?up|sequel|"
    r"compared (?:with|to)|used (?:in|at|for)|thesis|dissertation|solution|code (?:for|of)|entry (?:to|for|in)|"
    r"(?:1st|2nd|3rd|first|second|third)[ -]place|winn(?:er|ing)|thanks?|grateful|reviewers?|response to|comments? on|"
    r"reply to|erratum|corrigendum|tutorial|(?:survey|data-?set|corpus|analysis|study) of|"
    r"papers (?:accepted|published|presented|submitted|from|at|in)|withdraw\w*|"
    r"(?:appendix|supplement\w*(?: materials?)?|slides) (?:to|for|of)|template|style file|admin note)\b"
)
_CUE = re.compile(f"(?P<other>{_OTHER})|(?P<not>{_NOT_TAKEN})|(?P<taken>{_TAKEN})", re.I)
#: Said anywhere, a venue that merely stands there is where the paper was sent.
_OPEN = re.compile(r"\bsubmi\w*|\b(?:under|in|for) (?:\w+[- ]){0,2}review|\breject|\btargett?\w*", re.I)
#: What took place at the venue was no paper: "NeurIPS 2025 competition track", "ICML 2025 style".
_NO_PAPER = re.compile(r"\b(?:challenge|competition|template|format|style|reviewers?|submission|tutorial)\b", re.I)

_ADDRESS = re.compile(
    r"\\url\s?\{[^{}]*\}|\\href\s?\{[^{}]*\}|\(?https?://[^\s)]+\)?|\barxiv:\s?\S+|\bdoi:?\s?10\.\S+|\b10\.\d{4,9}/\S+", re.I
)
_STOP = re.compile(r"(?<!\bproc)(?<!\bconf)(?<!\bint)(?<!\bintl)(?<!\btrans)(?<!\bno)(?<!\bvol)(?<!\bj)[.!?](?=\s|$)|;", re.I)
#: From here on something else is told: sizes, a relative clause.
_ASIDE = re.compile(
    r"[,(]\s*(?:[\w.]{1,12}\s){0,2}?~?\d+\+?\s?(?:\w+[\s-]){0,2}?"
    r"(?:pages?|pagers?|pp|figures?|figs?|tables?|appendi\w+|sections?)\b|,? (?:which|where|while|whose)\b",
    re.I,
)
_WORKSHOP = re.compile(
    r"(?i:work-?shops?\b|bridge program|co-?located|in conjunction with|satellite event|\w+ symposium series|"
    r"doctoral consortium)|\b(?:WS|ws|SRW)\b"
)
_HOST = re.compile(r"(?P<event>.*)@ ?$|(?P<named>[^,:;]*?)\b(?:at|in) (?:the )?$")
_TRACK = re.compile(r"[^,:;.]*\b(?:track|session)\b", re.I)
_FINDINGS = re.compile(r"\bfindings\b", re.I)
_ACL_FINDINGS = re.compile(r"Findings of the Association for Computational Linguistics:?", re.I)
_BEST = re.compile(r"\bbest (?:\w+ )?paper\b(?! (?:award )?(?:nomin|final|candid|short))", re.I)
_MAYBE_BEST = re.compile(r"(?:shortlisted|nominated|candidate|finalist)\b", re.I)

_ORDINALS = {
    word: n
    for n, word in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
        "sixteenth seventeenth eighteenth nineteenth twentieth".split(),
        1,
    )
}
_ORDINAL = re.compile(r"\b(?:(?P<digits>\d{1,3}) ?(?:st|nd|rd|th)|(?P<word>" + "|".join(_ORDINALS) + r"))\b", re.I)
_COUNTED_SINCE = 2016  # before, some of the series were held every second year
_YEAR = re.compile(r"(?<![\w./:-])['’‘]?(20[0-4]\d)(?![\w/]|-\d|\.\d)(?!\s*(?:pages?|figures?|tables?|words?)\b)")

#: Words that may stand around a venue that is named without a verb: "CVPR 2026 (Oral), main track".
_PLAIN = frozenset(
    "the of at in on to for as and a an with including conference conf proceedings proc journal edition volume vol no pp "
    "annual international biennial paper papers main track tracks long short full regular industry industrial research "
    "technical special session program system systems demo demos demonstration demonstrations student abstract position "
    "datasets benchmarks blue sky ideas oral orals spotlight poster posters highlight presentation best outstanding honorable "
    "mention award camera ready version findings late breaking results virtual lecture notes accepted will be final added "
    "supplementary supplement material appendix appendices ieee cvf acm rsj".split()
)
_SOCIETY = r"(?:(?:IEEE|ACM|IFIP|SPIE|AIAA|SIAM|IET)(?:/[A-Z]{3,6})? )"
_TWO_CAPITALS = r"(?=[\w/&+.-]*?[A-Z][\w/&+.-]*?[A-Z])"
_HANGING_YEAR = r"(?:[\s,_-]*['’‘`]?\s?(?P<year>20\d\d|[12]\d))"
#: "(IZS 2026)", "(PCT'2025)", "(IST)": the short name that follows the long one.
_BRACKETED = re.compile(
    rf"[(\[]\s*(?P<name>{_SOCIETY}?{_TWO_CAPITALS}[A-Za-z][A-Za-z0-9/&+-]{{1,20}}?){_HANGING_YEAR}?\s*[,:)\]]"
)
#: "ACC 2026", "SETTA'25", "IEEE PerCom 2026", "ITC-CSCC 2025".
_ACRONYM_NAME = (
    rf"(?P<name>{_SOCIETY}?{_TWO_CAPITALS}[A-Z][A-Za-z0-9/&+]*?(?:-[A-Za-z][A-Za-z]+)*?(?: Congress)?)(?: Conference)?"
)
_ACRONYM = re.compile(rf"{_ACRONYM_NAME}(?:(?<![0-9]){_HANGING_YEAR}(?![\w/])|(?![\w/.-]))")
_GOES_ON = re.compile(r" (?:[A-Z]|on\b|of\b)")  # "CIRP Conference on …", "IET Image Processing"
#: Where proceedings are printed.
_SERIES = re.compile(r"Machine Learning Research|Lecture Notes|(?:ACM|IEEE) (?:Xplore|Digital Library)|Springer|arXiv", re.I)
_DATED_ACRONYM = re.compile(rf"(?<![\w/-]){_ACRONYM_NAME}(?<![0-9]){_HANGING_YEAR}(?![\w/])")
_NO_VENUE = frozenset(
    "IEEE ACM ARR SPIE AI ML NLP LLM LLMS VLM CVF LNCS PMLR ASCE MDPI PHD USA UK EA CC BY URL GPU EPTCS CEUR".split()
)
_HEAD = re.compile(
    r"\b(?:Conference|Symposium|Congress|Seminar|Workshops?|Journal|Transactions?|Letters?|Magazine|Forum|Meeting)\b"
)
#: A name by its first words: "IEEE Journal on …", not "Overview of the Shared Task at the Workshop …".
_BEGINS = re.compile(r"(?:[A-Z][\w/-]* ){0,3}(?:Conference|Symposium|Congress|Seminar|Workshop|Journal|Transactions)\b")
_NAMED = re.compile(r"[A-Z][\w&/'’-]*(?:,?(?: (?:of|on|and|in|for|the|to|with|de|a|&)){0,3} [A-Z][\w&/'’-]*| [Oo]f){0,15}")
#: What stands between "accepted" and the name.
_LEAD = re.compile(
    r"[\s:@,.]*(?:(?:for|as|to|at|in|by|on|with|of|the|be|an?|and|full|short|long|regular|main|oral|poster|spotlight|"
    r"publication|publish|published|presented|presentation|appear|inclusion|(?:conference|journal)(?! (?:of|on)\b)|"
    r"proceedings|proc\.?|paper|talk|article|IEEE(?:/[A-Z]+)?(?= \d)|upcoming|special|issue|part|edition|Elsevier|Springer|"
    r"annual|biennial|forthcoming|version|20\d\d|\d{1,3} ?(?:st|nd|rd|th)|" + "|".join(_ORDINALS) + r")(?=[\s:,@])[\s:,@]+)*",
    re.I,
)
#: What may follow "accepted" where a venue is named: not "accepted author manuscript".
_NAMES = re.compile(r"[\s:@(.]*(?:[A-Z0-9]|(?:at|to|in|by|for|as|on|with|of|and|the|papers?|version|poster|conference)\b)|\s*@")


def claims(comment: str, journal: str = "") -> tuple[Fact, ...]:
    """Where the authors say that this paper was accepted, in the text's order, each venue once.

    `journal` is a journal reference as arXiv has it, which is only written of what has appeared.
    """
    if not comment and not journal:
        return ()
    plain = _ACL_FINDINGS.sub("Findings of", " ".join(_ADDRESS.sub(" ", comment[:_COMMENT_LIMIT]).split()))
    bare = _OPEN.search(plain) is None
    found: dict[str, Fact] = {}
    for clause in _STOP.split(plain):
        for text in _claims_of(clause, bare=bare):
            fact = Fact("accepted", text, "claimed", _tier(clause))
            if text not in found or (fact.tier and not found[text].tier):
                found[text] = fact
    # "(WACVW)" after the conference's name, with the year: the same.
    found = {t: f for t, f in found.items() if not any(o.startswith(t.split(" workshop")[0] + " 20") for o in found if o != t)}
    if len(found) == 1:  # the tier of the only venue may stand in another sentence
        found = {text: replace(fact, tier=fact.tier or _tier(plain)) for text, fact in found.items()}
    for text in _referred(" ".join(_ADDRESS.sub(" ", journal[:_COMMENT_LIMIT]).split())):
        found.setdefault(text, Fact("accepted", text, "claimed"))
    return tuple(found.values())


def _tier(text: str) -> str:
    if _BEST.search(text) and not _MAYBE_BEST.search(text):
        return "best paper"
    return tier_in((text,))


def _claims_of(clause: str, *, bare: bool) -> list[str]:
    """The claims of one clause: after each word of acceptance, else before the first one, else of a venue that stands alone."""
    cues = list(islice(_CUE.finditer(clause), _CUES_LIMIT))
    ends = [*(cue.start() for cue in cues), len(clause)][1:]
    found: list[str] = []
    unread = ""
    for cue, end in zip(cues, ends, strict=False):
        if cue["other"]:
            break
        said = unread + clause[cue.end() : end][:_OBJECT_LIMIT]
        if cue["taken"] and not (found and cue[0].lower().startswith("proc")):
            named = _named_in(said)
            found += named
            unread = "" if named else said[-_OBJECT_LIMIT:]  # "to appear in 2025 | Proceedings of the …"
    if found or not (cues or bare) or (cues and cues[0]["not"]):
        return found
    followed = bool(cues and cues[0]["taken"])  # "AAAI 2026 accepted"
    if not followed and not bare:
        return found
    said = clause[: cues[0].start()] if cues else clause
    if cues and cues[0]["other"] and not said.rstrip().endswith((",", ")")):
        return []  # "ICLR 2026 template"
    return _standing_in(re.sub(r"\([^()]*$", "", said), followed=followed)


def _named_in(said: str) -> list[str]:
    """The venues named behind a word of acceptance."""
    said = _ASIDE.split(said, maxsplit=1)[0]
    mentions = _mentions(said)
    if mentions:
        return _known_in(said, mentions)
    workshop = _WORKSHOP.search(said) is not None
    if (_NO_PAPER.search(said) and not workshop) or not _NAMES.match(said):
        return []
    lead = _LEAD.match(said)
    rest = said[lead.end() :] if lead else said
    year = _year_in(said)
    direct = _ACRONYM.match(rest)
    bracketed = _BRACKETED.search(rest)
    anywhere = _DATED_ACRONYM.search(rest)
    named = _NAMED.match(rest)
    if direct and _is_short_name(direct["name"]) and (direct["year"] or not _GOES_ON.match(rest, direct.end())):
        return [_worded(direct["name"], _full_year(direct["year"]) or year, workshop=workshop)]
    if bracketed and _is_short_name(bracketed["name"]):
        return [_worded(bracketed["name"], _full_year(bracketed["year"]) or year, workshop=workshop)]
    if named and _is_name(named[0], rest[named.end() :]):
        return [_worded(named[0], year, workshop=workshop and "orkshop" not in named[0])]
    if anywhere and _is_short_name(anywhere["name"]):
        return [_worded(anywhere["name"], _full_year(anywhere["year"]), workshop=workshop)]
    return []


def _is_short_name(name: str) -> bool:
    return name.upper() not in _NO_VENUE


def _is_name(name: str, after: str) -> bool:
    """Whether capitalised words are a venue's name: not an author's (`Sharma, S.`), not a sentence that begins here."""
    if not _is_short_name(name) or len(name) < 3 or _all_plain(name) or _SERIES.match(name):
        return False
    if re.match(r", [A-Z]\.", after):
        return False
    return _HEAD.search(name) is not None or re.match(r"\s*(?:$|[,(:]|20\d\d|vol|with\b|as\b|\bDOI\b)", after, re.I) is not None


def _mentions(said: str) -> list[Mention]:
    """The venues that are named, less those within another's name: `ACM SIGIR Conference on Human Information …`."""
    found = mentions_in(said)
    kept = [
        mention
        for mention, after in pairwise(found)
        if mention.venue == after.venue or re.search(r"[,;:(@&]|\b(?:and|at|in|with)\b", said[mention.end : after.start])
    ]
    return [*kept, *found[-1:]]


def _known_in(said: str, mentions: list[Mention]) -> list[str]:
    found: list[str] = []
    at = 0
    for i, mention in enumerate(mentions):
        until = mentions[i + 1].start if i + 1 < len(mentions) else len(said)
        before, after = said[at : mention.start], said[mention.end : until]
        if i + 1 < len(mentions) and (together := re.search(r"\band\b|&|\bat\b|@|;", after)):
            until = mention.end + together.start()
            after = said[mention.end : until]
        at = until
        whole = before + after
        workshop = mention.workshop or _is_workshop(before, after)
        if _NO_PAPER.search(whole) and not workshop:
            continue
        year = mention.year or _year_in(after) or _year_in(before) or _counted(before, mention)
        if mention.venue.journal:
            workshop = False
        found.append(_worded(mention.venue.name, year, workshop=workshop, findings=_FINDINGS.search(whole) is not None))
    return found


def _is_workshop(before: str, after: str) -> bool:
    """Whether the words around a conference name an event beside it: `MWE @`, `HeaLing-`, ` 2026 Workshop on …`."""
    if _WORKSHOP.search(before) or _WORKSHOP.search(after):
        return True
    if re.search(r"[A-Za-z]{3}[-_]$", before):
        return not re.search(r"(?:IEEE|ACM)-$", before)
    host = _HOST.search(before)
    named = (host["event"] or host["named"] or "") if host else ""
    event = _LEAD.sub("", named, count=1)
    if (
        re.search(r"[A-Z]", event)
        and not _all_plain(event)
        and not re.search(r"\b(?:track|session|proc\w*|program)\b", event, re.I)
    ):
        return True
    beside = re.match(r"\s+([A-Z][\w-]+)", after)
    return beside is not None and beside[1].lower() not in _PLAIN and not _TRACK.match(after)


def _all_plain(text: str) -> bool:
    return all(w in _PLAIN or w.isdigit() or _ORDINAL.fullmatch(w) for w in re.findall(r"\w+", text.lower()))


def _standing_in(said: str, *, followed: bool) -> list[str]:
    """The venues that stand in a list without a verb: `10 pages, CVPR 2026 (Oral)`."""
    mentions = _mentions(said)
    found: list[str] = []
    for start, end in _parts(said, mentions):
        part, following = said[start:end].strip(), said[end : end + 80]
        if _NO_PAPER.search(part) and not _WORKSHOP.search(part):
            continue
        inside = [m for m in mentions if start <= m.start < end]
        if inside:
            found += _known_standing(said, (start, end), inside, followed=followed)
        else:
            found += _unknown_standing(part, following)
    return found


def _parts(said: str, mentions: list[Mention]) -> Iterator[tuple[int, int]]:
    """The text between commas, but for commas inside of names and brackets."""
    closed = [(m.start, m.end) for m in mentions] + [m.span() for m in re.finditer(r"\([^()]*\)", said)]
    start = 0
    for comma in re.finditer(r",(?=\s)", said):
        if not any(a <= comma.start() < b for a, b in closed):
            yield start, comma.start()
            start = comma.end()
    yield start, len(said)


def _known_standing(said: str, part: tuple[int, int], inside: list[Mention], *, followed: bool) -> list[str]:
    start, end = part
    mention = inside[0]
    before, after = said[start : mention.start], said[mention.end : end]
    for other in inside[1:]:
        after = after.replace(said[other.start : other.end], " ")
    following = said[end : end + 80]
    if re.match(r",[^,]{0,60}\bworkshop", following, re.I):  # "EAMT 2026, TAITT Workshop"
        after += following
    workshop = mention.workshop or _is_workshop(before, after)
    year = mention.year or _year_in(after) or _year_in(before) or _year_in(following[:7]) or _counted(before, mention)
    whole_name = " " in said[mention.start : mention.end].rstrip("0123456789 '’")
    if not (year or whole_name or followed) or not (_all_plain(before + after) or (workshop and year)):
        return []
    findings = _FINDINGS.search(before + after) is not None
    return [_worded(mention.venue.name, year, workshop=workshop and not mention.venue.journal, findings=findings)]


def _unknown_standing(part: str, following: str) -> list[str]:
    """A name that fills its part: `STACOM 2025`, `42nd International Symposium on … (ISARC 2025)`, `Journal of Applied …`."""
    lead = _LEAD.match(part)
    rest = part[lead.end() :] if lead else part
    workshop = _WORKSHOP.search(part + following) is not None
    direct = _ACRONYM.match(rest)
    if direct and direct["year"] and _is_short_name(direct["name"]) and _all_plain(rest[direct.end() :]):
        return [_worded(direct["name"], _full_year(direct["year"]), workshop=workshop)]
    whole = rest + following  # a name may hold commas
    named = _NAMED.match(whole)
    bracketed = _BRACKETED.search(whole)
    if named is None or not _HEAD.search(named[0]) or len(named[0].split()) < 3:
        return []
    if bracketed and bracketed.start() <= named.end() + 8:
        year = _full_year(bracketed["year"]) or _year_in(part)
        return [_worded(bracketed["name"], year, workshop=workshop)]
    if _BEGINS.match(named[0]) and re.match(r"[\s,)]*(?:20\d\d)?[\s,)]*$", whole[named.end() :]):
        return [_worded(named[0], _year_in(whole), workshop=False)]
    return []


def _referred(journal: str) -> list[str]:
    """The venue of a journal reference: `Phys. Rev. D 99, 104 (2019)`, `Proceedings of the 42nd … PMLR 267, 2025`."""
    year = _year_in(journal)
    mentions = mentions_in(journal)
    if mentions:
        first = mentions[0]
        workshop = not first.venue.journal and _WORKSHOP.search(journal) is not None
        year = first.year or year or _counted(journal[: first.start], first)
        return [_worded(first.venue.name, year, workshop=workshop, findings=_FINDINGS.search(journal) is not None)]
    bracketed = _BRACKETED.search(journal)
    if bracketed and _is_short_name(bracketed["name"]):
        return [
            _worded(bracketed["name"], _full_year(bracketed["year"]) or year, workshop=_WORKSHOP.search(journal) is not None)
        ]
    name = re.match(r"(?:In:? )?(?:Proc(?:eedings|\.) of the )?(?P<name>[A-Z][^\d,;()]{2,100})", journal)
    if name is None:
        return []
    said = re.sub(r"[\s.:]*(?:\b(?:vol|volume|no|pp)\b\.?)?[\s:]*$", "", name["name"], flags=re.I)
    return [_worded(said, year, workshop=False)] if len(said) > 2 and _is_short_name(said) else []


def _year_in(text: str) -> int:
    found = _YEAR.search(text)
    return int(found[1]) if found else 0


def _full_year(digits: str | None) -> int:
    return int(digits) % 2000 + 2000 if digits else 0


def _counted(before: str, mention: Mention) -> int:
    """The year by the edition's number: the 42nd ICML was held in 2025."""
    ordinals = list(_ORDINAL.finditer(before[-60:]))
    if not mention.venue.before_first or not ordinals:
        return 0
    last = ordinals[-1]
    year = mention.venue.before_first + (int(last["digits"]) if last["digits"] else _ORDINALS[last["word"].lower()])
    return year if year >= _COUNTED_SINCE else 0


def _worded(name: str, year: int, *, workshop: bool, findings: bool = False) -> str:
    return name + (f" {year}" if year else "") + (" workshop" if workshop else " Findings" if findings else "")


# ------------------------------------------------------------------ links
_TEXT_LIMIT = 16_000  # characters that are read of a text; abstracts on arXiv end at 1,920
#: Without any of these, in lower case, a text has no match of `_PLACE`; looking for them costs a twentieth of the pattern.
_MAY_LINK = (
    "github.com", "gitlab.", "bitbucket.org", "codeberg.org", "4open.science", "huggingface.co", "hf.co", "kaggle.com",
    "zenodo.", "figshare.", "openml.org",
)  # fmt: skip

_HREF = re.compile(r"\\href\s?\{([^{}\s]{1,500})\}\s?\{((?:[^{}]|\{[^{}]*\}){0,500})\}")
_WRAP = re.compile(r"\\(?:url|textcolor\{\w+\}|color\{\w+\}|footnote|text\w*|emph|underline|nolinkurl)\s?\{([^{}]{0,600})\}")
_MARKDOWN = re.compile(r"\[([^\[\]]{0,200})\]\(([^()\s]{1,500})\)")
#: Blanks that TeX's line breaks left: after `https://`, around the slashes of `github.com/ a / b`, after a hyphen of the owner.
_BROKEN = (
    (re.compile(r"(https?://)\s+(?=[\w.]+/)"), r"\1"),
    (re.compile(r"\b(github\.com|gitlab\.com|huggingface\.co)\s?/\s?([\w.-]+)\s?/\s?([\w.-]+)", re.I), r"\1/\2/\3"),
    (re.compile(r"\b(github\.com/[\w-]+-) (?=[\w-]+/[\w.-]+)", re.I), r"\1"),
)
_PLACE = re.compile(
    r"(?<![\w.@/-])(?:https?://)?(?:www\.)?(?:"
    r"(?P<git>github\.com|gitlab\.[a-z][\w.-]{1,60}|bitbucket\.org|codeberg\.org)/(?P<repository>[\w.~/+-]{3,200})"
    r"|anonymous\.4open\.science/(?:r|repository)/(?P<anonymous>[\w.-]{2,120})"
    r"|(?:huggingface\.co|hf\.co)/(?P<face>[\w./-]{2,200})"
    r"|kaggle\.com/datasets/(?P<kaggle>[\w-]+/[\w.-]+)"
    r"|zenodo\.org/(?:records?|doi/10\.5281/zenodo\.)/?(?P<zenodo>\d{3,12})"
    r"|(?:dx\.)?(?:doi\.org/|doi:?\s?)10\.5281/zenodo\.(?P<zenodo_doi>\d{3,12})"
    r"|(?:dx\.)?(?:doi\.org/|doi:?\s?)10\.6084/m9\.figshare\.(?P<figshare_doi>[\w.]{1,40})"
    r"|(?P<figshare>[\w-]{0,40}\.?figshare\.com)/articles/(?P<article>[\w./%-]{3,200})"
    r"|openml\.org/(?:d/|search\?type=data&(?:amp;)?id=)(?P<openml>\d{1,9})"
    r")",
    re.I,
)
_SENTENCE = re.compile(r"(?<!\be\.g)(?<!\bi\.e)(?<!\bal)(?<!\bcf)[.!?;](?=\s|$)|(?<=[a-z])\.(?=[A-Z][a-z]+ )")
#: The authors give something away. "The publicly available" is someone else's.
_GIVEN = re.compile(
    r"(?<!\bthe publicly )(?<!\bthe openly )(?<!\bthe )(?<!\ban )(?<!\bany )\b(?:avail[ia]*ble|availability)\b|"
    r"\b(?:we|will be|is|are|be|been|made|publicly|openly|also|have|and) (?:\w+ )?(?:releas\w+|publish\w*|open[- ]?sourc\w+|"
    r"public|provided?|share[ds]?|host(?:ed)?|introduce)\b|\breleas(?:ed?|ing)\b|open[- ]?sourced?\b|"
    r"\bcan be (?:\w+ )?(?:found|accessed|downloaded|viewed|obtained)\b|\baccess(?:ed|ible)\b|\bsee\b",
    re.I,
)
#: The noun that an address follows: "Code:", "our GitHub repository (".
_NAMED_PLACE = re.compile(
    r"\b(?:code|codes|code-?base|data|data-?sets?|benchmarks?|corpus|repository|repo|github|gitlab|implementation|toolkit|models?|"
    r"weights|checkpoints?|(?:project )?(?:web)?page|website|homepage|project|release|link|demo|hugging ?face|materials?|"
    r"resources)\b\s*(?:\w+\s){0,2}?(?:(?:is|are|at|in|on|here|this|url|link)\b\s*|[:=(–—-]\s*)*$",
    re.I,
)
#: Someone else's is used.
_FOREIGN = re.compile(
    r"\b(?:based on|built (?:up)?on|builds? (?:up)?on|building on|"
    r"(?:we|was|were|been|are|is) (?:\w+ )?(?:use|used|using|employ\w*|adopt\w*|modif\w+|adapt\w*|train\w*|fine-?tun\w+|"
    r"implement\w* (?:in|with|using))|trained (?:with|on|in)|run (?:with|on)|using|uses|utiliz\w+|forked?|"
    r"(?<!available )(?<!downloaded )(?<!accessible )(?<!accessed )(?<!obtained )from|such as|e\.g|like|provided by|"
    r"released by|developed by|adapted|borrow\w*|inspired|follow\w*|their|extends?|integrated in\w*|compar\w+|baseline|"
    r"original (?:code|implementation|repository)|official (?:code|implementation) of|thanks?|library|libraries|toolbox|"
    r"collected from|on top of|powered by|evaluated on|previous|prior work|existing)\b",
    re.I,
)
_OWN_USE = re.compile(r"\b(?:used|using) (?:in|for|by|to \w+) (?:this|our|the|these|all)\b|\bour \w+ built on\b", re.I)
_CODE_WORDS = re.compile(
    r"\b(?:codes?|code-?bases?|source|implementations?|software|scripts?|toolkits?|librar(?:y|ies)|packages?|frameworks?|"
    r"pipelines?|models?|weights|checkpoints?|tools?)\b",
    re.I,
)
_STRICT_CODE = re.compile(r"\b(?:codes?|code-?bases?|source|implementations?|software|scripts?|toolkits?)\b", re.I)
_DATA_WORDS = re.compile(r"\b(?:data|data-?sets?|data set|benchmarks?|corpus|corpora|lexicon|annotations?|maps)\b", re.I)
_MODEL_WORDS = re.compile(r"\b(?:models?|weights|checkpoints?)\b", re.I)
#: What else a repository may hold.
_NEITHER = re.compile(
    r"\b(?:supplement\w*|appendix|list of|collection of|papers? list|survey(?:ed)? papers|curated|relevant papers|"
    r"research (?:works|papers)|slides|video)\b",
    re.I,
)
_RESERVED = frozenset(
    "about apps blog collections docs events explore features issues join learn login marketplace models notifications orgs "
    "organizations papers pricing pulls search settings spaces sponsors tasks topics trending users".split()
)


def links(text: str) -> tuple[Fact, ...]:
    """The code, models and data that the text gives as the paper's own, in its order, each address once.

    Addresses are https, host in lower case, a repository without branch or file: `https://github.com/owner/name`.
    """
    if text.isascii() and not _may_link(text.lower()):
        return ()
    found: dict[str, Fact] = {}
    for sentence in _sentences(_plain_links(text[:_TEXT_LIMIT])):
        at, own = 0, False
        for place in _PLACE.finditer(sentence):
            before, after = sentence[at : place.start()], sentence[place.end() :]
            # "at A and B": what is said of the first holds for the second.
            joined = at > 0 and re.fullmatch(r"[\s,;()/&]*(?:and)?[\s(]*", before) is not None
            if joined:
                before = sentence[: place.start()]
            else:
                own = _is_own(before, after)
            at = place.end()
            address = _address(place)
            what = _what(place, before[-250:], _PLACE.split(after[:120], maxsplit=1)[0])
            if own and address and what:
                found.setdefault(address.casefold(), Fact(what, address))
    return tuple(found.values())


def _may_link(text: str) -> bool:
    return any(host in text for host in _MAY_LINK)


def _plain_links(text: str) -> str:
    """The text without the TeX and Markdown around addresses, what they are called before them."""
    text = (
        text.replace("\\_", "_").replace("\\#", "#").replace("\\%", "%").replace("\\&", "&").replace("~", " ").replace("$", " ")
    )
    for _ in range(3):
        text = _HREF.sub(lambda m: f" {'' if '/' in m[2] else m[2].rstrip('.!?')} {m[1]} ", text)
        text = _WRAP.sub(r" \1 ", text)
    text = _MARKDOWN.sub(lambda m: f" {'' if '/' in m[1] else m[1]} {m[2]} ", text)
    for pattern, joined in _BROKEN:
        text = pattern.sub(joined, text)
    return text


def _sentences(text: str) -> Iterator[str]:
    at = 0
    for stop in _SENTENCE.finditer(text):
        yield text[at : stop.start()]
        at = stop.end()
    yield text[at:]


def _is_own(before: str, after: str) -> bool:
    """Whether a link between these words is given away by the authors, not one they build on; a link that stands alone is."""
    before = _OWN_USE.sub(" ", before)
    if not re.search(r"[A-Za-z]{2}", before) and not re.search(r"[A-Za-z]{2}", after):
        return True
    given = max((m.end() for m in _GIVEN.finditer(before)), default=-1)
    foreign = max((m.end() for m in _FOREIGN.finditer(before)), default=-1)
    noun = _NAMED_PLACE.search(before)
    if foreign > given:
        return noun is not None and noun.start() >= foreign and before.rstrip().endswith(":")
    return given >= 0 or noun is not None or (_GIVEN.search(after) is not None and _FOREIGN.search(after) is None)


def _address(place: re.Match[str]) -> str:
    """The canonical address, "" when the place is none that a paper has: a user's page, a topic, a demo."""
    for group, form in _NUMBERED:
        if place[group]:
            return form.format(place[group].rstrip("."))
    if place["git"]:
        return _repository(place["git"].lower(), place["repository"])
    if place["face"]:
        return _face(place["face"])
    return f"https://{place['figshare'].lower()}/articles/{place['article'].rstrip('./')}"


_NUMBERED = (
    ("anonymous", "https://anonymous.4open.science/r/{}"),
    ("kaggle", "https://kaggle.com/datasets/{}"),
    ("zenodo", "https://zenodo.org/records/{}"),
    ("zenodo_doi", "https://zenodo.org/records/{}"),
    ("figshare_doi", "https://doi.org/10.6084/m9.figshare.{}"),
    ("openml", "https://openml.org/d/{}"),
)


def _repository(host: str, path: str) -> str:
    segments = [s for s in path.split("/-/", maxsplit=1)[0].split("/") if s]
    if not host.startswith("gitlab."):  # there, groups nest
        segments = segments[:2]
    if len(segments) < 2 or segments[0].lower() in _RESERVED:
        return ""
    segments[-1] = segments[-1].rstrip(".").removesuffix(".git").rstrip(".~+")
    if not segments[-1] or segments[-1].lower().startswith("awesome"):  # lists of links
        return ""
    return f"https://{host}/{'/'.join(segments)}"


def _face(path: str) -> str:
    segments = [s for s in path.rstrip(".").split("/") if s]
    kind = segments[0] if segments and segments[0] in ("datasets", "collections") else ""
    named = segments[1:3] if kind else segments[:2]
    if len(named) < 2 or (not kind and named[0].lower() in _RESERVED):
        return ""
    return "https://huggingface.co/" + "/".join(([kind] if kind else []) + named)


def _what(place: re.Match[str], before: str, after: str) -> str:
    """What lies there, by the place, else by the words of the sentence; "" when neither says so."""
    words = before + " " + after
    path = place["face"] or ""
    if path.startswith("datasets/") or place["kaggle"] or place["openml"]:
        return "data"
    if place["git"] or place["anonymous"]:
        if _CODE_WORDS.search(words):
            return "code"
        return "data" if _DATA_WORDS.search(words) else "" if _NEITHER.search(words) else "code"
    code, model, data = (p.search(words) is not None for p in (_STRICT_CODE, _MODEL_WORDS, _DATA_WORDS))
    if path:
        if path.startswith("collections/"):
            return "model" if model else "data" if data else ""
        return "code" if code and not model else "model"
    return "code" if code else "data" if data else "model" if model else ""
