# expect: LOW
import os, json, tomllib
from dataclasses import dataclass, field, asdict
from pathlib import Path


@dataclass
class Config:
    host: str = "localhost"
    port: int = 8000
    debug: bool = False
    tags: list[str] = field(default_factory=list)

    @classmethod
    def load(cls, path="config.toml"):
        data = tomllib.loads(Path(path).read_text()) if Path(path).exists() else {}
        for k in list(cls.__dataclass_fields__):
            if (v := os.environ.get(f"APP_{k.upper()}")) is not None:
                data[k] = type(getattr(cls, k, ""))(v)
        return cls(**data)


print(json.dumps(asdict(Config.load()), indent=2))
