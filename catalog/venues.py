"""Conferences, workshops and journals: one name each, however they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Venue:
    """A venue: the short name that is shown and filtered by, and how else it is written."""

    name: str
    long: tuple[str, ...] = ()  # full names, any case
    short: tuple[str, ...] = ()  # further short forms, case as given
    before_first: int = 0  # of a series held each year: edition n is of the year before_first + n; 0 when not counted so
    journal: bool = False


@dataclass(frozen=True, slots=True)
class Mention:
    """One naming of a venue in a text; `text[start:end]` is the name with the year that hangs on it."""

    venue: Venue
    start: int
    end: int
    year: int = 0  # `AAAI-26`, `EMNLP'25`, `CVPR 2026`; 0 when none hangs on it
    workshop: bool = False  # `CVPRW`


VENUES: tuple[Venue, ...] = (
    Venue("NeurIPS", ("Neural Information Processing Systems",), ("NIPS", "NEURIPS", "Neurips"), 1986),
    Venue("ICML", ("International Conference on Machine Learning",), before_first=1983),
    Venue("ICLR", ("International Conference on Learning Representations",), before_first=2012),
    Venue("AISTATS", ("Artificial Intelligence and Statistics",), before_first=1997),
    Venue("UAI", ("Uncertainty in Artificial Intelligence",), before_first=1984),
    Venue("COLT", ("Conference on Learning Theory", "Computational Learning Theory"), before_first=1987),
    Venue("ALT", ("Algorithmic Learning Theory",), before_first=1989),
    Venue("ACML", ("Asian Conference on Machine Learning",), before_first=2008),
    Venue("ECML PKDD", ("European Conference on Machine Learning",), ("ECML-PKDD", "ECML/PKDD", "ECMLPKDD", "ECML")),
    Venue("ICMLA", ("International Conference on Machine Learning and Applications",)),
    Venue("CoRL", ("Conference on Robot Learning",), ("CORL",), 2016),
    Venue("CoLLAs", ("Conference on Lifelong Learning Agents",)),
    Venue("COLM", ("Conference on Language Modeling",), ("CoLM",), 2023),
    Venue("AutoML", ("Conference on Automated Machine Learning",), ("AutoML-Conf",)),
    Venue("MIDL", ("Medical Imaging with Deep Learning",)),
    Venue("ML4H", ("Machine Learning for Health",)),
    Venue("MLHC", ("Machine Learning for Healthcare",)),
    Venue("CHIL", ("Conference on Health, Inference, and Learning",)),
    Venue("CLeaR", ("Causal Learning and Reasoning",)),
    Venue("L4DC", ("Learning for Dynamics and Control",)),
    Venue("LoG", ("Learning on Graphs",), ("LOG",)),
    Venue("CPAL", ("Conference on Parsimony and Learning",), before_first=2023),
    Venue("MLSys", ("Conference on Machine Learning and Systems",), ("MLSYS",)),
    Venue("EurIPS", short=("EURIPS", "Eurips")),
    Venue("IASEAI", ("International Association for Safe and Ethical Artificial Intelligence",)),
    Venue("SaTML", ("Secure and Trustworthy Machine Learning",), ("SATML",)),
    Venue("IJCNN", ("International Joint Conference on Neural Networks",)),
    Venue("ICANN", ("International Conference on Artificial Neural Networks",)),
    Venue("ESANN", ("European Symposium on Artificial Neural Networks",), before_first=1992),
    Venue("CVPR", ("Computer Vision and Pattern Recognition",)),
    Venue("ICCV", ("International Conference on Computer Vision",)),
    Venue("ECCV", ("European Conference on Computer Vision",)),
    Venue("WACV", ("Winter Conference on Applications of Computer Vision",)),
    Venue("ACCV", ("Asian Conference on Computer Vision",)),
    Venue("BMVC", ("British Machine Vision Conference",), before_first=1989),
    Venue("3DV", ("International Conference on 3D Vision",)),
    Venue("ICIP", ("International Conference on Image Processing",)),
    Venue("ICPR", ("International Conference on Pattern Recognition",)),
    Venue("ICDAR", ("International Conference on Document Analysis and Recognition",)),
    Venue("ICME", ("International Conference on Multimedia and Expo",)),
    Venue("VISAPP", ("International Conference on Computer Vision Theory and Applications",), before_first=2005),
    Venue("CVIP", ("International Conference on Computer Vision and Image Processing",)),
    Venue("ACM MM", ("ACM International Conference on Multimedia",), ("ACM Multimedia", "ACMMM", "ACM-MM"), 1992),
    Venue("ACL", ("Annual Meeting of the Association for Computational Linguistics",), before_first=1962),
    Venue("EMNLP", ("Empirical Methods in Natural Language Processing",)),
    Venue(
        "NAACL",
        (
            "North American Chapter of the Association for Computational Linguistics",
            "Nations of the Americas Chapter of the Association for Computational Linguistics",
        ),
    ),
    Venue("EACL", ("European Chapter of the Association for Computational Linguistics",)),
    Venue(
        "AACL",
        ("Asia-Pacific Chapter of the Association for Computational Linguistics",),
        ("IJCNLP-AACL", "AACL-IJCNLP", "IJCNLP/AACL", "IJCNLP & AACL"),
    ),
    Venue("COLING", ("International Conference on Computational Linguistics",)),
    Venue(
        "LREC",
        (
            "Language Resources and Evaluation Conference",
            "International Conference on Language Resources and Evaluation",
            "International Conference on Computational Linguistics, Language Resources and Evaluation",
        ),
        ("LREC-COLING",),
    ),
    Venue("CoNLL", ("Computational Natural Language Learning",), ("CONLL",)),
    Venue("AAAI", ("AAAI Conference on Artificial Intelligence",), before_first=1986),
    Venue("IJCAI", ("International Joint Conference on Artificial Intelligence",), ("IJCAI-ECAI",), 1991),
    Venue("ECAI", ("European Conference on Artificial Intelligence",)),
    Venue("PRICAI", ("Pacific Rim International Conference on Artificial Intelligence",)),
    Venue("ICAART", ("International Conference on Agents and Artificial Intelligence",), before_first=2008),
    Venue("ICAPS", ("International Conference on Automated Planning and Scheduling",), before_first=1990),
    Venue("KDD", ("Knowledge Discovery and Data Mining",), ("SIGKDD",), 1994),
    Venue("PAKDD", ("Pacific-Asia Conference on Knowledge Discovery and Data Mining",), before_first=1996),
    Venue("ICDM", ("International Conference on Data Mining",)),
    Venue("DMBD", ("International Conference on Data Mining and Big Data",)),
    Venue("SDM", ("SIAM International Conference on Data Mining",)),
    Venue("WSDM", ("Web Search and Data Mining",), before_first=2007),
    Venue("WWW", ("Web Conference", "International World Wide Web Conference"), ("TheWebConf", "The WebConf")),
    Venue("ISWC", ("International Semantic Web Conference",)),
    Venue("ESWC", ("Extended Semantic Web Conference", "European Semantic Web Conference")),
    Venue("SIGIR", ("Conference on Research and Development in Information Retrieval",)),
    Venue("CHIIR", ("Conference on Human Information Interaction and Retrieval",)),
    Venue("CIKM", ("Conference on Information and Knowledge Management",)),
    Venue("RecSys", ("Conference on Recommender Systems",), ("RECSYS",), 2006),
    Venue("ECIR", ("European Conference on Information Retrieval",), before_first=1978),
    Venue("JCDL", ("Joint Conference on Digital Libraries",)),
    Venue("VLDB", ("International Conference on Very Large Data Bases",)),
    Venue("ICDE", ("International Conference on Data Engineering",)),
    Venue("IEEE BigData", ("International Conference on Big Data",), ("IEEE Big Data", "BigData")),
    Venue("ICASSP", ("International Conference on Acoustics, Speech, and Signal Processing",)),
    Venue("Interspeech", ("Conference of the International Speech Communication Association",), ("INTERSPEECH",)),
    Venue("ISMIR", ("International Society for Music Information Retrieval",)),
    Venue("EUSIPCO", ("European Signal Processing Conference",)),
    Venue("MLSP", ("International Workshop on Machine Learning for Signal Processing",)),
    Venue("ISIT", ("International Symposium on Information Theory",)),
    Venue("ICC", ("IEEE International Conference on Communications",)),
    Venue("GLOBECOM", ("Global Communications Conference",), ("Globecom",)),
    Venue("IGARSS", ("International Geoscience and Remote Sensing Symposium",)),
    Venue("ICRA", ("International Conference on Robotics and Automation",)),
    Venue("ACRA", ("Australasian Conference on Robotics and Automation",)),
    Venue("IROS", ("Intelligent Robots and Systems",)),
    Venue("RSS", ("Robotics: Science and Systems",)),
    Venue("HRI", ("International Conference on Human-Robot Interaction",), before_first=2005),
    Venue("IEEE IV", ("Intelligent Vehicles Symposium",), ("IEEE IV",), 1989),
    Venue("IEEE SMC", ("International Conference on Systems, Man, and Cybernetics",)),
    Venue("ACC", ("American Control Conference",)),
    Venue("CDC", ("Conference on Decision and Control",)),
    Venue("AAMAS", ("Autonomous Agents and Multiagent Systems", "Autonomous Agents and Multi-Agent Systems"), (), 2001),
    Venue("MICCAI", ("Medical Image Computing and Computer Assisted Intervention",), before_first=1997),
    Venue("ISBI", ("International Symposium on Biomedical Imaging",)),
    Venue("SPIE Medical Imaging"),
    Venue("BIBM", ("International Conference on Bioinformatics and Biomedicine",)),
    Venue("BVM", ("Bildverarbeitung für die Medizin", "German Conference on Medical Image Computing")),
    Venue("IPCAI", ("Information Processing in Computer-Assisted Interventions",)),
    Venue("FAccT", ("Fairness, Accountability, and Transparency",), ("FACCT",)),
    Venue("CHI", ("Conference on Human Factors in Computing Systems",)),
    Venue("IUI", ("Intelligent User Interfaces",)),
    Venue("IEEE VR", ("Conference on Virtual Reality and 3D User Interfaces",)),
    Venue("IEEE VIS", ("Visualization and Visual Analytics",)),
    Venue("SIGGRAPH"),
    Venue("SIGGRAPH Asia"),
    Venue("Eurographics"),
    Venue("STOC", ("Symposium on Theory of Computing",)),
    Venue("FOCS", ("Symposium on Foundations of Computer Science", "Conference on Foundations of Computer Science")),
    # Journals. The Transactions of the IEEE that machine learning publishes in, as their readers call them.
    Venue("TMLR", ("Transactions on Machine Learning Research",), journal=True),
    Venue("JMLR", ("Journal of Machine Learning Research",), journal=True),
    Venue("TACL", ("Transactions of the Association for Computational Linguistics",), journal=True),
    Venue("JAIR", ("Journal of Artificial Intelligence Research",), journal=True),
    Venue("IJCV", ("International Journal of Computer Vision",), journal=True),
    Venue("IJCARS", ("International Journal of Computer Assisted Radiology and Surgery",), journal=True),
    Venue("IJRR", ("International Journal of Robotics Research",), journal=True),
    Venue("ACM TOG", ("ACM Transactions on Graphics",), ("TOG",), journal=True),
    Venue("ACM TOIS", ("ACM Transactions on Information Systems",), ("TOIS",), journal=True),
    Venue("IEEE TPAMI", ("Transactions on Pattern Analysis and Machine Intelligence",), ("TPAMI", "T-PAMI"), journal=True),
    Venue("IEEE TIP", ("Transactions on Image Processing",), ("TIP", "IEEE T-IP"), journal=True),
    Venue("IEEE TMI", ("Transactions on Medical Imaging",), ("TMI",), journal=True),
    Venue("IEEE TMM", ("Transactions on Multimedia",), ("TMM",), journal=True),
    Venue("IEEE TNNLS", ("Transactions on Neural Networks and Learning Systems",), ("TNNLS",), journal=True),
    Venue("IEEE TKDE", ("Transactions on Knowledge and Data Engineering",), ("TKDE",), journal=True),
    Venue("IEEE TGRS", ("Transactions on Geoscience and Remote Sensing",), ("TGRS",), journal=True),
    Venue("IEEE TVCG", ("Transactions on Visualization and Computer Graphics",), ("TVCG",), journal=True),
    Venue("IEEE TCSVT", ("Transactions on Circuits and Systems for Video Technology",), ("TCSVT", "IEEE-TCSVT"), journal=True),
    Venue("IEEE TIFS", ("Transactions on Information Forensics and Security",), ("TIFS",), journal=True),
    Venue("IEEE TIT", ("Transactions on Information Theory",), journal=True),
    Venue("IEEE TSP", ("Transactions on Signal Processing",), ("TSP",), journal=True),
    Venue("IEEE TAC", ("Transactions on Automatic Control",), journal=True),
    Venue("IEEE TAI", ("Transactions on Artificial Intelligence", "IEEE Transactions on AI"), journal=True),
    Venue("IEEE TBIOM", ("Transactions on Biometrics, Behavior, and Identity Science",), ("TBIOM",), journal=True),
    Venue("IEEE TMC", ("Transactions on Mobile Computing",), ("TMC",), journal=True),
    Venue("IEEE T-RO", ("Transactions on Robotics",), ("T-RO", "IEEE TRO", "TRO"), journal=True),
    Venue("IEEE RA-L", ("Robotics and Automation Letters",), ("RA-L", "IEEE RAL"), journal=True),
    Venue("IEEE SPL", ("IEEE Signal Processing Letters",), journal=True),
    Venue("IEEE JBHI", ("Journal of Biomedical and Health Informatics",), ("JBHI",), journal=True),
    Venue("IEEE JSAC", ("Journal on Selected Areas in Communications",), ("JSAC",), journal=True),
)

_SHORT = {form: v for v in VENUES for form in (v.name, *v.short)}
_FOLDED = {form.casefold(): v for form, v in _SHORT.items()}


def _key(long: str) -> str:
    """A full name without what its spellings differ in: case, `&`, commas, `Transaction` for `Transactions`."""
    words = long.casefold().replace("&", "and").replace(",", " ").split()
    return " ".join("transactions" if word == "transaction" else word for word in words)


def _loose(long: str) -> str:
    words = (re.escape(word).replace("transactions", "transactions?") for word in _key(long).split())
    return r",?\s+".join(r"(?:and|&)" if word == "and" else word for word in words)


_LONG = {_key(form): v for v in VENUES for form in v.long}
#: A year that hangs on a name: `-26`, `'25`, ` 2026`, `2026`, `_2026`. Two digits that count pages are none, nor are those
#: behind a full name, which are a volume: `Advances in Neural Information Processing Systems 26`.
_FULL = r"20\d\d"
_BRIEF = r"[12]\d(?!\s*(?:pages?|pp?\b|figures?|tables?))"
_END = r"(?![\w/-]|\.\d)"
_YEAR = rf"(?:[\s_-]*[(]?\s?['’‘`]?\s?(?P<year>{_FULL}|{_BRIEF}){_END})"
_LONG_YEAR = rf"(?:[\s_-]*[(]?\s?(?:['’‘`]\s?(?P<brief>{_BRIEF})|['’‘`]?(?P<full>{_FULL})){_END})"
_SHORT_PATTERN = re.compile(
    r"(?<![A-Za-z0-9])(?P<name>" + "|".join(re.escape(s) for s in sorted(_SHORT, key=len, reverse=True)) + r")"
    rf"(?P<workshop>W)?(?![a-z])(?:{_YEAR}|(?![A-Za-z]))"
)
#: In any case, but only with its year: `isbi2026`.
_FOLDED_PATTERN = re.compile(
    r"(?<![A-Za-z0-9])(?P<name>" + "|".join(re.escape(s) for s in sorted(_FOLDED, key=len, reverse=True)) + r")"
    rf"(?P<workshop>w)?{_YEAR}",
    re.I,
)
#: Names go on with "and …" or "Theory …" where another venue's begin like them: they are not this venue.
_LONG_PATTERN = re.compile(
    r"(?<!\w)(?:" + "|".join(_loose(s) for s in sorted(_LONG, key=len, reverse=True)) + r")(?![\w-])"
    r"(?!\s+(?:(?-i:and|&)\s+(?-i:[A-Z][a-z])|(?-i:Theory|Systems|Engineering|Technolog(?:y|ies)|Techniques|Applications|Methods|Education)\b))"
    rf"{_LONG_YEAR}?",
    re.I,
)


def mentions_in(text: str) -> tuple[Mention, ...]:
    """All namings of known venues in the text's order; `Long Name (SHORT 2026)` is one."""
    found: list[Mention] = []
    for mention in sorted(_namings(text), key=lambda m: (m.start, -m.end)):
        last = found[-1] if found else None
        if last is not None and mention.start < last.end:
            continue
        if last is not None and last.venue == mention.venue and re.fullmatch(r"[\s,(\[]*", text[last.end : mention.start]):
            found[-1] = Mention(
                last.venue, last.start, mention.end, last.year or mention.year, last.workshop or mention.workshop
            )
        else:
            found.append(mention)
    return tuple(found)


