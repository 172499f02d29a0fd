"""Settings: one strict YAML file, overridden by the environment (HOTPATH__KAFKA__ONPREM__PORT=19092).

An address left out (null) means that the part is embedded: `hotpath demo` starts it on this machine.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from hotpath.clock import Micros
from hotpath.contract.durations import span_of
from hotpath.contract.strict_yaml import load_yaml, nearest
from hotpath.errors import BadConfig

PROJECT = Path(__file__).resolve().parent.parent
DEFAULT = PROJECT / "config" / "settings.yaml"

PREFIX = "HOTPATH__"


def _absolute(path: Path) -> Path:
    if path == Path():  # the empty text of a variable that is set to nothing
        raise ValueError("Input should be a path, not empty")
    return path if path.is_absolute() else PROJECT / path


def _duration(text: str) -> str:
    if span_of(text) is None:
        raise ValueError("Input should be a duration like 90s, 30m, 24h or 30d")
    return text


Port = Annotated[int, Field(ge=1, le=65535)]
Place = Annotated[Path, AfterValidator(_absolute)]
"""A path, absolute once loaded: a relative one starts at the project."""


class Section(BaseModel):
    """A part of the settings: nothing unknown, nothing converted behind the operator's back."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Cluster(Section):
    """One Kafka cluster: the address of an existing one, or the port of an embedded one."""

    bootstrap_servers: str | None = None
    port: Port

    @property
    def address(self) -> str:
        """Where clients connect."""
        return self.bootstrap_servers or f"127.0.0.1:{self.port}"


class Kafka(Section):
    """Both sites' clusters, and the partitions of the topics that Hotpath creates."""

    onprem: Cluster
    cloud: Cluster
    partitions: Annotated[int, Field(ge=1, le=1024)] = 4


class Mirror(Section):
    """MirrorMaker 2: the port of its own REST interface (loopback, needed for exactly-once)."""

    port: Port


class Spark(Section):
    """Where Spark runs, and the memory of its driver."""

    master: str
    memory: Annotated[str, Field(pattern=r"^\d+[mg]$")]
    trigger_s: Annotated[float, Field(ge=0, le=3600)]


class H2O(Section):
    """An existing H2O cluster by URL, or the embedded one's port and heap.

    `user`, `password`: the existing cluster's login ("": it asks for none).
    `deadline_s`: real seconds that one call to it may take.
    """

    url: str | None = None
    user: str = ""
    password: SecretStr = SecretStr("")
    port: Port
    memory: Annotated[str, Field(pattern=r"^\d+[mg]$")]
    deadline_s: Annotated[float, Field(gt=0, le=3600)]

    @property
    def login(self) -> tuple[str, str] | None:
        """What the existing cluster is told."""
        return (self.user, self.password.get_secret_value()) if self.user else None

    @model_validator(mode="before")
    @classmethod
    def _hidden(cls, given: Any) -> Any:
        """An error shows what was given, of a missing key all of the section: never the password."""
        if not isinstance(given, dict) or "password" not in given:
            return given
        said = given["password"]
        return {**given, "password": SecretStr(said) if isinstance(said, str) else ["not shown"]}

    @field_validator("password")
    @classmethod
    def _of_a_user(cls, password: SecretStr, others: ValidationInfo) -> SecretStr:
        if password.get_secret_value() and not others.data.get("user"):
            raise ValueError("Input should stand beside h2o.user, whose password it is")
        return password


class Training(Section):
    """The trainer. `window_s`, `model_s`: real seconds that a window and a model may take at most (a search
    its budget beside it). `keep_bundles`: how many of a pipeline stay in the store, beside those in use.
    """

    window_s: Annotated[float, Field(gt=0, le=86_400)]
    model_s: Annotated[float, Field(gt=0, le=86_400)]
    keep_bundles: Annotated[int, Field(ge=2, le=10_000)]


class LakeSettings(Section):
    """Where the lake stands: a folder (null: in the data folder).

    `compact_every`: between two compactions, in the domain's time. `keep_superseded_s`: real seconds that
    what a compaction has put out of force stays for readers who are in the middle of it.
    """

    url: Place | None = None
    compact_every: Annotated[str, AfterValidator(_duration)] = "1h"
    keep_superseded_s: Annotated[float, Field(ge=0, le=604_800)] = 3600

    @property
    def compaction(self) -> Micros:
        """`compact_every` in µs."""
        return span_of(self.compact_every) or 0


