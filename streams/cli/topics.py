"""``brobygger topics``: the topics of the catalogue, and whether the cluster has them."""

import typer

from connectors.kafka.topics import TopicDescription, TopicSpec, describe
from schemas.topics import entry_of, short_name
from streams.cli.printing import AsJson, print_line, print_table
from streams.instance import NoInstanceError, broker_of
from streams.provision import create_topics, parties_of, topic_specs
from streams.settings import Settings, settings_of_process

app = typer.Typer(help="List or create the topics of the catalogue.", add_completion=False, no_args_is_help=True)


@app.command("list")
def list_topics(as_json: AsJson = False) -> None:  # noqa: FBT002
    """Lists every topic with its owner, its event and how long it is kept; one JSON line a topic."""
    settings = settings_of_process()
    specs = topic_specs(settings, parties_of(settings))
    found = _found(settings, specs)
    rows = [_row(spec, found) for spec in specs]
    if as_json:
        for row in rows:
            print_line(row)
        return
    cells = ([row[name] for name in ("topic", "owner", "event", "retention_days", "partitions")] for row in rows)
    print_table("topics", ("topic", "owner", "event", "days kept", "partitions found"), cells)


@app.command("apply")
def apply_topics() -> None:
    """Creates what topics are missing and sets what settings differ; repeating it changes nothing."""
    settings = settings_of_process()
    count = create_topics(settings, broker_of(settings))
    typer.echo(f"{count} topics are as the catalogue says")


def _found(settings: Settings, specs: list[TopicSpec]) -> dict[str, TopicDescription]:
    """Returns what the cluster has; nothing where none runs, since the catalogue can be read without."""
    try:
        connection = broker_of(settings)
    except NoInstanceError:
        return {}
    return describe(connection, [spec.name for spec in specs])


def _row(spec: TopicSpec, found: dict[str, TopicDescription]) -> dict[str, object]:
    entry = entry_of(spec.name)
    return {
        "topic": short_name(spec.name),
        "name": spec.name,
        "owner": entry.owner,
        "event": entry.event,
        "producers": entry.producers,
        "consumers": entry.consumers,
        "internal": entry.internal,
        "retention_days": entry.retention_days,
        "partitions": found[spec.name].partitions if spec.name in found else None,
    }
