"""What a command gives back to the frame."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Result:
    """What was done: `data` is printed with `--json`, `text` without. Both may be empty."""

    data: dict[str, object] = field(default_factory=dict)
    text: str = ""
    exit_code: int = 0