class Serve(Section):
    """The scorer's address. Loopback only, until the scorer speaks TLS."""

    host: Literal["127.0.0.1", "::1", "localhost"]
    port: Port


class Redis(Section):
    """Keyed state on-prem: an existing Redis by URL (redis, rediss or unix), or the embedded one's port.

    Real: `deadline_ms`, what a request waits for it at most; `copy_ms`, how old a scorer's copy may be.
    """

    url: Annotated[str, Field(pattern=r"^(redis|rediss|unix)://")] | None = None
    port: Port
    deadline_ms: Annotated[float, Field(gt=0, le=1000)]
    copy_ms: Annotated[float, Field(ge=0, le=60_000)]

    @property
    def address(self) -> str:
        """Where clients connect."""
        return self.url or f"redis://127.0.0.1:{self.port}"


class InfluxDB(Section):
    """InfluxDB 2: an existing one by URL with a token's file, or the embedded one's port.

    `retention_d`: days that the bucket keeps; both organisation and bucket are made where they are missing.
    """

    url: str | None = None
    port: Port
    org: str
    bucket: str
    token_file: Place | None = None
    retention_d: Annotated[int, Field(ge=1, le=3650)]

    @property
    def address(self) -> str:
        """Where clients connect."""
        return self.url or f"http://127.0.0.1:{self.port}"


class Clocks(Section):
    """The host-clock ledger: real seconds of a window and of the limit, and windows that must agree."""

    window_s: Annotated[float, Field(gt=0, le=3600)]
    limit_s: Annotated[float, Field(gt=0, le=3600)]
    confirm: Annotated[int, Field(ge=1, le=100)]


class Console(Section):
    """The console's address: loopback only, it asks nobody who they are."""

    host: Literal["127.0.0.1", "::1", "localhost"]
    port: Port


class Alarms(Section):
    """Where alarms go beside the log: webhooks (Alertmanager's format), a file of apprise URLs (one a line).

    The URLs hold passwords: a file that others may read is refused.
    """

    webhooks: list[str]
    apprise_file: Place | None = None


Share = Annotated[float, Field(ge=0, le=1)]


class PaymentsSource(Section):
    """What `ingest` makes of card payments; the fields are those of ingest.traffic.Traffic."""

    seed: int
    a_day: Annotated[int, Field(ge=1, le=10_000_000)]
    frauds: Share
    drift_h: Annotated[float, Field(ge=1, le=10_000)]
    label_h: Annotated[float, Field(gt=0, le=1_000)]
    late_labels: Share
    late_by_h: Annotated[float, Field(ge=0, le=1_000)]
    nulls: Share
    twice: Share
    no_consent: Share
    history_d: Annotated[int, Field(ge=1, le=60)]
    bad_hosts: dict[str, Annotated[float, Field(ge=-86_400, le=86_400)]]


class Sources(Section):
    """The generators that Hotpath ships, by pipeline."""

    payments: PaymentsSource


class Threshold(Section):
    """What an operator wants otherwise of a monitor; what is left out stays as its table has it."""

    warn: float | None = None
    page: float | None = None
    for_s: Annotated[float, Field(ge=0, le=86400)] | None = None


class ClockSettings(Section):
    """The clock file of a replay (null: in the data folder; only the demonstration writes it)."""

    file: Place | None = None


