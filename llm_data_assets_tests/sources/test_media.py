"""Media manifests: references with captions; lengths from the files, and nothing fetched."""

import wave
from pathlib import Path

import pytest

from llm_data_assets.sources.audio_length import seconds
from llm_data_assets.sources.document import Reject
from llm_data_assets.sources.files import list_files
from llm_data_assets.sources.media_pair import MediaPair
from llm_data_assets.sources.nearby import beside
from llm_data_assets.sources.webvid import seconds as duration
from llm_data_assets_tests.sources import fixtures_conversations as fixtures
from llm_data_assets_tests.sources.test_conversations import records


def test_laion_of_two_billion(tmp_path: Path) -> None:
    pair, nowhere = records(fixtures.laion(tmp_path), "laion")
    assert (pair.caption, pair.url) == ("A quay", "https://example.org/a.jpg")
    assert (pair.width, pair.height, pair.scores) == (640, 480, {"similarity": 0.31})
    assert (pair.nsfw, pair.language, pair.native_id) == ("UNLIKELY", "en", "7")
    assert nowhere.error.startswith("no address")


def test_laion_of_400_million(shared_data: Path) -> None:
    found = records(shared_data / "laion" / "test_1000.parquet", "laion")
    assert len(found) == 1000
    assert all(isinstance(each, MediaPair) and each.meta == {} for each in found)


def test_coyo_has_scores_of_several_models(tmp_path: Path) -> None:
    pair, empty = records(fixtures.coyo(tmp_path), "coyo")
    assert len(pair.scores) == 6
    assert pair.meta["image_phash"] == "a1b2" and pair.native_id == "4896263451343"
    assert isinstance(empty, Reject)


def test_captions_without_a_header(tmp_path: Path, shared_data: Path) -> None:
    pair, short, empty = records(fixtures.conceptual_captions(tmp_path), "conceptual_captions")
    assert (pair.caption, pair.url) == ("an angler fishes .", "https://example.org/a.jpg")
    assert isinstance(short, Reject) and empty.error.startswith("no caption")
    path = shared_data / "conceptual-captions" / "Validation_GCC-1.1.0-Validation.tsv"
    found = records(path, "conceptual_captions")
    assert sum(isinstance(each, MediaPair) for each in found) == 10_555


def test_a_triple_needs_its_parts(tmp_path: Path) -> None:
    pair, lacking, climbing = records(fixtures.cc12m(tmp_path), "cc12m")
    assert (pair.caption, pair.path) == ("<PERSON> at the quay", "000000000.jpg")
    assert (pair.url, pair.width) == ("https://example.org/a.jpg", 640)
    assert lacking.error == "no caption: the triple of 000000001 has none"
    assert climbing.error.startswith("path leaves the archive")


def test_webvid_is_read_by_name(tmp_path: Path, shared_data: Path) -> None:
    film, nowhere = records(fixtures.webvid(tmp_path), "webvid")
    assert (film.caption, film.seconds, film.native_id) == ("Quay, at dusk", 77.0, "1")
    assert nowhere.error.startswith("no address")
    found = records(shared_data / "webvid" / "results_2M_val.csv", "webvid")
    assert [each.seconds for each in found][:2] == [17.0, 24.0]
    assert len(found) == 9


@pytest.mark.parametrize(
    ("text", "length"),
    [("PT00H00M17S", 17), ("PT1H2M3.5S", 3723.5), ("PT5M", 300), ("PT", None), ("17", None)],
)
def test_durations(text: str, length: float | None) -> None:
    assert duration(text) == length


def test_recordings_have_the_length_of_their_files(tmp_path: Path, shared_data: Path) -> None:
    first, missing = records(fixtures.librispeech(tmp_path), "librispeech")
    assert (first.caption, first.seconds, first.path) == ("HE HOPED", 2.5, "1-2-0000.flac")
    assert missing.error.startswith("no recording: 1-2-0001")
    (path,) = (shared_data / "librispeech").glob("**/134686/*.trans.txt")
    found = records(path, "librispeech")
    assert [each.seconds for each in found] == pytest.approx([10.435, 3.275], abs=1e-3)
    assert found[0].meta == {"speaker": "1089", "chapter": "134686"}


def test_a_recording_without_a_transcript(tmp_path: Path) -> None:
    (tale,) = records(fixtures.librilight(tmp_path), "librilight")
    assert (tale.caption, tale.seconds, tale.scores) == ("A Tale", 1.0, {"snr": 8.5})
    assert tale.meta["voice_activity"] == [[0.0, 0.9]]


def test_wav_and_nonsense(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "a.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8_000)
        sound.writeframes(bytes(2 * 12_000))
    (tmp_path / "b").write_bytes(b"fLaC")
    lengths = []
    for name in ("a.wav", "b"):
        with (tmp_path / name).open("rb") as stream:
            lengths.append(seconds(stream))
    assert lengths == [1.5, None]


def test_a_name_that_leads_out_names_nothing(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("a")
    (tmp_path / "out.flac").write_bytes(b"")
    (tmp_path / "in" / "link.flac").symlink_to(tmp_path / "out.flac")
    (file,) = list_files(["in/a.txt"], base=tmp_path)
    assert beside(file, "a.txt") is not None
    assert [beside(file, name) for name in ("../out.flac", "link.flac", "gone", "..")] == [None] * 4
