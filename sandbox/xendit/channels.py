"""Payment channels of an Indonesian account: codes, groups, limits, what can be refunded.

Codes and limits follow Xendit's Indonesian channel pages of April 2026.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Group:
    """Describe a family of channels: where invoices list it and what payments call it."""

    code: str
    listed_in: str
    listed_as: str
    payment_method: str


GROUPS = {
    group.code: group
    for group in (
        Group("va", "available_banks", "bank_code", "BANK_TRANSFER"),
        Group("qr", "available_qr_codes", "qr_code_type", "QR_CODE"),
        Group("ewallet", "available_ewallets", "ewallet_type", "EWALLET"),
        Group("retail", "available_retail_outlets", "retail_outlet_name", "RETAIL_OUTLET"),
        Group("card", "", "", "CREDIT_CARD"),
        Group("direct_debit", "available_direct_debits", "direct_debit_type", "DIRECT_DEBIT"),
        Group("paylater", "available_paylaters", "paylater_type", "PAYLATER"),
    )
}


@dataclass(frozen=True)
class Channel:
    """Describe one channel; limits in whole rupiah, refund `none`, `full` or `partial`."""

    code: str
    group: str
    label: str
    minimum: int
    maximum: int
    refund: str = "none"
    prefix: str = ""

    def takes(self, amount: int) -> bool:
        """Tell whether the amount lies within the channel's limits."""
        return self.minimum <= amount <= self.maximum


CHANNELS = {
    channel.code: channel
    for channel in (
        Channel("BNI", "va", "BNI", 1, 50_000_000_000, prefix="8808"),
        Channel("MANDIRI", "va", "Mandiri", 1, 50_000_000_000, prefix="88608"),
        Channel("PERMATA", "va", "Permata", 1, 9_999_999_999, prefix="7293"),
        Channel("BRI", "va", "BRI", 1, 50_000_000_000, prefix="26215"),
        Channel("BCA", "va", "BCA", 10_000, 50_000_000, prefix="70017"),
        Channel("BSI", "va", "BSI", 1, 50_000_000_000, prefix="9347"),
        Channel("SAHABAT_SAMPOERNA", "va", "Sahabat Sampoerna", 1, 50_000_000_000, prefix="4010"),
        Channel("BNC", "va", "Bank Neo Commerce", 10_000, 50_000_000_000, prefix="9031"),
        Channel("QRIS", "qr", "QRIS", 1, 10_000_000, refund="partial"),
        Channel("OVO", "ewallet", "OVO", 100, 20_000_000),
        Channel("DANA", "ewallet", "DANA", 100, 20_000_000, refund="partial"),
        Channel("SHOPEEPAY", "ewallet", "ShopeePay", 1, 20_000_000, refund="partial"),
        Channel("LINKAJA", "ewallet", "LinkAja", 100, 10_000_000, refund="full"),
        Channel("ASTRAPAY", "ewallet", "AstraPay", 100, 20_000_000),
        Channel("JENIUSPAY", "ewallet", "Jenius Pay", 1_000, 20_000_000, refund="partial"),
        Channel("NEXCASH", "ewallet", "Nexcash", 100, 20_000_000),
        Channel("ALFAMART", "retail", "Alfamart", 10_000, 5_000_000, prefix="TEST"),
        Channel("INDOMARET", "retail", "Indomaret", 10_000, 5_000_000, prefix="TEST"),
        Channel("CREDIT_CARD", "card", "Visa, Mastercard, JCB", 5_000, 200_000_000, "partial"),
        Channel("DD_BRI", "direct_debit", "BRI Direct Debit", 1, 999_999, refund="full"),
        Channel("DD_MANDIRI", "direct_debit", "Mandiri Direct Debit", 1, 5_000_000),
        Channel("DD_BCA_KLIKPAY", "direct_debit", "BCA KlikPay", 1, 5_000_000),
        Channel("KREDIVO", "paylater", "Kredivo", 1_000, 30_000_000, refund="full"),
        Channel("AKULAKU", "paylater", "Akulaku", 1_000, 25_000_000, refund="partial"),
        Channel("UANGME", "paylater", "UangMe", 1_000, 25_000_000),
        Channel("ATOME", "paylater", "Atome", 1_000, 25_000_000),
    )
}

# PayLater has to be applied for, so a new account does not have it.
ACTIVE_BY_DEFAULT = tuple(c.code for c in CHANNELS.values() if c.group != "paylater")
