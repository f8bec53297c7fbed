"""Slips in mail domains: what is asked about, and what never is."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.forms.fields import parse_email
from app.forms.mail_domains import PROVIDERS, suggest_address

LOCALS = st.text(string.ascii_letters + string.digits + "._+-", min_size=1, max_size=64)
KNOWN = [f"{name}.{ending}" for name, endings in PROVIDERS.items() for ending in endings]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gamil.com", "gmail.com"),
        ("gmai.com", "gmail.com"),
        ("gmaill.com", "gmail.com"),
        ("gnail.com", "gmail.com"),
        ("mgail.com", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("gmail.co", "gmail.com"),
        ("gmail.cm", "gmail.com"),
        ("gmail.co.id", "gmail.com"),
        ("gmail.id", "gmail.com"),
        ("gmial.con", "gmail.com"),
        ("GMIAL.COM", "gmail.com"),
        ("gmail,com", "gmail.com"),
        ("gmailcom", "gmail.com"),
        ("gmail", "gmail.com"),
        ("gmail.com.", "gmail.com"),
        ("yaho.com", "yahoo.com"),
        ("yahoo.coid", "yahoo.co.id"),
        ("yahoo.co.di", "yahoo.co.id"),
        ("yahoo.com.id", "yahoo.co.id"),
        ("yaho.co.id", "yahoo.co.id"),
        ("hotmial.com", "hotmail.com"),
        ("outlok.com", "outlook.com"),
        ("iclod.com", "icloud.com"),
        ("perusahaan.con", "perusahaan.com"),
        ("mail.ugm.acid", "mail.ugm.ac.id"),
    ],
)
def test_a_slip_is_asked_about(typed: str, meant: str) -> None:
    assert suggest_address(f" Sari.Dewi+1@{typed} ") == f"Sari.Dewi+1@{meant}"


@pytest.mark.parametrize(
    "domain",
    [
        *KNOWN,
        *("mail.ugm.ac.id", "ui.ac.id", "students.itb.ac.id", "gmail.ugm.ac.id", "sman1.sch.id"),
        *("kemdikbud.go.id", "bca.co.id", "telkom.net", "indosat.net.id", "cbn.net.id", "biz.id"),
        *("mail.com", "email.com", "fmail.com", "hmail.com", "tmail.com", "cloud.com", "gmx.com"),
        *("gmx.net", "gmx.de", "me.com", "mac.com", "msn.com", "live.com", "live.co.uk", "aol.com"),
        *(
            "proton.me",
            "pm.me",
            "hey.com",
            "zoho.com",
            "yandex.com",
            "mail.ru",
            "qq.com",
            "163.com",
        ),
        *("naver.com", "fastmail.com", "tuta.io", "web.de", "yahoo.fr", "yahoo.ca", "yahoo.co.uk"),
        *("yahoo.com.sg", "yahoo.com.au", "hotmail.fr", "outlook.de", "outlook.com.au"),
        *("icloud.com.cn", "protonmail.ch", "example.com", "tedxsenja.example", "bücher.example"),
    ],
)
def test_a_real_domain_is_never_doubted(domain: str) -> None:
    assert suggest_address(f"sari@{domain}") is None
    assert suggest_address(f"sari@{domain.upper()}") is None


@pytest.mark.parametrize(
    "typed",
    [
        *("", "@", "sari", "@gmial.com", "sari@", "sari@@gmial.com", "sa ri@gmial.com", "s@.com"),
        *("a" * 65 + "@gmial.com", "sari@" + "g" * 5000, "sari@gmial.com\x00", "s@" + "." * 190),
    ],
    ids=lambda typed: repr(typed)[:20],
)
def test_what_is_no_address_with_a_slip_gets_no_answer(typed: str) -> None:
    assert suggest_address(typed) is None


def slips(name: str) -> set[str]:
    """Return what one slip after the first letter makes of a name."""
    found = {name[:i] + name[i + 1 :] for i in range(1, len(name))}
    found |= {name[:i] + name[i + 1] + name[i] + name[i + 2 :] for i in range(len(name) - 1)}
    for letter in string.ascii_lowercase:
        found |= {name[:i] + letter + name[i + 1 :] for i in range(1, len(name))}
        found |= {name[:i] + letter + name[i:] for i in range(1, len(name) + 1)}
    return found - {name}


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_single_slip_in_a_providers_name_leads_back_to_a_provider(name: str) -> None:
    for slip in slips(name) - PROVIDERS.keys():
        suggestion = suggest_address(f"sari@{slip}.com")
        assert suggestion is not None, slip
        assert suggestion.removeprefix("sari@").removesuffix(".com") in PROVIDERS, slip


@given(LOCALS, st.text(string.ascii_lowercase + string.digits + ".-,", max_size=30))
def test_a_suggestion_keeps_the_name_is_final_and_is_a_domain_known_or_repaired(
    local: str, domain: str
) -> None:
    suggestion = suggest_address(f"{local}@{domain}")
    if suggestion is not None:
        assert suggestion.startswith(f"{local}@")
        assert suggestion != f"{local}@{domain}"
        assert suggest_address(suggestion) is None
        assert parse_email(suggestion)


@given(st.text(string.ascii_lowercase, min_size=1, max_size=20), st.sampled_from(["ac", "sch"]))
def test_no_school_is_doubted(name: str, kind: str) -> None:
    assert suggest_address(f"sari@{name}.{kind}.id") is None
    assert suggest_address(f"sari@mail.{name}.{kind}.id") is None
