"""What stands in the mails that people asked for: plain text, and the same as simple HTML."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from servicekit.events import Event

from experiment_service.clients.recipients import Recipient
from experiment_service.models.notifications import MailLanguage

MOST_SHOWN = 20
MAX_NAME = 120

_WHAT: Mapping[MailLanguage, Mapping[str, str]] = {
    "en": {
        "run.created": "Run “{name}” was recorded as a draft",
        "run.started": "Run “{name}” runs",
        "run.succeeded": "Run “{name}” succeeded",
        "run.failed": "Run “{name}” failed",
        "run.interrupted": "Run “{name}” was interrupted",
        "run.archived": "Run “{name}” was archived",
        "run.restored": "Run “{name}” was restored",
        "metric.threshold_crossed": "Run “{name}”: {limit}",
        "sensor.offline": "Sensor “{name}” is offline",
        "sensor.online": "Sensor “{name}” is back",
        "sensor.threshold_crossed": "Sensor “{name}”: {limit}",
        "notification.test": "This is a test: mail reaches you",
        "above": "{key} is {value}, above {threshold}",
        "below": "{key} is {value}, below {threshold}",
        "many": "{count} events in {project}",
        "more": "and {count} more",
        "stop": "You get this because you asked for it. Change or stop it here:",
    },
    "ru": {
        "run.created": "Запуск «{name}» записан как черновик",
        "run.started": "Запуск «{name}» идёт",
        "run.succeeded": "Запуск «{name}» завершён успешно",
        "run.failed": "Запуск «{name}» завершился ошибкой",
        "run.interrupted": "Запуск «{name}» прерван",
        "run.archived": "Запуск «{name}» в архиве",
        "run.restored": "Запуск «{name}» возвращён из архива",
        "metric.threshold_crossed": "Запуск «{name}»: {limit}",
        "sensor.offline": "Датчик «{name}» не на связи",
        "sensor.online": "Датчик «{name}» снова на связи",
        "sensor.threshold_crossed": "Датчик «{name}»: {limit}",
        "notification.test": "Это проверка: письма до вас доходят",
        "above": "{key} = {value}, выше {threshold}",
        "below": "{key} = {value}, ниже {threshold}",
        "many": "Событий: {count}, проект {project}",
        "more": "и ещё {count}",
        "stop": "Вы получили это письмо, потому что попросили о нём. Изменить или отключить:",
    },
}


@dataclass(frozen=True, slots=True)
class MailText:
    """A mail without its addresses."""

    subject: str
    text: str
    html: str


def compose(
    events: Sequence[Event], recipient: Recipient, language: MailLanguage, portal: str
) -> MailText:
    """One mail of one or many events, in their order; what is too much is only counted."""
    words, base = _WHAT[language], f"{portal.rstrip('/')}/p/{recipient.project_slug}"
    shown = [(_sentence(event, words), _link(event, base)) for event in events[:MOST_SHOWN]]
    more = len(events) - len(shown)
    what = (
        shown[0][0]
        if len(events) == 1
        else words["many"].format(count=len(events), project=recipient.project_name)
    )
    rest = words["more"].format(count=more) if more else ""
    stop = f"{base}/notifications"
    lines = [line for sentence, link in shown for line in (sentence, link, "")]
    text = "\n".join([*lines, *([rest, ""] if rest else []), "-- ", words["stop"], stop, ""])
    items = "".join(
        f'<li><a href="{escape(link)}">{escape(sentence)}</a></li>' for sentence, link in shown
    )
    html = (
        f'<!doctype html><html lang="{language}"><body>'
        f"<p><strong>{escape(recipient.project_name)}</strong></p><ul>{items}</ul>"
        + (f"<p>{escape(rest)}</p>" if rest else "")
        + f'<p><small>{escape(words["stop"])} <a href="{escape(stop)}">{escape(stop)}</a></small>'
        "</p></body></html>"
    )
    return MailText(f"[{recipient.project_name[:MAX_NAME]}] {what}", text, html)


def _sentence(event: Event, words: Mapping[str, str]) -> str:
    data: dict[str, Any] = event.data
    limit = ""
    if data.get("direction") in {"above", "below"}:
        unit = f" {data['unit']}" if data.get("unit") else ""
        limit = words[data["direction"]].format(
            key=data.get("key") or data.get("signal"),
            value=f"{_short(data['value'])}{unit}",
            threshold=f"{_short(data['threshold'])}{unit}",
        )
    name = " ".join((event.subject.name or "").split())[:MAX_NAME]
    return words.get(event.type, event.type).format(name=name, limit=limit)


def _short(value: float | str) -> str:
    """A number as people read it; one that is not finite is a word already."""
    return value if isinstance(value, str) else f"{value:.6g}"


def _link(event: Event, base: str) -> str:
    match event.subject.kind:
        case "run":
            return f"{base}/r/{event.subject.id}"
        case "sensor":
            return f"{base}/sensors/{event.subject.id}"
        case _:
            return f"{base}/notifications"
