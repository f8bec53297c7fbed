"""Fixtures for tests of the office: those of the staff's pages."""

from tests.office.inbox_world import busy, small
from tests.office.post_office import post
from tests.staff.conftest import _cheap_passwords, office, real_passwords, small_office

__all__ = ["_cheap_passwords", "busy", "office", "post", "real_passwords", "small", "small_office"]
