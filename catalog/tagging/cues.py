"""What a paper says of itself: the words from which its form and level are read.

A survey and a method share their subject and its words; they differ in their titles ("A survey of …", "…: a benchmark") and in
what their authors say that they do ("we prove a bound", "this paper introduces a toolkit"). A cue is such a piece of text under
a name, `prove>bound`; the names are features of the model beside the words that topics are read from.
"""

from __future__ import annotations

from itertools import pairwise

from catalog.tagging.words import stem

_SELF = frozenset(
    ("paper", "work", "study", "survey", "article", "review", "tutorial", "chapter", "position", "report", "monograph")
)
_NOUNS = frozenset(
    """survey review overview tutorial primer introduction guide benchmark dataset corpus suite testbed challenge task
    competition leaderboard resource library toolkit package software tool platform framework system toolbox demo api
    implementation codebase method approach algorithm model architecture network technique strategy scheme loss module
    paradigm pipeline estimator optimizer theory theorem bound guarantee characterization proof complexity rate
    convergence condition lower upper analysis study evaluation comparison investigation experiment finding evidence
    audit reproducibility replication perspective position vision view argument taxonomy roadmap agenda literature
    research field progress trend patient clinical data"""
    .split()
)  # fmt: skip
_VERBS = frozenset(
    """propose present introduce develop design prove show establish derive study investigate analyze analyse examine explore
    evaluate compare review survey summarize discuss argue advocate release describe provide demonstrate build create
    construct collect curate benchmark apply use employ report find conduct perform characterize give obtain consider
    revisit offer outline cover categorize synthesize identify assess measure test address aim focus leverage train
    extend formulate highlight envision call contend reproduce replicate quantify"""
    .split()
)  # fmt: skip


def _forms(verb: str) -> set[str]:
    """The spellings of a regular verb."""
    root = verb.removesuffix("e")
    third = verb[:-1] + "ies" if verb.endswith("y") else verb + "s"
    past = verb[:-1] + "ied" if verb.endswith("y") else root + "ed"
    return {verb, third, past, root + "ing"}


_SAID = {form: verb for verb in sorted(_VERBS) for form in _forms(verb)} | {"built": "build", "found": "find", "gave": "give"}
_MEANT = {form: noun for noun in _NOUNS for form in (noun, noun + "s", noun[:-1] + "ies") if stem(form) == noun or form == noun}
_MEANT |= {"analyses": "analysis", "libraries": "library", "studies": "study", "surveys": "survey", "theories": "theory"}
_SUBJECTS = _SELF | {"we", "i"}
_TOLD = _SUBJECTS | _MEANT.keys()
_SHOWN = frozenset(("this", "our", "the"))  # before "paper" and the like
_VERB_WITHIN, _NOUN_WITHIN = 5, 10  # words after the subject, after the verb


#: A cue's name, whether it stands in the title (else in the abstract), its first and its last word there.
Cue = tuple[str, bool, int, int]


def cues(title: list[str], abstract: list[str], asks: bool = False) -> list[Cue]:
    """The cues of the words of a title and an abstract, in reading order, a name as often as it is said.

    `asks` tells that the title is a question, which its words do not show.
    """
    out: list[Cue] = [("title:" + stem(word), True, at, at) for at, word in enumerate(title)]
    if title:
        out += [(f"title:{a} {b}", True, at, at + 1) for at, (a, b) in enumerate(pairwise(title))]
        last = len(title) - 1
        out += (("begins:" + title[0], True, 0, 0), ("ends:" + title[-1], True, last, last))
        if asks:
            out.append(("asks", True, last, last))
    end = len(abstract) - 1
    for at, word in enumerate(abstract):
        if word not in _TOLD:
            continue
        if word in _MEANT:
            if at:
                out.append((f"{abstract[at - 1]} {word}", False, at - 1, at))
            if at < end:
                out.append((f"{word} {abstract[at + 1]}", False, at, at + 1))
        if word not in _SUBJECTS:
            continue
        subject = "we"
        if word in _SELF:
            if not at or abstract[at - 1] not in _SHOWN:
                continue
            subject = "this"
            out.append(("this " + word, False, at - 1, at))
        out += _statement(subject, at, abstract)
    return out


def _statement(subject: str, at: int, abstract: list[str]) -> list[Cue]:
    """What the subject says that it does, and to what."""
    for place in range(at + 1, min(at + _VERB_WITHIN, len(abstract))):
        verb = _SAID.get(abstract[place])
        if verb is None:
            continue
        out: list[Cue] = [(f"{subject} {verb}", False, at, place)]
        for further in range(place + 1, min(place + _NOUN_WITHIN, len(abstract))):
            noun = _MEANT.get(abstract[further])
            if noun is not None:
                out.append((f"{verb}>{noun}", False, place, further))
        return out
    return []
