"""Fixtures for tests of the office: those of the staff's pages."""

from tests.staff.conftest import _cheap_passwords, office, real_passwords, small_office

__all__ = ["_cheap_passwords", "office", "real_passwords", "small_office"]
