"""The one error of configuration: what is wrong, in which file and line, and the way out."""


class ConfigError(ValueError):
    """A catalog or pipeline that cannot be used.

    The message reads `file:line: field: what is wrong. Try: the way out.`
    """

    def __init__(self, where: str, field: str, problem: str, way_out: str) -> None:
        self.where, self.field, self.problem, self.way_out = where, field, problem, way_out
        prefix = f"{where}: {field}" if field else where
        super().__init__(f"{prefix}: {problem}. Try: {way_out}")
