"""Whatever phones there are: without a network, lane mode lets no two admit one ticket."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.models import Device, DeviceRole
from app.models.codes import LANES
from app.services.door.lanes import lanes_alone

START = datetime(2027, 1, 23, tzinfo=UTC)
MOMENTS = st.integers(0, 3).map(lambda minutes: START + timedelta(minutes=minutes))
LETTERS = st.integers(0, 2 ** len(LANES) - 1).map(
    lambda mask: "".join(letter for n, letter in enumerate(LANES) if mask >> n & 1)
)


@st.composite
def many_devices(draw: st.DrawFn) -> list[Device]:
    """Draw phones of any role with any letters, some not paired, some cut off."""
    return [
        Device(
            id=device_id,
            role=draw(st.sampled_from(DeviceRole)),
            lanes=draw(LETTERS),
            paired_at=draw(st.none() | MOMENTS),
            cut_off_at=draw(st.none() | st.just(START)),
        )
        for device_id in draw(st.lists(st.integers(1, 50), unique=True, max_size=6))
    ]


def supervisor(device_id: int, minutes: int | None) -> Device:
    paired_at = None if minutes is None else START + timedelta(minutes=minutes)
    return Device(id=device_id, role=DeviceRole.SUPERVISOR, lanes="", paired_at=paired_at)


def scanner(device_id: int, lanes: str) -> Device:
    return Device(id=device_id, role=DeviceRole.SCANNER, lanes=lanes, paired_at=START)


@given(many_devices())
def test_no_letter_is_admitted_by_two_phones(devices: list[Device]) -> None:
    shares = lanes_alone(devices)

    assert set(Counter("".join(shares.values())).values()) <= {1}
    for device in devices:
        if device.cut_off_at is not None:
            assert device.id not in shares
        elif device.role is DeviceRole.SCANNER:
            assert set(shares[device.id]) <= set(device.lanes)


@given(many_devices())
def test_every_letter_a_scanner_in_use_has_is_admitted_somewhere(devices: list[Device]) -> None:
    shares = lanes_alone(devices)

    in_use = [d for d in devices if d.cut_off_at is None]
    wanted = {letter for d in in_use if d.role is DeviceRole.SCANNER for letter in d.lanes}
    if any(d.role is DeviceRole.SUPERVISOR and d.paired_at for d in in_use):
        wanted = set(LANES)
    assert set("".join(shares.values())) == wanted


@given(many_devices(), st.sampled_from(DeviceRole))
def test_a_phone_paired_later_takes_nothing_from_the_supervisor_that_helps(
    devices: list[Device], role: DeviceRole
) -> None:
    newcomer = Device(id=60, role=role, lanes="", paired_at=START + timedelta(hours=1))

    before, after = lanes_alone(devices), lanes_alone([*devices, newcomer])

    for device_id, letters in before.items():
        assert after[device_id] == letters


def test_one_supervisor_helps_with_the_letters_nobody_has() -> None:
    devices = [supervisor(1, 5), supervisor(2, 3), supervisor(3, None), scanner(4, "ABCDEFGHI")]

    assert lanes_alone(devices) == {1: "", 2: "JKL", 3: "", 4: "ABCDEFGHI"}
