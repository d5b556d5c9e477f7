"""The trained model as numbers, and its file.

The file is an `.npz` without pickles and with fixed timestamps: the same model always gives the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.errors import IngestError

#: The packaged model.
MODEL = Path(__file__).with_name("model.npz")

#: Raised by one when older code could not read the file.
FORMAT = 2

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest instant a zip can hold


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A linear model over words, pairs of neighbouring words, arXiv categories and cues (`catalog.tagging.cues`).

    Rows of `weights` and `idf` are features: row i is word i, row 0 is for unknown words, and row `word_rows` + j is the pair
    `pairs[j]`. A pair of the words a, b is the number a * `word_rows` + b. Columns of `weights` and `bias` are the topics, then
    one for being of any topic at all, then the forms, then the levels.
    """

    topics: tuple[str, ...]
    forms: tuple[str, ...]
    levels: tuple[str, ...]
    surface: dict[str, int]  # every spelling to its word; several spellings share a word
    word_rows: int
    pairs: NDArray[np.int64]  # ascending
    idf: NDArray[np.float32]  # rows; 0 for words that are no features by themselves
    weights: NDArray[np.float32]  # rows x columns, times idf already
    categories: dict[str, int]
    category_weights: NDArray[np.float32]  # categories + 1 x topics; the last row is for having any known category
    cues: dict[str, int]
    cue_idf: NDArray[np.float32]
    cue_weights: NDArray[np.float32]  # cues x forms and levels, times idf already
    bias: NDArray[np.float32]
    thresholds: NDArray[np.float32]  # least score with which a topic is assigned
    gate: float  # a paper is of no topic when its best topic's log odds and those of having any add up to less
    measured: dict[str, Any]  # what training measured
    digest: str  # 12 hex digits of the file


def write(model: Model, path: Path) -> bytes:
    """Writes the file in place of an older one, in one step, and gives its bytes; numbers are kept as float16."""
    data = encode(model)
    beside = path.with_name(path.name + ".new")
    beside.write_bytes(data)
    beside.replace(path)
    return data


def encode(model: Model) -> bytes:
    """The bytes of the file."""
    spellings = sorted(model.surface)
    head = {
        "format": FORMAT,
        "topics": model.topics,
        "forms": model.forms,
        "levels": model.levels,
        "gate": model.gate,
        "word_rows": model.word_rows,
        "categories": sorted(model.categories, key=model.categories.__getitem__),
        "measured": model.measured,
    }
    arrays: dict[str, NDArray[Any]] = {
        "head": _text(json.dumps(head, sort_keys=True, ensure_ascii=False)),
        "spellings": _text("\n".join(spellings)),
        "spelling_words": np.array(
            [model.surface[word] for word in spellings], dtype=np.uint16 if model.word_rows < 65_536 else np.uint32
        ),
        "pairs": np.diff(model.pairs, prepend=0),  # differences are small, which saves half of their compressed size
        "idf": model.idf.astype(np.float16),
        "weights": model.weights.astype(np.float16).T.copy(),
        "category_weights": model.category_weights.astype(np.float16),
        "cues": _text("\n".join(sorted(model.cues, key=model.cues.__getitem__))),
        "cue_idf": model.cue_idf.astype(np.float16),
        "cue_weights": model.cue_weights.astype(np.float16).T.copy(),
        "bias": model.bias,
        "thresholds": model.thresholds,
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, array, allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", _EPOCH)  # numpy's own savez stamps the present
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, member.getvalue(), compresslevel=9)
    return out.getvalue()


def read(path: Path) -> Model:
    """The model of a file; IngestError in one line when it is missing, damaged or of another format."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise IngestError(
            f"{path}: cannot be read ({error.strerror}); rebuild it with `skillfeed train --texts FILE`"
        ) from error
    return decode(data, str(path))


def decode(data: bytes, name: str = "model") -> Model:
    """The model of those bytes; `name` stands in the IngestError of damaged ones."""
    mend = "rebuild it with `skillfeed train --texts FILE`"
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            head = json.loads(archive["head"].tobytes())
            if head["format"] != FORMAT:
                raise IngestError(f"{name}: is of format {head['format']}, this version reads {FORMAT}; {mend}")
            spellings = archive["spellings"].tobytes().decode().split("\n")
            word_rows = int(head["word_rows"])
            model = Model(
                topics=tuple(head["topics"]),
                forms=tuple(head["forms"]),
                levels=tuple(head["levels"]),
                surface=dict(zip(spellings, archive["spelling_words"].tolist(), strict=True)),
                word_rows=word_rows,
                pairs=np.cumsum(archive["pairs"], dtype=np.int64),
                idf=archive["idf"].astype(np.float32),
                weights=np.ascontiguousarray(archive["weights"].T, dtype=np.float32),
                categories={category: row for row, category in enumerate(head["categories"])},
                category_weights=archive["category_weights"].astype(np.float32),
                cues={name: row for row, name in enumerate(archive["cues"].tobytes().decode().split("\n")) if name},
                cue_idf=archive["cue_idf"].astype(np.float32),
                cue_weights=np.ascontiguousarray(archive["cue_weights"].T, dtype=np.float32),
                bias=archive["bias"].astype(np.float32),
                thresholds=archive["thresholds"].astype(np.float32),
                gate=float(head["gate"]),
                measured=head["measured"],
                digest=hashlib.blake2b(data, digest_size=6).hexdigest(),
            )
    except IngestError:
        raise
    except Exception as error:  # numpy and zipfile raise a dozen types for damaged bytes
        raise IngestError(f"{name}: is no model or is damaged ({type(error).__name__}); {mend}") from error
    rows, topics, labels, said = (
        word_rows + len(model.pairs),
        len(model.topics),
        len(model.forms) + len(model.levels),
        len(model.cues),
    )
    wanted = {
        "weights": (rows, topics + 1 + labels), "idf": (rows,), "category_weights": (len(model.categories) + 1, topics),
        "bias": (topics + 1 + labels,), "thresholds": (topics,), "cue_weights": (said, labels), "cue_idf": (said,),
    }  # fmt: skip
    if any(getattr(model, part).shape != shape for part, shape in wanted.items()):
        raise IngestError(f"{name}: its parts do not fit together; {mend}")
    return model


def _text(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), dtype=np.uint8)
