"""Conferences, workshops and journals: one name each, however they are written."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Venue:
    """A venue: the short name that is shown and filtered by, and how else it is written."""

    name: str
    long: tuple[str, ...] = ()  # full names, any case
    short: tuple[str, ...] = ()  # further short forms, case as given


VENUES: tuple[Venue, ...] = (
    Venue("NeurIPS", ("Neural Information Processing Systems",), ("NIPS", "NEURIPS", "Neurips")),
    Venue("ICML", ("International Conference on Machine Learning",)),
    Venue("ICLR", ("International Conference on Learning Representations",)),
    Venue("AISTATS", ("Artificial Intelligence and Statistics",)),
    Venue("UAI", ("Uncertainty in Artificial Intelligence",)),
    Venue("COLT", ("Conference on Learning Theory", "Computational Learning Theory")),
    Venue("ALT", ("Algorithmic Learning Theory",)),
    Venue("ACML", ("Asian Conference on Machine Learning",)),
    Venue("CoRL", ("Conference on Robot Learning",), ("CORL",)),
    Venue("CoLLAs", ("Conference on Lifelong Learning Agents",)),
    Venue("COLM", ("Conference on Language Modeling",)),
    Venue("AutoML", ("Conference on Automated Machine Learning",), ("AutoML-Conf",)),
    Venue("MIDL", ("Medical Imaging with Deep Learning",)),
    Venue("ML4H", ("Machine Learning for Health",)),
    Venue("MLHC", ("Machine Learning for Healthcare",)),
    Venue("CHIL", ("Conference on Health, Inference, and Learning",)),
    Venue("CLeaR", ("Causal Learning and Reasoning",)),
    Venue("L4DC", ("Learning for Dynamics and Control", "Learning for Dynamics & Control")),
    Venue("LoG", ("Learning on Graphs",), ("LOG",)),
    Venue("CPAL", ("Conference on Parsimony and Learning",)),
    Venue("MLSys", ("Conference on Machine Learning and Systems",), ("MLSYS",)),
    Venue("TMLR", ("Transactions on Machine Learning Research",)),
    Venue("JMLR", ("Journal of Machine Learning Research",)),
    Venue("CVPR", ("Computer Vision and Pattern Recognition",)),
    Venue("ICCV", ("International Conference on Computer Vision",)),
    Venue("ECCV", ("European Conference on Computer Vision",)),
    Venue("WACV", ("Winter Conference on Applications of Computer Vision",)),
    Venue("ACCV", ("Asian Conference on Computer Vision",)),
    Venue("BMVC", ("British Machine Vision Conference",)),
    Venue("3DV", ("International Conference on 3D Vision",)),
    Venue("ACL", ("Annual Meeting of the Association for Computational Linguistics",)),
    Venue("EMNLP", ("Empirical Methods in Natural Language Processing",)),
    Venue("NAACL", ("North American Chapter of the Association for Computational Linguistics",)),
    Venue("EACL", ("European Chapter of the Association for Computational Linguistics",)),
    Venue("AACL", ("Asia-Pacific Chapter of the Association for Computational Linguistics",)),
    Venue("COLING", ("International Conference on Computational Linguistics",)),
    Venue("LREC", ("Language Resources and Evaluation",), ("LREC-COLING",)),
    Venue("CoNLL", ("Computational Natural Language Learning",), ("CONLL",)),
    Venue("TACL", ("Transactions of the Association for Computational Linguistics",)),
    Venue("AAAI", ("AAAI Conference on Artificial Intelligence",)),
    Venue("IJCAI", ("International Joint Conference on Artificial Intelligence",)),
    Venue("ECAI", ("European Conference on Artificial Intelligence",)),
    Venue("KDD", ("Knowledge Discovery and Data Mining",), ("SIGKDD",)),
    Venue("ICDM", ("International Conference on Data Mining",)),
    Venue("WSDM", ("Web Search and Data Mining",)),
    Venue("WWW", ("The Web Conference", "ACM Web Conference"), ("TheWebConf",)),
    Venue("SIGIR", ("Research and Development in Information Retrieval",)),
    Venue("CIKM", ("Information and Knowledge Management",)),
    Venue("RecSys", ("Conference on Recommender Systems",), ("RECSYS",)),
    Venue("ECIR", ("European Conference on Information Retrieval",)),
    Venue("ICASSP", ("International Conference on Acoustics, Speech, and Signal Processing",)),
    Venue("Interspeech", ("Conference of the International Speech Communication Association",), ("INTERSPEECH",)),
    Venue("ISMIR", ("International Society for Music Information Retrieval",)),
    Venue("ICRA", ("International Conference on Robotics and Automation",)),
    Venue("IROS", ("Intelligent Robots and Systems",)),
    Venue("RSS", ("Robotics: Science and Systems",)),
    Venue("AAMAS", ("Autonomous Agents and Multiagent Systems", "Autonomous Agents and Multi-Agent Systems")),
    Venue("MICCAI", ("Medical Image Computing and Computer Assisted Intervention",)),
    Venue("FAccT", ("Fairness, Accountability, and Transparency",), ("FACCT",)),
    Venue("SIGGRAPH"),
    Venue("STOC", ("Symposium on Theory of Computing",)),
    Venue("FOCS", ("Foundations of Computer Science",)),
)

_SHORT = {form: v.name for v in VENUES for form in (v.name, *v.short)}
_LONG = {" ".join(form.casefold().split()): v.name for v in VENUES for form in v.long}
_SHORT_PATTERN = re.compile(
    r"(?<![A-Za-z0-9])(" + "|".join(re.escape(s) for s in sorted(_SHORT, key=len, reverse=True)) + r")(?![A-Za-z])"
)
_LONG_PATTERN = re.compile("|".join(re.escape(s) for s in sorted(_LONG, key=len, reverse=True)))


def venue_in(text: str) -> str:
    """The short name of the first venue that the text names, or "": `Proceedings of the 36th … on Machine Learning` is ICML."""
    lowered = " ".join(text.casefold().split())
    long = _LONG_PATTERN.search(lowered)
    if long:
        return _LONG[long[0]]
    short = _SHORT_PATTERN.search(text)
    return _SHORT[short[0]] if short else ""
