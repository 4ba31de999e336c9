"""What is measured of a pair."""

from typing import Any

from llm_data_assets.media.signals import measure

SCORES = {"nsfw_score": {"fields": ["opennsfw2", "gantman"], "min": 0, "max": 1}}


def measured(caption: str, meta: dict[str, Any] | None = None, **about: Any) -> dict[str, Any]:
    row = {"doc_id": "a/1", "says": "caption", "caption": caption, "width": None, "height": None,
           "seconds": None, "silence_share": None, "recording_fault": "none", "scores": [],
           **about}  # fmt: skip
    return measure([row], [meta or {}], SCORES)[0]


def test_captions() -> None:
    found = measured("<PERSON> at the quay")
    assert (found["caption_words"], found["placeholders"], found["placeholder_share"]) == (
        4,
        1,
        0.25,
    )
    assert measured("click to enlarge picture")["boilerplate_share"] == 1
    assert [measured(text)["file_name"] for text in ("IMG_2031", "a.JPG", "a quay")] == [1, 1, 0]
    assert measured("see www.example.org")["address"] == 1
    assert measured("sale sale sale SALE")["repeated_word_share"] == 0.75
    chinese = measured("一只猫坐在窗台上看着外面的雨")
    assert chinese["language"] == "zh" and 4 < chinese["caption_words"] < 14


def test_sizes_and_lengths() -> None:
    found = measured("a quay", width=600, height=200)
    assert (found["shorter_side"], found["pixels"], found["aspect_ratio"]) == (200, 120_000, 3.0)
    assert measured("a quay", width=600, height=0)["aspect_ratio"] is None
    said = measured("he hoped for stew", says="transcript", seconds=2.0)
    assert (said["words_per_second"], said["characters_per_second"]) == (2.0, 8.5)
    assert measured("a quay", says="title", seconds=2.0)["words_per_second"] is None


def test_scores_count_once_and_faults_are_told() -> None:
    scores = [{"name": "opennsfw2", "value": 0.1}, {"name": "gantman", "value": 0.3}]
    both = measured("a quay", scores=scores)
    assert (both["scores"], both["score_fault"]) == ([{"name": "nsfw_score", "value": 0.3}], "none")
    beyond = measured("a quay", {"gantman": 7})
    assert (beyond["scores"], beyond["score_fault"]) == ([], "gantman out_of_range")
    assert measured("a quay", {"gantman": "high"})["score_fault"] == "gantman not_a_number"
