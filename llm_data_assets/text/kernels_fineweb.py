"""FineWeb's shares of lines (datatrove 0.10), of a text as it is and of what C4 leaves of it."""

from llm_data_assets.kernel import kernel
from llm_data_assets.text.characters import (
    END,
)
from llm_data_assets.text.kernels import ZERO, is_space, record_of
from llm_data_assets.text.kernels_lines import (
    AT_NEWLINE,
    SHORT_LINE,
    repeated,
    share,
    split_lines,
    strip_line,
)


@kernel
def measure_kept_lines(points, kept, records, n_words, space, row):  # type: ignore[no-untyped-def]
    """FineWeb's shares (datatrove 0.10) of the kept lines, joined and stripped, in row[3:7]."""
    starts, ends, table, _ = space
    # Lines that were citations alone are blank; around the text they are stripped away.
    head = 0
    while head < kept and _is_blank(points, starts[head], ends[head], records):
        head += 1
    while kept > head and _is_blank(points, starts[kept - 1], ends[kept - 1], records):
        kept -= 1
    if kept > head:
        starts[head], _ = strip_line(points, starts, ends, head, records)
        _, ends[kept - 1] = strip_line(points, starts, ends, kept - 1, records)
    lines = ZERO
    ended = 0
    short = 0
    characters = 0
    for k in range(head, kept):
        characters += ends[k] - starts[k]
        if not _is_blank(points, starts[k], ends[k], records):
            starts[lines] = starts[k]
            ends[lines] = ends[k]
            ended += (record_of(records, points[ends[k] - 1]) & END) != 0
            short += ends[k] - starts[k] <= SHORT_LINE
            lines += 1
    _, again, _, _, _ = repeated(points, starts, ends, lines, table)
    row[3] = share(ended, lines)
    row[4] = share(short, lines)
    row[5] = share(again, characters)
    row[6] = share(max(0, kept - head - 1), n_words)


@kernel
def _is_blank(points, start, end, records):  # type: ignore[no-untyped-def]
    for i in range(start, end):
        if not is_space(points[i], records):
            return False
    return True


@kernel
def measure_fineweb(points, n, records, n_words, space, row):  # type: ignore[no-untyped-def]
    """FineWeb's four shares of a text as it is, with the words found in it, into row[:4]."""
    starts, ends, table, breaks = space
    count = split_lines(points, ZERO, n, breaks, AT_NEWLINE, starts, ends)
    newlines = count - 1
    lines = ZERO
    ended = 0
    short = 0
    for k in range(count):
        first, last = strip_line(points, starts, ends, k, records)
        if last > first:
            starts[lines] = starts[k]
            ends[lines] = ends[k]
            ended += (record_of(records, points[ends[k] - 1]) & END) != 0
            short += ends[k] - starts[k] <= SHORT_LINE
            lines += 1
    _, characters, _, _, _ = repeated(points, starts, ends, lines, table)
    row[0] = share(ended, lines)
    row[1] = share(short, lines)
    row[2] = share(characters, n - newlines)
    row[3] = share(newlines, n_words)
