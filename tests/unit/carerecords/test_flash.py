"""Messages carry at most one action, and survive what others put in them."""

import pytest
from django.contrib import messages
from django.contrib.messages.storage.base import Message
from django.contrib.messages.storage.session import SessionStorage
from django.test import RequestFactory

from carerecords import flash


@pytest.fixture
def request_with_messages():
    request = RequestFactory().get("/")
    request.session = {}
    request._messages = SessionStorage(request)
    return request


def test_an_action_comes_back_as_it_was_given(request_with_messages):
    action = flash.Action("Undo", "/undo/", {"event": 7})
    flash.success(request_with_messages, "Consent given recorded for ADEYEMI, Grace.", action=action)
    (message,) = messages.get_messages(request_with_messages)
    assert flash.read(message) == flash.Flash(
        "Consent given recorded for ADEYEMI, Grace.", True, flash.Action("Undo", "/undo/", {"event": "7"})
    )


def test_a_notice_is_not_a_success(request_with_messages):
    flash.notice(request_with_messages, "0 new, 3,912 already the same")
    (message,) = messages.get_messages(request_with_messages)
    assert flash.read(message) == flash.Flash("0 new, 3,912 already the same", False)


@pytest.mark.parametrize("tags", ["", "plain words", "7", "[]"])
def test_a_message_that_others_wrote_has_no_action(tags):
    assert flash.read(Message(messages.INFO, "Text", extra_tags=tags)).action is None
