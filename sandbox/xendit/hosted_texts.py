"""The hosted page's words in Indonesian and English."""

from __future__ import annotations

TEXTS = {
    "id": {
        "title": "Pembayaran",
        "stand_in": "Halaman tiruan lokal untuk pengembangan. Tidak ada uang sungguhan.",
        "total": "Total pembayaran",
        "order": "Pesanan",
        "pay_before": "Bayar sebelum",
        "left": "sisa {}",
        "choose": "Pilih cara pembayaran",
        "back": "Cara pembayaran lain",
        "va": "Virtual account",
        "qr": "QRIS",
        "ewallet": "Dompet digital",
        "retail": "Gerai ritel",
        "card": "Kartu kredit atau debit",
        "direct_debit": "Debit langsung",
        "paylater": "Bayar nanti",
        "va_number": "Nomor virtual account",
        "payment_code": "Kode pembayaran",
        "how_va": "Transfer tepat sejumlah total ke nomor ini.",
        "how_qr": "Pindai kode ini dengan aplikasi pembayaran.",
        "how_ewallet": "Anda akan diteruskan ke aplikasi dompet digital.",
        "how_retail": "Sebutkan kode ini kepada kasir.",
        "how_other": "Anda akan diteruskan ke penyedia pembayaran.",
        "pay": "Simulasikan pembayaran berhasil",
        "fail": "Simulasikan pembayaran gagal",
        "pay_late": "Simulasikan pembayaran terlambat",
        "failed": "Pembayaran gagal. Silakan coba lagi atau pilih cara lain.",
        "paid": "Pembayaran diterima",
        "paid_text": "Terima kasih. Pembayaran Anda sudah kami terima.",
        "expired": "Tagihan kedaluwarsa",
        "expired_text": "Batas waktu pembayaran sudah lewat.",
        "return": "Kembali ke penjual",
        "late": "Uang yang datang terlambat",
        "gone": "Tagihan tidak ditemukan",
        "wrong": "Itu tidak bisa dilakukan",
        "hours": "jam",
        "minutes": "menit",
        "seconds": "detik",
    },
    "en": {
        "title": "Payment",
        "stand_in": "A local stand-in for development. No real money moves.",
        "total": "Total to pay",
        "order": "Order",
        "pay_before": "Pay before",
        "left": "{} left",
        "choose": "Choose how to pay",
        "back": "Another way to pay",
        "va": "Virtual account",
        "qr": "QRIS",
        "ewallet": "E-wallet",
        "retail": "Retail outlet",
        "card": "Credit or debit card",
        "direct_debit": "Direct debit",
        "paylater": "Pay later",
        "va_number": "Virtual account number",
        "payment_code": "Payment code",
        "how_va": "Transfer exactly the total to this number.",
        "how_qr": "Scan this code with a payment app.",
        "how_ewallet": "You would be sent on to the e-wallet app.",
        "how_retail": "Show this code to the cashier.",
        "how_other": "You would be sent on to the payment provider.",
        "pay": "Simulate a successful payment",
        "fail": "Simulate a failed payment",
        "pay_late": "Simulate a late payment",
        "failed": "The payment failed. Try again or choose another way.",
        "paid": "Payment received",
        "paid_text": "Thank you. We have received your payment.",
        "expired": "Invoice expired",
        "expired_text": "The time to pay has run out.",
        "return": "Back to the merchant",
        "late": "Money that comes too late",
        "gone": "Invoice not found",
        "wrong": "That is not possible",
        "hours": "h",
        "minutes": "min",
        "seconds": "s",
    },
}


def rupiah(amount: int) -> str:
    """Write an amount as Indonesians do: Rp 150.000."""
    sign = "-" if amount < 0 else ""
    return f"{sign}Rp {abs(amount):,}".replace(",", ".")


def time_left(seconds: int, texts: dict[str, str]) -> str:
    """Write a duration as its page says it, such as `29 min left`; seconds only in the last one."""
    hours, rest = divmod(max(seconds, 0), 3600)
    minutes, seconds = divmod(rest, 60)
    parts = [(hours, "hours"), (minutes, "minutes")]
    said = [f"{number} {texts[unit]}" for number, unit in parts if number]
    return texts["left"].format(" ".join(said) or f"{seconds} {texts['seconds']}")