def _namings(text: str) -> Iterator[Mention]:
    for m in _LONG_PATTERN.finditer(text):
        year = m["full"] or m["brief"]
        name = text[m.start() : m.start("full" if m["full"] else "brief")].rstrip(" -_(‘’'`") if year else m[0]
        yield Mention(_LONG[_key(name)], m.start(), m.end(), _year(year))
    for m in _SHORT_PATTERN.finditer(text):
        venue = _SHORT[m["name"]]
        volume = venue.journal and m["year"] is not None and len(m["year"]) == 2
        yield Mention(venue, m.start(), m.end(), 0 if volume else _year(m["year"]), bool(m["workshop"]))
    for m in _FOLDED_PATTERN.finditer(text):
        yield Mention(_FOLDED[m["name"].casefold()], m.start(), m.end(), _year(m["year"]), bool(m["workshop"]))


def _year(digits: str | None) -> int:
    return int(digits) % 2000 + 2000 if digits else 0


def venue_in(text: str) -> str:
    """The short name of the first venue that the text names, or "": `Proceedings of the 36th … on Machine Learning` is ICML.

    A full name is believed before a short one.
    """
    long = _LONG_PATTERN.search(text)
    if long:
        return next(_namings(text)).venue.name
    short = _SHORT_PATTERN.search(text)
    return _SHORT[short["name"]].name if short else ""


def short_name(name: str) -> str:
    """The name by which a venue is filtered: any of its forms in any case; a venue that is not known keeps its own."""
    return _ANY_CASE.get(" ".join(name.casefold().split()), name)


def asked_name(text: str) -> str:
    """The name that a filter means, with the year of an edition if there is one: `nips  2018` is `NeurIPS 2018`."""
    words = text.split()
    year = words.pop() if len(words) > 1 and re.fullmatch(r"(?:19|20)[0-9]{2}", words[-1]) else ""
    return f"{short_name(' '.join(words))} {year}".strip()


_ANY_CASE = {form.casefold(): v.name for v in VENUES for form in (*v.long, *v.short, v.name)}
