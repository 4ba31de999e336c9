"""BELLE, such as School Math: Alpaca's layout, in Chinese. Offset: byte of the line's start."""

from llm_data_assets.sources.alpaca import read as read
from llm_data_assets.sources.alpaca import read_records as read_records
from llm_data_assets.sources.alpaca import split as split
from llm_data_assets.sources.options import NoOptions

Options = NoOptions
