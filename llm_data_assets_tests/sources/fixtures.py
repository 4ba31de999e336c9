"""A small, faithful file of every format, by the format's name."""

from collections.abc import Callable
from pathlib import Path

from llm_data_assets_tests.sources.fixtures_code import CODE_FIXTURES
from llm_data_assets_tests.sources.fixtures_conversations import CONVERSATION_FIXTURES
from llm_data_assets_tests.sources.fixtures_text import TEXT_FIXTURES

FIXTURES: dict[str, Callable[[Path], Path]] = {
    **TEXT_FIXTURES,
    **CODE_FIXTURES,
    **CONVERSATION_FIXTURES,
}