class Settings(BaseSettings):
    """All settings of a deployment; paths are absolute once loaded."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    data: Place
    pipelines: Place
    kafka: Kafka
    mirror: Mirror
    spark: Spark
    h2o: H2O
    train: Training
    lake: LakeSettings
    serve: Serve
    redis: Redis
    influxdb: InfluxDB
    clocks: Clocks
    console: Console
    alarms: Alarms
    monitors: dict[str, Threshold]
    sources: Sources
    clock: ClockSettings

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic-settings' signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment first, then the file (handed in as initial values)."""
        return env_settings, init_settings

    def lake_root(self) -> Path:
        """The folder that holds one folder a pipeline."""
        return self.lake.url or self.data / "cloud" / "lake"

    def checkpoint(self, pipeline: str) -> Path:
        """The stream job's own memory."""
        return self.data / "cloud" / "checkpoints" / pipeline

    def tiles(self) -> Path:
        """What the process that tells tiles remembers: contracts that were replaced."""
        return self.data / "cloud" / "tiles"

    def bundle_store(self) -> Path:
        """The trainer's bundles and sequences."""
        return self.data / "cloud" / "bundles"

    def signing_key(self) -> Path:
        """The trainer's private key."""
        return self.data / "cloud" / "keys" / "signing.pem"

    def verify_key(self) -> Path:
        """The scorer's public key."""
        return self.data / "onprem" / "keys" / "verify.pem"

    def influxdb_token(self, name: Literal["admin", "write", "read"]) -> Path:
        """A token of the embedded InfluxDB (an existing one: the settings' file, whatever the name)."""
        # The embedded one's set-up writes three tokens: into an operator's one file none of them would last.
        given = None if self.influxdb.url is None else self.influxdb.token_file
        return given or self.data / "cloud" / "keys" / f"influxdb-{name}.token"

    def monitoring(self, pipeline: str) -> Path:
        """The folder in which the monitoring job remembers what it has read of a pipeline."""
        return self.data / "cloud" / "monitoring" / pipeline

    def mirror_seen(self) -> Path:
        """The folder in which the agent remembers what it has seen of the mirror."""
        return self.data / "onprem" / "mirror"

    def bundle_folder(self) -> Path:
        """Where the follower places admitted bundles, one folder a pipeline."""
        return self.data / "onprem" / "bundles"

    def clock_file(self) -> Path:
        """Segments of the replayed clock."""
        return self.clock.file or self.data / "clock.jsonl"

    def logs(self) -> Path:
        """One log file a part."""
        return self.data / "logs"

    def state(self, part: str) -> Path:
        """What a part says it is doing."""
        return self.data / "state" / f"{part}.json"

    def deployed(self) -> Path:
        """The contracts that run, put there by `hotpath deploy`."""
        return self.data / "deployed"

    def contracts(self) -> tuple[Path, ...]:
        """The contract files, by name."""
        return tuple(sorted(self.pipelines.glob("*.yaml")))


def load(file: Path | None = None) -> Settings:
    """The settings in `file` (default: config/settings.yaml) under the environment.

    Raises BadConfig naming key, value, expectation and, for an unknown key, the nearest known one.
    """
    path = file or DEFAULT
    try:
        text = path.read_text()
    except OSError as error:
        raise BadConfig(str(path), error.strerror, "a readable settings file") from error
    tree = load_yaml(text, str(path))
    _refuse_unknown_overrides()
    try:
        return Settings(**tree.data)
    except SettingsError as error:  # a section's variable that is no JSON
        raise BadConfig("environment", str(error), "a section as JSON, or its keys one by one") from error
    except ValidationError as error:
        # A misspelt key is missing under its right name too: the misspelling tells more.
        first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
        keys = tuple(str(k) for k in first["loc"])
        raise BadConfig(
            f"{tree.where(keys)}: {'.'.join(keys)}",
            first["input"],
            _expected(first["type"], first["msg"], keys),
        ) from error


def _refuse_unknown_overrides() -> None:
    """pydantic-settings passes over a variable whose section it does not know."""
    known = _known(Settings, ())
    for variable in os.environ:
        section = variable.removeprefix(PREFIX).split("__")[0].lower()
        if variable.startswith(PREFIX) and section not in known:
            raise BadConfig(
                variable, section, f"one of the sections {', '.join(known)}{nearest(section, known)}"
            )


def _expected(kind: str, message: str, keys: tuple[str, ...]) -> str:
    if kind != "extra_forbidden":
        return message
    known = _known(Settings, keys[:-1])
    return f"a known key ({', '.join(known)}){nearest(keys[-1], known)}"


def _known(section: type[BaseModel], keys: tuple[str, ...]) -> list[str]:
    fields: dict[str, Any] = dict(section.model_fields)
    return _known(fields[keys[0]].annotation, keys[1:]) if keys else sorted(fields)
