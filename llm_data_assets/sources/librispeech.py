"""LibriSpeech: `*.trans.txt` of ids and words, recordings beside it. Offset: byte of the line.

`uris` name the transcripts (`**/*.trans.txt`), or the folder. Of a recording its length is taken,
and how much of it is silent.
"""

from collections.abc import Iterator

from llm_data_assets.sources.audio_length import seconds
from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile, open_decompressed, open_raw
from llm_data_assets.sources.jsonl import MAX_LINE_BYTES, lines
from llm_data_assets.sources.media_pair import MediaPair, Paired, documents
from llm_data_assets.sources.nearby import below, beside
from llm_data_assets.sources.options import NoOptions as Options
from llm_data_assets.sources.silence import silence

_RECORDINGS = (".flac", ".wav")


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield every transcript as one document."""
    return documents(read_records(file, options))


def read_records(file: SourceFile, options: Options) -> Iterator[Paired]:
    """Yield every line of a transcript with its recording; other files are passed over."""
    if not file.path.endswith(".trans.txt"):
        return
    with open_decompressed(file) as stream:
        for offset, line in lines(stream, MAX_LINE_BYTES, file.start):
            yield line if isinstance(line, Reject) else _pair(file, offset, line)


def companions(file: SourceFile) -> list[SourceFile]:
    """The recordings in a transcript's folder."""
    if not file.path.endswith(".trans.txt"):
        return []
    return [each for ending in _RECORDINGS for each in below(file, f"*{ending}")]


def _pair(file: SourceFile, offset: int, line: bytes) -> Paired:
    name, _, words = line.decode("utf-8", "replace").strip().partition(" ")
    if not words.strip():
        return Reject(offset, "no transcript: the line has an id alone", line[:80])
    for ending in _RECORDINGS:
        recording = beside(file, name + ending)
        if recording is not None:
            with open_raw(recording) as stream:
                length = seconds(stream)
                stream.seek(0)
                silent, fault = silence(stream, length)
            if length is None:
                return Reject(offset, f"no length: {recording.uri} is no FLAC or WAV", line[:80])
            speaker, chapter, _ = (*name.split("-"), "", "")[:3]
            return MediaPair(
                offset,
                "audio",
                words.strip(),
                path=recording.uri,
                seconds=length,
                says="transcript",
                silence=silent,
                fault=fault,
                native_id=name,
                language="en",
                meta={"speaker": speaker, "chapter": chapter},
            )
    return Reject(offset, f"no recording: {name} has none beside its transcript", line[:80])
