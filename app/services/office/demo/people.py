"""The buyers and guests of a made-up sale: nobody real can be reached under any of this."""

from dataclasses import dataclass
from random import Random

_GIVEN = (
    "Adi Agus Ahmad Aisyah Ajeng Andi Anisa Arif Ayu Bagus Bambang Bayu Bima Budi Cahya Citra"
    " Dedi Desi Dewi Dian Dimas Dinda Dwi Eka Eko Endah Fajar Farah Fitri Galih Gilang Hana Hendra"
    " Indah Intan Irfan Joko Kartika Kevin Kurnia Laras Lestari Lukman Made Maya Mega Nadia"
    " Nita Novi Nur Putra Putri Rahmat Rangga Ratna Rina Rizki Sari Sekar Siti Surya Taufik Tika"
    " Tri Utami Vina Wahyu Wati Wayan Wulan Yanti Yoga Yusuf Zahra"
)
_FAMILY = (
    "Adriansyah Anggraini Aritonang Damanik Fauzi Firmansyah Ginting Gunawan Halim Handayani"
    " Hartono Hasibuan Hidayat Hutapea Iskandar Kusuma Kusnadi Lubis Mahendra Marpaung Maulana"
    " Nasution Nugraha Nugroho Oktaviani Pangestu Permata Pradana Pratama Purnama Puspita Rahayu"
    " Rahmawati Ramadhan Safitri Santoso Saputra Setiawan Sihombing Simanjuntak Siregar Situmorang"
    " Suharto Sulistyo Suryani Susanti Sutrisno Tanjung Wibowo Widodo Wijaya Wulandari Yulianti"
)
GIVEN, FAMILY = _GIVEN.split(), _FAMILY.split()
MANY_WRITTEN = (
    "Nguyễn Thị Ánh Tuyết",
    "José Álvarez",
    "陳美玲",
    "Anne-Marie O’Brien",
    "Ørjan Sæther",
)
# Domains kept free for examples (RFC 2606): a mail to any of them reaches nobody.
DOMAINS = ("example.com", "example.net", "example.org", "mahasiswa.example", "kantor.example")
ONE_NAME_OF = 12  # many Indonesians have a single name
FOREIGN_OF = 150


@dataclass(frozen=True)
class Person:
    """A buyer, by what the shop asks."""

    full_name: str
    email: str
    no_hp: str
    locale: str


class People:
    """Meets buyers one after the other; some of them come back."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._regulars: list[Person] = []

    def buyer(self) -> Person:
        """Return somebody new, or one of twelve times somebody who has bought before.

        Who comes back may type the address in capitals: it is the same person all the same.
        """
        rng = self._rng
        if self._regulars and rng.random() < 1 / 12:
            known = rng.choice(self._regulars)
            email = known.email.capitalize() if rng.random() < 1 / 4 else known.email
            return Person(known.full_name, email, known.no_hp, known.locale)
        person = self._new()
        if len(self._regulars) < 2000:
            self._regulars.append(person)
        return person

    def name(self) -> str:
        """Return the name of a guest."""
        rng = self._rng
        if rng.randrange(FOREIGN_OF) == 0:
            return rng.choice(MANY_WRITTEN)
        given = rng.choice(GIVEN)
        return given if rng.randrange(ONE_NAME_OF) == 0 else f"{given} {rng.choice(FAMILY)}"

    def _new(self) -> Person:
        rng = self._rng
        name = self.name()
        plain = ".".join(part for part in name.lower().split() if part.isascii()) or "tamu"
        return Person(
            full_name=name,
            email=f"{plain}{rng.randrange(1000, 100_000)}@{rng.choice(DOMAINS)}",
            no_hp=f"+6281{rng.randrange(10**8, 10**9)}",
            locale="en" if rng.random() < 0.08 else "id",
        )
