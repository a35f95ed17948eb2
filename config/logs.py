"""Log lines: one JSON object a line on standard error, with the request's or task's id in each.

No line holds patient data. Code logs ids and counts only; what others put into an exception's
message is dropped here, because PostgreSQL quotes the row it refuses and parsers quote what they
read. The exception's type and its frames are enough to find the fault.
"""

import re
import sys
import traceback
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

# Ten digits by themselves, closed up or as people space them; no part of a UUID looks so.
NHS_NUMBER = re.compile(r"(?<!\w)(?:\d{3}(?:[ +-]|%20)?){2}\d{4}(?!\w)")
# Django's own line for each request says nothing that django_structlog's does not.
QUIET = ("django.server", "django.channels.server")


def only_where(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replaces `exc_info` by the chain of exception types and the frames of the innermost."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["exception"] = _chain(error)
        event["frames"] = _frames(error.__traceback__)
    return event


def _chain(error: BaseException) -> str:
    names = []
    seen: BaseException | None = error
    while seen is not None:
        names.append(type(seen).__name__)
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return " from ".join(names)


def _frames(trace: TracebackType | None) -> list[str]:
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)]


def without_arguments(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Celery's lines carry a task's result and arguments as extras; ours say what matters by id."""
    for name in ("args", "kwargs", "result", "data"):
        event.pop(name, None)
    return event


def without_numbers(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """No address of ours holds an NHS number, but somebody may ask for one that does."""
    for name in ("event", "request"):
        if isinstance(event.get(name), str):
            event[name] = NHS_NUMBER.sub("[number]", event[name])
    return event


SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    without_arguments,
    only_where,
    without_numbers,
]


def configure(level: str) -> dict[str, Any]:
    """Sets structlog up, and returns Django's LOGGING for everything that logs by `logging`."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.JSONRenderer(ensure_ascii=False),
                ],
                "foreign_pre_chain": SHARED,
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level},
        # Django's defaults mail tracebacks to administrators; a mail is a place for patient data too.
        "loggers": {"django": {"handlers": [], "level": level, "propagate": True}}
        | {name: {"handlers": [], "level": "WARNING", "propagate": True} for name in QUIET},
    }
